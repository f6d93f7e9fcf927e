"""SDK's message service: what it takes, how a message moves on, how the other side answers."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from service.clock import MovableClock
from service.mock_world import MockWorld

PATH = "/message_service/v1/sdk/messages"
ID = "5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c40"
FK = "sdk:inkorg:0203:fk.example"
ROOT = "urn:riv:infrastructure:messaging:functionalAddress"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(MockWorld(MovableClock()).app())
    headers = {"Authorization": "Bearer any"}
    async with httpx.AsyncClient(transport=transport, base_url="http://mocks", headers=headers) as client:
        yield client


def message(**changes: Any) -> dict[str, Any]:
    attributes = {
        "confidentiality": True,
        "label": "Information enligt 4 §",
        "sender": "0203:region.example",
        "recipient": "0203:fk.example",
        "recipientAttention": {"subOrganization": {"root": ROOT, "extension": FK}},
        "messageId": ID,
        "digitalDocument": [{"documentId": "d-1", "contentTextBody": ["Behov kan antas."]}],
        **changes,
    }
    given = {name: value for name, value in attributes.items() if value is not ...}
    return {"data": {"type": "messages", "attributes": given}}


async def status(client: httpx.AsyncClient, id: str = ID) -> str:
    found: str = (await client.get(f"{PATH}/{id}")).json()["data"]["attributes"]["messageStatus"]
    return found


async def test_a_message_moves_on_with_the_clock(client: httpx.AsyncClient) -> None:
    sent = await client.post(PATH, json=message())
    assert sent.status_code == 201
    assert sent.json()["links"]["self"] == f"{PATH}/{ID}"
    assert sent.json()["meta"] == {"version": "sdk api 1.0.0"}
    found = [await status(client)]
    for advance in ("PT1M", "PT9M"):
        await client.put("/_control/clock", json={"advance": advance})
        found.append(await status(client))
    assert found == ["NEW", "WAITING_FOR_RECEIPT", "ACCEPTED"]


async def test_what_the_client_leaves_out_is_set(client: httpx.AsyncClient) -> None:
    sent = (await client.post(PATH, json=message(messageId=...))).json()["data"]
    assert sent["id"] == sent["attributes"]["messageId"] != ID
    assert sent["attributes"]["conversationId"]
    assert sent["attributes"]["creationDateTime"].endswith("Z")


async def test_the_same_id_again(client: httpx.AsyncClient) -> None:
    await client.post(PATH, json=message())
    again = await client.post(PATH, json=message())
    assert (again.status_code, again.headers["Content-Type"]) == (400, "application/problem+json")
    assert again.json()["eventIssues"][0]["typeCode"] == "MESSAGE_ID_NOT_UNIQUE"


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": "x" * 257},
        {"recipient": "fk.example"},
        {"confidentiality": ...},
        {"messageId": "no-uuid"},
        {"creationDateTime": "2026-05-04T10:30:00+02:00"},
        {"messageStatus": "NEW"},
        {"digitalDocument": [{"contentTextBody": ["x"]}]},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_what_breaks_the_interface(client: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    refused = await client.post(PATH, json=message(**wrong))
    assert refused.status_code == 400
    assert next(iter(wrong)) in refused.json()["eventIssues"][0]["title"]


@pytest.mark.parametrize("level", ["off", "warn"])
async def test_what_breaks_the_interface_is_taken_where_that_is_wanted(client: httpx.AsyncClient, level: str) -> None:
    await client.put("/_control/validation/message_service", json={"schema": level, "answers": "off"})
    assert (await client.post(PATH, json=message(colour="blue", confidentiality="perhaps"))).status_code == 201
    (entry,) = (await client.get("/_control/ledger/message_service")).json()
    assert entry["accepted"]
    assert any("colour" in line for line in entry["report"]) is (level == "warn")
    assert await status(client) == "NEW"


@pytest.mark.parametrize(
    "wrong", [{"sender": ...}, {"recipient": 1}, {"label": None}, {"messageId": "m-1"}, {"conversationId": 1}]
)
async def test_what_nobody_can_hand_on_is_refused_at_any_level(
    client: httpx.AsyncClient, wrong: dict[str, Any]
) -> None:
    await client.put("/_control/validation/message_service", json={"schema": "off"})
    assert (await client.post(PATH, json=message(**wrong))).status_code == 400
    for body in (b"", b"[]", b'{"data": []}', b'{"data": {"attributes": []}}', b'{"data": {"attributes": "x"}}'):
        assert (await client.post(PATH, content=body)).status_code == 400


async def test_the_other_side_finds_it_and_answers(client: httpx.AsyncClient) -> None:
    await client.post(PATH, json=message())
    asked = {"filter[recipientAttention.subOrganization.extension]": FK, "filter[messageStatus]": "NEW"}
    (found,) = (await client.get(PATH, params=asked)).json()["data"]
    assert "digitalDocument" not in found["attributes"]
    assert (await client.get(f"{PATH}/{ID}")).json()["data"]["attributes"]["digitalDocument"]
    answer = message(messageId=..., refToMessageId=ID, sender="0203:fk.example", recipient="0203:region.example")
    assert (await client.post(PATH, json=answer)).status_code == 201
    assert len((await client.get(PATH)).json()["data"]) == 2
    assert (await client.get(PATH, params={"filter[label]": "x"})).status_code == 400


async def test_removing(client: httpx.AsyncClient) -> None:
    await client.post(PATH, json=message())
    await client.put("/_control/clock", json={"advance": "PT1M"})
    assert (await client.delete(f"{PATH}/{ID}")).status_code == 400
    await client.put("/_control/clock", json={"advance": "PT9M"})
    assert (await client.delete(f"{PATH}/{ID}")).status_code == 202
    assert (await client.get(f"{PATH}/{ID}")).status_code == 404


async def test_without_a_token(client: httpx.AsyncClient) -> None:
    assert (await client.post(PATH, json=message(), headers={"Authorization": ""})).status_code == 401


@pytest.mark.parametrize(
    ("fault", "end"), [("rejected-later", "REJECTED"), ("never-arrives", "MESSAGE_EXCHANGE_ERROR"), ("", "ACCEPTED")]
)
async def test_how_it_ends(client: httpx.AsyncClient, fault: str, end: str) -> None:
    if fault:
        await client.put("/_control/faults/message_service", json={"name": fault})
    assert (await client.post(PATH, json=message())).status_code == 201
    assert await status(client) == "NEW"
    await client.put("/_control/clock", json={"advance": "PT10M"})
    shown = (await client.get(f"{PATH}/{ID}")).json()["data"]["attributes"]
    assert shown["messageStatus"] == end
    assert bool(shown["events"]) is bool(fault)


async def test_a_test_person_whose_message_is_rejected(client: httpx.AsyncClient) -> None:
    person = next(
        each["number"] for each in (await client.get("/_control/people")).json() if each["fault"] == "rejected-later"
    )
    about = {
        "subOrganization": {"root": ROOT, "extension": FK},
        "referenceId": [{"root": "1.2.752.129.2.1.3.1", "extension": person}],
    }
    await client.post(PATH, json=message(recipientAttention=about))
    await client.put("/_control/clock", json={"advance": "PT10M"})
    assert await status(client) == "REJECTED"


ANSWERS = f"/_control/message_service/{ID}/answers"


async def test_the_other_party_is_let_answer(client: httpx.AsyncClient) -> None:
    person = {"root": "1.2.752.129.2.1.3.1", "extension": "191201019807"}
    case = {"root": "0203:region.example", "extension": "REKO-1"}
    sent = message(
        recipientAttention={"subOrganization": {"root": ROOT, "extension": FK}, "referenceId": [person]},
        senderAttention={"subOrganization": {"root": ROOT, "extension": "sdk:eken"}, "referenceId": [case]},
    )
    conversation = (await client.post(PATH, json=sent)).json()["data"]["attributes"]["conversationId"]
    told = [await client.post(ANSWERS, json={"text": text, "label": "Kontakt", "reference": "FK-1"}) for text in "ab"]
    first, second = (each.json()["id"] for each in told)
    assert first != second
    shown = (await client.get(f"{PATH}/{first}")).json()["data"]["attributes"]
    assert (shown["refToMessageId"], shown["conversationId"], shown["label"]) == (ID, conversation, "Kontakt")
    assert (shown["sender"], shown["recipient"]) == ("0203:fk.example", "0203:region.example")
    assert shown["recipientAttention"] == sent["data"]["attributes"]["senderAttention"]
    assert shown["senderAttention"]["referenceId"] == [person, {"root": "0203:fk.example", "extension": "FK-1"}]
    assert shown["digitalDocument"][0]["contentTextBody"] == ["a"]
    again = message(**{name: value for name, value in shown.items() if name not in ("messageStatus", "events")})
    again["data"]["attributes"]["messageId"] = "0b9a6c1e-0000-4c36-9e15-3b1f6d2a9c41"
    assert (await client.post(PATH, json=again)).status_code == 201, "what is made by hand passes as what is posted"


@pytest.mark.parametrize(
    ("sent", "answer", "expected"),
    [
        ({}, {"text": "x"}, 404),  # nobody's function wrote it
        (None, {"text": "x"}, 404),
        ({"senderAttention": {"subOrganization": {"root": ROOT, "extension": "sdk:eken"}}}, {"words": "x"}, 422),
    ],
)
async def test_who_cannot_answer(
    client: httpx.AsyncClient, sent: dict[str, Any] | None, answer: dict[str, str], expected: int
) -> None:
    if sent is not None:
        await client.post(PATH, json=message(**sent))
    assert (await client.post(ANSWERS, json=answer)).status_code == expected


async def test_each_answer_by_hand_is_another_also_when_care_has_put_the_first_away(client: httpx.AsyncClient) -> None:
    side = {"subOrganization": {"root": ROOT, "extension": "sdk:eken"}}
    await client.post(PATH, json=message(senderAttention=side))
    first = (await client.post(ANSWERS, json={"text": "a"})).json()["id"]
    await client.put("/_control/clock", json={"advance": "PT10M"})
    assert (await client.delete(f"{PATH}/{first}")).status_code == 202
    assert (await client.post(ANSWERS, json={"text": "b"})).json()["id"] != first
