"""Whom a record is about where it says so by identifier alone: it is logged, found and kept with that patient, or refused."""

from typing import TYPE_CHECKING, Any, Final

import pytest

from fhir_mappings.identifiers import PERSONNUMMER

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]
pytestmark = pytest.mark.anyio

EHR: Final = "urn:example:ehr:patient"
ANYBODY: Final[Json] = {"reference": "put in its place"}
TYPES: Final[dict[str, Json]] = {
    "Observation": {"status": "final", "code": {"text": "något"}, "subject": ANYBODY},
    "CareTeam": {"subject": ANYBODY},
    "Encounter": {"status": "finished", "class": {"code": "AMB"}, "subject": ANYBODY},
    "EpisodeOfCare": {"status": "active", "patient": ANYBODY},
    "DocumentReference": {
        "status": "current",
        "content": [{"attachment": {"title": "Anteckning"}}],
        "subject": ANYBODY,
    },
    "QuestionnaireResponse": {"status": "completed", "subject": ANYBODY},
    "Communication": {"status": "completed", "subject": ANYBODY},
    "Task": {"status": "requested", "intent": "order", "for": ANYBODY},
    "List": {"status": "current", "mode": "working", "subject": ANYBODY},
    "Binary": {"contentType": "text/plain", "securityContext": ANYBODY, "data": "aGVq"},
    "RelatedPerson": {"patient": ANYBODY},
}
"""Every type that is not bound to a Patient's address by rules of its own."""


def about(type_: str, subject: Json, **more: Any) -> Json:
    named = {name: subject if value is ANYBODY else value for name, value in TYPES[type_].items()}
    return {"resourceType": type_, **named, **more}


def number(value: str) -> Json:
    return {"system": PERSONNUMMER.fhir, "value": value}


@pytest.mark.parametrize("type_", TYPES)
async def test_a_patient_named_by_identifier_is_whom_the_record_is_about(flow: "Flow", type_: str) -> None:
    person = await flow.patient()
    subject = {"identifier": number(f"{person.number[:8]}-{person.number[8:]}")}
    stored = await flow.post(about(type_, subject))
    at = f"/fhir/{type_}/{stored['id']}"
    read = await flow.coordinator.get(at, headers={"Accept": "application/fhir+json"})
    assert subject in read.json().values()  # as it was sent
    statement = "SELECT patient, action FROM access_log WHERE resource = ? ORDER BY number"
    assert flow.rows(statement, at.removeprefix("/fhir/")) == [(person.id, "Skriva"), (person.id, "Läsa")]
    everything = (await flow.coordinator.get(f"/fhir/Patient/{person.id}/$everything?_type={type_}")).json()
    assert [entry["resource"]["id"] for entry in everything["entry"]] == [stored["id"]]


@pytest.mark.parametrize(
    ("subject", "more"),
    [
        ({"identifier": {"system": EHR, "value": "none"}}, {}),
        ({"identifier": {"system": EHR, "value": "two"}}, {}),
        ({"identifier": {"value": "without a system"}}, {}),
        ({"identifier": {"system": EHR, "value": "the neighbour's"}}, {}),
        ({"type": "Patient", "display": "Någon"}, {}),
        ({"reference": "https://ehr.example/fhir/Patient/1"}, {}),
        ({"reference": "#who"}, {"contained": [{"resourceType": "Patient", "id": "who", "name": [{"text": "Någon"}]}]}),
    ],
)
async def test_a_patient_whom_nobody_knows_is_refused(flow: "Flow", subject: Json, more: Json) -> None:
    neighbours = {"resourceType": "Patient", "identifier": [{"system": EHR, "value": "the neighbour's"}]}
    await flow.post(neighbours, flow.neighbour)
    for name in ("en", "annan"):
        two = [{"system": EHR, "value": "two"}]
        await flow.post({"resourceType": "Patient", "identifier": two, "name": [{"text": name}]})
    (issue,) = await flow.refused(about("Observation", subject, **more))
    assert issue["expression"] == ["Observation.subject"]
    assert "Patient/<id>" in issue["diagnostics"]
    assert "Någon" not in str(issue)


