"""The relay: takes what is due, asks the consent rules once more in the transaction that claims it, and sends.

A send begins when its claim commits (decision D19): the relay claims no more than it has free slots and starts each at once.
If the process dies after the claim, the message is found by its lease and tried again under the same id; the recipient may
then see it twice. docs/outbox.md draws the states and lists every window in which that can happen.
"""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final

from contracts.errors import RekoError
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
from contracts.ports import Channel, Clock
from service.outbox.backoff import wait_after
from service.outbox.breaker import after, allowed
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from service.usecases.context import Context
from service.usecases.deciding import decide_again
from service.usecases.delivered import delivered
from service.usecases.notify import outdated
from service.usecases.promising import reasons

IDLE: Final = 0.5
"""Seconds between looks at the clock when nothing happens: the movable clock rings no bell."""

LEASE: Final = timedelta(seconds=60)
"""How long a claim is its worker's without a sign of life."""

HEARTBEAT: Final = 15.0
"""Seconds after which a worker renews the leases of the tries that it is running, however long they take, and looks for those
of workers that are gone."""

CRASHES: Final = 5
"""Workers lost in a row on one message, after which a person decides: it may be what kills them."""

SWEEP: Final = timedelta(hours=1)
"""Between looks for content whose time is out; by the service's clock, like that time."""

SWEPT: Final = 200
"""Messages whose content is erased in one transaction."""

LOOKING: Final = 4
"""How many times as long as an idle round took the relay rests before the next."""

