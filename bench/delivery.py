"""`make bench`: what delivery costs. Prints figures; asserts nothing.

claim       p50 and p99 of a claim while 1,000,000 messages wait: half of them each in a key of its own, half of them behind a
            parked message, 500 to a key; on the event loop that the server runs on, as all of this; on SQLite, and on a
            PostgreSQL of its own where one is installed, there also by two at once
deliver     messages/s to one local receiver, and to four
slow        messages/s to three receivers while a fourth takes a second for each answer, and without it, in turns
"""

import argparse
import asyncio
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any, Final

import uvloop
from machine import free_port

from adapters.http import Sender
from adapters.regional_platform.adapter import RegionalPlatform
from adapters.regional_platform.settings import Settings
from contracts.consent import InformationCategory, LegalBasis, Purpose, Question, Recipient, RecipientKind
from contracts.identity import HsaId
from contracts.outbox import DeliveryState, EventType, OutboxMessage, RecordEvent
from service.clock import SystemClock, Uuid7
from service.fhir_api.search import index, parameters
from service.outbox.relay import Relay, claim
from service.rules.region import RegionalProfile
from service.server import spare_collector
from service.settings import Settings as ServiceSettings
from service.store.database import Place
from service.store.store import SqlStore
from service.store.tables import BLOCKS
from service.store.transaction import SqlTransaction
from service.usecases.context import Context
from tests.postgres import binaries, cluster

HOST: Final = "127.0.0.1"
TURNS: Final = 4
DATA: Final = (
    '{"resourceType": "Procedure", "id": "0a1b", "meta": {"versionId": "1", "lastUpdated": "2026-05-04T08:29:59Z"},'
    '"status": "completed", "code": {"coding": [{"system": "urn:oid:1.2.752.116.1.3.2.1.4", "code": "GC001",'
    '"display": "Koordineringsinsatser för att främja återgång eller inträde i arbetslivet"}]},'
    '"subject": {"reference": "Patient/p-1"}, "performedDateTime": "2026-05-04"}'
)


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", type=int, default=1_000_000, help="messages that wait while claims are timed")
    parser.add_argument("--messages", type=int, default=2000, help="that are delivered to each receiver")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        _show(f"claim/{wanted.waiting} sqlite", uvloop.run(_claims(Path(home) / "waiting.db", wanted.waiting)))
    if found := binaries():
        with cluster(found, durable=True) as server:
            for at_once in (1, 2):
                place = server.database(f"waiting {at_once}")
                title = f"claim/{wanted.waiting} postgres x{at_once}"
                _show(title, uvloop.run(_claims(place, wanted.waiting, at_once)))
    spare_collector()  # as whatever delivers does once it has started
    with _receivers(4) as ports:
        for name, receivers in (("deliver x1", ports[:1]), ("deliver x4", ports)):
            _show(name, {"messages/s": _delivered(receivers, wanted.messages)})
        turns = [(_three(ports, False, wanted.messages), _three(ports, True, wanted.messages)) for _ in range(TURNS)]
        alone, beside = (round(mean(rates)) for rates in zip(*turns, strict=True))
        _show("slow", {"messages/s": beside, "without it": alone, "ratio": f"{beside / alone:.2f}"})


def _show(name: str, figures: dict[str, Any]) -> None:
    print(f"{name:14} " + "  ".join(f"{key} {value}" for key, value in figures.items()), flush=True)


def _open(place: Place) -> SqlStore:
    return SqlStore(place, SystemClock(), parameters.definitions(), index.rows_of)


def _context() -> Context:
    profile: RegionalProfile = ServiceSettings().regional_profile()
    return Context(profile, Uuid7(), frozenset())


def _message(number: int, destination: str, patient: str) -> OutboxMessage:
    recipient = Recipient(RecipientKind.REGIONAL_PLATFORM, "regional_platform")
    now = SystemClock().now()
    what = frozenset({InformationCategory.CARE_MEASURES})
    question = Question(
        patient, HsaId("SE2321000016-1001"), recipient, what, Purpose.COORDINATION, now, basis=LegalBasis.OWN_FOLLOW_UP
    )
    id_ = f"{destination}-{number}"
    event = RecordEvent(id_, EventType.ACTIVITY_CODED, f"Procedure/{number}", now, 1, DATA)
    return OutboxMessage(id_, destination, event.subject, question, event)


def _promised(messages: list[tuple[OutboxMessage, DeliveryState]]) -> Callable[[SqlTransaction], None]:
    def work(transaction: SqlTransaction) -> None:
        for message, state in messages:
            transaction.promise(message, state)

    return work


# Claims beside a long queue


