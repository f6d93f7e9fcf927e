"""Answers on their way in: staged, applied in slices, taken up again, and many units by themselves."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from adapters.intygstjanst import mock as feed
from adapters.mocking import Fault
from contracts.identity import HsaId
from contracts.time import swedish_day
from service.clock import MovableClock
from service.mock_world import MockWorld
from service.usecases import follow_sick_leaves

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]
Serve = Callable[..., AbstractAsyncContextManager["Flow"]]

PATIENCE: Final = 15.0
MOTTAGNING: Final = "TSTNMT2321000156-E0011"


async def pull(flow: "Flow", status: int = 200, **asked: int) -> Json:
    response = await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull", params=asked)
    assert response.status_code == status, response.text
    answer: Json = response.json()
    return answer


async def pulls(flow: "Flow") -> dict[str, Json]:
    response = await flow.coordinator.get("/api/pulls")
    assert response.status_code == 200, response.text
    return {each["unit"]: each for each in response.json()}


async def until(flow: "Flow", unit: str, state: str) -> Json:
    """Wait until the unit's newest pull is in the state."""
    found: Json = {}
    for _ in range(int(PATIENCE / 0.05)):
        found = (await pulls(flow)).get(unit, {})
        if found and found["newest"]["state"] == state:
            newest: Json = found["newest"]
            return newest
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited for {state} of {unit}, found {found}")


def staged(flow: "Flow") -> int:
    count: int = flow.rows("SELECT count(*) FROM staged")[0][0]
    return count


def applied(flow: "Flow") -> list[tuple[Any, ...]]:
    kept = flow.rows("SELECT unit, id, body FROM certificate ORDER BY id")
    return [*kept, *flow.rows("SELECT count(*) FROM resource WHERE patient <> ''")]


# One answer


async def test_nothing_stays_staged(flow: "Flow") -> None:
    flow.certify(next(flow.people))
    told = await pull(flow)
    assert (told["state"], told["applied"]) == ("done", told["patients"])
    assert staged(flow) == 0


async def test_each_sick_leave_is_counted_once(flow: "Flow") -> None:
    person = next(flow.people)
    flow.certify(person, -40, -20)
    flow.certify(person, -5, 5)
    assert (await pull(flow))["sickLeaves"] == 2
    assert (await pull(flow))["sickLeaves"] == 0, "nothing has changed"


async def test_what_cannot_be_used_is_told_one_by_one_and_the_rest_is_used(flow: "Flow") -> None:
    person = next(flow.people)
    today = swedish_day(flow.clock.now())
    backwards = {"start": today, "end": today - timedelta(days=1), "degree": 50}
    good, bad = flow.certify(person), flow.certify(person, 30, 40, periods=[backwards])
    told = await pull(flow)
    assert {"certificate": bad, "reason": "a period ends before it starts"} in told["setAside"]
    assert told["setAsideCount"] == len(told["setAside"])
    again = (await flow.coordinator.get(f"/api/pulls/{told['number']}")).json()
    assert again == told
    assert flow.rows("SELECT count(*) FROM certificate WHERE id IN (?, ?)", good, bad) == [(1,)]
    feed.withdraw(flow.world.counterparts["intygstjanst"], [bad])


async def test_one_that_cannot_be_read_this_time_is_still_there(flow: "Flow") -> None:
    person = next(flow.people)
    certificate = flow.certify(person)
    await pull(flow)
    today = swedish_day(flow.clock.now())
    spans = [(today, today), (today, today - timedelta(days=1))]
    flow.certify(person, id=certificate, periods=[{"start": first, "end": last, "degree": 50} for first, last in spans])
    told = await pull(flow)
    assert (told["setAsideCount"], told["vanished"]) == (1, 0)
    assert flow.rows("SELECT count(*) FROM certificate WHERE id = ?", certificate) == [(1,)]
    feed.withdraw(flow.world.counterparts["intygstjanst"], [certificate])
    assert (await pull(flow))["vanished"] == 1


