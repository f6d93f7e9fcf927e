"""Dialogues over SDK: what no certificate can carry goes to a function at the other party, receipts are followed, answers are
fetched, and what says nobody is sorted by a person (sdk.md; domain rule 18)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

from adapters.mocking import Fault
from fhir_mappings.identifiers import EXT_IN_PROGRAMME, EXT_INFORMATION_CATEGORY, MESSAGE_ID

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]

OURS, THEIRS = "sdk:inkorg:0203:region.example:eken", "sdk:inkorg:0203:arbetsformedlingen.example"


@pytest.fixture
async def flow(serve: "Callable[..., AbstractAsyncContextManager[Flow]]", tmp_path: "Path") -> AsyncIterator["Flow"]:
    """A service that has a message service."""
    async with serve(tmp_path, sdk=True) as flow:
        yield flow


async def control(flow: "Flow", method: str, path: str, body: Json | None = None) -> Any:
    transport = httpx.ASGITransport(flow.world.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://mocks") as client:
        response = await client.request(method, path, json=body, headers={"Authorization": "Bearer x"})
        assert response.status_code < 300, response.text
        return response.json()


async def dialogue(flow: "Flow", person: "Person", state: str) -> Json:
    for _ in range(300):
        found = (await flow.coordinator.get("/api/dialogues", params={"patient": person.id})).json()
        for each in found:
            if each["state"] == state:
                return dict(each)
        await asyncio.sleep(0.03)
    raise AssertionError(f"waited for {state}, found {[each['state'] for each in found]}")


async def without_certificate(flow: "Flow", recipient: str = "fk", **elements: Any) -> tuple["Person", str]:
    person = await flow.consenting(recipient)
    stored = await flow.post(flow.forms.request(person, recipient=recipient, **elements))
    return person, f"CommunicationRequest/{stored['id']}"


async def test_without_a_certificate_it_goes_by_sdk_and_the_answer_is_fetched(flow: "Flow") -> None:
    person, about = await without_certificate(flow)
    message = await flow.until(about, "delivered", "sdk")
    await dialogue(flow, person, "informed")

    answer = {"text": "Tack, vi hör av oss.", "reference": "FK-9"}
    await control(flow, "POST", f"/_control/message_service/{message.id}/answers", answer)
    flow.clock.advance(timedelta(minutes=2))
    answered = await dialogue(flow, person, "answered")
    read = (await flow.coordinator.get(f"/api/dialogues/{answered['id']}")).json()
    assert [each["direction"] for each in read["messages"]] == ["sent", "received"]
    assert read["messages"][1]["texts"] == ["Tack, vi hör av oss."]
    flow.clock.advance(timedelta(minutes=2))
    await asyncio.sleep(0.2)
    assert len((await flow.coordinator.get(f"/api/dialogues/{answered['id']}")).json()["messages"]) == 2


async def test_a_participant_in_a_programme_has_no_dialogue_about_certificates(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    certificate = flow.certify(person)
    extension = [{"url": EXT_IN_PROGRAMME, "valueBoolean": True}]
    stored = await flow.post(flow.forms.request(person, certificate, extension=extension))
    await flow.until(f"CommunicationRequest/{stored['id']}", "delivered", "sdk")
    assert flow.ledger("forsakringskassan") == []


async def test_a_receipt_that_says_no_parks_it_and_the_telephone_is_left(flow: "Flow") -> None:
    flow.order("message_service", Fault(kind="fate"))
    person, about = await without_certificate(flow)
    message = await flow.until(about, "delivered", "sdk")
    flow.order("message_service")
    for _ in range(12):
        flow.clock.advance(timedelta(minutes=2))
        await flow.world.agenda.run_due()
        await asyncio.sleep(0.05)
    parked = await dialogue(flow, person, "parked")
    assert "another channel may carry it" in parked["reason"]
    (sent,) = (await flow.coordinator.get(f"/fhir/Communication?identifier={MESSAGE_ID}|{message.id}")).json()["entry"]
    assert sent["resource"]["status"] == "stopped"

    told = await flow.coordinator.post(f"/api/dialogues/{parked['id']}/told", json={"mode": "telephone"})
    assert told.json()["state"] == "informed", told.text
    found = (await flow.coordinator.get(f"/fhir/Communication?identifier={MESSAGE_ID}|{message.id}")).json()["entry"]
    assert [each["resource"]["status"] for each in found] == ["completed"]
    deeds = (await flow.coordinator.get(f"/fhir/Procedure?identifier={MESSAGE_ID}|{message.id}")).json()["entry"]
    assert len(deeds) == 1, "one activity, however often it was tried"


async def test_a_lost_acknowledgement_sends_it_once(flow: "Flow") -> None:
    flow.order("message_service", Fault(kind="lose-answer", times=1))
    _, about = await without_certificate(flow)
    await flow.until(about, "retrying", "sdk")
    flow.clock.advance(timedelta(minutes=2))
    message = await flow.until(about, "delivered", "sdk")
    assert "earlier" in message.reason
    taken = [entry for entry in flow.ledger("message_service") if entry.id == message.id and entry.accepted]
    assert len(taken) == 1


async def test_a_question_that_names_a_known_patient_begins_a_dialogue(flow: "Flow") -> None:
    person = await flow.patient()
    await control(flow, "POST", "/message_service/v1/sdk/messages", posted(person.number))
    flow.clock.advance(timedelta(minutes=2))
    asked = await dialogue(flow, person, "to-answer")
    assert (asked["party"]["kind"], asked["begunByThem"]) == ("arbetsformedlingen", True)


async def test_what_says_nobody_waits_for_a_person(flow: "Flow") -> None:
    person = await flow.patient()
    await control(flow, "POST", "/message_service/v1/sdk/messages", posted("", attachment=True))
    flow.clock.advance(timedelta(minutes=2))
    waiting: list[Json] = []
    for _ in range(100):
        waiting = (await flow.coordinator.get("/api/unsorted-messages")).json()
        if waiting:
            break
        await asyncio.sleep(0.05)
    (found,) = waiting
    assert (found["sender"], found["texts"]) == ("Arbetsförmedlingen", ["Gäller en deltagare."])
    (file,) = found["attachments"]
    id = found["resource"].partition("/")[2]
    assert (
        await flow.neighbour.post(f"/api/unsorted-messages/{id}/patient", json={"id": person.id})
    ).status_code == 404

    sorted_ = await flow.coordinator.post(f"/api/unsorted-messages/{id}/patient", json={"id": person.id})
    assert sorted_.json()["state"] == "to-answer", sorted_.text
    assert (await flow.coordinator.get("/api/unsorted-messages")).json() == []
    assert (
        await flow.coordinator.post(f"/api/unsorted-messages/{id}/patient", json={"id": person.id})
    ).status_code == 409
    assert (await flow.coordinator.get(f"/fhir/{file}", headers={"Accept": "application/fhir+json"})).json()[
        "securityContext"
    ] == {"reference": person.reference}
    assert ("Skriva", found["resource"], "message-sorted") in [row[1:] for row in flow.accesses(person)]


def posted(number: str, *, attachment: bool = False) -> Json:
    """A message of Arbetsförmedlingen to the unit's function."""
    known = [{"root": "1.2.752.129.2.1.3.1", "extension": number}] if number else []
    file = {"fileName": "bilaga.pdf", "contentType": "application/pdf", "content": "JVBERi0xLjQ="}
    document: Json = {"documentId": "1", "index": 1, "contentTextBody": ["Gäller en deltagare."]}
    attributes = {
        "messageId": str(uuid4()),
        "confidentiality": True,
        "label": "Kontakt",
        "sender": "0203:arbetsformedlingen.example",
        "recipient": "0203:region.example",
        "senderAttention": {
            "subOrganization": {"root": "urn:riv:infrastructure:messaging:functionalAddress", "extension": THEIRS},
            "referenceId": known,
        },
        "recipientAttention": {
            "subOrganization": {"root": "urn:riv:infrastructure:messaging:functionalAddress", "extension": OURS}
        },
        "digitalDocument": [document | ({"contentFiles": [file]} if attachment else {})],
    }
    return {"data": {"type": "messages", "attributes": attributes}}


