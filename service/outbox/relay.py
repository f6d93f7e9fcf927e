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
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from service.usecases.context import Context
from service.usecases.deciding import decide_again
from service.usecases.delivered import delivered
from service.usecases.notify import outdated
from service.usecases.promising import reasons

IDLE: Final = 0.5
"""Seconds between looks at the clock when nothing happens: the movable clock rings no bell."""

LEASE: Final = timedelta(seconds=90)
"""Longer than any time-out of a send, so that a running try is not taken over."""

SWEEP: Final = timedelta(hours=1)
"""Between looks for content whose time is out; by the service's clock, like that time."""

LOOKING: Final = 4
"""How many times as long as an idle round took the relay rests before the next."""

_FAULTS: Final = (RekoError, ValueError, KeyError, TypeError, AttributeError, IndexError)
"""What stored data that nobody foresaw can make of a rule."""

_log = logging.getLogger(__name__)


class Relay:
    """One process's relay over all channels. ``slots`` is the number of tries at a time to each destination;
    ``keep_withheld`` how long what a withheld message says is kept."""

    def __init__(
        self,
        store: SqlStore,
        context: Context,
        channels: Mapping[str, Channel],
        clock: Clock,
        slots: int = 8,
        keep_withheld: timedelta = timedelta(days=30),
    ) -> None:
        self._store = store
        self._context = context
        self._channels = channels
        self._clock = clock
        self._slots = slots
        self._keep_withheld = keep_withheld
        self._swept = datetime.min.replace(tzinfo=UTC)
        self._chance = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._running: dict[str, set[asyncio.Task[None]]] = {name: set() for name in channels}
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
                    # Looking costs the one writer time, more with a long queue: at most a fifth of it goes to looking.
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
        return any([await self._serve(name) for name in self._channels])

    async def _look_for_orphans(self) -> None:
        """One process owns the database: whatever is claimed when it starts was claimed by one that is gone."""
        by = datetime.max.replace(tzinfo=UTC) if self._is_new else datetime.now(UTC)
        await self._store.run(lambda transaction: _take_back(transaction, by))
        self._is_new = False

    async def _sweep(self) -> None:
        """Erase what withheld messages say when their time is out (domain rule 11: the outbox's copy, no record)."""
        now = self._clock.now()
        if abs(now - self._swept) < SWEEP:
            return
        erased = await self._store.run(lambda transaction: transaction.erase_withheld(now - self._keep_withheld))
        self._swept = now
        if erased:
            _log.info("withheld content was erased", extra={"event": "relay.erased", "messages": erased})

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
        claims = await self._store.run(lambda transaction: claim(transaction, self._context, destination, free))
        for each in claims:
            task = asyncio.create_task(self._try(destination, each))
            running.add(task)
            task.add_done_callback(running.discard)
        return len(claims)

    async def _try(self, destination: str, claimed: Claim) -> None:
        outcome = await self._send(destination, claimed)
        wait = self._wait_after(claimed, outcome)
        told = {"event": "relay.tried", "destination": destination, "message_id": claimed.message.id}
        _log.info("a message was tried", extra={**told, "attempt": claimed.attempt, "outcome": type(outcome).__name__})
        try:
            await self._store.run(lambda transaction: settle(transaction, self._context, claimed, outcome, wait))
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

    def _wait_after(self, claimed: Claim, outcome: DeliveryOutcome) -> datetime | None:
        match outcome:
            case Transient(_, wish, most):
                wait = wait_after(claimed.attempt, wish, most, self._chance)
            case OutcomeUnknown():
                wait = wait_after(claimed.attempt, None, None, self._chance)
            case _:
                return None
        return None if wait is None else self._clock.now() + wait


def _ring(loop: asyncio.AbstractEventLoop, bell: asyncio.Event) -> None:
    """From the writer's thread."""
    with suppress(RuntimeError):  # the loop is closed: nobody relays any more
        loop.call_soon_threadsafe(bell.set)


def claim(transaction: SqlTransaction, context: Context, destination: str, slots: int) -> Sequence[Claim]:
    """Claim what is due and still permitted; withhold what no longer is. One transaction: a withdrawal comes wholly
    before or wholly after it."""
    claims: list[Claim] = []
    for queued in transaction.due(destination, slots):
        try:
            claims += _claimed(transaction, context, queued.message)
        except _FAULTS as error:
            reason = f"the rules failed on it ({type(error).__name__})"
            transaction.move(queued.message.id, DeliveryState.PARKED, reason)
    return claims


def _claimed(transaction: SqlTransaction, context: Context, message: OutboxMessage) -> Sequence[Claim]:
    """The claim, or none: then the message is where it belongs now."""
    stop = outdated(transaction, message)
    if stop is not None:
        transaction.move(message.id, *stop)
        return ()
    decision = decide_again(transaction, message.question, context.region)
    transaction.note_decision(decision, message.about)
    if not decision.permitted:
        transaction.move(message.id, DeliveryState.WITHHELD, reasons(decision))
        return ()
    return (transaction.claim(message, datetime.now(UTC) + LEASE),)


def settle(
    transaction: SqlTransaction, context: Context, claimed: Claim, outcome: DeliveryOutcome, next_try: datetime | None
) -> None:
    """Write what became of a try, and what follows from a delivery, in one transaction. A worker that has lost its claim
    to another writes nothing (fencing)."""
    if not transaction.holds(claimed):
        return
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
            transaction.move(id_, DeliveryState.PARKED, f"given up after {claimed.attempt} tries: {reason}")
        case RefusedForGood(reason, other_channel):
            transaction.note_attempt(claimed, name, reason)
            transaction.move(
                id_, DeliveryState.PARKED, f"{reason}; another channel may carry it" if other_channel else reason
            )
        case RouteBroken(reason):
            transaction.note_attempt(claimed, name, reason)
            transaction.hold(claimed.message.destination, reason)
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


def _take_back(transaction: SqlTransaction, lease_ended_by: datetime) -> None:
    """What was claimed by a worker that is gone may or may not have left: it is tried again under the same id."""
    for id_ in transaction.orphans(lease_ended_by):
        transaction.move(
            id_, DeliveryState.RETRYING, "the worker that sent it is gone, the outcome is unknown", transaction.at
        )
