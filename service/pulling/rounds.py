"""The rounds: every care unit of the timetable is pulled when it is due, a few at a time. One that fails stops no other.

First of all comes what an earlier process left: half an answer is discarded, a whole one applied to its end. Where several
processes go round on one database, half an answer may be on its way to another one: it is let be until it is stale.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlalchemy import select

from contracts.errors import RekoError, Unavailable
from contracts.ports import CertificateSource, Clock
from contracts.pulling import Pull, PullState
from service.pulling.timetable import RETRY, Past, next_pull
from service.pulling.units import ScheduledUnit
from service.store.codec import from_micros
from service.store.store import SqlStore
from service.store.tables import pull as pulls
from service.telemetry import PULLS
from service.usecases.context import Context
from service.usecases.follow_sick_leaves import follow_sick_leaves, take_up

IDLE: Final = 0.5
"""Seconds between looks at the clock: the movable clock rings no bell."""
REMEMBERED: Final = 20
"""Pulls of a unit that tell how often it has failed."""

_log = logging.getLogger(__name__)


class Rounds:
    """One process's rounds. ``slots`` is the number of pulls at a time."""

    def __init__(
        self,
        store: SqlStore,
        context: Context,
        source: CertificateSource | None,
        units: Sequence[ScheduledUnit],
        clock: Clock,
        slots: int = 4,
    ) -> None:
        self._store = store
        self._context = context
        self._source = source
        self._units = {unit.id: unit for unit in units}
        self._clock = clock
        self._slots = slots
        self._due: dict[str, datetime] = {}
        self._rest: dict[str, datetime] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ended = asyncio.Event()

    async def timetable(self) -> Mapping[str, datetime]:
        """When each unit's next pull is due, as far as that has been looked up; one that runs has none."""
        if self._store.is_shared:  # another process may go round
            return {unit: await self._next(unit) for unit in self._units}
        return self._due

    async def run(self) -> None:
        """Go round until cancelled; pulls that run then are given up, and stand as failed or are taken up later."""
        try:
            await self._take_up()
            while True:
                self._ended.clear()
                await self._look()
                await self._wait()
        finally:
            running = [*self._running.values()]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _take_up(self) -> None:
        for pull in await self._store.run(lambda transaction: transaction.pulls.under_way()):
            if self._store.is_shared and pull.state is PullState.READING:
                continue
            try:
                await take_up(self._store, self._context, pull)
            except Exception as error:
                told = {"event": "pull.not-taken-up", "unit": pull.unit}
                _log.error("a pull could not be taken up", exc_info=error, extra=told)

    async def _look(self) -> None:
        """Start what is due, the longest due first."""
        try:
            for unit in self._units.keys() - self._due.keys() - self._running.keys():
                self._due[unit] = await self._next(unit)
            while len(self._running) < self._slots and (unit := self._first_due()):
                self._due[unit] = await self._next(unit)  # another process may have pulled it since
                if self._due[unit] <= self._clock.now():
                    self._start(self._units[unit])
        except Unavailable as error:
            _log.error("the timetable cannot be read", extra={"event": "pull.no-timetable", "reason": str(error)})

    def _first_due(self) -> str:
        now = self._clock.now()
        due = sorted((at, unit) for unit, at in self._due.items() if at <= now)
        return due[0][1] if due else ""

    def _start(self, unit: ScheduledUnit) -> None:
        del self._due[unit.id]
        task = asyncio.create_task(self._pull(unit))
        self._running[unit.id] = task
        task.add_done_callback(lambda _: self._running.pop(unit.id))

    async def _pull(self, unit: ScheduledUnit) -> None:
        if self._source is None:
            return
        told: dict[str, object] = {"unit": unit.id}
        try:
            pull = await follow_sick_leaves(self._store, self._source, self._context, unit.caller, unit.days)
        except RekoError as error:
            self._failed(unit)
            _log.warning("a pull failed", extra={"event": "pull.failed", "reason": str(error), **told})
        except Exception as error:
            self._failed(unit)
            _log.error("a pull failed", exc_info=error, extra={"event": "pull.failed", **told})
        else:
            self._ended.set()
            PULLS.labels("done").inc()
            _log.info("a unit was pulled", extra={"event": "pull.done", **told, **_counted(pull)})

    def _failed(self, unit: ScheduledUnit) -> None:
        """Also where no row tells of it, such as when an earlier answer cannot be applied: it is not tried again at once."""
        PULLS.labels("failed").inc()
        self._rest[unit.id] = self._clock.now() + RETRY * 0.8

    async def _next(self, unit: str) -> datetime:
        statement = (
            select(pulls.c.at, pulls.c.state)
            .where(pulls.c.unit == unit)
            .order_by(pulls.c.number.desc())
            .limit(REMEMBERED)
        )
        rows = await self._store.select(statement)
        past = [Past(from_micros(at), state == PullState.FAILED.value) for at, state in rows]
        now = self._clock.now()
        return max(next_pull(self._units[unit], past, now), self._rest.pop(unit, now))

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE):
                await self._ended.wait()


def _counted(pull: Pull) -> dict[str, object]:
    counts = pull.counts
    return {"certificates": counts.certificates, "changed": counts.changed, "set_aside": counts.set_aside}