async def test_a_file_goes_with_it_under_its_own_category(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, "fk", ["assumed_rehab_need", "contact_details", "tapering_plan"]))
    plan = {"resourceType": "Binary", "contentType": "application/pdf", "data": "JVBERi0xLjQ="}
    kept = await flow.post(plan | {"securityContext": {"reference": person.reference}})
    request = flow.forms.request(person, flow.certify(person))
    request["payload"].append(file(f"Binary/{kept['id']}"))
    stored = await flow.post(request)
    message = await flow.until(f"CommunicationRequest/{stored['id']}", "delivered", "sdk")
    (sent,) = [entry for entry in flow.ledger("message_service") if entry.id == message.id]
    assert '"fileName":"Plan.pdf"' in sent.request.replace(" ", "")
    assert flow.ledger("forsakringskassan") == [], "the dialogue about certificates carries no files"
    (told,) = (await flow.coordinator.get(f"/fhir/Communication?identifier={MESSAGE_ID}|{message.id}")).json()["entry"]
    assert told["resource"]["payload"][-1]["contentAttachment"]["url"] == f"Binary/{kept['id']}"


async def test_a_file_needs_its_consent_and_must_be_here(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    kept = await flow.post({"resourceType": "Binary", "contentType": "text/plain", "data": "aGVq"})
    request = flow.forms.request(person)
    request["payload"].append(file(f"Binary/{kept['id']}"))
    stored = await flow.post(request)
    message = await flow.until(f"CommunicationRequest/{stored['id']}", "withheld", "sdk")
    assert message.reason == "category-not-covered"
    request["payload"][-1] = file("Binary/nowhere")
    (issue,) = await flow.refused(request)
    assert issue["expression"] == ["CommunicationRequest.payload[2].content.url"]


def file(url: str) -> Json:
    """A file of the plan, to go with a message."""
    category = {"url": EXT_INFORMATION_CATEGORY, "valueCode": "tapering_plan"}
    return {"extension": [category], "contentAttachment": {"url": url, "title": "Plan.pdf"}}
