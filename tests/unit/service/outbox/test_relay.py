"""The relay: what becomes of an outcome, and what cannot stop it. Its way through HTTP is in tests/flow/test_deliver.py."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, NoReturn

import pytest
from sqlalchemy import select

from contracts.consent import LegalBasis
from contracts.errors import Unavailable
from contracts.outbox import (
    Claim,
    Delivered,
    DeliveryOutcome,
    DeliveryState,
    OutboxMessage,
    OutcomeUnknown,
    RefusedForGood,
    RouteBroken,
    Transient,
)
from service.clock import Uuid7
from service.outbox import relay as relaying
from service.outbox.backoff import SCHEDULE, wait_after
from service.outbox.relay import LEASE, Relay, claim, settle
from service.rules.region import RegionalProfile
from service.store.store import SqlStore
from service.store.tables import outbox
from service.store.transaction import SqlTransaction
from service.usecases.context import Context
from service.usecases.deciding import decide_again
from tests.unit.service.store.samples import NOW, StillClock, message, open_new

pytestmark = pytest.mark.anyio

CONTEXT = Context(RegionalProfile("the default", frozenset()), Uuid7(), frozenset({"platform", "ehr"}))
SOON = NOW + timedelta(minutes=5)


class Slow:
    """A channel that answers as it is told, and counts."""

    def __init__(self, outcome: DeliveryOutcome | Exception) -> None:
        self.outcome = outcome
        self.sent: list[str] = []

    async def send(self, claim: Claim) -> DeliveryOutcome:
        self.sent.append(claim.message.id)
        await asyncio.sleep(0)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
async def store(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SqlStore]:
    store = open_new(tmp_path / "reko.db")
    yield store
    store.close()


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relaying, "IDLE", 0.005)


def permitted(id: str, **more: str) -> OutboxMessage:
    """The care provider's own follow-up asks for no consent."""
    made = message(id, **more)
    return replace(made, question=replace(made.question, basis=LegalBasis.OWN_FOLLOW_UP))


async def promise(store: SqlStore, *messages: OutboxMessage) -> None:
    def work(transaction: SqlTransaction) -> None:
        for made in messages:
            transaction.promise(made, DeliveryState.WAITING)

    await store.run(work)


