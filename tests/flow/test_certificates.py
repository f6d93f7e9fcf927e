"""A certificate read as a whole over HTTP, and confirmed as the information under 4 § (domain rule 17)."""

import asyncio
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import httpx
import pytest

from adapters.mocking import Fault
from adapters.mocking.faults import CATALOGUE
from fhir_mappings.identifiers import CERTIFICATE_ID, MESSAGE_ID, SECURITY_LABEL
from fhir_mappings.registry import judge

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]
YES: Final = {"statesNeed": True, "patientConsents": True}


async def certified(
    flow: "Flow", person: "Person | None" = None, *recipients: str, **form: Any
) -> tuple["Person", str]:
    """Somebody whose certificate the feed has told of."""
    person = person or await flow.consenting(*recipients)
    id = flow.certify(person, id=str(uuid4()), **({"contact_wished": True} | form))
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 200
    return person, id


async def seen(flow: "Flow", id: str, client: httpx.AsyncClient | None = None) -> Json:
    response = await (client or flow.coordinator).get(f"/api/certificates/{id}")
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


async def confirmed(flow: "Flow", id: str, said: Json = YES) -> httpx.Response:
    return await flow.coordinator.post(f"/api/certificates/{id}/confirm", json=said)


def rules(response: httpx.Response) -> set[str]:
    return {each.get("rule") for each in response.json()["issues"]}


async def found(flow: "Flow", type: str, person: "Person") -> list[Json]:
    answer = await flow.coordinator.get(f"/fhir/{type}?subject={person.reference}")
    return [each["resource"] for each in answer.json().get("entry", [])]


# Reading


@pytest.mark.parametrize("version", [1, 2])
async def test_what_was_read_is_answered_and_kept(flow: "Flow", version: int) -> None:
    person, id = await certified(flow, version=version, contact_reason="Behov av samordning")
    read = await seen(flow, id)
    assert (read["id"], read["version"], read["patient"], read["unit"]) == (id, version, person.id, flow.UNIT)
    assert (read["contactWished"], read["contactReason"]) == (True, "Behov av samordning")
    assert read["mark"] == "Läkaren har önskat kontakt med Försäkringskassan i intyget"
    assert read["occupations"] == [{"id": "NUVARANDE_ARBETE", "name": "Nuvarande arbete"}]
    assert [each["degree"] for each in read["periods"]] == [100]
    assert (read["revoked"], read["unread"], read["notice"]) == (False, [], None)
    assert read["sentToFk"] > read["signed"]

    kept = (await flow.coordinator.get(f"/fhir/{read['resource']}")).json()
    assert kept["identifier"] == {"system": CERTIFICATE_ID, "value": id}
    answers = {each["linkId"]: each.get("answer", [{}])[0] for each in kept["item"]}
    assert answers["26.1"] == {"valueBoolean": True}
    assert answers["certificate"] == {"valueReference": {"reference": read["document"]}}
    document = (await flow.coordinator.get(f"/fhir/{read['document']}")).json()
    assert document["masterIdentifier"]["value"] == id


async def test_the_same_again_writes_no_version_and_what_has_changed_does(flow: "Flow") -> None:
    person, id = await certified(flow)
    first = await seen(flow, id)
    again = await seen(flow, id)
    assert again == first
    flow.certify(person, id=id, contact_wished=False)
    changed = await seen(flow, id)
    assert (changed["contactWished"], changed["mark"], changed["resource"]) == (False, "", first["resource"])
    history = (await flow.coordinator.get(f"/fhir/{first['resource']}/_history")).json()
    assert history["total"] == 2


async def test_each_reading_is_logged(flow: "Flow") -> None:
    person, id = await certified(flow)
    response = await flow.coordinator.get(f"/api/certificates/{id}")
    (first,) = flow.accesses(person, response.headers["x-request-id"])
    assert first == (flow.COORDINATOR, "Skriva", response.json()["resource"], "create")
    response = await flow.coordinator.get(f"/api/certificates/{id}")
    (second,) = flow.accesses(person, response.headers["x-request-id"])
    assert second == (flow.COORDINATOR, "Läsa", response.json()["resource"], "read")


async def test_nothing_that_coordination_does_not_need_is_kept_or_shown(flow: "Flow") -> None:
    """The mock answers every question of the form."""
    _, id = await certified(flow, diagnosis="F438A")
    read = await flow.coordinator.get(f"/api/certificates/{id}")
    kept = await flow.coordinator.get(f"/fhir/{read.json()['resource']}")
    sent = next(each for each in flow.ledger("intygstjanst") if each.id == id).answer.decode()
    for unneeded in ("F438A", "Nedsatt uthållighet", "Klarar inte ett helt arbetspass", "Samtalsstöd"):
        assert unneeded in sent
        assert unneeded not in read.text
        assert unneeded not in kept.text


