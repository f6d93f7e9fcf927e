"""Truth under concurrency: one of many creates makes it, no update is lost, and what each client saw fits one order."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Iterable
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from tests.flow.registers import Op, is_linearizable

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]
pytestmark = pytest.mark.anyio

EHR: Final = "urn:example:ehr"
CLIENTS: Final = 64


def organization(value: str, **more: Any) -> Json:
    identifier = [{"system": EHR, "value": value}]
    return {"resourceType": "Organization", "identifier": identifier, "name": value, **more}


async def statuses(requests: Iterable[Awaitable[httpx.Response]]) -> Counter[int]:
    answers = await asyncio.gather(*requests)
    return Counter(answer.status_code for answer in answers)


# One makes it


async def test_of_many_conditional_creates_one_makes_it(flow: "Flow") -> None:
    condition = {"If-None-Exist": f"identifier={EHR}|race-create"}
    form = organization("race-create")
    posts = (flow.coordinator.post("/fhir/Organization", json=form, headers=condition) for _ in range(CLIENTS))
    assert await statuses(posts) == {201: 1, 200: CLIENTS - 1}
    found = (await flow.coordinator.get(f"/fhir/Organization?identifier={EHR}|race-create&_total=accurate")).json()
    assert found["total"] == 1


async def test_of_many_transactions_one_makes_it(flow: "Flow") -> None:
    person = await flow.patient()
    shared = "urn:uuid:00000000-0000-4000-8000-000000000001"
    condition = f"identifier={EHR}|race-transaction"
    make = {
        "fullUrl": shared,
        "resource": organization("race-transaction"),
        "request": {"method": "POST", "url": "Organization", "ifNoneExist": condition},
    }
    role = {"resourceType": "PractitionerRole", "organization": {"reference": shared}}
    point = {"resource": role, "request": {"method": "POST", "url": "PractitionerRole"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [point, make]}
    answers = await asyncio.gather(*(flow.coordinator.post("/fhir", json=bundle) for _ in range(CLIENTS)))
    made = Counter(answer.json()["entry"][1]["response"]["status"] for answer in answers)
    assert made == {"201": 1, "200": CLIENTS - 1}
    (organization_,) = (await flow.coordinator.get(f"/fhir/Organization?{condition}")).json()["entry"]
    query = f"organization=Organization/{organization_['resource']['id']}&_total=accurate"
    assert (await flow.coordinator.get(f"/fhir/PractitionerRole?{query}")).json()["total"] == CLIENTS
    assert person.id


async def test_of_many_conditional_updates_one_makes_it(flow: "Flow") -> None:
    address = f"/fhir/Organization?identifier={EHR}|race-update"
    forms = [organization("race-update", alias=[f"nr {number}"]) for number in range(CLIENTS)]
    assert await statuses(flow.coordinator.put(address, json=form) for form in forms) == {201: 1, 200: CLIENTS - 1}
    (found,) = (await flow.coordinator.get(address)).json()["entry"]
    assert found["resource"]["meta"]["versionId"] == str(CLIENTS)


async def test_of_many_updates_of_one_version_one_wins(flow: "Flow") -> None:
    stored = await flow.post(organization("race-if-match"))
    path, known = f"/fhir/Organization/{stored['id']}", {"If-Match": 'W/"1"'}
    forms = [{**stored, "alias": [f"nr {number}"]} for number in range(CLIENTS)]
    assert await statuses(flow.coordinator.put(path, json=form, headers=known) for form in forms) == {
        200: 1,
        412: CLIENTS - 1,
    }


async def test_no_patch_is_lost(flow: "Flow") -> None:
    """Each adds to the list, none knows of the others."""
    stored = await flow.post(organization("race-patch", alias=["nr -1"]))
    path = f"/fhir/Organization/{stored['id']}"
    changes = [[{"op": "add", "path": "/alias/-", "value": f"nr {number}"}] for number in range(CLIENTS)]
    assert await statuses(flow.coordinator.patch(path, json=change) for change in changes) == {200: CLIENTS}
    assert set((await flow.coordinator.get(path)).json()["alias"]) == {f"nr {number}" for number in range(-1, CLIENTS)}


async def test_of_many_deletes_one_makes_a_version(flow: "Flow") -> None:
    stored = await flow.post(organization("race-delete"))
    path = f"/fhir/Organization/{stored['id']}"
    assert await statuses(flow.coordinator.delete(path) for _ in range(CLIENTS)) == {204: CLIENTS}
    assert (await flow.coordinator.get(f"{path}/_history")).json()["total"] == 2


# What each client saw


class Recorder:
    """Clients that read, write, write on a version and delete the same few resources, and note what they saw."""

    def __init__(self, flow: "Flow", seed: int) -> None:
        self.flow = flow
        self.chance = random.Random(seed)  # noqa: S311 - a test's dice, thrown the same each time
        self.ids = [f"register-{seed}-{number}" for number in range(3)]
        self.history: dict[str, list[Op]] = {id: [] for id in self.ids}
        self.moment = count()
        self.values = count()

    async def client(self, requests: int) -> None:
        known: dict[str, int] = {}
        for _ in range(requests):
            id = self.chance.choice(self.ids)
            kind = self.chance.choice(["read", "read", "write", "write", "expecting", "expecting", "delete"])
            op = await self._request(id, kind, known.get(id, 1))
            self.history[id].append(op)
            known[id] = op.version or known.get(id, 1)
            if self.chance.random() < 0.3:
                await asyncio.sleep(self.chance.random() / 500)

    async def _request(self, id: str, kind: str, known: int) -> Op:
        path, sent = f"/fhir/Organization/{id}", next(self.moment)
        value = f"nr {next(self.values)}"
        headers = {"If-Match": f'W/"{known}"'} if kind == "expecting" else {}
        if kind == "read":
            answer = await self.flow.reader.get(path)
            value = answer.json()["name"] if answer.status_code == 200 else ""
        elif kind == "delete":
            answer = await self.flow.coordinator.delete(path)
        else:
            form = {"resourceType": "Organization", "id": id, "name": value}
            answer = await self.flow.coordinator.put(path, json=form, headers=headers)
        tag = answer.headers.get("ETag", 'W/"0"')
        return Op(
            kind="write" if kind == "expecting" else kind,
            sent=sent,
            answered=next(self.moment),
            status=answer.status_code,
            value=value or None,
            expected=known if headers else None,
            version=int(tag[3:-1]),
        )


@pytest.mark.parametrize("seed", range(6))
async def test_what_clients_saw_fits_one_order(flow: "Flow", seed: int) -> None:
    recorder = Recorder(flow, seed)
    await asyncio.gather(*(recorder.client(15) for _ in range(10)))
    for id, history in recorder.history.items():
        assert len(history) > 20
        assert is_linearizable(history), id
        await _versions_are_what_was_written(flow, id, history)


async def _versions_are_what_was_written(flow: "Flow", id: str, history: list[Op]) -> None:
    """The history that the service tells is the one in which it answered."""
    entries = (await flow.reader.get(f"/fhir/Organization/{id}/_history?_count=500")).json()["entry"]
    told = {int(entry["response"]["etag"][3:-1]): entry.get("resource", {}).get("name") for entry in entries}
    written = {op.version: op.value for op in history if op.kind == "write" and op.status in (200, 201)}
    deleted = {op.version: None for op in history if op.kind == "delete" and op.status == 204}
    assert told == {**deleted, **written}


# The judge can say no


def test_the_judge_finds_a_lost_update() -> None:
    write = Op("write", 0, 1, 201, "a", version=1)
    both = [Op("write", 2, 5, 200, "b", expected=1, version=2), Op("write", 3, 4, 200, "c", expected=1, version=2)]
    assert is_linearizable([write, both[0]])
    assert not is_linearizable([write, *both])


def test_the_judge_finds_a_read_of_what_was_replaced() -> None:
    writes = [Op("write", 0, 1, 201, "a", version=1), Op("write", 2, 5, 200, "b", version=2)]
    assert is_linearizable([*writes, Op("read", 3, 4, 200, "a", version=1)])
    assert is_linearizable([*writes, Op("read", 3, 4, 200, "b", version=2)])
    assert not is_linearizable([*writes, Op("read", 6, 7, 200, "a", version=1)])
    seen_then_not = [Op("read", 3, 4, 200, "b", version=2), Op("read", 6, 7, 200, "a", version=1)]
    assert not is_linearizable([*writes, *seen_then_not])


def test_the_judge_finds_two_that_both_made_it() -> None:
    assert not is_linearizable([Op("write", 0, 3, 201, "a", version=1), Op("write", 1, 2, 201, "b", version=1)])


def test_the_judge_knows_deletion() -> None:
    write, gone = Op("write", 0, 1, 201, "a", version=1), Op("delete", 2, 3, 204, version=2)
    assert is_linearizable([write, gone, Op("read", 4, 5, 410)])
    assert is_linearizable([write, gone, Op("delete", 4, 5, 204, version=2), Op("write", 6, 7, 201, "b", version=3)])
    assert not is_linearizable([write, gone, Op("read", 4, 5, 200, "a", version=1)])
    assert not is_linearizable([write, gone, Op("write", 6, 7, 200, "b", version=3)])