@asynccontextmanager
async def running(store: SqlStore, channels: Mapping[str, Slow]) -> AsyncIterator[None]:
    task = asyncio.create_task(Relay(store, CONTEXT, channels, StillClock()).run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def until(store: SqlStore, **states: str) -> dict[str, str]:
    """The reasons, once each message is in its state."""
    for _ in range(500):
        rows = await store.select(select(outbox.c.id, outbox.c.state, outbox.c.reason))
        if {id: state for id, state, _ in rows if id in states} == states:
            return {id: reason for id, _, reason in rows}
        await asyncio.sleep(0.01)
    raise AssertionError(rows)


OUTCOMES: list[tuple[DeliveryOutcome, str, str]] = [
    (Delivered("seen before"), "delivered", "seen before"),
    (Transient("busy"), "retrying", "busy"),
    (OutcomeUnknown("no answer"), "retrying", "no answer"),
    (RefusedForGood("no such certificate"), "parked", "no such certificate"),
    (RefusedForGood("too large", other_channel=True), "parked", "too large; another channel may carry it"),
    (RouteBroken("the certificate has ended"), "retrying", "the route is held: the certificate has ended"),
]


@pytest.mark.parametrize(("outcome", "state", "reason"), OUTCOMES)
async def test_what_an_outcome_makes_of_a_message(
    store: SqlStore, outcome: DeliveryOutcome, state: str, reason: str
) -> None:
    await promise(store, permitted("a"))
    async with running(store, {"platform": Slow(outcome)}):
        assert await until(store, a=state) == {"a": reason}
    held = await store.run(lambda each: each.held("platform"))
    assert held == ("the certificate has ended" if isinstance(outcome, RouteBroken) else "")


async def test_a_broken_route_keeps_an_operators_reason(store: SqlStore) -> None:
    """It was paused while a try was running."""
    await promise(store, permitted("a"))

    def work(transaction: SqlTransaction) -> str:
        (claimed,) = claim(transaction, CONTEXT, "platform", 1)
        transaction.hold("platform", "paused by somebody: maintenance")
        settle(transaction, CONTEXT, claimed, RouteBroken("the certificate has ended"), None)
        return transaction.held("platform")

    assert await store.run(work) == "paused by somebody: maintenance"


@pytest.mark.parametrize("outcome", [Transient("busy"), OutcomeUnknown("no answer")])
async def test_after_the_last_try_a_person_decides(store: SqlStore, outcome: DeliveryOutcome) -> None:
    await promise(store, permitted("a"))

    def work(transaction: SqlTransaction) -> Any:
        (claimed,) = claim(transaction, CONTEXT, "platform", 1)
        settle(transaction, CONTEXT, replace(claimed, attempt=11), outcome, None)
        return transaction.message("a")

    queued = await store.run(work)
    assert queued.state is DeliveryState.PARKED
    assert queued.reason.startswith("given up after 11 tries: ")


async def test_a_worker_that_lost_its_claim_writes_nothing(store: SqlStore) -> None:
    await promise(store, permitted("a"))

    def work(transaction: SqlTransaction) -> Any:
        (first,) = claim(transaction, CONTEXT, "platform", 1)
        transaction.move("a", DeliveryState.RETRYING)
        (second,) = claim(transaction, CONTEXT, "platform", 1)
        settle(transaction, CONTEXT, first, RefusedForGood("late"), None)
        return second.attempt, transaction.message("a"), transaction.orphans(NOW)

    attempt, queued, _ = await store.run(work)
    assert (attempt, queued.state) == (2, DeliveryState.CLAIMED)


# What cannot stop it


async def test_each_try_is_told_to_the_log(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    await promise(store, permitted("a"))
    async with running(store, {"platform": Slow(Delivered())}):
        await until(store, a="delivered")
    (tried,) = [record.__dict__ for record in caplog.records if record.__dict__.get("event") == "relay.tried"]
    assert (tried["message_id"], tried["destination"], tried["outcome"]) == ("a", "platform", "Delivered")


async def test_a_channel_that_raises_parks_its_message_alone(store: SqlStore) -> None:
    await promise(store, permitted("a"), permitted("b", destination="ehr"))
    async with running(store, {"platform": Slow(KeyError("unforeseen")), "ehr": Slow(Delivered())}):
        reasons = await until(store, a="parked", b="delivered")
    assert reasons["a"] == "the channel failed on this message (KeyError)"


def failing_for(name: str, error: Exception, function: Callable[..., Any]) -> Callable[..., Any]:
    """Fails where one of the arguments is, or is about, what is named."""

    def stumble(*arguments: Any) -> Any:
        if any(name in (each, getattr(each, "patient", None)) for each in arguments):
            raise error
        return function(*arguments)

    return stumble


async def test_a_destination_that_cannot_be_served_stops_no_other(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "claim", failing_for("platform", RuntimeError("unforeseen"), relaying.claim))
    await promise(store, permitted("a"), permitted("b", destination="ehr"))
    async with running(store, {"platform": Slow(Delivered()), "ehr": Slow(Delivered())}):
        await until(store, a="waiting", b="delivered")


async def test_a_message_on_which_the_rules_fail_is_parked_alone(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "decide_again", failing_for("p-1", KeyError("unforeseen"), decide_again))
    await promise(store, permitted("a"), permitted("b", patient="p-2"))
    async with running(store, {"platform": Slow(Delivered())}):
        reasons = await until(store, a="parked", b="delivered")
    assert reasons["a"] == "the rules failed on it (KeyError)"


async def test_what_follows_from_a_delivery_cannot_undo_it(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the message would be sent again each time its lease has run out."""
    channel = Slow(Delivered())

    def stumble(transaction: SqlTransaction, *_: object) -> NoReturn:
        transaction.promise(permitted("half done"), DeliveryState.WAITING)
        raise KeyError("198001019804")

    monkeypatch.setattr(relaying, "delivered", stumble)
    await promise(store, permitted("a"))
    async with running(store, {"platform": channel}):
        assert await until(store, a="delivered") == {"a": ""}
    assert channel.sent == ["a"]
    tries = await store.run(lambda each: each.connection.execute("SELECT outcome, reason FROM attempt").fetchall())
    assert tries == [("Delivered", ""), ("follow-up failed", "KeyError")]


class Unwell:
    """A store that does not answer the first times."""

    def __init__(self, store: SqlStore, times: int) -> None:
        self._store, self._times = store, times
        self.on_outbox_change = store.on_outbox_change
        self.claim, self.is_shared = store.claim, store.is_shared

    async def run(self, work: Callable[[SqlTransaction], Any]) -> Any:
        self._times -= 1
        if self._times >= 0:
            raise Unavailable("the database cannot be written")
        return await self._store.run(work)


@pytest.mark.parametrize("times", range(5))
async def test_a_database_that_comes_late_is_waited_for(store: SqlStore, times: int) -> None:
    """And what a former process had claimed is taken back, whenever the database comes."""
    await promise(store, permitted("a"), permitted("b", patient="p-2"))
    await store.run(lambda transaction: transaction.claim([permitted("a")], NOW + timedelta(days=9999)))
    channel = Slow(Delivered())
    unwell: Any = Unwell(store, times)
    async with running(unwell, {"platform": channel}):
        await until(store, a="delivered", b="delivered")
    assert sorted(channel.sent) == ["a", "b"]


async def test_it_stops_when_it_is_told_to(store: SqlStore) -> None:
    """Whatever it does at that moment: it looks, it waits, its bell rings."""
    moments = Random(7)  # noqa: S311 - any moment will do
    for number in range(40):
        channel = Slow(Transient("busy"))
        await promise(store, permitted(f"m-{number}", patient=f"p-{number}"))
        task = asyncio.create_task(Relay(store, CONTEXT, {"platform": channel}, StillClock()).run())
        await asyncio.sleep(moments.uniform(0, 0.012))
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=5)
        assert done, "it goes on for ever"
        assert task.cancelled()


@pytest.mark.parametrize("turns", range(6))
async def test_it_stops_when_its_bell_rings_at_that_moment(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """A cancellation that meets a ring is not lost between the two."""
    monkeypatch.setattr(relaying, "IDLE", 5)
    rings: list[Callable[[], None]] = []
    monkeypatch.setattr(store, "on_outbox_change", rings.append)
    task = asyncio.create_task(Relay(store, CONTEXT, {}, StillClock()).run())
    await asyncio.sleep(0.05)
    rings[0]()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=2)
    assert done, "it goes on for ever"


async def test_what_is_being_sent_comes_to_its_end(store: SqlStore) -> None:
    gate, begun = asyncio.Event(), asyncio.Event()

    class Waiting(Slow):
        async def send(self, claim: Claim) -> DeliveryOutcome:
            begun.set()
            await gate.wait()
            return Delivered("at last")

    await promise(store, permitted("a"))
    task = asyncio.create_task(Relay(store, CONTEXT, {"platform": Waiting(Delivered())}, StillClock()).run())
    await begun.wait()
    task.cancel()
    await asyncio.sleep(0.02)
    assert not task.done()
    gate.set()
    await asyncio.wait([task])
    assert await until(store, a="delivered") == {"a": "at last"}


async def test_no_more_is_claimed_than_is_sent_at_once(store: SqlStore) -> None:
    gate, full = asyncio.Event(), asyncio.Event()

    class Waiting(Slow):
        async def send(self, claim: Claim) -> DeliveryOutcome:
            self.sent.append(claim.message.id)
            if len(self.sent) == 4:
                full.set()
            await gate.wait()
            return Delivered()

    channel = Waiting(Delivered())
    await promise(store, *(permitted(f"m-{number}", patient=f"p-{number}") for number in range(9)))
    task = asyncio.create_task(Relay(store, CONTEXT, {"platform": channel}, StillClock(), slots=4).run())
    await full.wait()
    await asyncio.sleep(0.03)
    claimed = [lost.id for lost in await store.run(lambda each: each.orphans(NOW + timedelta(days=9999)))]
    gate.set()
    await until(store, **{f"m-{number}": "delivered" for number in range(9)})
    task.cancel()
    await asyncio.wait([task])
    assert sorted(claimed) == [f"m-{number}" for number in range(4)]
    assert len(channel.sent) == 9


# The timetable


def test_the_timetable_spans_days_and_ends() -> None:
    chance = Random(1)  # noqa: S311
    waits = [wait_after(attempt, None, None, chance) for attempt in range(1, len(SCHEDULE) + 2)]
    assert waits[-1] is None
    assert sum((wait for wait in waits if wait), timedelta()) > timedelta(days=3)
    for wait, planned in zip(waits, SCHEDULE, strict=False):
        assert wait is not None
        assert 0.8 * planned <= wait <= 1.2 * planned


@pytest.mark.parametrize(("wish", "times"), [(0, 1), (1, 1), (1.5, 1.5), (2, 2), (1000, 2)])
def test_a_recipients_wish_counts_within_bounds(wish: float, times: float) -> None:
    class Exact(Random):
        def uniform(self, a: float, b: float) -> float:
            return 0

    assert wait_after(3, wish * SCHEDULE[2], None, Exact()) == times * SCHEDULE[2]


def test_few_tries_where_the_contract_says_nothing() -> None:
    chance = Random(1)  # noqa: S311
    assert wait_after(2, None, 3, chance) is not None
    assert wait_after(3, None, 3, chance) is None


def test_a_lease_outlasts_several_heartbeats() -> None:
    """A try may take as long as it takes: what counts is that its worker lives."""
    assert timedelta(seconds=3 * relaying.HEARTBEAT) <= LEASE


# Who lives, who is gone


async def test_a_long_try_keeps_its_claim(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes many times its lease, and is neither taken over nor sent twice; leases are real time."""
    monkeypatch.setattr(relaying, "LEASE", timedelta(seconds=0.3))
    monkeypatch.setattr(relaying, "HEARTBEAT", 0.05)

    class Patient(Slow):
        async def send(self, claim: Claim) -> DeliveryOutcome:
            self.sent.append(claim.message.id)
            await asyncio.sleep(1.5)
            return Delivered("at last")

    channel = Patient(Delivered())
    await promise(store, permitted("a"))
    async with running(store, {"platform": channel}):
        assert await until(store, a="delivered") == {"a": "at last"}
    assert channel.sent == ["a"]


async def test_a_worker_that_was_taken_over_writes_no_outcome(store: SqlStore) -> None:
    """Another worker starts while the first is held up in its try; only one of the two outcomes is written."""
    gate, begun = asyncio.Event(), asyncio.Event()

    class HeldUp(Slow):
        async def send(self, claim: Claim) -> DeliveryOutcome:
            begun.set()
            await gate.wait()
            return RefusedForGood("too late")

    await promise(store, permitted("a"))
    first = Relay(store, CONTEXT, {"platform": HeldUp(Delivered())}, StillClock())
    task = asyncio.create_task(first.run())
    await begun.wait()
    task.cancel()  # it lets its try come to its end, and beats no more
    async with running(store, {"platform": Slow(Delivered("the second"))}):
        await until(store, a="delivered")
        gate.set()
        await asyncio.wait([task])
        assert await until(store, a="delivered") == {"a": "the second"}
    tries = await store.run(lambda each: each.connection.execute("SELECT outcome FROM attempt").fetchall())
    assert tries == [("WorkerLost",), ("Delivered",)]


async def test_a_message_that_kills_its_worker_again_and_again_is_parked(store: SqlStore) -> None:
    """After the second loss in a row it waits as after a try, so that others get through; after the fifth a person decides."""
    await promise(store, permitted("a"))
    waits = []

    def die(transaction: SqlTransaction) -> Any:
        queued = transaction.message("a")
        assert queued is not None
        transaction.claim([queued.message], NOW)
        relaying._beat(transaction, [], NOW + timedelta(days=9999), Random(1))  # noqa: S311
        queued = transaction.message("a")
        assert queued is not None
        return queued

    for _ in range(relaying.CRASHES):
        queued = await store.run(die)
        waits.append(queued.next_try and queued.next_try - NOW)
    assert queued.state is DeliveryState.PARKED
    assert queued.reason == "the worker was lost 5 times in a row while it sent this message"
    assert waits[0] == timedelta(0)
    assert timedelta(seconds=8) <= waits[1] < waits[2] < waits[3]


async def test_a_lost_worker_uses_up_no_try_and_an_outcome_clears_the_count(store: SqlStore) -> None:
    await promise(store, permitted("a"))

    def work(transaction: SqlTransaction) -> Any:
        for _ in range(relaying.CRASHES - 1):
            transaction.claim([permitted("a")], NOW)
            relaying._beat(transaction, [], NOW + timedelta(days=9999), Random(1))  # noqa: S311
        transaction.move("a", DeliveryState.RETRYING)
        (made,) = claim(transaction, CONTEXT, "platform", 1)
        settle(transaction, CONTEXT, made, Transient("busy"), NOW)
        transaction.claim([permitted("a")], NOW)
        relaying._beat(transaction, [], NOW + timedelta(days=9999), Random(1))  # noqa: S311
        return made, transaction.message("a")

    made, queued = await store.run(work)
    assert (made.attempt, made.turn) == (relaying.CRASHES, 1)
    assert queued.state is DeliveryState.RETRYING


async def test_no_message_pays_for_a_broken_route(store: SqlStore) -> None:
    await promise(store, permitted("a"))

    def work(transaction: SqlTransaction) -> Any:
        turns = []
        for _ in range(20):
            (made,) = claim(transaction, CONTEXT, "platform", 1)
            settle(transaction, CONTEXT, made, RouteBroken("HTTP 401"), None)
            transaction.release("platform")
            turns.append(made.turn)
        return turns

    assert await store.run(work) == [1] * 20


async def test_two_workers_never_hold_the_same_key(store: SqlStore) -> None:
    """Each takes what is due as often as it can; whatever one holds the other does not get."""
    await promise(store, *(permitted(f"m-{number}", patient=f"p-{number % 7}") for number in range(60)))
    busy: set[str] = set()

    class Watching(Slow):
        async def send(self, claim: Claim) -> DeliveryOutcome:
            assert claim.message.key not in busy
            busy.add(claim.message.key)
            self.sent.append(claim.message.id)
            await asyncio.sleep(0.001)
            busy.discard(claim.message.key)
            return Delivered()

    one, other = Watching(Delivered()), Watching(Delivered())
    async with running(store, {"platform": one}), running(store, {"platform": other}):
        await until(store, **{f"m-{number}": "delivered" for number in range(60)})
    sent = [*one.sent, *other.sent]
    assert sorted(sent) == sorted({f"m-{number}" for number in range(60)})


async def test_content_is_erased_some_at_a_time(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """However much an upgrade finds, nobody waits for all of it."""
    monkeypatch.setattr(relaying, "SWEPT", 3)
    caplog.set_level("INFO", relaying.__name__)
    withheld = [message(f"m-{number}") for number in range(8)]
    for each in withheld:
        await store.run(lambda transaction, each=each: transaction.promise(each, DeliveryState.WITHHELD))  # type: ignore[misc]
    clock = StillClock()
    clock.advance(days=31)
    task = asyncio.create_task(Relay(store, CONTEXT, {}, clock).run())
    for _ in range(500):
        told = [each.__dict__["messages"] for each in caplog.records if "messages" in vars(each)]
        if sum(told) == len(withheld):
            break
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert told == [3, 3, 2]
    assert await store.select(select(outbox.c.id).where(outbox.c.payload.is_not(None))) == []