_FAULTS: Final = (RekoError, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What stored data that nobody foresaw can make of a rule."""

_log = logging.getLogger(__name__)


class Relay:
    """One process's relay over all channels. ``slots`` is the number of tries at a time to each destination;
    ``keep_untold`` how long what a withheld or cancelled message says is kept."""

    def __init__(
        self,
        store: SqlStore,
        context: Context,
        channels: Mapping[str, Channel],
        clock: Clock,
        slots: int = 8,
        keep_untold: timedelta = timedelta(days=30),
    ) -> None:
        self._store = store
        self._context = context
        self._channels = channels
        self._clock = clock
        self._slots = slots
        self._keep_untold = keep_untold
        self._swept = datetime.min.replace(tzinfo=UTC)
        self._chance = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._running: dict[str, dict[asyncio.Task[None], Claim]] = {name: {} for name in channels}
        self._renewed = time.monotonic()
        self._bell = asyncio.Event()
        self._is_new = True

    async def run(self) -> None:
        """Relay until cancelled; then let what is being sent come to its end."""
        loop = asyncio.get_running_loop()
        self._store.on_outbox_change(lambda: _ring(loop, self._bell))
        try:
            while True:
                self._bell.clear()
                began = time.monotonic()
                if not await self._round():
                    # Looking costs the one writer time: at most a fifth of it goes to looking.
                    await asyncio.sleep(LOOKING * (time.monotonic() - began))
                    await self._wait()
        finally:
            await asyncio.gather(*(task for tasks in self._running.values() for task in tasks))

    async def _round(self) -> bool:
        """Whether anything was claimed. Whatever goes wrong ends the round, or a destination's part of it."""
        try:
            await self._look_for_orphans()
            await self._sweep()
        except Exception as error:
            _log.error("the outbox cannot be read", exc_info=error, extra={"event": "relay.database-down"})
            return False
        return any(await asyncio.gather(*(self._serve(name) for name in self._channels)))  # in one group commit

    async def _look_for_orphans(self) -> None:
        """Where one process owns the database, whatever is claimed when it starts was claimed by one that is gone. Later,
        and where others work on it too, a lease must have run out. One's own are renewed first: who was stopped for a
        while does not take over from itself."""
        began = time.monotonic()
        if not self._is_new and began - self._renewed < HEARTBEAT:
            return
        is_alone = self._is_new and not self._store.is_shared
        by = datetime.max.replace(tzinfo=UTC) if is_alone else datetime.now(UTC)
        mine = self._claims()
        await self._store.run(lambda transaction: _beat(transaction, mine, by, self._chance))
        self._is_new, self._renewed = False, began

    def _claims(self) -> list[Claim]:
        return [claimed for tasks in self._running.values() for claimed in tasks.values()]

    async def _sweep(self) -> None:
        """Erase what withheld and cancelled messages say when their time is out (domain rule 11: the outbox's copy, no
        record)."""
        now = self._clock.now()
        if abs(now - self._swept) < SWEEP:
            return
        before = now - self._keep_untold
        erased = await self._store.run(lambda transaction: transaction.erase_untold(before, SWEPT))
        if erased < SWEPT:  # the rest is for the next rounds: nobody waits long behind one
            self._swept = now
        if erased:
            _log.info("content that was never told was erased", extra={"event": "relay.erased", "messages": erased})

    async def _serve(self, destination: str) -> bool:
        try:
            return await self._claim(destination) > 0
        except Exception as error:
            _log.error(
                "nothing could be claimed",
                exc_info=error,
                extra={"event": "relay.claim-failed", "destination": destination},
            )
            return False

    async def _wait(self) -> None:
        # Not wait_for: until Python 3.12 it loses a cancellation that comes as the time runs out.
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE):
                await self._bell.wait()

    async def _claim(self, destination: str) -> int:
        running = self._running[destination]
        free = self._slots - len(running)
        if free <= 0:
            return 0
        claims = await self._store.claim(lambda transaction: claim(transaction, self._context, destination, free))
        for each in claims:
            task = asyncio.create_task(self._try(destination, each))
            running[task] = each
            task.add_done_callback(running.pop)
        return len(claims)

    async def _try(self, destination: str, claimed: Claim) -> None:
        outcome = await self._send(destination, claimed)
        next_try = self._next_try(claimed, outcome)
        told = {"event": "relay.tried", "destination": destination, "message_id": claimed.message.id}
        _log.info("a message was tried", extra={**told, "attempt": claimed.attempt, "outcome": type(outcome).__name__})
        try:
            await self._store.run(lambda transaction: settle(transaction, self._context, claimed, outcome, next_try))
        except Exception as error:
            # The lease runs out, and the message is tried again under the same id.
            _log.error(
                "an outcome could not be kept",
                exc_info=error,
                extra={"event": "relay.outcome-lost", "message_id": claimed.message.id},
            )
        self._bell.set()

    async def _send(self, destination: str, claimed: Claim) -> DeliveryOutcome:
        try:
            return await self._channels[destination].send(claimed)
        except Exception as error:
            # A message that breaks its own adapter must not stop the others.
            _log.error(
                "a channel failed", exc_info=error, extra={"event": "relay.channel-failed", "destination": destination}
            )
            return RefusedForGood(f"the channel failed on this message ({type(error).__name__})")

    def _next_try(self, claimed: Claim, outcome: DeliveryOutcome) -> datetime | None:
        match outcome:
            case Transient(_, wish, most):
                wait = wait_after(claimed.turn, wish, most, self._chance)
            case OutcomeUnknown():
                wait = wait_after(claimed.turn, None, None, self._chance)
            case _:
                return None
        return None if wait is None else self._clock.now() + wait


def _ring(loop: asyncio.AbstractEventLoop, bell: asyncio.Event) -> None:
    """From the thread that settles commits."""
    with suppress(RuntimeError):  # the loop is closed: nobody relays any more
        loop.call_soon_threadsafe(bell.set)


def claim(transaction: SqlTransaction, context: Context, destination: str, slots: int) -> Sequence[Claim]:
    """Claim what is due and still permitted; withhold what no longer is. One transaction: a withdrawal comes wholly
    before or wholly after it."""
    breaker = transaction.breaker(destination)
    free = allowed(breaker, slots, transaction.at, breaker.faults > 0 and transaction.is_claimed_for(destination))
    may_leave: list[OutboxMessage] = []
    for queued in transaction.due(destination, free) if free else ():
        try:
            if _may_leave(transaction, context, queued.message):
                may_leave.append(queued.message)
        except _FAULTS as error:
            reason = f"the rules failed on it ({type(error).__name__})"
            transaction.move(queued.message.id, DeliveryState.PARKED, reason)
    return transaction.claim(may_leave, datetime.now(UTC) + LEASE)


