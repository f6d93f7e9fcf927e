"""The mock platform, in-process: it judges, recognises what it has seen, and misbehaves on order."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import jsonschema_rs
import orjson
import pytest

from adapters.mocking import NAMESPACE_HEADER, Counterpart, Entry, Fault
from adapters.regional_platform import wire
from adapters.regional_platform.mock import create
from adapters.regional_platform.settings import Mode, Settings
from contracts.outbox import RecordEvent
from contracts.ports import Clock


@pytest.fixture
def counterpart(clock: Clock) -> Counterpart:
    return Counterpart("regional_platform", clock.now)


@pytest.fixture
async def platform(counterpart: Counterpart) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create(counterpart))
    async with httpx.AsyncClient(transport=transport, base_url="http://platform") as client:
        yield client


async def post(platform: httpx.AsyncClient, event: RecordEvent, mode: Mode = Mode.STRUCTURED) -> httpx.Response:
    headers, body = wire.request(event, Settings(mode=mode))
    return await platform.post("/events", content=body, headers=headers)


async def post_changed(platform: httpx.AsyncClient, event: RecordEvent, **changes: object) -> httpx.Response:
    _, body = wire.request(event, Settings())
    changed = {name: value for name, value in (orjson.loads(body) | changes).items() if value is not ...}
    headers = {"Content-Type": wire.STRUCTURED_TYPE}
    return await platform.post("/events", content=orjson.dumps(changed), headers=headers)


def last(counterpart: Counterpart) -> Entry:
    return counterpart.room().ledger.entries[-1]


@pytest.mark.parametrize("mode", Mode)
async def test_both_modes_are_taken(
    platform: httpx.AsyncClient, counterpart: Counterpart, event: RecordEvent, mode: Mode
) -> None:
    answer = await post(platform, event, mode)
    assert (answer.status_code, answer.json()) == (200, {"duplicate": False})
    entry = last(counterpart)
    assert (entry.id, entry.accepted, entry.report) == ("e-1", True, ())
    assert entry.summary["subject"] == "Procedure/0a1b"


async def test_the_same_event_twice_is_one(
    platform: httpx.AsyncClient, counterpart: Counterpart, event: RecordEvent
) -> None:
    await post(platform, event)
    answer = await post(platform, event, Mode.BINARY)
    assert answer.json() == {"duplicate": True}
    assert counterpart.room().ledger.accepted_ids() == ["e-1"]
    assert last(counterpart).report == ("seen before",)


async def test_a_reset_forgets_what_was_seen(
    platform: httpx.AsyncClient, counterpart: Counterpart, event: RecordEvent
) -> None:
    await post(platform, event)
    counterpart.reset()
    assert (await post(platform, event)).json() == {"duplicate": False}


async def test_namespaces_are_apart(platform: httpx.AsyncClient, counterpart: Counterpart, event: RecordEvent) -> None:
    headers, body = wire.request(event, Settings())
    await platform.post("/events", content=body, headers={**headers, NAMESPACE_HEADER: "a"})
    assert counterpart.room("a").ledger.accepted_ids() == ["e-1"]
    assert counterpart.room().ledger.accepted_ids() == []


async def test_order_and_gaps_are_noted(
    platform: httpx.AsyncClient, counterpart: Counterpart, event: RecordEvent
) -> None:
    for number, sequence in enumerate((1, 2, 5, 3)):
        await post(platform, replace(event, id=f"e-{number}", sequence=sequence))
    await post(platform, replace(event, id="other", subject="Procedure/b"))
    reports = [entry.report for entry in counterpart.room().ledger.entries]
    assert reports == [(), (), ("gap: 5 after 2",), ("out of order: 3 after 5",), ()]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"id": ...}, "id is required and not empty"),
        ({"id": ""}, "id is required and not empty"),
        ({"source": None}, "source is required and not empty"),
        ({"source": "here"}, "source is no absolute URI"),
        ({"type": "se.rekobryggan.unknown.v1"}, "type is not one that was agreed on"),
        ({"specversion": "0.3"}, "specversion is not 1.0"),
        ({"time": "yesterday"}, "time is no RFC 3339 time"),
        ({"time": "2026-05-04"}, "time is no RFC 3339 time"),
        ({"time": "2026-05-04T08:30:00"}, "time is no RFC 3339 time"),
        ({"subject": ""}, "subject is empty"),
        ({"sequence": "9" * 5000}, "sequence is no number"),
        ({"dataSchema": "x"}, "an attribute's name is not lower-case letters and digits"),
        ({"subject": "a\nb"}, "subject holds a control character"),
        ({"subject": "Patient/198001019804"}, "a personal number stands in subject"),
        ({"data": ...}, "data /: not JSON"),
        ({"data": {"resourceType": "Procedure"}}, "data /: required: subject"),
    ],
)
async def test_what_breaks_the_rules_is_refused(
    platform: httpx.AsyncClient, counterpart: Counterpart, event: RecordEvent, changes: dict[str, object], told: str
) -> None:
    answer = await post_changed(platform, event, **changes)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert told in answer.json()["errors"]
    assert not last(counterpart).accepted
    assert counterpart.room().ledger.accepted_ids() == []


async def test_size(platform: httpx.AsyncClient, event: RecordEvent) -> None:
    answer = await post_changed(platform, event, filler="x" * wire.MAX_BYTES)
    assert answer.json()["errors"] == ["the event is larger than 64 KiB"]


@pytest.mark.parametrize("media", ["text/xml", "application/cloudevents-batch+json"])
async def test_other_media(platform: httpx.AsyncClient, counterpart: Counterpart, media: str) -> None:
    answer = await platform.post("/events", content=b"[]", headers={"Content-Type": media})
    assert answer.status_code == 415
    assert not last(counterpart).accepted


async def test_what_cannot_be_read(platform: httpx.AsyncClient) -> None:
    answer = await platform.post("/events", content=b"{", headers={"Content-Type": wire.STRUCTURED_TYPE})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("fault", "status", "accepted"),
    [
        (Fault(kind="http", status=503, retry_after=7), 503, False),
        (Fault(kind="nonsense"), 200, False),
        (Fault(kind="delay", seconds=0), 200, True),
        (Fault(kind="lose-answer", seconds=0), 504, True),
        (Fault(kind="result"), 422, False),
        (Fault(kind="soap-fault"), 500, False),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
async def test_faults(
    platform: httpx.AsyncClient,
    counterpart: Counterpart,
    event: RecordEvent,
    fault: Fault,
    status: int,
    accepted: bool,
) -> None:
    counterpart.room().order([fault])
    assert (await post(platform, event)).status_code == status
    assert counterpart.room().ledger.accepted_ids() == (["e-1"] if accepted else [])
    after = await post(platform, event)
    assert after.json() == {"duplicate": accepted}


async def test_its_openapi_says_what_the_data_of_each_type_may_hold(
    platform: httpx.AsyncClient, event: RecordEvent
) -> None:
    described = (await platform.get("/openapi.json")).json()["paths"]["/events"]["post"]["requestBody"]["content"]
    envelope = jsonschema_rs.validator_for(described[wire.STRUCTURED_TYPE]["schema"])
    data = orjson.loads(event.data)
    told = {"id": "1", "source": "urn:x", "specversion": "1.0", "type": str(event.type)}
    assert envelope.is_valid({**told, "data": data})
    assert not envelope.is_valid({**told, "data": {**data, "note": [{"text": "x"}]}})