async def test_a_certificate_of_another_care_provider_is_set_aside(flow: "Flow") -> None:
    certificate = flow.certify(next(flow.people), provider="TSTNMT5560000001-S0009")
    told = await pull(flow)
    assert {"certificate": certificate, "reason": "it belongs to another care provider"} in told["setAside"]
    feed.withdraw(flow.world.counterparts["intygstjanst"], [certificate])


async def test_a_mottagning_is_part_of_its_care_unit(flow: "Flow") -> None:
    """One sick leave, of certificates on both, that belongs to the care unit (rehabstod.md § 1.8)."""
    person = next(flow.people)
    feed.subordinate(flow.world.counterparts["intygstjanst"], HsaId(flow.UNIT), HsaId(MOTTAGNING))
    first = flow.certify(person, -30, -5, unit=MOTTAGNING)
    second = flow.certify(person, -4, 10)
    await pull(flow)
    rows = flow.rows("SELECT DISTINCT unit, episode FROM certificate WHERE id IN (?, ?)", first, second)
    assert [unit for unit, _ in rows] == [flow.UNIT]
    found = await flow.coordinator.get(f"/fhir/EpisodeOfCare/{rows[0][1]}")
    assert found.json()["managingOrganization"]["identifier"]["value"] == flow.UNIT
    assert found.json()["period"]["start"] == f"{swedish_day(flow.clock.now()) - timedelta(days=30)}"


async def test_a_sick_leave_that_is_over_is_finished_also_when_the_answer_no_longer_names_the_patient(
    flow: "Flow",
) -> None:
    person = next(flow.people)
    certificate = flow.certify(person, -20, 0)
    await pull(flow)
    (episode,) = flow.rows("SELECT episode FROM certificate WHERE id = ?", certificate)[0]
    assert (await flow.coordinator.get(f"/fhir/EpisodeOfCare/{episode}")).json()["status"] == "active"
    flow.clock.advance(timedelta(days=1))
    try:
        assert (await pull(flow))["vanished"] == 0
        found = (await flow.coordinator.get(f"/fhir/EpisodeOfCare/{episode}")).json()
        assert found["status"] == "finished"
        assert found["period"]["end"] == f"{swedish_day(flow.clock.now()) - timedelta(days=1)}"
        assert (await pull(flow))["changed"] == 0
    finally:
        flow.clock.advance(timedelta(days=-1))


async def test_who_may_see_how_pulls_stand(flow: "Flow") -> None:
    told = await pull(flow)
    assert flow.UNIT in await pulls(flow)
    assert (await flow.neighbour.get(f"/api/pulls/{told['number']}")).status_code == 200, "of the same care provider"
    assert (await flow.stranger.get(f"/api/pulls/{told['number']}")).status_code == 404
    assert (await flow.stranger.get("/api/pulls")).json() == []
    assert (await flow.reader.get("/api/pulls")).status_code == 403
    assert (await flow.nobody.get("/api/pulls")).status_code == 401
    assert (await flow.coordinator.get("/api/pulls/99999")).status_code == 404


# A process that dies


class Stuck(httpx.AsyncBaseTransport):
    """Reaches the mocks, but gives back only the beginning of each answer, and then waits."""

    def __init__(self, world: Any, share: float) -> None:
        self._mocks = httpx.ASGITransport(app=world.app())
        self._share = share
        self.reached = asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        whole = await self._mocks.handle_async_request(request)
        body = b"".join([piece async for piece in whole.stream])  # type: ignore[union-attr]
        return httpx.Response(200, headers={"Content-Type": "text/xml"}, stream=self._beginning(body))

    def _beginning(self, body: bytes) -> httpx.AsyncByteStream:
        outer = self

        class Beginning(httpx.AsyncByteStream):
            async def __aiter__(self) -> AsyncIterator[bytes]:
                yield body[: int(len(body) * outer._share)]
                outer.reached.set()
                await asyncio.sleep(3600)

        return Beginning()


