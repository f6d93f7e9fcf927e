"""The request as bytes, and the decision table of answers (forsakringskassan.md §§ 1.2-1.8, 2.4, 3)."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from adapters import soap
from adapters.forsakringskassan import wire
from contracts.consent import InformationCategory as Category
from contracts.consent import Recipient, RecipientKind
from contracts.dialogue import OURS, CareUnit, MessagePart, NextStep, PartyMessage, Sender, Topic
from contracts.identity import HsaId, PersonId
from contracts.outbox import Delivered, DeliveryOutcome, OutcomeUnknown, RefusedForGood, RouteBroken, Transient
from fhir_mappings import wording

FK = "2021005521"
OWN_ID = "5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c40"
S, C, T = (f"{{{wire.NAMESPACES[prefix]}}}" for prefix in "sct")


def content(message: PartyMessage) -> etree._Element:
    element = soap.unwrap(wire.request(message, FK))
    assert not isinstance(element, soap.Fault)
    return element


def found(message: PartyMessage, path: str) -> str:
    return content(message).findtext(path, "(absent)", wire.NAMESPACES)


# The request


def test_elements_stand_in_the_contracts_order(message: PartyMessage) -> None:
    assert [child.tag for child in content(replace(message, reference="ref-1"))] == [
        S + name
        for name in (
            "meddelande-id",
            "referens-id",
            "skickatTidpunkt",
            "intygs-id",
            "patientPerson-id",
            "logiskAdressMottagare",
            "amne",
            "rubrik",
            "meddelande",
            "skickatAv",
        )
    ]


def test_header_and_body_name_the_same_address(message: PartyMessage) -> None:
    assert soap.logical_address(wire.request(message, FK)) == found(message, "s:logiskAdressMottagare") == FK


def test_reference_only_when_there_is_one(message: PartyMessage) -> None:
    assert found(message, "s:referens-id") == "(absent)"
    assert found(replace(message, reference="ref-1"), "s:referens-id") == "ref-1"


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (datetime(2026, 1, 15, 12, 0, 0, 999999, tzinfo=UTC), "2026-01-15T13:00:00"),
        (datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC), "2026-07-02T00:30:05"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2026-10-25T02:30:00"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2026-10-25T02:30:00"),
        (datetime(2026, 1, 15, 12, 0, tzinfo=timezone(timedelta(hours=-5))), "2026-01-15T18:00:00"),
    ],
)
def test_time_is_swedish_without_fraction_or_zone(message: PartyMessage, at: datetime, written: str) -> None:
    assert found(replace(message, created=at), "s:skickatTidpunkt") == written


@pytest.mark.parametrize(
    ("digits", "root"),
    [("198507219817", "1.2.752.129.2.1.3.1"), ("196803659819", "1.2.752.129.2.1.3.3")],
)
def test_patient_has_twelve_digits_and_the_root_of_its_kind(message: PartyMessage, digits: str, root: str) -> None:
    changed = replace(message, patient=PersonId(digits))
    assert found(changed, "s:patientPerson-id/t:root") == root
    assert found(changed, "s:patientPerson-id/t:extension") == digits


def test_certificate_is_named_by_issuing_unit_and_id(message: PartyMessage) -> None:
    assert found(message, "s:intygs-id/t:root") == message.certificate_unit.value
    assert found(message, "s:intygs-id/t:extension") == message.certificate


@pytest.mark.parametrize(
    ("topic", "code", "display"),
    [
        (Topic.ASSUMED_REHAB_NEED, "OVRIGT", "Övrigt"),
        (Topic.MEETING, "AVSTMN", "Avstämningsmöte"),
        (Topic.CONTACT, "KONTKT", "Kontakt"),
        (Topic.OTHER, "OVRIGT", "Övrigt"),
    ],
)
def test_subject_by_topic(message: PartyMessage, topic: Topic, code: str, display: str) -> None:
    changed = replace(message, topic=topic)
    assert found(changed, "s:amne/t:code") == code
    assert found(changed, "s:amne/t:codeSystem") == "ffa59d8f-8d7e-46ae-ac9e-31804e8e8499"
    assert found(changed, "s:amne/t:displayName") == found(changed, "s:rubrik") == display


def test_every_topic_has_a_subject() -> None:
    assert set(wire.SUBJECTS) == OURS


def test_sender_is_person_unit_and_provider(message: PartyMessage) -> None:
    assert found(message, "s:skickatAv/c:personal-id/t:extension") == "SE5565594230-REKO1"
    assert found(message, "s:skickatAv/c:personal-id/t:root") == "1.2.752.129.2.1.4.1"
    assert found(message, "s:skickatAv/c:fullstandigtNamn") == "Rut Ek"
    assert found(message, "s:skickatAv/c:enhet/c:enhets-id/t:extension") == "SE5565594230-VE1"
    assert found(message, "s:skickatAv/c:enhet/c:vardgivare/c:vardgivare-id/t:extension") == "SE5565594230-VG1"


def test_unit_texts_may_be_empty_but_the_workplace_code_falls_back(message: PartyMessage) -> None:
    for name in ("postadress", "postnummer", "postort", "telefonnummer"):
        assert found(message, f"s:skickatAv/c:enhet/c:{name}") == ""
    assert found(message, "s:skickatAv/c:enhet/c:arbetsplatskod/t:extension") == "0000000"
    assert found(message, "s:skickatAv/c:enhet/c:arbetsplatskod/t:root") == "1.2.752.29.4.71"


# The text


def with_parts(message: PartyMessage, *parts: tuple[Category, str]) -> PartyMessage:
    return replace(message, parts=tuple(MessagePart(*part) for part in parts))


def reachable(message: PartyMessage, name: str, telephone: str) -> PartyMessage:
    unit = replace(message.sender.unit, telephone=telephone)
    changed = replace(message, sender=replace(message.sender, name=name, unit=unit))
    return with_parts(changed, (Category.CONTACT_DETAILS, "Helst förmiddagar."))


def test_information_under_4_says_so(message: PartyMessage) -> None:
    assert wording.text(message) == (
        "Information enligt 4 § lagen (2019:1297) om koordineringsinsatser för sjukskrivna patienter.\n\n"
        "Antaget behov av rehabilitering:\nArbetsträning kan behövas."
    )


@pytest.mark.parametrize("topic", [Topic.MEETING, Topic.CONTACT, Topic.OTHER])
def test_other_topics_hold_the_parts_alone(message: PartyMessage, topic: Topic) -> None:
    changed = with_parts(replace(message, topic=topic), (Category.WORK_ADJUSTMENTS, " Kortare dagar. "))
    assert wording.text(changed) == "Anpassningar i arbetet:\nKortare dagar."


def test_parts_keep_their_order_and_blank_ones_are_left_out(message: PartyMessage) -> None:
    changed = with_parts(
        message, (Category.DIAGNOSIS, "M54.5"), (Category.CARE_MEASURES, " \n"), (Category.DIAGNOSIS, "F43")
    )
    assert wording.text(changed).endswith("\n\nDiagnos:\nM54.5\n\nDiagnos:\nF43")


@pytest.mark.parametrize(
    ("name", "telephone", "line"),
    [
        ("Rut Ek", "010-123 45 67", "\n\nKontakt: Rut Ek, telefon 010-123 45 67"),
        ("Rut Ek", " ", "\n\nKontakt: Rut Ek"),
        ("", "010-123 45 67", "\n\nKontakt: telefon 010-123 45 67"),
        ("", "", ""),
    ],
)
def test_contact_line(message: PartyMessage, name: str, telephone: str, line: str) -> None:
    assert wording.text(reachable(message, name, telephone)).endswith(f"Kontaktuppgifter:\nHelst förmiddagar.{line}")


def test_no_contact_line_without_its_category(message: PartyMessage) -> None:
    assert "Rut Ek" not in wording.text(message)


@pytest.mark.parametrize("category", sorted(set(Category) - {Category.SENSITIVE_CIRCUMSTANCES}))
def test_every_category_that_may_leave_has_a_heading(message: PartyMessage, category: Category) -> None:
    assert f"{wording.HEADINGS[category]}:\nnågot" in wording.text(with_parts(message, (category, "något")))


# What is refused


def test_sensitive_circumstances_are_never_sent(message: PartyMessage) -> None:
    with pytest.raises(wording.Unwritable, match="sensitive_circumstances is never sent"):
        wire.request(with_parts(message, (Category.SENSITIVE_CIRCUMSTANCES, "hemligt")), FK)


@pytest.mark.parametrize("parts", [(), (MessagePart(Category.DIAGNOSIS, " \n"),)])
def test_a_message_without_text_is_refused(message: PartyMessage, parts: tuple[MessagePart, ...]) -> None:
    with pytest.raises(wording.Unwritable, match="no part"):
        wire.request(replace(message, parts=parts), FK)


@pytest.mark.parametrize("changes", [{"certificate": " "}, {"patient": None}])
def test_what_the_contract_needs_and_another_channel_may_not(message: PartyMessage, changes: dict[str, Any]) -> None:
    with pytest.raises(wording.Unwritable) as refusal:
        wire.request(replace(message, **changes), FK)
    assert refusal.value.other_channel


@pytest.mark.parametrize("field", ["id", "certificate", "reference"])
@pytest.mark.parametrize("forbidden", ["\x00", "\x0b", "\ufffe", "\ud800"])
def test_ids_with_forbidden_characters_are_refused(message: PartyMessage, field: str, forbidden: str) -> None:
    changes: dict[str, Any] = {field: f"hemlig{forbidden}"}
    with pytest.raises(wording.Unwritable, match="character that XML cannot carry") as refusal:
        wire.request(replace(message, **changes), FK)
    assert "hemlig" not in str(refusal.value)


def test_an_empty_message_id_is_refused(message: PartyMessage) -> None:
    with pytest.raises(wording.Unwritable, match="the message id is empty"):
        wire.request(replace(message, id=""), FK)


def test_a_time_without_zone_is_refused(message: PartyMessage) -> None:
    with pytest.raises(wording.Unwritable, match="no zone"):
        wire.request(replace(message, created=datetime(2026, 1, 1)), FK)  # noqa: DTZ001 - the point


def test_forbidden_characters_in_texts_are_shown_as_lost(message: PartyMessage) -> None:
    changed = with_parts(message, (Category.DIAGNOSIS, "a\x00b\r\nc\rd\ud800e\uffff😀<&]]>"))
    assert found(changed, "s:meddelande").endswith("a\ufffdb\nc\nd\ufffde\ufffd😀<&]]>")


# Whatever the texts: valid, or clearly refused; and the same bytes each time

anything = st.text(st.characters(categories=None)) | st.sampled_from(
    ["", " ", "\x00", "\ud800", "]]>", "&amp;", "å\r\nä"]
)
something = st.builds("{}x{}".format, anything, anything)
hsa_ids = st.from_regex(r"SE[0-9]{10}-[0-9A-Z]{1,10}", fullmatch=True).map(HsaId)
units = st.builds(
    CareUnit, hsa_ids, hsa_ids, anything, anything, anything, anything, anything, anything, workplace_code=anything
)
messages = st.builds(
    PartyMessage,
    id=st.uuids().map(str),
    topic=st.sampled_from(sorted(OURS)),
    recipient=st.just(Recipient(RecipientKind.FORSAKRINGSKASSAN, FK)),
    patient=st.sampled_from(["198507219817", "196803659819", "199311092390"]).map(PersonId),
    sender=st.builds(Sender, hsa_ids, units, anything),
    created=st.datetimes(datetime(1900, 1, 2), datetime(2999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    parts=st.lists(st.builds(MessagePart, st.sampled_from(sorted(wording.HEADINGS)), something), min_size=1).map(tuple),
    certificate=st.uuids().map(str),
    certificate_unit=hsa_ids,
    reference=st.just("") | st.uuids().map(str),
    wanted=st.none() | st.sampled_from(NextStep),
    answers=st.just("") | st.uuids().map(str),
    their_reference=st.just("") | st.just("FK-1"),
    consent_given=st.none() | st.dates(),
)


@settings(max_examples=100, deadline=None)
@given(messages)
def test_whatever_the_texts_it_is_valid_and_the_same_each_time(message: PartyMessage) -> None:
    body = wire.request(message, FK)
    assert wire.schema_errors(body) == ()
    assert body == wire.request(replace(message), FK)
    assert found(message, "s:meddelande") == wording.text(message)


@settings(max_examples=200, deadline=None)
@given(id=anything, certificate=anything, reference=anything, category=st.sampled_from(Category), told=anything)
def test_whatever_the_ids_it_is_valid_or_clearly_refused(
    message: PartyMessage, id: str, certificate: str, reference: str, category: Category, told: str
) -> None:
    changed = replace(message, id=id, certificate=certificate, reference=reference)
    for tried in (changed, replace(message, parts=(MessagePart(category, told),))):
        try:
            body = wire.request(tried, FK)
        except wording.Unwritable as refusal:
            assert str(refusal)  # noqa: PT017 - both ways are right
        else:
            assert wire.schema_errors(body) == ()


@pytest.fixture
def _elsewhere() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Pacific/Auckland"
    time.tzset()
    yield
    os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
    time.tzset()


HERE = datetime(2026, 5, 4, 10, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.usefixtures("_elsewhere")
def test_bytes_do_not_depend_on_the_machines_zone(message: PartyMessage) -> None:
    assert wire.request(message, FK) == wire.request(replace(message, created=HERE), FK)
    assert found(message, "s:skickatTidpunkt") == "2026-05-04T10:30:00"


def test_schema_errors_name_elements_and_no_values(message: PartyMessage) -> None:
    body = wire.request(message, FK).replace(b"198507219817", b"19850721-9817")
    errors = wire.schema_errors(body)
    assert any("extension" in error for error in errors)
    assert "9817" not in str(errors)


def test_schema_errors_of_a_fault() -> None:
    assert wire.schema_errors(soap.fault("Client", "x")) == ("the body is a fault",)


# The decision table


def answer(code: str, error_id: str = "", told: str = "") -> bytes:
    inner = f"<c:resultCode>{code}</c:resultCode>"
    inner += f"<c:resultText>{told}</c:resultText>" if told else ""
    inner += f"<c:errorId>{error_id}</c:errorId>" if error_id else ""
    response = etree.fromstring(
        f'<s:SendMessageToRecipientResponse xmlns:s="{wire.RESPONDER}" xmlns:c="{wire.CORE}">'
        f"<s:result>{inner}</s:result></s:SendMessageToRecipientResponse>"
    )
    return soap.wrap(response)


VALIDATION = "VALIDATION_ERROR"
EARLIER = Delivered("delivered earlier: the recipient already has the message id")

RESULTS: list[tuple[str, str, str, DeliveryOutcome]] = [
    ("OK", "", "", Delivered()),
    ("OK", "", "Tack", Delivered()),
    ("INFO", "", "", Delivered("INFO")),
    ("INFO", "", "Handläggs\n senare", Delivered("INFO: Handläggs senare")),
    ("ERROR", "TECHNICAL_ERROR", "", Transient("TECHNICAL_ERROR")),
    ("ERROR", "TECHNICAL_ERROR", "köstopp", Transient("TECHNICAL_ERROR: köstopp")),
    ("ERROR", VALIDATION, "", RefusedForGood(VALIDATION)),
    ("ERROR", VALIDATION, "amne saknas", RefusedForGood(f"{VALIDATION}: amne saknas")),
    ("ERROR", VALIDATION, "MEDDELANDE_ID_NOT_UNIQUE_ERROR", EARLIER),
    ("ERROR", VALIDATION, f"Message {OWN_ID} already exists", EARLIER),
    ("ERROR", VALIDATION, f"{OWN_ID.upper()} finns redan", EARLIER),
    ("ERROR", VALIDATION, f"meddelande-id {OWN_ID} is not unique", EARLIER),
    ("ERROR", VALIDATION, f"Duplicate: {OWN_ID}", EARLIER),
    (
        "ERROR",
        VALIDATION,
        "the certificate already exists",
        RefusedForGood(f"{VALIDATION}: the certificate already exists"),
    ),
    ("ERROR", "APPLICATION_ERROR", "", RefusedForGood("APPLICATION_ERROR", other_channel=True)),
    ("ERROR", "REVOKED", "", RefusedForGood("REVOKED", other_channel=True)),
    ("ERROR", "", "", Transient("ERROR without a known error id", max_attempts=3)),
    ("ERROR", "TRANSFORMATION_ERROR", "", Transient("ERROR without a known error id", max_attempts=3)),
]


@pytest.mark.parametrize(("code", "error_id", "told", "expected"), RESULTS)
def test_result(code: str, error_id: str, told: str, expected: DeliveryOutcome) -> None:
    assert wire.outcome(200, answer(code, error_id, told), OWN_ID) == expected


@pytest.mark.parametrize("missing", ["does not exist", "doesn't exist", "finns inte"])
def test_that_something_is_missing_is_not_a_duplicate(missing: str) -> None:
    told = f"the message that {OWN_ID} answers {missing}"
    assert isinstance(wire.outcome(200, answer("ERROR", VALIDATION, told), OWN_ID), RefusedForGood)


def test_only_a_validation_error_tells_of_a_duplicate() -> None:
    told = answer("ERROR", "APPLICATION_ERROR", f"{OWN_ID} exists")
    assert isinstance(wire.outcome(200, told, OWN_ID), RefusedForGood)


REFUSED, UNKNOWN, ROUTE, LATER = RefusedForGood, OutcomeUnknown, RouteBroken, Transient
PLATFORM: list[tuple[str, type[DeliveryOutcome]]] = [
    ("VP001", REFUSED),
    ("VP002", ROUTE),
    ("VP003", REFUSED),
    ("VP004", ROUTE),
    ("VP005", REFUSED),
    ("VP006", ROUTE),
    ("VP007", ROUTE),
    ("VP008", LATER),
    ("VP009", UNKNOWN),
    ("VP010", ROUTE),
    ("VP011", ROUTE),
    ("VP012", LATER),
    ("VP013", ROUTE),
    ("VP014", ROUTE),
    ("VP015", REFUSED),
    ("VP099", UNKNOWN),
]


@pytest.mark.parametrize(("code", "expected"), PLATFORM)
def test_platform_fault(code: str, expected: type[DeliveryOutcome]) -> None:
    told = wire.outcome(500, soap.fault("Server", f"{code} [NTJP-TEST] 198507219817"), OWN_ID)
    assert type(told) is expected
    assert "9817" not in str(told)


@pytest.mark.parametrize(
    ("fault", "status", "expected"),
    [
        (
            "Unmarshalling Error: cvc-datatype 'hemligt'",
            500,
            RefusedForGood("the recipient could not read the request"),
        ),
        ("unmarshaling failed", 500, RefusedForGood("the recipient could not read the request")),
        ("Marshalling Error", 500, OutcomeUnknown("HTTP 500, SOAP fault")),
        ("Something broke: hemligt", 500, OutcomeUnknown("HTTP 500, SOAP fault")),
        ("", 500, OutcomeUnknown("HTTP 500, SOAP fault")),
        ("Something broke", 200, OutcomeUnknown("SOAP fault")),
        ("Something broke", 503, Transient("HTTP 503")),
        ("Something broke", 404, RefusedForGood("HTTP 404")),
        ("VP007 [NTJP]", 403, RouteBroken("VP007: not authorised for the address and the contract")),
    ],
)
def test_other_fault(fault: str, status: int, expected: DeliveryOutcome) -> None:
    assert wire.outcome(status, soap.fault("Server", fault), OWN_ID) == expected


WRONG_ROOT = soap.wrap(etree.fromstring(f'<s:RevokeCertificateResponse xmlns:s="{wire.RESPONDER}"/>'))
DTD = b'<!DOCTYPE a [<!ENTITY b "c">]>' + answer("OK").partition(b"?>")[2]
EMPTY_RESULT = soap.wrap(etree.fromstring(f'<s:SendMessageToRecipientResponse xmlns:s="{wire.RESPONDER}"/>'))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the document is not well-formed XML"),
        (b"this is not an answer", "the document is not well-formed XML"),
        (b'{"result": "OK"}', "the document is not well-formed XML"),
        (b"<html/>", "the document is no SOAP 1.1 envelope with one body element"),
        (b"\xff\xfe\x00", "the document is not well-formed XML"),
        (answer("OK")[:-30], "the document is not well-formed XML"),
        (DTD, "a document type declaration is not accepted"),
        (WRONG_ROOT, "its content is not the contract's response"),
        (EMPTY_RESULT, "it holds no result code of the contract"),
        (answer("FINE"), "it holds no result code of the contract"),
        (answer(""), "it holds no result code of the contract"),
    ],
)
def test_nonsense_is_parked_with_the_reason(body: bytes, why: str) -> None:
    assert wire.outcome(200, body, OWN_ID) == RefusedForGood(f"the answer cannot be read: {why}")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (302, RefusedForGood("HTTP 302")),
        (400, RefusedForGood("HTTP 400")),
        (401, RouteBroken("HTTP 401: the recipient does not know this service")),
        (403, RouteBroken("HTTP 403: the recipient does not let this service in")),
        (408, Transient("HTTP 408")),
        (410, RouteBroken("HTTP 410: the recipient wants no more")),
        (429, Transient("HTTP 429")),
        (500, OutcomeUnknown("HTTP 500, no readable fault")),
        (502, OutcomeUnknown("HTTP 502, no readable fault")),
        (503, Transient("HTTP 503")),
        (504, OutcomeUnknown("HTTP 504, no readable fault")),
    ],
)
def test_a_failure_status_without_a_fault_speaks_for_itself(status: int, expected: DeliveryOutcome) -> None:
    assert wire.outcome(status, b"<html>hemligt</html>", OWN_ID) == expected


def test_an_ok_behind_a_failure_status_is_not_believed() -> None:
    assert isinstance(wire.outcome(500, answer("OK"), OWN_ID), OutcomeUnknown)


def test_result_is_read_whatever_namespace_its_children_have() -> None:
    body = answer("OK").replace(b"<c:resultCode>", b"<s:resultCode>").replace(b"</c:resultCode>", b"</s:resultCode>")
    assert wire.outcome(200, body, OWN_ID) == Delivered()


@pytest.mark.parametrize("number", ["198507219817", "19850721-9817", "850721-9817", "850721+9817", "8507219817"])
def test_long_numbers_and_quoted_values_are_not_told_on(number: str) -> None:
    told = wire.outcome(200, answer("INFO", "", f"Personen {number} 'Rut Ek' har 3 intyg"), OWN_ID)
    assert told == Delivered("INFO: Personen … '…' har 3 intyg")


def test_words_are_cut() -> None:
    told = wire.outcome(200, answer("ERROR", VALIDATION, "a" * 5000), OWN_ID)
    assert isinstance(told, RefusedForGood)
    assert len(told.reason) == len("VALIDATION_ERROR: ") + 200


@settings(max_examples=200, deadline=None)
@given(st.integers(100, 599), st.binary() | st.text().map(lambda told: soap.fault("Server", wording.clean(told))))
def test_every_answer_has_an_outcome(status: int, body: bytes) -> None:
    told = wire.outcome(status, body, OWN_ID)
    assert isinstance(told, Delivered | Transient | OutcomeUnknown | RefusedForGood | RouteBroken)
    assert not isinstance(told, Delivered)


def test_every_code_of_the_platform_has_its_verdict() -> None:
    assert wire.BY_PLATFORM_CODE.keys() == soap.PLATFORM_CODES.keys()
