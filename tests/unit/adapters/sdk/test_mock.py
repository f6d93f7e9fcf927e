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