async def test_only_what_the_feed_has_told_the_unit_of_is_fetched(flow: "Flow") -> None:
    person, told = await certified(flow)
    untold = flow.certify(person, id=str(uuid4()))
    before = len(flow.ledger("intygstjanst"))
    for client, id in ((flow.coordinator, untold), (flow.coordinator, "nobody"), (flow.neighbour, told)):
        assert (await client.get(f"/api/certificates/{id}")).status_code == 404
        assert (await client.post(f"/api/certificates/{id}/confirm", json=YES)).status_code == 404
    assert len(flow.ledger("intygstjanst")) == before


async def test_a_doctor_sees_what_she_issued_herself(flow: "Flow") -> None:
    _, own = await certified(flow)
    _, other = await certified(flow, doctor="TSTNMT2321000156-D0002")
    assert (await seen(flow, own, flow.doctor))["doctor"]["id"] == flow.DOCTOR
    assert (await flow.doctor.get(f"/api/certificates/{other}")).status_code == 404


@pytest.mark.parametrize("label", ["sekretessmarkering", "skyddadFolkbokforing"])
async def test_a_marked_patients_certificate_is_the_issuing_doctors_alone(flow: "Flow", label: str) -> None:
    person, id = await certified(flow)
    patient = (await flow.coordinator.get(f"/fhir/{person.reference}")).json()
    await flow.put(patient | {"meta": {"security": [{"system": SECURITY_LABEL, "code": label}]}})
    assert (await flow.coordinator.get(f"/api/certificates/{id}")).status_code == 404
    assert (await confirmed(flow, id)).status_code == 404
    assert (await seen(flow, id, flow.doctor))["id"] == id


async def test_a_certificate_of_another_type_is_refused_with_its_element(flow: "Flow") -> None:
    _, id = await certified(flow)
    await seen(flow, id)
    answer = next(each for each in flow.ledger("intygstjanst") if each.id == id).answer.decode()
    flow.order("intygstjanst", Fault(kind="nonsense", body=answer.replace(">LISJP<", ">FK7263<")))
    before = await flow.stored()
    response = await flow.coordinator.get(f"/api/certificates/{id}")
    assert (response.status_code, response.json()["issues"][0]["at"]) == (422, "intyg/typ")
    assert await flow.stored() == before


async def test_rights(flow: "Flow") -> None:
    _, id = await certified(flow)
    assert (await flow.nobody.get(f"/api/certificates/{id}")).status_code == 401
    assert (await flow.lister.get(f"/api/certificates/{id}")).status_code == 403
    assert (await flow.reader.post(f"/api/certificates/{id}/confirm", json=YES)).status_code == 403
    assert (await seen(flow, id, flow.reader))["id"] == id


@pytest.mark.parametrize("fault", ["soap-fault", "VP007", "http-503", "not-an-answer", "login-page", "technical-error"])
async def test_a_source_that_fails_changes_nothing(flow: "Flow", fault: str) -> None:
    _, id = await certified(flow, None, "fk")
    before = await flow.stored()
    for _ in range(2):
        played = CATALOGUE[fault].fault
        assert played is not None
        flow.order("intygstjanst", played)
        assert (await flow.coordinator.get(f"/api/certificates/{id}")).status_code == 503
        flow.order("intygstjanst", played)
        assert (await confirmed(flow, id)).status_code == 503
    assert await flow.stored() == before


async def test_a_certificate_about_somebody_else_is_not_taken(flow: "Flow") -> None:
    _, id = await certified(flow)
    other = await flow.patient()
    flow.certify(other, id=id)
    before = await flow.stored()
    response = await flow.coordinator.get(f"/api/certificates/{id}")
    assert response.status_code == 503
    assert other.number not in response.text
    assert await flow.stored() == before


async def test_what_the_service_read_is_changed_by_nobody(flow: "Flow") -> None:
    _, id = await certified(flow)
    read = await seen(flow, id)
    kept = (await flow.coordinator.get(f"/fhir/{read['resource']}")).json()
    assert (await flow.coordinator.put(f"/fhir/{read['resource']}", json=kept)).status_code == 409
    assert (await flow.coordinator.delete(f"/fhir/{read['resource']}")).status_code == 409
    claimed = {name: value for name, value in kept.items() if name not in ("id", "meta", "text")}
    assert (await flow.coordinator.post("/fhir/QuestionnaireResponse", json=claimed)).status_code == 409


# Confirming


