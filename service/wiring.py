"""The composition root: reads like a manifest of the whole service. The only importer of concrete adapters beside the mock
world."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import httpx
from cryptography.fernet import Fernet

from adapters.registry import (
    BLOCK_SOURCES,
    CERTIFICATE_SOURCES,
    CHANNELS,
    MAILBOXES,
    OpenCertificateSource,
    OpenChannel,
    OpenMailbox,
    entrances,
)
from contracts.consent import BlockAnswer, BlockQuestion, Recipient
from contracts.errors import Unavailable
from contracts.identity import HsaId
from contracts.ports import BlockSource, Clock, Entrance
from fhir_mappings import r4
from service.clock import FollowedClock, SystemClock, Uuid7
from service.fetching import Fetching
from service.fhir_api.search import index, parameters
from service.fhir_api.surroundings import Surroundings
from service.outbox.relay import Relay
from service.outbox.tending import Tending
from service.pulling.rounds import Rounds
from service.pulling.units import from_file
from service.security import Clients
from service.settings import Settings
from service.store.store import SqlStore
from service.telemetry import tell_old
from service.usecases.context import Context
from service.usecases.follow_dialogue import messages_moved
from service.watching import Watch


class NoBlockService:
    """Where no block service is configured, nobody answers: what other units know is used for nothing."""

    async def ask(self, question: BlockQuestion) -> BlockAnswer:
        """See ``contracts.ports.BlockSource``."""
        return BlockAnswer.NO_ANSWER


Transports = Mapping[str, httpx.AsyncBaseTransport]
"""Where tests let an adapter's calls end, by its name."""


@dataclass(frozen=True, slots=True)
class House:
    """Everything, built and connected."""

    store: SqlStore
    context: Context
    clients: Clients
    fhir: Surroundings
    blocks: BlockSource
    channels: Mapping[str, OpenChannel]
    source: OpenCertificateSource | None
    relay: Relay
    rounds: Rounds
    clock: Clock
    session_key: Fernet
    entrances: Sequence[Entrance]


@asynccontextmanager
async def house(
    settings: Settings, transports: Transports | None = None, clock: Clock | None = None, *, works: bool
) -> AsyncIterator[House]:
    """Open the database and build the adapters that have an address; where it ``works``, relay, pull and tend; close all of
    it at the end.

    ``clock`` lets tests share the mock world's (decision D27); otherwise the settings say which.
    """
    clock = clock or (FollowedClock(settings.clock_url) if settings.clock_url else SystemClock())
    clients = Clients.from_file(settings.clients) if settings.clients else Clients({})
    provider = home(settings, clients)
    channels = {
        adapter.name: adapter.build(adapter_settings, clock, (transports or {}).get(adapter.name))
        for adapter in CHANNELS
        if (adapter_settings := settings.adapter(adapter.name)).enabled
    }
    mailboxes: dict[str, OpenMailbox] = {each.name: channels[each.name] for each in MAILBOXES if each.name in channels}  # type: ignore[misc]  # one object is both
    source = next(
        (
            adapter.build(adapter_settings, clock, (transports or {}).get(adapter.name))
            for adapter in CERTIFICATE_SOURCES
            if (adapter_settings := settings.adapter(adapter.name)).enabled
        ),
        None,
    )
    r4.check({})  # compiles the judge now, so that no caller waits for it
    store = SqlStore(settings.database_place, clock, parameters.definitions(), index.rows_of)
    units = from_file(settings.units) if settings.units else ()
    context = Context(
        settings.regional_profile(),
        Uuid7(),
        frozenset(channels),
        provider,
        reaches=partial(_reaches, mailboxes),
        approving=frozenset(each.caller.unit for each in units if each.approves),
        informs={each.caller.unit: each.informs for each in units if each.informs},
        units={**clients.units, **{each.caller.unit: each.caller.provider for each in units}},
    )
    store.follow_messages(partial(messages_moved, context=context))
    relay = Relay(store, context, channels, clock, settings.outbox_slots, timedelta(days=settings.withheld_days))
    old = timedelta(hours=settings.outbox_old_hours)
    tending = Tending(store, frozenset(channels), clock, old, settings.kept, tell_old)
    asking = next(
        (
            adapter.build(adapter_settings, clock, (transports or {}).get(adapter.name))
            for adapter in BLOCK_SOURCES
            if (adapter_settings := settings.adapter(adapter.name)).enabled
        ),
        None,
    )
    blocks = asking or NoBlockService()
    page_key, session_key = await _key(store, "page-tokens"), await _key(store, "sessions")
    fhir = Surroundings(store, context, clients, page_key, f"{settings.base}/fhir", blocks, clock)
    rounds = Rounds(store, context, source, units, clock, settings.pull_slots)
    deeds = (relay, rounds, tending, Watch(store, context, clock), Fetching(store, context, mailboxes, clock))
    running = [each.run() for each in deeds] if works else []
    following = [clock.follow()] if isinstance(clock, FollowedClock) else []
    working = [asyncio.create_task(each) for each in (*running, *following)]
    try:
        yield House(
            store, context, clients, fhir, blocks, channels, source, relay, rounds, clock, session_key, entrances()
        )
    finally:
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for each in (*channels.values(), *(opened for opened in (source, asking) if opened)):
            await each.aclose()
        store.close()


def home(settings: Settings, clients: Clients) -> HsaId | None:
    """The care provider whose systems the destinations are. Raises ``Unavailable`` when that is not clear: one provider's
    records must not reach another's platform."""
    if settings.care_provider:
        return HsaId(settings.care_provider)
    if len(clients.providers) > 1:
        raise Unavailable(
            "the clients are of several care providers: name the one that the adapters serve, REKO_CARE_PROVIDER"
        )
    return next(iter(clients.providers), None)


def _reaches(books: Mapping[str, OpenMailbox], channel: str, recipient: Recipient, unit: HsaId) -> bool:
    """A channel that is no book of addresses reaches the one party that it is for."""
    return channel not in books or books[channel].reaches(recipient, unit)


async def _key(store: SqlStore, name: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(await store.secret(name)))