async def _claims(place: Place, waiting: int, at_once: int = 1) -> dict[str, Any]:
    stores, context = [_open(place) for _ in range(at_once)], _context()
    await stores[0].run(_promised([(_message(0, "queue", "p-0"), DeliveryState.WAITING)]))
    await stores[0].run(lambda transaction: _fill(transaction, waiting))
    times: list[float] = []

    async def claiming(store: SqlStore) -> None:
        for _ in range(1000):
            began = time.perf_counter()
            claimed = await store.claim(lambda transaction: claim(transaction, context, "queue", 8))
            times.append(time.perf_counter() - began)
            assert len(claimed) == 8  # noqa: S101

    await asyncio.gather(*map(claiming, stores))
    for store in stores:
        store.close()
    times.sort()
    p50, p99 = (f"{times[len(times) * part // 100] * 1e3:.2f}" for part in (50, 99))
    return {"p50 ms": p50, "p99 ms": p99, "of": "8 messages, durable"}


def _fill(transaction: SqlTransaction, waiting: int) -> None:
    if transaction.connection.Error.__module__.startswith("psycopg"):
        transaction.connection.execute("SET LOCAL statement_timeout = 0")
    transaction.connection.execute(_QUEUE.format(last=waiting - 1))


_QUEUE: Final = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {last}),
places AS (
  SELECT n, n % 2 = 0 AS is_blocked, n / 2 % 500 = 0 AS is_first,
    'queue|' || CASE n % 2 WHEN 0 THEN 'blocked-' || (n / 1000) ELSE 'p-' || n END AS key FROM numbers
)
INSERT INTO outbox (id, destination, key, patient, unit, about, state, attempts, created, changed, next_try, reason, fence,
  kind, question, payload, head)
SELECT 'm-' || n, destination, places.key, 'p-' || n, unit, 'Procedure/' || n,
  CASE WHEN is_blocked AND is_first THEN 'parked' ELSE 'waiting' END, 0, created, changed, next_try, '', 0,
  kind, question, payload, CASE WHEN NOT is_blocked OR is_first THEN 1 ELSE 0 END
FROM places, outbox WHERE outbox.id = 'queue-0'
"""
"""Copies of the first message, as ``promise`` and ``move`` would place them."""


# Delivery


def _delivered(ports: list[int], messages: int) -> int:
    return _rate([(f"to-{port}", f"http://{HOST}:{port}") for port in ports], [], messages)


def _three(ports: list[int], slow: bool, messages: int) -> int:
    """The rate of the first three, alone or while the last one takes a second for each answer."""
    channels = [(f"to-{port}", f"http://{HOST}:{port}") for port in ports[:3]]
    return _rate(channels, [("slow", f"http://{HOST}:{ports[3]}/1.0")] if slow else [], messages)


def _rate(measured: list[tuple[str, str]], beside: list[tuple[str, str]], messages: int) -> int:
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        return uvloop.run(_relayed(Path(home) / "reko.db", measured, beside, messages))


async def _relayed(file: Path, measured: list[tuple[str, str]], beside: list[tuple[str, str]], messages: int) -> int:
    store, clock = _open(file), SystemClock()
    for name, _ in (*measured, *beside):
        waiting = [(_message(number, name, f"p-{number}"), DeliveryState.WAITING) for number in range(messages)]
        await store.run(_promised(waiting))
    channels = {}
    for name, url in (*measured, *beside):
        settings = Settings(url=url)
        channels[name] = RegionalPlatform(settings, clock, Sender(settings))
    relay = asyncio.create_task(Relay(store, _context(), channels, clock).run())
    began = time.perf_counter()
    names = [name for name, _ in measured]
    left = set(names)
    while left and "parked" not in left:
        await asyncio.sleep(0.1)
        left = await store.run(lambda transaction: _left(transaction, names))
    took = time.perf_counter() - began
    if left:
        raise SystemExit(f"messages are {', '.join(left)}")
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    for channel in channels.values():
        await channel.aclose()
    store.close()
    return round(len(measured) * messages / took)


def _left(transaction: SqlTransaction, names: list[str]) -> set[str]:
    """What still blocks a key to any of them: nothing when all are delivered."""
    named = ", ".join(f"'{name}'" for name in names)
    asked = f"SELECT state FROM outbox WHERE {BLOCKS.text} AND destination IN ({named}) LIMIT 1"  # noqa: S608
    return {state for (state,) in transaction.connection.execute(asked)}


@contextmanager
def _receivers(number: int) -> Iterator[list[int]]:
    """So many in one process of their own; the first part of the path is how many seconds an answer takes."""
    ports = [free_port() for _ in range(number)]
    process = multiprocessing.get_context("spawn").Process(target=_receive, args=(ports,), daemon=True)
    process.start()
    try:
        for port in ports:
            _until_open(port)
        yield ports
    finally:
        process.kill()
        process.join()


def _until_open(port: int) -> None:
    while True:
        try:
            socket.create_connection((HOST, port), 1).close()
            return
        except OSError:
            time.sleep(0.05)


def _receive(ports: list[int]) -> None:
    async def serve() -> None:
        servers = [await asyncio.start_server(_answer, HOST, port) for port in ports]
        await asyncio.gather(*(server.serve_forever() for server in servers))

    uvloop.run(serve())


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
            first = head.split(b" ")[1].split(b"/")[1]
            await asyncio.sleep(float(first) if first[:1].isdigit() else 0)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


if __name__ == "__main__":
    main()
