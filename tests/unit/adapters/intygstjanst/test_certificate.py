"""A certificate of FK 7804 is read, or told why not, whatever stands in it (forsakringskassan.md § 1.11)."""

import contextlib
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters import soap
from adapters.intygstjanst import paper
from adapters.intygstjanst.certificate import answer, read, read_body
from adapters.intygstjanst.filled import filled
from adapters.intygstjanst.population import generate
from contracts.certificate import (
    InDays,
    InMonths,
    Likely,
    MedicalCertificate,
    NotLikely,
    Occupation,
    Prognosis,
    Relation,
    RelationKind,
    Unclear,
    WorkMeasure,
)
from contracts.errors import Invalid, Unavailable
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import CertificatePeriod
from fhir_mappings.certificate import questionnaire_response

GOLDEN: Final = Path(__file__).parents[3] / "golden/cases/fk7804"
BODIES: Final = [file.read_bytes() for file in sorted(GOLDEN.glob("*/certificate.xml"))]
NUMBER: Final = f"19700101980{control_digit('700101980')}"
WHOLE: Final = MedicalCertificate(
    id="3f2a8c1e-6d0b-4c8e-9b1a-5d2f7e4c9a10",
    patient=PersonId(NUMBER),
    unit=HsaId("SE1111111111-E001"),
    version=2,
    doctor="SE1111111111-D001",
    signed=datetime(2026, 2, 2, 8, tzinfo=UTC),
    sent_to_fk=datetime(2026, 2, 2, 9, tzinfo=UTC),
    periods=(CertificatePeriod(date(2026, 2, 2), date(2026, 2, 28), 100),),
    contact_wished=True,
)

Change = Callable[[etree._Element], None]


def content(form: MedicalCertificate = WHOLE) -> etree._Element:
    found = soap.unwrap(soap.wrap(paper.response(form, None)))
    assert not isinstance(found, soap.Fault)
    return found


def changed(change: Change, form: MedicalCertificate = WHOLE) -> MedicalCertificate:
    message = content(form)
    change(message)
    return read(message)


def put(path: str, text: str) -> Change:
    def change(message: etree._Element) -> None:
        (element,) = message.findall("/".join(f"{{*}}{step}" for step in path.split("/")))
        element.text = text

    return change


def part(number: str, text: str) -> Change:
    def change(message: etree._Element) -> None:
        (element,) = [each for each in message.iter("{*}delsvar") if each.get("id") == number]
        element.text = text

    return change


def without(path: str) -> Change:
    def change(message: etree._Element) -> None:
        for element in message.findall("/".join(f"{{*}}{step}" for step in path.split("/"))):
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)

    return change


# Each answer


@pytest.mark.parametrize(
    ("version", "prognosis"),
    [
        (1, Likely()),
        (1, NotLikely()),
        (1, Unclear("Beror på")),
        (2, Unclear("")),
        *((1, InDays(days)) for days in (30, 60, 90, 180, 365)),
        *((2, InMonths(months)) for months in (1, 9, 10, 99)),
    ],
)
def test_prognoses(version: int, prognosis: Prognosis) -> None:
    form = replace(WHOLE, version=version, prognosis=prognosis)
    assert read(content(form)) == form


@pytest.mark.parametrize("months", ["0", "100", "-1", "1,5", "", "tre", "٣"])
def test_months_that_are_none(months: str) -> None:
    found = changed(part("39.4", months), replace(WHOLE, prognosis=InMonths(3)))
    assert (found.prognosis, found.unread) == (None, ("39.4",))


def test_a_prognosis_whose_number_is_missing_is_told() -> None:
    def drop(message: etree._Element) -> None:
        (element,) = [each for each in message.iter("{*}delsvar") if each.get("id") == "39.3"]
        element.set("id", "39.9")

    found = changed(drop, replace(WHOLE, prognosis=InDays(30)))
    assert (found.prognosis, found.unread) == (None, ("39.3",))


@pytest.mark.parametrize("occupation", Occupation)
def test_occupations(occupation: Occupation) -> None:
    assert read(content(replace(WHOLE, occupations=(occupation,)))).occupations == (occupation,)


@pytest.mark.parametrize("measure", WorkMeasure)
def test_measures(measure: WorkMeasure) -> None:
    assert read(content(replace(WHOLE, version=1, measures=(measure,)))).measures == (measure,)


