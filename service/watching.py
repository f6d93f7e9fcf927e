"""The watch over answers: when the last day for one has passed, that becomes visible (``usecases/remind``)."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from contracts.ports import Clock, Store
from service.usecases.context import Context
from service.usecases.remind import BATCH, remind

IDLE: Final = 0.5
"""Seconds between looks at the clock: the movable clock rings no bell."""
EVERY: Final = timedelta(minutes=1)
"""By the service's clock, between looks at what is due."""

_log = logging.getLogger(__name__)


class Watch:
    """One process's watch. Several do no harm: what has been marked once is not marked again."""

    def __init__(self, store: Store, context: Context, clock: Clock) -> None:
        self._store = store
        self._context = context
        self._clock = clock
        self._looked = datetime.min.replace(tzinfo=UTC)

    async def run(self) -> None:
        """Look until cancelled. A database that does not answer is asked again later."""
        while True:
            try:
                await self.look()
            except Exception as error:
                _log.error(
                    "answers that are due could not be looked for", exc_info=error, extra={"event": "watch.failed"}
                )
            await asyncio.sleep(IDLE)

    async def look(self) -> None:
        """Mark what is due, unless that was done a moment ago."""
        now = self._clock.now()
        if abs(now - self._looked) < EVERY:
            return
        while await self._store.run(partial(remind, context=self._context)) == BATCH:
            continue
        self._looked = now
