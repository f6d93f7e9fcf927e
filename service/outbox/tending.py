"""What is looked after at leisure: messages that wait too long are told of, those that are long over are forgotten."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import func, select

from contracts.outbox import DUE, DeliveryState
from contracts.ports import Clock
from service.store.codec import from_micros
from service.store.store import SqlStore
from service.store.tables import outbox
from service.store.transaction import SqlTransaction

EVERY: Final = 60.0
"""Seconds between two rounds."""

AGAIN: Final = timedelta(hours=1)
"""How long a destination of which was told is not told of again."""

BATCH: Final = 200
"""Messages that are forgotten in one transaction: nobody waits long behind it."""

_log = logging.getLogger(__name__)


class Tending:
    """Rounds over the outbox. ``kept`` says how long a message is kept once it has come to an end: states that are not in it
    are kept for ever, and what has not come to an end always is. ``tell`` counts warnings by destination."""

    def __init__(
        self,
        store: SqlStore,
        destinations: Collection[str],
        clock: Clock,
        old: timedelta,
        kept: Mapping[DeliveryState, timedelta],
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._destinations = destinations
        self._clock = clock
        self._old = old
        self._kept = kept
        self._tell = tell
        self._told: dict[str, datetime] = {}
        self._done: dict[DeliveryState, datetime] = {}

    async def run(self) -> None:
        """Go round until cancelled."""
        while True:
            try:
                await self.round()
            except Exception as error:
                _log.error("the outbox could not be tended", exc_info=error, extra={"event": "outbox.not-tended"})
            await asyncio.sleep(EVERY)

    async def round(self) -> None:
        """Tell of what waits too long; forget what is over."""
        for destination in {*self._destinations, *await destinations(self._store)}:
            await self._warn(destination)
        for state, time in self._kept.items():
            await self._prune(state, self._clock.now() - time)

    async def _prune(self, state: DeliveryState, before: datetime) -> None:
        """Not from the beginning each time: the messages to other parties stay, and would be passed again and again."""
        since: datetime | None = self._done.get(state, _BEGINNING)
        while since is not None:
            since = await self._store.run(partial(_pruned, state, since, before))
        self._done[state] = before

    async def _warn(self, destination: str) -> None:
        oldest = await self._oldest(destination)
        now = self._clock.now()
        if oldest is None or now - oldest < self._old:
            self._told.pop(destination, None)
            return
        if destination in self._told and now - self._told[destination] < AGAIN:
            return
        self._told[destination] = now
        self._tell(destination)
        age = {"destination": destination, "hours": (now - oldest) // timedelta(hours=1)}
        _log.warning("a message waits for too long", extra={"event": "outbox.old", **age})

    async def _oldest(self, destination: str) -> datetime | None:
        """When the oldest message that waits was promised; one look into the index for each state."""
        promised = [
            select(func.min(outbox.c.created)).where(outbox.c.destination == destination, outbox.c.state == state.value)
            for state in TO_TELL
        ]
        found = [row[0] for statement in promised for row in await self._store.select(statement) if row[0] is not None]
        return from_micros(min(found)) if found else None


TO_TELL: Final = (*DUE, DeliveryState.PARKED, DeliveryState.NEEDS_APPROVAL, DeliveryState.NEEDS_OTHER_CHANNEL)
"""Somebody is to be told, and is not yet: a machine or a person has something to do."""

_BEGINNING: Final = datetime.fromtimestamp(0, UTC)


def _pruned(state: DeliveryState, since: datetime, before: datetime, transaction: SqlTransaction) -> datetime | None:
    return transaction.prune(state, since, before, BATCH)


async def destinations(store: SqlStore) -> list[str]:
    """Where any message has gone or is to go, whether something carries it there now or not; one look into the index for
    each."""
    found: list[str] = []
    while True:
        wanted = select(func.min(outbox.c.destination)).where(outbox.c.destination > (found[-1] if found else ""))
        ((name,),) = await store.select(wanted)
        if name is None:
            return found
        found.append(name)


async def standing(store: SqlStore) -> list[tuple[str, str, int, datetime]]:
    """Per destination and state: how many messages, and when the oldest was promised."""
    columns = outbox.c.destination, outbox.c.state
    rows = await store.select(select(*columns, func.count(), func.min(outbox.c.created)).group_by(*columns))
    return [(destination, state, messages, from_micros(oldest)) for destination, state, messages, oldest in rows]