async def test_until_somebody_confirms_it_a_wish_counts_for_nothing(flow: "Flow") -> None:
    person, id = await certified(flow, None, "fk")
    await seen(flow, id)
    await flow.quiet()
    for type in ("CommunicationRequest", "Communication", "Procedure", "Task"):
        assert await found(flow, type, person) == []
    assert flow.rows("SELECT 1 FROM outbox WHERE patient = ?", person.id) == []
    assert flow.rows("SELECT 1 FROM decision WHERE patient = ?", person.id) == []


async def test_confirmed_it_is_the_information_and_coded_once(flow: "Flow") -> None:
    person, id = await certified(flow, None, "fk", contact_reason="Ord som är läkarens egna")
    response = await confirmed(flow, id)
    assert response.status_code == 200, response.text
    told = response.json()
    assert told["changed"]
    assert [each["code"] for each in told["codes"]] == ["GC001"]
    assert told["certificate"]["notice"] == told["notice"] == (await seen(flow, id))["notice"]

    (request,), (notice,), (activity,) = [
        await found(flow, type, person) for type in ("CommunicationRequest", "Communication", "Procedure")
    ]
    assert (request["status"], request["about"][0]["identifier"]["value"]) == ("completed", id)
    assert request["category"][0]["coding"][0]["code"] == "assumed-rehab-need"
    assert request["requester"]["identifier"]["value"] == flow.COORDINATOR
    assert notice["basedOn"] == [{"reference": told["request"]}]
    assert notice["identifier"] == [{"system": MESSAGE_ID, "value": id}]
    assert notice["sent"] == (await sent_as_kept(flow, told))
    assert "läkarintyget" in notice["payload"][0]["contentString"]
    assert "läkarens egna" not in str(request) + str(notice) + str(activity)
    assert activity["category"]["coding"][0]["code"] == "information-to-fk"

    kept = (await flow.coordinator.get(f"/fhir/{told['certificate']['resource']}")).json()
    for resource in (request, notice, activity, kept):
        assert judge(resource) == ()

    again = (await confirmed(flow, id)).json()
    assert again == told | {"changed": False, "certificate": again["certificate"]}
    assert len(await found(flow, "Procedure", person)) == 1
    assert flow.promised(told["request"]) == []


async def test_confirmed_by_several_at_once_it_is_coded_once(flow: "Flow") -> None:
    person, id = await certified(flow, None, "fk")
    answers = [each.json() for each in await asyncio.gather(*(confirmed(flow, id) for _ in range(6)))]
    assert sorted(each["changed"] for each in answers) == [False] * 5 + [True]
    assert len({each["notice"] for each in answers}) == 1
    for type in ("CommunicationRequest", "Communication", "Procedure", "QuestionnaireResponse"):
        assert len(await found(flow, type, person)) == 1


async def sent_as_kept(flow: "Flow", told: Json) -> str:
    kept = (await flow.coordinator.get(f"/fhir/{told['certificate']['resource']}")).json()
    (item,) = [each for each in kept["item"] if each["linkId"] == "sent-to-fk"]
    value: str = item["answer"][0]["valueDateTime"]
    return value


@pytest.mark.parametrize(
    ("form", "said", "expected"),
    [
        ({"contact_wished": False}, YES, {"notice-contact-wished"}),
        ({"sent_to_fk": False}, YES, {"notice-certificate-sent"}),
        ({}, {"statesNeed": False, "patientConsents": True}, {"notice-need-stated"}),
        ({}, {"statesNeed": True, "patientConsents": False}, {"notice-consent-stated"}),
    ],
    ids=["no wish", "never sent", "no need", "no consent"],
)
async def test_what_forbids_it(flow: "Flow", form: Json, said: Json, expected: set[str]) -> None:
    _, id = await certified(flow, None, "fk", **form)
    before = await flow.stored()
    response = await confirmed(flow, id, said)
    assert response.status_code == 422
    assert rules(response) == expected
    assert await flow.stored() == before


async def test_a_certificate_that_has_been_revoked_since_does_not_count(flow: "Flow") -> None:
    person, id = await certified(flow, None, "fk")
    first = await seen(flow, id)
    flow.certify(person, id=id, contact_wished=True, revoked=True)
    response = await confirmed(flow, id)
    assert rules(response) == {"notice-certificate-stands"}
    again = await seen(flow, id)
    assert (again["revoked"], again["mark"]) == (True, "")
    assert (await flow.coordinator.get(f"/fhir/{first['resource']}")).json()["status"] == "entered-in-error"


