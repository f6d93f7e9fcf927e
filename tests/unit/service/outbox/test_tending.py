"""What waits too long is told of; what is over is forgotten after its time, and nothing else ever."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.outbox import DeliveryState
from service.outbox import tending as tending_module
from service.outbox.tending import Tending, standing
from service.settings import Settings
from service.store.database import Place
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from tests.postgres import TEMPLATE, on_either
from tests.unit.service.store.samples import NOW, StillClock, message, open_new, open_store
from tests.unit.service.store.test_outbox import at, opened

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
OVER = (DeliveryState.DELIVERED, DeliveryState.CANCELLED)
KEPT = {DeliveryState.DELIVERED: 10 * DAY, DeliveryState.CANCELLED: 20 * DAY}


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    yield from on_either(request, tmp_path, TEMPLATE)


@pytest.fixture
async def store(place: Place, clock: StillClock, anyio_backend: str) -> AsyncIterator[SqlStore]:
    store = open_new(place, clock) if isinstance(place, Path) else open_store(place, clock)
    yield store
    store.close()


def tending(store: SqlStore, clock: StillClock, told: list[str] | None = None) -> Tending:
    heard = [] if told is None else told
    return Tending(store, ["platform", "ehr"], clock, DAY, KEPT, heard.append)


async def promise_one_of_each(store: SqlStore) -> None:
    def work(transaction: SqlTransaction) -> None:
        for state in DeliveryState:
            transaction.promise(message(state.value, f"p-{state.value}"), state)
            transaction.note_deed(state.value, "a deed", "a test")

    await store.run(work)


async def kept(store: SqlStore) -> set[str]:
    def work(transaction: SqlTransaction) -> set[str]:
        rows = transaction.connection.execute("SELECT id FROM outbox").fetchall()
        tries = transaction.connection.execute("SELECT message FROM attempt").fetchall()
        assert set(rows) == set(tries), "its tries go with a message, and only with it"
        return {row[0] for row in rows}

    return await store.run(work)


async def test_each_state_has_its_time_and_nothing_undelivered_is_ever_pruned(
    store: SqlStore, clock: StillClock
) -> None:
    everything = {state.value for state in DeliveryState}
    await promise_one_of_each(store)
    tended = tending(store, clock)
    for days, gone in ((10, set()), (1, {"delivered"}), (10, {*map(str, OVER)}), (36500, {*map(str, OVER)})):
        clock.advance(days=days)
        await tended.round()
        assert await kept(store) == everything - gone


def test_what_is_set_forgets_nothing_that_was_not_told() -> None:
    """What is withheld may still be released."""
    assert set(Settings().kept) == set(OVER)


async def test_the_time_begins_with_the_end(store: SqlStore, clock: StillClock) -> None:
    await store.run(lambda transaction: transaction.promise(message("a"), DeliveryState.PARKED))
    clock.advance(days=100)
    await store.run(lambda transaction: transaction.move("a", DeliveryState.DELIVERED))
    await tending(store, clock).round()
    assert (await store.run(lambda transaction: transaction.standing("a"))) is not None


async def test_more_than_a_batch_is_forgotten(
    store: SqlStore, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tending_module, "BATCH", 3)

    def work(transaction: SqlTransaction) -> None:
        for number in range(10):
            transaction.promise(message(f"m-{number}"), DeliveryState.DELIVERED)

    await store.run(work)
    clock.advance(days=11)
    await tending(store, clock).round()
    assert await standing(store) == []


@given(st.sampled_from(DeliveryState), st.sampled_from(DeliveryState), st.integers(-5, 5))
def test_whatever_is_asked_only_what_is_over_and_old_is_forgotten(
    stands: DeliveryState, asked: DeliveryState, days: int
) -> None:
    connection = opened()
    at(connection).promise(message("a"), stands)
    assert at(connection, NOW + days * DAY).prune(asked, NOW - DAY, NOW + days * DAY, 10) is None
    gone = stands is asked and stands in OVER and days > 0
    assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (int(not gone),)
    connection.close()


async def test_what_was_told_is_remembered_when_its_message_is_forgotten(store: SqlStore, clock: StillClock) -> None:
    """A request that was sent long ago is still not sent again under another id."""

    def work(transaction: SqlTransaction) -> tuple[bool, bool]:
        transaction.connection.execute(
            "INSERT INTO decision (at, about, patient, unit, permitted, body) VALUES (1, 'Procedure/a', 'p', 'u', 1, '{}')"
        )
        transaction.promise(message("a"), DeliveryState.DELIVERED)
        before = transaction.was_promised("Procedure/a")
        transaction.prune(DeliveryState.DELIVERED, NOW, NOW + DAY, 1)
        return before, transaction.was_promised("Procedure/a")

    assert await store.run(work) == (True, True)


# Warnings


def warned(caplog: pytest.LogCaptureFixture) -> list[Any]:
    found = [(each.__dict__["destination"], each.__dict__["hours"]) for each in caplog.records if "hours" in vars(each)]
    caplog.clear()
    return found


async def test_a_warning_speaks_of_age_not_of_number(
    store: SqlStore, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []
    tended = tending(store, clock, told)
    await store.run(lambda transaction: transaction.promise(message("a"), DeliveryState.WAITING))
    clock.advance(hours=23)
    await tended.round()
    assert warned(caplog) == []
    clock.advance(hours=1)
    await tended.round()
    await tended.round()
    assert warned(caplog) == [("platform", 24)]
    clock.advance(hours=1)
    await tended.round()
    assert warned(caplog) == [("platform", 25)]
    await store.run(lambda transaction: transaction.move("a", DeliveryState.DELIVERED))
    clock.advance(hours=2)
    await tended.round()
    assert warned(caplog) == []
    assert told == ["platform", "platform"]


@pytest.mark.parametrize("state", DeliveryState)
async def test_who_waits_is_warned_of(
    store: SqlStore, clock: StillClock, caplog: pytest.LogCaptureFixture, state: DeliveryState
) -> None:
    await store.run(lambda transaction: transaction.promise(message("a"), state))
    clock.advance(days=3)
    await tending(store, clock).round()
    waits = state not in (*OVER, DeliveryState.WITHHELD, DeliveryState.CLAIMED)
    assert warned(caplog) == ([("platform", 72)] if waits else [])


async def test_what_waits_for_a_destination_that_is_gone_is_warned_of_too(
    store: SqlStore, clock: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    await store.run(lambda each: each.promise(message("a", destination="taken away"), DeliveryState.WAITING))
    await store.run(lambda each: each.promise(message("b", destination="åter"), DeliveryState.PARKED))
    await store.run(lambda each: each.promise(message("c", destination="told"), DeliveryState.DELIVERED))
    clock.advance(days=3)
    await tending(store, clock).round()
    assert sorted(warned(caplog)) == [("taken away", 72), ("åter", 72)]


async def test_a_database_that_does_not_answer_ends_a_round_alone(
    store: SqlStore, clock: StillClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tending_module, "EVERY", 0.001)
    rounds: list[int] = []
    often = asyncio.Event()

    async def stumble(*_: object) -> None:
        rounds.append(1)
        if len(rounds) == 3:
            often.set()
        raise RuntimeError("unforeseen")

    tended = tending(store, clock)
    monkeypatch.setattr(tended, "round", stumble)
    running = asyncio.create_task(tended.run())
    await asyncio.wait_for(often.wait(), 5)
    running.cancel()
    await asyncio.wait([running])
    assert {each.__dict__.get("event") for each in caplog.records if each.levelno >= logging.ERROR} == {
        "outbox.not-tended"
    }