def populate(flow: "Flow", patients: int) -> None:
    flow.world.populate(7, HsaId(flow.UNIT), HsaId(flow.PROVIDER), patients)


async def test_a_service_that_stops_while_an_answer_comes_has_done_nothing(serve: Serve, tmp_path: Path) -> None:
    async with serve(tmp_path) as flow:
        populate(flow, 500)
        world = flow.world
    stuck = Stuck(world, 0.9)
    async with serve(tmp_path, world, stuck) as flow:
        before = applied(flow)
        asking = asyncio.create_task(flow.coordinator.post(f"/api/units/{flow.UNIT}/pull"))
        await asyncio.wait_for(stuck.reached.wait(), PATIENCE)
        for _ in range(100):
            if staged(flow):
                break
            await asyncio.sleep(0.05)
        assert staged(flow) > 0
        assert (await pulls(flow))[flow.UNIT]["newest"]["state"] == "reading"
        assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 409, "one at a time"
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        assert applied(flow) == before
    async with serve(tmp_path, world) as flow:
        newest = await until(flow, flow.UNIT, "failed")
        assert newest["reason"] == "the service was stopped while the answer came"
        assert applied(flow) == before
        assert (await pull(flow))["state"] == "done"
        assert staged(flow) == 0


class Dies(Exception):
    """The process is gone."""