def _may_leave(transaction: SqlTransaction, context: Context, message: OutboxMessage) -> bool:
    """Whether it may; if not, it is where it belongs now."""
    stop = outdated(transaction, message)
    if stop is not None:
        transaction.move(message.id, *stop)
        return False
    decision = decide_again(transaction, message.question, context.region)
    transaction.note_decision(decision, message.about)
    if not decision.permitted:
        transaction.move(message.id, DeliveryState.WITHHELD, reasons(decision))
    return decision.permitted


def settle(
    transaction: SqlTransaction, context: Context, claimed: Claim, outcome: DeliveryOutcome, next_try: datetime | None
) -> None:
    """Write what became of a try, and what follows from a delivery, in one transaction. A worker that has lost its claim
    to another writes nothing (fencing)."""
    if not transaction.holds(claimed):
        return
    _note_health(transaction, claimed.message.destination, outcome)
    id_ = claimed.message.id
    name = type(outcome).__name__
    match outcome:
        case Delivered(note):
            transaction.note_attempt(claimed, name, note)
            transaction.move(id_, DeliveryState.DELIVERED, note)
            _follow_up(transaction, context, claimed)
        case Transient(reason) | OutcomeUnknown(reason) if next_try is not None:
            transaction.note_attempt(claimed, name, reason)
            transaction.move(id_, DeliveryState.RETRYING, reason, next_try)
        case Transient(reason) | OutcomeUnknown(reason):
            transaction.note_attempt(claimed, name, reason)
            transaction.move(id_, DeliveryState.PARKED, f"given up after {claimed.turn} tries: {reason}")
        case RefusedForGood(reason, other_channel):
            transaction.note_attempt(claimed, name, reason)
            transaction.move(
                id_, DeliveryState.PARKED, f"{reason}; another channel may carry it" if other_channel else reason
            )
        case RouteBroken(reason):
            transaction.note_attempt(claimed, name, reason)
            if not transaction.held(claimed.message.destination):  # who paused it, and why, stands until it is resumed
                transaction.hold(claimed.message.destination, reason)
            transaction.uncount(id_)
            transaction.move(id_, DeliveryState.RETRYING, f"the route is held: {reason}", transaction.at)


def _follow_up(transaction: SqlTransaction, context: Context, claimed: Claim) -> None:
    """What follows must not undo that it was delivered: it would be sent again for ever."""
    error = transaction.attempt(lambda: delivered(transaction, context, claimed.message))
    if error is not None:
        fault = str(error) if isinstance(error, RekoError) else type(error).__name__
        transaction.note_deed(claimed.message.id, "follow-up failed", fault)
        _log.error(
            "a delivery could not be recorded",
            exc_info=error,
            extra={"event": "relay.follow-up-failed", "message_id": claimed.message.id},
        )


def _note_health(transaction: SqlTransaction, destination: str, outcome: DeliveryOutcome) -> None:
    before = transaction.breaker(destination)
    now = after(before, outcome, transaction.at)
    if now == before:
        return
    transaction.set_breaker(destination, now)
    told = {"destination": destination, "faults": now.faults}
    if now.open_until is not None:
        _log.warning("a destination is unwell", extra={"event": "relay.circuit-open", "until": now.open_until, **told})
    elif before.open_until is not None:
        _log.info("a destination is well again", extra={"event": "relay.circuit-closed", **told})


def _beat(transaction: SqlTransaction, mine: Sequence[Claim], lease_ended_by: datetime, chance: random.Random) -> None:
    """Renew one's own leases, then take over what was claimed by a worker that is gone. It may or may not have left: it is
    tried again under the same id, at once after the first loss."""
    transaction.renew(mine, datetime.now(UTC) + LEASE)
    for lost in transaction.orphans(lease_ended_by):
        if lost.times + 1 >= CRASHES:
            reason = f"the worker was lost {CRASHES} times in a row while it sent this message"
            transaction.lose(lost, DeliveryState.PARKED, reason)
            continue
        wait = wait_after(lost.times, None, None, chance) if lost.times else None
        reason = "the worker that sent it is gone, the outcome is unknown"
        transaction.lose(lost, DeliveryState.RETRYING, reason, transaction.at + (wait or timedelta(0)))
