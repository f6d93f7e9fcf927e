"""The mock record system, in-process: a small FHIR server that judges, keeps versions and misbehaves on order."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from adapters.ehr import wire
from adapters.ehr.mock import create
from adapters.mocking import Counterpart, Entry, Fault
from contracts.activity import Identifier
from contracts.outbox import RecordCopy
from contracts.ports import Clock

FHIR = {"Content-Type": "application/fhir+json"}


@pytest.fixture
def counterpart(clock: Clock) -> Counterpart:
    return Counterpart("ehr", clock.now)


@pytest.fixture
async def ehr(counterpart: Counterpart) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create(counterpart))
    async with httpx.AsyncClient(transport=transport, base_url="http://ehr") as client:
        yield client


async def put(ehr: httpx.AsyncClient, copy: RecordCopy, **changes: object) -> httpx.Response:
    request = wire.request(replace(copy, body=changed(copy, **changes)) if changes else copy)
    return await ehr.put(request.target, content=request.body, headers=request.headers)


def changed(copy: RecordCopy, **changes: object) -> str:
    content: dict[str, Any] = orjson.loads(copy.body) | changes
    return orjson.dumps(content).decode()


def last(counterpart: Counterpart) -> Entry:
    return counterpart.room().ledger.entries[-1]


async def test_create_and_read(ehr: httpx.AsyncClient, counterpart: Counterpart, copy: RecordCopy) -> None:
    created = await ehr.post("/Procedure", content=copy.body, headers=FHIR)
    assert (created.status_code, created.headers["location"]) == (201, "/Procedure/1/_history/1")
    read = await ehr.get("/Procedure/1")
    assert (read.status_code, read.headers["etag"]) == (200, 'W/"1"')
    assert read.json() == orjson.loads(copy.body) | {
        "id": "1",
        "meta": {"versionId": "1", "lastUpdated": "2026-05-04T08:30:00+00:00"},
    }
    assert counterpart.room().ledger.accepted_ids() == ["1/1"]


async def test_conditional_update_of_its_own_record(
    ehr: httpx.AsyncClient, counterpart: Counterpart, copy: RecordCopy
) -> None:
    await ehr.post("/Procedure", content=changed(copy, code={"text": "möte"}), headers=FHIR)
    updated = await put(ehr, copy)
    assert (updated.status_code, updated.headers["etag"]) == (200, 'W/"2"')
    assert last(counterpart).id == "Å-1|2,3/2"
    assert last(counterpart).request == copy.body
    assert last(counterpart).summary == {"status": 200, "reference": "Procedure/1", "version": 2}


async def test_conditional_update_creates_and_then_knows_it(
    ehr: httpx.AsyncClient, counterpart: Counterpart, copy: RecordCopy
) -> None:
    assert [(await put(ehr, copy)).status_code for _ in range(2)] == [201, 200]
    assert counterpart.room().ledger.accepted_ids() == ["Å-1|2,3/1"]


async def test_several_matches_are_refused(ehr: httpx.AsyncClient, copy: RecordCopy) -> None:
    for _ in range(2):
        await ehr.post("/Procedure", content=copy.body, headers=FHIR)
    answer = await put(ehr, copy)
    assert answer.status_code == 412
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.json()["issue"][0]["code"] == "duplicate"


async def test_the_id_in_the_body_must_agree(ehr: httpx.AsyncClient, copy: RecordCopy) -> None:
    assert (await put(ehr, copy, id="own-1")).headers["location"] == "/Procedure/own-1/_history/1"
    assert (await put(ehr, copy, id="other")).status_code == 400
    elsewhere = replace(copy, match=Identifier("urn:x", "2"))
    assert (await put(ehr, elsewhere, id="own-1")).status_code == 409


async def test_a_body_without_its_identifier_is_noted(
    ehr: httpx.AsyncClient, counterpart: Counterpart, copy: RecordCopy
) -> None:
    await put(ehr, copy, identifier=[{"system": "urn:x", "value": "2"}])
    assert last(counterpart).report == ("the body lacks the identifier it was matched on",)


async def test_update_by_id(ehr: httpx.AsyncClient, copy: RecordCopy) -> None:
    body = changed(copy, id="own-1")
    assert (await ehr.put("/Procedure/own-1", content=body, headers=FHIR)).status_code == 201
    assert (await ehr.put("/Procedure/own-2", content=body, headers=FHIR)).status_code == 400


async def test_fresh_ids_pass_by_those_in_use(ehr: httpx.AsyncClient, copy: RecordCopy) -> None:
    await ehr.put("/Procedure/2", content=changed(copy, id="2"), headers=FHIR)
    created = await ehr.post("/Procedure", content=copy.body, headers=FHIR)
    assert created.headers["location"] == "/Procedure/3/_history/1"


@pytest.mark.parametrize(
    ("target", "body", "headers", "status"),
    [
        ("/Procedure", "{}", FHIR, 400),
        ("/Procedure?identifier=urn:x|1", "{", FHIR, 400),
        ("/Procedure?identifier=urn:x|1", '{"resourceType": "Patient"}', FHIR, 400),
        ("/Procedure?identifier=urn:x|1", '{"resourceType": "Procedure", "status": "completed"}', FHIR, 400),
        ("/Procedure?identifier=urn:x|1", "<Procedure/>", {"Content-Type": "application/fhir+xml"}, 415),
        ("/Procedure?identifier=urn:oid:1.2.752.129.2.1.3.1|198001019804", "{}", FHIR, 400),
    ],
)
async def test_refusals(
    ehr: httpx.AsyncClient, counterpart: Counterpart, target: str, body: str, headers: dict[str, str], status: int
) -> None:
    answer = await ehr.put(target, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/fhir+json"
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert "9804" not in answer.text
    assert counterpart.room().ledger.accepted_ids() == []


async def test_reading_what_is_not_there(ehr: httpx.AsyncClient, counterpart: Counterpart) -> None:
    answer = await ehr.get("/Procedure/1")
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (404, "not-found")
    assert counterpart.room().ledger.entries == []


@pytest.mark.parametrize(
    ("fault", "status", "accepted"),
    [
        (Fault(kind="http", status=503, retry_after=7), 503, False),
        (Fault(kind="nonsense"), 200, False),
        (Fault(kind="delay", seconds=0), 201, True),
        (Fault(kind="lose-answer", seconds=0), 504, True),
        (Fault(kind="result"), 422, False),
        (Fault(kind="soap-fault"), 500, False),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
async def test_faults(
    ehr: httpx.AsyncClient,
    counterpart: Counterpart,
    copy: RecordCopy,
    fault: Fault,
    status: int,
    accepted: bool,
) -> None:
    counterpart.room().order([fault])
    assert (await put(ehr, copy)).status_code == status
    assert counterpart.room().ledger.accepted_ids() == (["Å-1|2,3/1"] if accepted else [])
    assert (await put(ehr, copy)).status_code == (200 if accepted else 201)
