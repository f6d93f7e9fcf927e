"""Certificates and sick leaves in FHIR (fhir_sweden.md § 3.2): what is told, and what never is."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from contracts.errors import RekoError
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, CertificatePeriod, SickLeave
from fhir_mappings import r4
from fhir_mappings.sick_leave import (
    LEVELS,
    OCCUPATIONS,
    document_reference,
    episode_of_care,
    observations,
)
from service.rules.sick_leave import group

DIGITS = f"19620219980{control_digit('620219980')}"

CERTIFICATE = Certificate(
    id="a5e5d3b6-58b1-4a3a-9b0f-000000000001",
    patient=PersonId(DIGITS),
    unit=HsaId("SE1111111111-E001"),
    periods=(
        CertificatePeriod(date(2026, 1, 1), date(2026, 1, 14), 100),
        CertificatePeriod(date(2026, 1, 15), date(2026, 1, 31), 50),
    ),
    signed=datetime(2026, 1, 1, 9, tzinfo=UTC),
    patient_name="Alma Provsson",
    unit_name="Vårdcentralen",
    provider=HsaId("SE1111111111-V001"),
    doctor="SE1111111111-D001",
    doctor_name="Beata Remissén",
    diagnosis="F439",
    secondary_diagnoses=("M545", "Z733"),
    occupations=("NUVARANDE_ARBETE",),
)
SICK_LEAVE = SickLeave((CERTIFICATE,), CERTIFICATE.start, CERTIFICATE.end)
TODAY = date(2026, 1, 20)
PATIENT, DOCUMENT, EPISODE = "Patient/p-1", "DocumentReference/d-1", "EpisodeOfCare/e-1"


def document(certificate: Certificate = CERTIFICATE, **changes: Any) -> dict[str, Any]:
    return r4.parse(document_reference(certificate, PATIENT, "d-1", EPISODE, **changes), expected="DocumentReference")


def assessed(certificate: Certificate = CERTIFICATE, episode: str = EPISODE, **changes: Any) -> list[dict[str, Any]]:
    ids = [f"o-{n}" for n in range(len(certificate.periods))]
    bodies = observations(certificate, PATIENT, DOCUMENT, episode, ids, **changes)
    return [r4.parse(body, expected="Observation") for body in bodies]


def episode(sick_leave: SickLeave = SICK_LEAVE, today: date = TODAY, **changes: Any) -> dict[str, Any]:
    return r4.parse(
        episode_of_care(sick_leave, PATIENT, "e-1", today, CERTIFICATE.unit, **changes), expected="EpisodeOfCare"
    )


def test_the_certificate_is_a_document_that_names_itself_and_its_unit() -> None:
    found = document()
    assert found["id"] == "d-1"
    assert found["masterIdentifier"]["value"] == CERTIFICATE.id
    assert (found["status"], found["docStatus"]) == ("current", "final")
    assert found["subject"] == {"reference": PATIENT}
    assert datetime.fromisoformat(found["date"]) == CERTIFICATE.signed
    assert found["custodian"]["identifier"] == {"system": "urn:oid:1.2.752.29.4.19", "value": "SE1111111111-E001"}
    assert found["context"]["period"] == {"start": "2026-01-01", "end": "2026-01-31"}
    assert found["content"][0]["attachment"]["title"].endswith(CERTIFICATE.id)
    assert found["securityLabel"][0]["coding"][0]["code"] == "DIA"


@pytest.mark.parametrize("status", ["superseded", "entered-in-error"])
def test_a_document_can_be_superseded(status: str) -> None:
    assert document(status=status)["status"] == status


@pytest.mark.parametrize(
    ("doctor", "authors"), [("SE1111111111-D001", ["SE1111111111-D001"]), ("", []), ("läkare 7", [])]
)
def test_the_doctor_is_named_by_a_real_id_only(doctor: str, authors: list[str]) -> None:
    found = document(replace(CERTIFICATE, doctor=doctor)).get("author", [])
    assert [each["identifier"]["value"] for each in found] == authors


def test_each_period_is_an_observation_of_its_degree() -> None:
    one, other = assessed()
    assert (one["id"], other["id"]) == ("o-0", "o-1")
    assert one["effectivePeriod"] == {"start": "2026-01-01", "end": "2026-01-14"}
    assert one["valueQuantity"] == {"value": 100, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"}
    assert other["valueQuantity"]["value"] == 50
    assert {coding["code"] for coding in one["code"]["coding"]} == {"224459001", "assessed-reduction"}
    assert one["derivedFrom"] == [{"reference": DOCUMENT}]
    assert one["performer"][0]["identifier"]["value"] == "SE1111111111-E001"
    assert datetime.fromisoformat(one["issued"]) == CERTIFICATE.signed
    assert one["status"] == "final"


def test_an_observation_points_at_its_sick_leave_when_there_is_one() -> None:
    (extension,) = assessed()[0]["extension"]
    assert extension["url"] == "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
    assert extension["valueReference"] == {"reference": EPISODE}
    assert "extension" not in assessed(episode="")[0]


@pytest.mark.parametrize("status", ["amended", "entered-in-error"])
def test_observations_can_be_withdrawn(status: str) -> None:
    assert {each["status"] for each in assessed(status=status)} == {status}


def test_ids_must_be_as_many_as_the_periods() -> None:
    with pytest.raises(ValueError, match="zip"):
        observations(CERTIFICATE, PATIENT, DOCUMENT, EPISODE, ["o-0"])


def components(certificate: Certificate) -> list[tuple[str, str]]:
    return [
        (
            each["code"]["coding"][0]["code"],
            each["valueCodeableConcept"].get("text") or each["valueCodeableConcept"]["coding"][0]["code"],
        )
        for each in assessed(certificate)[0].get("component", [])
    ]


@pytest.mark.parametrize("degree", [*LEVELS, 1, 40, 99])
def test_only_the_degrees_of_the_form_have_a_code(degree: int) -> None:
    period = CertificatePeriod(date(2026, 1, 1), date(2026, 1, 2), degree)
    found = components(replace(CERTIFICATE, periods=(period,), occupations=()))
    assert found == ([("reduction-level", LEVELS[degree])] if degree in LEVELS else [])


@pytest.mark.parametrize(
    ("occupations", "told"),
    [
        *(((code,), [known]) for code, (known, _) in OCCUPATIONS.items()),
        (("STUDIER", "NUVARANDE_ARBETE"), ["STUDIER", "NUVARANDE_ARBETE"]),
        (("ARBETSLOSHET", "ARBETSSOKANDE"), ["ARBETSSOKANDE"]),
        (("PRAKTIK",), ["PRAKTIK"]),
        (("F439",), []),
        (("sjuk på grund av F43.9",), []),
        ((), []),
    ],
)
def test_occupations_are_told_by_their_codes(occupations: tuple[str, ...], told: list[str]) -> None:
    found = components(replace(CERTIFICATE, occupations=occupations))
    assert [value for code, value in found if code == "occupation"] == told


@pytest.mark.parametrize(
    ("today", "status", "period"),
    [
        (date(2025, 12, 31), "planned", {"start": "2026-01-01"}),
        (date(2026, 1, 1), "active", {"start": "2026-01-01"}),
        (date(2026, 1, 31), "active", {"start": "2026-01-01"}),
        (date(2026, 2, 1), "finished", {"start": "2026-01-01", "end": "2026-01-31"}),
    ],
)
def test_a_sick_leave_has_an_end_once_it_is_over(today: date, status: str, period: dict[str, str]) -> None:
    found = episode(today=today)
    assert (found["status"], found["period"]) == (status, period)


def test_a_sick_leave_says_whose_it_is_and_how_it_was_counted() -> None:
    found = episode()
    assert found["patient"] == {"reference": PATIENT}
    assert found["type"][0]["coding"][0]["code"] == "sjukfall"
    assert [tag["code"] for tag in found["meta"]["tag"]] == ["corrected"]
    assert found["managingOrganization"]["identifier"]["value"] == "SE1111111111-E001"
    assert found["identifier"][0]["value"] == "e-1"
    assert "diagnosis" not in found


def test_a_sick_leave_belongs_to_the_care_unit_whichever_mottagning_wrote_its_certificates() -> None:
    elsewhere = replace(CERTIFICATE, unit=HsaId("SE1111111111-E009"), unit_name="Psykiatriska mottagningen")
    (alone,) = group([elsewhere])
    assert episode(alone)["managingOrganization"]["identifier"]["value"] == CERTIFICATE.unit.value
    assert "display" not in episode(alone)["managingOrganization"]
    (both,) = group([elsewhere, CERTIFICATE])
    assert len(both.certificates) == 2
    assert episode(both)["managingOrganization"]["display"] == CERTIFICATE.unit_name


def test_a_certificate_points_at_its_sick_leave() -> None:
    assert document()["context"]["encounter"] == [{"reference": EPISODE}]
    alone = r4.parse(document_reference(CERTIFICATE, PATIENT, "d-1", ""), expected="DocumentReference")
    assert "encounter" not in alone["context"]


def test_a_sick_leave_can_point_at_the_units_own_resource() -> None:
    assert episode(organization="Organization/o-1")["managingOrganization"] == {"reference": "Organization/o-1"}


MADE: list[Callable[[Certificate], list[bytes]]] = [
    lambda certificate: [document_reference(certificate, PATIENT, "d-1", EPISODE)],
    lambda certificate: observations(certificate, PATIENT, DOCUMENT, EPISODE, ["o-0", "o-1"]),
    lambda certificate: [
        episode_of_care(
            SickLeave((certificate,), certificate.start, certificate.end), PATIENT, "e-1", TODAY, certificate.unit
        )
    ],
]


@pytest.mark.parametrize("make", MADE, ids=["document", "observations", "episode"])
def test_neither_diagnosis_nor_person_stands_in_any_resource(make: Callable[[Certificate], list[bytes]]) -> None:
    secret = [DIGITS, DIGITS[2:], "Alma", "Provsson", "F439", "M545", "Z733"]
    bodies = make(CERTIFICATE)
    assert bodies == make(replace(CERTIFICATE, diagnosis=None, secondary_diagnoses=(), patient_name=""))
    assert [word for word in secret for body in bodies if word.encode() in body] == []
    assert all(b'diagnosis"' not in body and b"diagnosisKod" not in body for body in bodies)


@pytest.mark.parametrize("make", MADE, ids=["document", "observations", "episode"])
def test_the_same_certificate_gives_the_same_bytes(make: Callable[[Certificate], list[bytes]]) -> None:
    elsewhere = CERTIFICATE.signed.astimezone(timezone(timedelta(hours=9)))
    assert make(CERTIFICATE) == make(replace(CERTIFICATE, signed=elsewhere))


def test_a_bad_reference_is_refused_before_it_is_stored() -> None:
    with pytest.raises(RekoError):
        document_reference(CERTIFICATE, "", "not an id", "")


XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="".join(map(chr, range(32)))), max_size=20
)


@example("\u00a0", "\u3000", ["\u00a0"])
@given(XML_TEXT, XML_TEXT, st.lists(XML_TEXT, max_size=3))
@settings(max_examples=100, deadline=None)
def test_whatever_names_a_feed_may_hold_the_resources_are_valid(doctor: str, unit: str, occupations: list[str]) -> None:
    odd = replace(CERTIFICATE, doctor_name=doctor, unit_name=unit, occupations=tuple(occupations))
    assert document(odd)
    assert assessed(odd)
    assert episode(SickLeave((odd,), odd.start, odd.end))
