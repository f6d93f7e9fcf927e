"""Mailboxes: what other parties have left for us is fetched, and what became of our own messages is asked.

A message is kept before it is put away: if the process dies in between it comes again, and is recognised by its id. What cannot
be read stays where it lies, and is told once.
"""

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy import exists, select

from contracts.dialogue import NotTaken, ReceivedMessage
from contracts.errors import NotFound, Unavailable
from contracts.outbox import DeliveryState
from contracts.ports import Clock, Mailbox
from service.http_edge import loggable
from service.store.codec import to_micros
from service.store.store import SqlStore
from service.store.tables import attempt, outbox
from service.telemetry import RECEIVED
from service.usecases.context import Context
from service.usecases.note_arrival import FINAL, note_arrival
from service.usecases.receive_message import receive

IDLE: Final = 0.5
"""Seconds between looks at the clock: the movable clock rings no bell."""
EVERY: Final = timedelta(minutes=1)
"""By the service's clock, between rounds."""
ASKED: Final = timedelta(days=14)
"""How long it is asked whether a message arrived."""
PATIENCE: Final = 5
"""Messages of which a mailbox tells nothing, after which it is left alone until the next round."""
BATCH: Final = 1000
"""Messages whose arrival one round asks for."""

_log = logging.getLogger(__name__)


class Fetching:
    """One process's rounds over all mailboxes. Several do no harm: a message is kept once."""

    def __init__(self, store: SqlStore, context: Context, mailboxes: Mapping[str, Mailbox], clock: Clock) -> None:
        self._store = store
        self._context = context
        self._mailboxes = mailboxes
        self._clock = clock
        self._looked = datetime.min.replace(tzinfo=UTC)
        self._told: set[str] = set()

    async def run(self) -> None:
        """Go round until cancelled."""
        while self._mailboxes:
            now = self._clock.now()
            if abs(now - self._looked) >= EVERY:
                self._looked = now
                await asyncio.gather(*(self._round(name) for name in self._mailboxes))
            await asyncio.sleep(IDLE)

    async def _round(self, name: str) -> None:
        for part in (self._fetch, self._ask):
            try:
                await part(name)
            except Unavailable as error:
                _log.warning(
                    "a mailbox does not answer",
                    extra={"event": "mailbox.silent", "channel": name, "reason": str(error)},
                )
            except Exception as error:
                _log.error(
                    "a mailbox could not be looked into",
                    exc_info=error,
                    extra={"event": "mailbox.failed", "channel": name},
                )

    async def _fetch(self, name: str) -> None:
        async for item in self._mailboxes[name].waiting():
            if isinstance(item, ReceivedMessage):
                await self._keep(name, item)
            else:
                self._tell(name, item.id, item.reason)

    async def _keep(self, name: str, message: ReceivedMessage) -> None:
        receipt = await self._store.run(
            lambda transaction: receive(transaction, self._context, message, refusable=False)
        )
        if isinstance(receipt, NotTaken):
            self._tell(name, message.id, ", ".join(receipt.reasons))
            return
        became = "again" if receipt.again else "taken"
        told = {"event": "dialogue.received", "channel": name, "message_id": loggable(message.id), "became": became}
        _log.info("a message has come", extra=told)
        RECEIVED.labels(name, became).inc()
        await self._mailboxes[name].put_away(message.id)

    def _tell(self, name: str, id: str, reason: str) -> None:
        """Once for each message that stays."""
        if id in self._told:
            return
        self._told.add(id)
        RECEIVED.labels(name, "refused").inc()
        told = {"event": "mailbox.left", "channel": name, "message_id": loggable(id), "reason": reason}
        _log.warning("a message in a mailbox cannot be used, and stays there", extra=told)

    async def _ask(self, name: str) -> None:
        """What became of our messages that the service had taken."""
        since = to_micros(self._clock.now() - ASKED)
        known = exists().where(attempt.c.message == outbox.c.id, attempt.c.outcome.in_([each.value for each in FINAL]))
        wanted = (
            select(outbox.c.id)
            .where(
                outbox.c.destination == name,
                outbox.c.state == DeliveryState.DELIVERED.value,
                outbox.c.changed >= since,
                ~known,
            )
            .order_by(outbox.c.number)
            .limit(BATCH)
        )
        silent = 0
        for (id_,) in await self._store.select(wanted):
            try:
                arrival = await self._mailboxes[name].arrival(id_)
            except NotFound:
                continue
            except Unavailable:
                silent += 1  # of this message; the next one may be known
                if silent == PATIENCE:
                    raise
                continue
            if arrival in FINAL:
                await self._store.run(partial(note_arrival, context=self._context, message_id=id_, arrival=arrival))