@pytest.mark.parametrize(
    ("type_", "subject"),
    [
        ("Observation", {"type": "Device", "identifier": {"system": EHR, "value": "a scale"}}),
        ("Observation", {"display": "Hela gruppen"}),
        ("List", {"reference": "https://ehr.example/fhir/Group/1"}),
    ],
)
async def test_what_is_no_patient_need_not_be_known(flow: "Flow", type_: str, subject: Json) -> None:
    stored = await flow.post(about(type_, subject))
    assert flow.rows("SELECT patient FROM resource WHERE id = ?", stored["id"]) == [("",)]


async def test_an_identifier_tells_beside_an_address_that_does_not(flow: "Flow") -> None:
    person = await flow.patient()
    identifier = number(person.number)
    inside = [{"resourceType": "Patient", "id": "who", "identifier": [identifier]}]
    subjects: list[tuple[Json, Json]] = [
        ({"reference": "#who"}, {"contained": inside}),
        ({"reference": "https://ehr.example/fhir/Patient/1", "identifier": identifier}, {}),
        ({"reference": "urn:oid:1.2.3", "identifier": identifier}, {}),
    ]
    for subject, more in subjects:
        stored = await flow.post(about("Observation", subject, **more))
        assert flow.rows("SELECT patient FROM resource WHERE id = ?", stored["id"]) == [(person.id,)], subject


async def test_a_record_named_by_identifier_stays_with_its_patient(flow: "Flow") -> None:
    person, other = await flow.patient(), await flow.patient()
    stored = await flow.post(about("Observation", {"identifier": number(person.number)}))
    same = await flow.put({**stored, "subject": {"reference": person.reference}, "valueString": "god"})
    moved = {**same, "subject": {"identifier": number(other.number)}}
    refused = await flow.coordinator.put(f"/fhir/Observation/{stored['id']}", json=moved)
    assert refused.status_code == 422
    assert "stays with its patient" in refused.text


async def test_a_patient_stays_while_something_names_her(flow: "Flow") -> None:
    person = await flow.patient()
    stored = await flow.post(about("Observation", {"identifier": number(person.number)}))
    for status, at in ((409, person.reference), (204, f"Observation/{stored['id']}"), (204, person.reference)):
        assert (await flow.coordinator.delete(f"/fhir/{at}")).status_code == status


async def test_a_transaction_makes_its_patients_first(flow: "Flow") -> None:
    person = next(flow.people)
    identifier = number(person.number)
    entries = [
        about("Observation", {"identifier": identifier}),
        {"resourceType": "Patient", "identifier": [identifier], "name": [{"text": person.name}]},
    ]
    sent = [{"resource": each, "request": {"method": "POST", "url": each["resourceType"]}} for each in entries]
    answer = await flow.coordinator.post("/fhir", json={"resourceType": "Bundle", "type": "transaction", "entry": sent})
    assert answer.status_code == 200, answer.text
    made = [each["response"]["location"].split("/")[-3] for each in answer.json()["entry"]]
    assert flow.rows("SELECT patient FROM resource WHERE id = ?", made[0]) == [(made[1],)]


async def test_whom_it_was_about_it_is_about_though_the_number_is_another_now(flow: "Flow") -> None:
    person = await flow.patient()
    record = about("Observation", {"identifier": number(person.number)})
    stored = await flow.post(record)
    patient = (await flow.coordinator.get(f"/fhir/Patient/{person.id}")).json()
    other = {"system": EHR, "value": f"now-{person.id}"}
    assert (await flow.coordinator.put(f"/fhir/Patient/{person.id}", json=patient | {"identifier": [other]})).is_success
    address = f"/fhir/Observation/{stored['id']}"
    assert (await flow.coordinator.put(address, json=stored | {"status": "amended"})).is_success
    wrong = await flow.coordinator.put(address, json=stored | {"subject": {"identifier": number("196002299811")}})
    assert wrong.status_code == 422
    assert flow.rows("SELECT patient FROM resource WHERE id = ?", stored["id"]) == [(person.id,)]


async def test_what_was_stored_about_nobody_finds_its_patient_when_it_is_written_next(flow: "Flow") -> None:
    """As it was before the identifier was looked for."""
    person = await flow.patient()
    stored = await flow.post(about("Observation", {"identifier": number(person.number)}))
    flow.change("UPDATE resource SET patient = '' WHERE id = ?", stored["id"])
    address = f"/fhir/Observation/{stored['id']}"
    assert (await flow.coordinator.put(address, json=stored | {"status": "entered-in-error"})).is_success
    assert flow.rows("SELECT patient FROM resource WHERE id = ?", stored["id"]) == [(person.id,)]