@pytest.mark.parametrize("consents", ["none", "coordination alone", "another recipient", "a refusal beside"])
async def test_without_a_consent_on_record_it_does_not_count(flow: "Flow", consents: str) -> None:
    person = await flow.patient()
    if consents != "none":
        await flow.post(flow.forms.coordination(person))
    if consents == "another recipient":
        await flow.post(flow.forms.disclosure(person, "employer"))
    if consents == "a refusal beside":
        await flow.post(flow.forms.disclosure(person, "fk"))
        await flow.post(flow.forms.disclosure(person, "fk", effect="deny"))
    _, id = await certified(flow, person)
    response = await confirmed(flow, id)
    assert response.status_code == 422
    assert rules(response) == {"notice-needs-consent"}
    assert (await seen(flow, id))["notice"] is None
    for type in ("CommunicationRequest", "Communication", "Procedure"):
        assert await found(flow, type, person) == []
    assert len(flow.rows("SELECT 1 FROM decision WHERE patient = ?", person.id)) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 400),
        (b"{}", 422),
        (b"[]", 422),
        (b'{"statesNeed": true}', 422),
        (b'{"statesNeed": null, "patientConsents": true}', 422),
        (b'{"statesNeed": true, "patientConsents": true, "number": "x"}', 422),
        (b'{"statesNeed": true, "statesNeed": true, "patientConsents": true}', 400),
    ],
)
async def test_a_body_that_says_something_else_changes_nothing(flow: "Flow", body: bytes, status: int) -> None:
    _, id = await certified(flow, None, "fk")
    before = await flow.stored()
    headers = {"Content-Type": "application/json"}
    response = await flow.coordinator.post(f"/api/certificates/{id}/confirm", content=body, headers=headers)
    assert response.status_code == status, response.text
    assert await flow.stored() == before


async def test_a_personal_number_is_no_address(flow: "Flow") -> None:
    person = await flow.patient()
    for path in (f"/api/certificates/{person.number}", f"/api/certificates/{person.number[:8]}-{person.number[8:]}"):
        assert (await flow.coordinator.get(path)).status_code == 400


async def test_no_number_or_word_of_the_certificate_is_logged(flow: "Flow", caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    person, id = await certified(flow, None, "fk", contact_reason="Hemligt skäl")
    await seen(flow, id)
    await confirmed(flow, id)
    flow.order("intygstjanst", Fault(kind="soap-fault", text=f"no such certificate of {person.number}"))
    failed = await flow.coordinator.get(f"/api/certificates/{id}")
    assert failed.status_code == 503
    for secret in (person.number, person.number[2:], "Hemligt skäl"):
        assert secret not in failed.text
        assert secret not in caplog.text


# In the overview


async def row_of(flow: "Flow", person: "Person") -> Json:
    listed = (await flow.coordinator.get(f"/api/units/{flow.UNIT}/sick-leaves?limit=100")).json()["sickLeaves"]
    (row,) = [each for each in listed if each["patient"] == person.id]
    found: Json = row
    return found


async def test_a_wish_that_was_read_stands_in_the_overview(flow: "Flow") -> None:
    person, id = await certified(flow)
    _, without = await certified(flow, contact_wished=False)
    assert not (await row_of(flow, person))["contactWished"]
    await seen(flow, without)
    await seen(flow, id)
    assert (await row_of(flow, person))["contactWished"]
    flow.certify(person, id=id, contact_wished=True, revoked=True)
    await seen(flow, id)
    assert not (await row_of(flow, person))["contactWished"]


async def test_a_response_of_somebody_else_marks_nothing(flow: "Flow") -> None:
    person, id = await certified(flow, contact_wished=False)
    own = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "identifier": {"system": "urn:ehr", "value": id},
        "subject": {"reference": person.reference},
        "item": [{"linkId": "26.1", "answer": [{"valueBoolean": True}]}, {"linkId": "26.1"}],
    }
    await flow.post(own)
    assert not (await row_of(flow, person))["contactWished"]


# The dialogue


async def dialogues(flow: "Flow", person: "Person") -> list[Json]:
    found: list[Json] = (await flow.coordinator.get("/api/dialogues", params={"patient": person.id})).json()
    return found


async def test_a_confirmed_certificate_begins_a_dialogue_in_which_an_answer_is_awaited(flow: "Flow") -> None:
    person, id = await certified(flow, None, "fk")
    assert (await confirmed(flow, id)).status_code in (200, 201)
    (dialogue,) = await dialogues(flow, person)
    assert (dialogue["state"], dialogue["topic"]) == ("informed", "assumed-rehab-need")
    assert dialogue["due"] is not None


async def test_a_duty_that_stood_open_is_done_with_it(flow: "Flow") -> None:
    person, id = await certified(flow, None, "fk")
    await flow.post(flow.forms.request(person, id, status="draft"))
    (duty,) = await dialogues(flow, person)
    assert duty["state"] == "consent-to-ask"
    assert (await confirmed(flow, id)).status_code in (200, 201)
    (dialogue,) = await dialogues(flow, person)
    assert (dialogue["id"], dialogue["state"]) == (duty["id"], "informed")