async def test_an_answer_that_is_being_applied_is_taken_up_again(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often the process dies in between: each time it goes on where it was, and in the end it is as if it had not."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    async with serve(one) as flow:
        populate(flow, 60)
        whole = await pull(flow)
        world, wanted = flow.world, outcome(flow)
    slices = iter([3, 1, 5])
    for lives in slices:
        with monkeypatch.context() as patch:
            patch.setattr(follow_sick_leaves, "_Slice", mortal(lives))
            async with serve(other, world) as flow:
                with suppress(Dies):
                    await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")
                standing = (await pulls(flow))[flow.UNIT]["newest"]
                assert standing["state"] in ("applying", "closing")
                assert 0 < standing["applied"] <= standing["patients"]
                assert staged(flow) > 0
    async with serve(other, world) as flow:
        newest = await until(flow, flow.UNIT, "done")
        assert {name: newest[name] for name in newest if name not in ("began", "ended", "number")} == {
            name: whole[name] for name in newest if name not in ("began", "ended", "number")
        }
        assert outcome(flow) == wanted
        await asyncio.sleep(0.1)
        assert staged(flow) == 0


async def test_the_next_pull_applies_what_the_last_one_could_not(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(tmp_path) as flow:
        populate(flow, 60)
        with monkeypatch.context() as patch:
            patch.setattr(follow_sick_leaves, "_Slice", mortal(2))
            with suppress(Dies):
                await pull(flow)
        (left,) = flow.rows("SELECT number FROM pull")
        assert (await pull(flow))["number"] != left[0]
        assert flow.rows("SELECT state FROM pull ORDER BY number") == [("done",), ("done",)]


def mortal(lives: int) -> Callable[..., Any]:
    """Slices of a process that dies after so many."""
    real, left = follow_sick_leaves._Slice, [lives]

    def make(*given: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise Dies
        return real(*given)

    return make


def outcome(flow: "Flow") -> list[tuple[Any, ...]]:
    """What there is in the end, without the ids that differ each time."""
    kinds = flow.rows("SELECT type, version, count(*) FROM resource WHERE patient <> '' GROUP BY 1, 2 ORDER BY 1, 2")
    certificates = flow.rows("SELECT id, body, first, last FROM certificate ORDER BY id")
    episodes = flow.rows("SELECT count(DISTINCT episode), count(DISTINCT patient) FROM certificate")
    return [*kinds, *certificates, *episodes]


# Many units


def units_file(home: Path, units: Sequence[str], provider: str, minutes: int = 60) -> Path:
    file = home / "units.toml"
    entries = (f'[[unit]]\ncare_unit = "{unit}"\ncare_provider = "{provider}"\n' for unit in units)
    file.write_text(f'actor = "{provider}"\nevery_minutes = {minutes}\n' + "".join(entries), encoding="utf-8")
    return file


REGION: Final = [f"SE1111111111-E{number:04}" for number in range(1, 7)]
REGIONS_PROVIDER: Final = "SE1111111111-V001"


async def settled(flow: "Flow", units: Sequence[str], least: int = 1) -> dict[str, list[str]]:
    """Wait until each unit has had so many pulls, and none is under way; their states, oldest first."""
    found: dict[str, list[str]] = {}
    for _ in range(int(PATIENCE / 0.05)):
        found = {unit: [] for unit in units}
        for unit, state in flow.rows("SELECT unit, state FROM pull ORDER BY number"):
            found.get(unit, []).append(state)
        if all(len(states) >= least and states[-1] in ("done", "failed") for states in found.values()):
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"waited for {least} pulls, found {found}")


async def test_every_unit_of_the_timetable_is_pulled_again_and_again(serve: Serve, tmp_path: Path) -> None:
    units = units_file(tmp_path, REGION, REGIONS_PROVIDER)
    async with serve(tmp_path, units=units, pull_slots=2) as flow:
        flow.world.populate_region(3, len(REGION), 8)
        await settled(flow, REGION)
        flow.clock.advance(timedelta(hours=1))
        found = await settled(flow, REGION, 2)
        assert set(map(tuple, found.values())) >= {("done", "done")}
        people = dict(flow.rows("SELECT unit, count(DISTINCT patient) FROM certificate GROUP BY unit"))
        assert set(people) == set(REGION)
        asked = {entry.summary["unit"] for entry in flow.ledger("intygstjanst")}
        assert asked == set(REGION)


async def test_one_units_failure_stops_no_other_and_it_comes_again_sooner(serve: Serve, tmp_path: Path) -> None:
    everybody = [*REGION, "SE1111111111-E9999"]
    world = MockWorld(MovableClock())
    world.counterparts["intygstjanst"].room().order([Fault(kind="http", status=503)])
    async with serve(tmp_path, world, units=units_file(tmp_path, everybody, REGIONS_PROVIDER), pull_slots=1) as flow:
        found = await settled(flow, everybody)
        failed = [unit for unit, states in found.items() if states[0] == "failed"]
        assert len(failed) == 1
        assert all(states == ["done"] for unit, states in found.items() if unit not in failed)
        flow.clock.advance(timedelta(seconds=80))
        again = await settled(flow, failed, 2)
        assert again[failed[0]][:2] == ["failed", "done"]


async def test_no_more_run_at_a_time_than_there_are_slots(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, running, most = follow_sick_leaves.follow_sick_leaves, [0], [0]

    async def counting(*given: Any) -> Any:
        running[0] += 1
        most[0] = max(most[0], running[0])
        try:
            return await real(*given)
        finally:
            running[0] -= 1

    monkeypatch.setattr("service.pulling.rounds.follow_sick_leaves", counting)
    async with serve(tmp_path, units=units_file(tmp_path, REGION, REGIONS_PROVIDER), pull_slots=2) as flow:
        await settled(flow, REGION)
    assert most[0] in ((2, 3, 4) if flow.settings.is_shared else (2,)), "each of two workers has its slots"


async def test_who_pulled_stands_in_the_access_log(serve: Serve, tmp_path: Path) -> None:
    async with serve(tmp_path, units=units_file(tmp_path, REGION[:1], REGIONS_PROVIDER)) as flow:
        await settled(flow, REGION[:1])
        flow.world.populate_region(3, 1, 3)
        flow.clock.advance(timedelta(hours=1))
        await settled(flow, REGION[:1], 2)
        rows = flow.rows(
            "SELECT DISTINCT employee, commission, unit, action FROM access_log WHERE interaction = 'pull'"
        )
        assert rows == [(REGIONS_PROVIDER, "automatic pull", REGION[0], "Skriva")]