@pytest.mark.parametrize("kind", RelationKind)
def test_relations(kind: RelationKind) -> None:
    form = replace(WHOLE, relations=(Relation(kind, "an earlier one"),))
    assert read(content(form)) == form


@pytest.mark.parametrize("degree", [25, 50, 75, 100])
def test_degrees(degree: int) -> None:
    period = CertificatePeriod(date(2026, 2, 2), date(2026, 2, 2), degree)
    assert read(content(replace(WHOLE, periods=(period,)))).periods == (period,)


@pytest.mark.parametrize(
    ("text", "wished", "unread"),
    [
        ("true", True, ()),
        (" TRUE\n", True, ()),
        ("1", True, ()),
        ("false", False, ()),
        ("0", False, ()),
        ("", False, ("26.1",)),
        ("ja", False, ("26.1",)),
    ],
)
def test_a_wish_is_one_only_where_it_can_be_read(text: str, wished: bool, unread: tuple[str, ...]) -> None:
    found = changed(part("26.1", text))
    assert (found.contact_wished, found.unread) == (wished, unread)


# Which version


@pytest.mark.parametrize(
    ("stated", "form", "version"),
    [
        ("1", {}, 1),
        ("1.3", {}, 1),
        ("2.0", {}, 2),
        ("3", {"prognosis": InMonths(2)}, 2),
        ("", {"prognosis": InDays(30)}, 1),
        ("", {"measures": (WorkMeasure.NONE,)}, 1),
        ("", {}, None),
        ("2", {"prognosis": InDays(30)}, 2),
        ("11", {}, None),
    ],
)
def test_the_version_by_its_number_else_by_its_answers(stated: str, form: dict[str, Any], version: int | None) -> None:
    assert changed(put("intyg/version", stated), replace(WHOLE, **form)).version == version


# What has become of it


@pytest.mark.parametrize(
    ("change", "sent"),
    [
        (lambda _: None, WHOLE.sent_to_fk),
        (put("intyg/status/part/code", "HSVARD"), None),
        (put("intyg/status/tidpunkt", "2026-02-02T10:00:00Z"), datetime(2026, 2, 2, 10, tzinfo=UTC)),
        (without("intyg/status"), None),
    ],
    ids=["status", "to somebody else", "with a zone", "a time without a recipient"],
)
def test_sent_to_fk_is_what_says_so(change: Change, sent: datetime | None) -> None:
    assert changed(change).sent_to_fk == sent


def test_an_unreadable_time_of_sending_is_told_and_counts_as_none() -> None:
    found = changed(put("intyg/status/tidpunkt", "nyss"))
    assert (found.sent_to_fk, found.unread) == (None, ("status/tidpunkt",))


def test_revoked() -> None:
    assert read(content(replace(WHOLE, revoked=True))).revoked


# What is refused


@pytest.mark.parametrize(
    ("change", "at"),
    [
        (put("intyg/typ/code", "LUSE"), "intyg/typ"),
        (without("intyg/typ"), "intyg/typ"),
        (put("intyg/intygs-id/extension", " "), "intyg/intygs-id/extension"),
        (put("intyg/intygs-id/extension", "x" * 65), "intyg/intygs-id/extension"),
        (put("intyg/patient/person-id/extension", f"{NUMBER[:8]}-0000"), "intyg/patient/person-id/extension"),
        (put("intyg/patient/person-id/root", "1.2.752.74.9.1"), "intyg/patient/person-id/extension"),
        (without("intyg/patient"), "intyg/patient/person-id/extension"),
        (put("intyg/skapadAv/enhet/enhets-id/extension", "ingen"), "intyg/skapadAv/enhet/enhets-id/extension"),
        (without("intyg"), "intyg"),
    ],
)
def test_what_does_not_say_which_it_is_is_refused(change: Change, at: str) -> None:
    with pytest.raises(Invalid) as refusal:
        changed(change)
    assert [each.expression for each in refusal.value.issues] == [at]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<!DOCTYPE html><html/>"),
        (200, b"<a/>"),
        (500, soap.fault("Server", "VP007 [NTJP] not authorised")),
        (200, soap.fault("Server", f"no certificate of {NUMBER}")),
        (503, soap.wrap(content())),
        (200, soap.wrap(etree.Element("{urn:other}GetCertificateResponse"))),
    ],
)
def test_an_answer_that_is_none_is_a_failure_without_its_words(status: int, body: bytes) -> None:
    with pytest.raises(Unavailable) as failure:
        answer(status, body)
    assert NUMBER not in str(failure.value)


def test_an_answer_without_a_certificate() -> None:
    message = content()
    without("intyg")(message)
    assert answer(200, soap.wrap(message)) is None


# Whatever stands in it


def test_what_the_mock_fills_in_is_read_as_it_was_filled_in() -> None:
    """Both versions, and every kind of prognosis, occur."""
    made = [filled(each) for each in generate(7, WHOLE.unit, HsaId("SE1111111111-V001"), 80, date(2026, 3, 2))]
    for form in made:
        body = soap.wrap(paper.response(form, None))
        assert soap.errors_in("get_certificate_2.xsd", body) == ()
        assert answer(200, body) == form
    assert {form.version for form in made} == {1, 2}
    assert {type(form.prognosis) for form in made} == {Likely, NotLikely, InDays, InMonths, Unclear}
    assert {form.contact_wished for form in made} == {True, False}


_NAMES: Final = ("svar", "delsvar", "cv", "code", "datePeriod", "start", "end", "status", "part", "tidpunkt", "intyg")
_TEXTS: Final = st.one_of(
    st.sampled_from(
        ["", "true", "0", "LISJP", "FKASSA", "9999-12-31", "0001-01-01", "2026-02-30", "9999-12-31T23:59:59"]
    ),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"), max_size=30
    ),
)


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """A golden certificate in which some elements were taken away, doubled, moved, renamed or filled with something else."""
    root = etree.fromstring(draw(st.sampled_from(BODIES)), etree.XMLParser(remove_blank_text=True))
    for _ in range(draw(st.integers(1, 4))):
        elements = [each for each in root.iter() if each.getparent() is not None]
        if not elements:
            break
        one, other = draw(st.sampled_from(elements)), draw(st.sampled_from(elements))
        parent = one.getparent()
        assert parent is not None
        match draw(st.sampled_from(["remove", "double", "copy", "rename", "text", "number"])):
            case "remove":
                parent.remove(one)
            case "double":
                parent.append(deepcopy(one))
            case "copy":
                one.append(deepcopy(other))
            case "rename":
                one.tag = f"{{urn:x}}{draw(st.sampled_from(_NAMES))}"
            case "text":
                one.text = draw(_TEXTS)
            case _:
                one.set("id", draw(st.sampled_from(["26", "26.1", "32", "32.1", "32.2", "39.1", "39.4", "40.1", ""])))
    return etree.tostring(root)


@given(_mutated())
def test_any_change_gives_a_value_or_a_told_refusal(body: bytes) -> None:
    with contextlib.suppress(Invalid):
        found = read_body(body)
        assert questionnaire_response(found, "Patient/1", "DocumentReference/1")
    with contextlib.suppress(Invalid, Unavailable):
        answer(200, body)


@given(st.sampled_from(BODIES), st.data())
def test_any_bytes_give_a_value_or_a_told_refusal(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body)))
    spoiled = body[:at] + data.draw(st.binary(max_size=8)) + body[at + data.draw(st.integers(0, 40)) :]
    with contextlib.suppress(Invalid):
        assert questionnaire_response(read_body(spoiled), "Patient/1", "DocumentReference/1")


@given(_mutated())
def test_nothing_that_is_told_repeats_what_stood_there(body: bytes) -> None:
    """Only names of elements and parts."""
    try:
        told = set(read_body(body).unread)
    except Invalid as refusal:
        told = {each.expression for each in refusal.issues}
    assert told <= _TOLD


_TOLD: Final = {
    *("", "intyg", "intyg/typ", "intyg/intygs-id/extension", "intyg/patient/person-id/extension"),
    *("intyg/skapadAv/enhet/enhets-id/extension", "skapadAv/personal-id/extension", "skapadAv/fullstandigtNamn"),
    *("signeringstidpunkt", "skickatTidpunkt", "status/tidpunkt", "relation"),
    *("27.1", "28.1", "29.1", "32", "39.1", "39.2", "39.3", "39.4", "40.1", "44.1", "26.1", "26.2"),
}
