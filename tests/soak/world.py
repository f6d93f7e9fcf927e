"""The service in a process that dies, those who call it, and the recipients, who write down what they get.

Recipients and callers live in this process; their books outlast every death of the service. At the end the books are
compared: what the service acknowledged, what its outbox says, and what each recipient has.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from adapters.mocking import Entry
from contracts.identity import control_digit
from contracts.record import Right
from fhir_mappings.identifiers import PERSONNUMMER
from service.clock import MovableClock
from service.mock_world import CertificateIn, MockWorld, PeriodIn
from service.security import token_hash
from service.server import HOST, serving
from tests.beside import Place, rows
from tests.soak.door import Door, door

Json = dict[str, Any]

UNIT: Final = "TSTNMT2321000156-E0001"
PROVIDER: Final = "TSTNMT2321000156-S0001"
TOKEN: Final = "token-of-a-record-system"
BEGAN: Final = datetime.now(UTC)
TODAY: Final = BEGAN.date().isoformat()
RECIPIENTS: Final = ("regional_platform", "forsakringskassan")
SLOTS: Final = 8
CALLERS: Final = 4
PATIENTS: Final = 24
BOOK: Final = 200_000
"""Requests that a recipient keeps and knows again: more than come while a try whose worker was killed waits for its lease."""
PATIENCE: Final = 90.0
"""Seconds to wait for anything."""


@dataclass(slots=True)
class Books:
    """What was acknowledged to callers, and what recipients got, in the order in which they got it."""

    acknowledged: list[str] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)
    received: dict[str, list[Entry]] = field(default_factory=lambda: {name: [] for name in RECIPIENTS})


@dataclass(slots=True)
class Replica:
    """A process of the service that can be killed, stopped and starved."""

    does: str
    port: int
    maker: asyncio.subprocess.Process
    client: httpx.AsyncClient
    pid: int = 0

    async def begin(self) -> None:
        """Start it and wait until it is ready."""
        assert self.maker.stdin is not None
        self.maker.stdin.write(b"go\n")
        self.pid = int((await self._told("pid")).split()[1])
        await self.until_ready()

    async def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Kill it, or ask it to stop, and wait until it is gone."""
        os.kill(self.pid, how)
        await self._told("dead")

    def kill(self) -> None:
        """Whatever it does: it holds the pipes of the process that made it."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def until_ready(self) -> None:
        """Wait until the database can be written."""
        async with asyncio.timeout(PATIENCE):
            while True:
                with suppress(httpx.HTTPError):
                    if (await self.client.get(f"{self.address}/health/ready", timeout=3)).status_code == 200:
                        return
                await asyncio.sleep(0.02)

    @property
    def address(self) -> str:
        """Where it is called."""
        return f"http://{HOST}:{self.port}"

    async def _told(self, word: str) -> str:
        assert self.maker.stdout is not None
        line = (await asyncio.wait_for(self.maker.stdout.readline(), PATIENCE)).decode()
        assert line.startswith(word), f"the victim said {line!r}"
        return line


@dataclass(slots=True)
class World:
    """A service under load: one process on a file, or several on a PostgreSQL."""

    place: Place
    mocks: MockWorld
    door: Door
    replicas: Sequence[Replica]
    chance: Random
    client: httpx.AsyncClient
    callers: int
    patients: list[str] = field(default_factory=list)
    books: Books = field(default_factory=Books)

    @property
    def it(self) -> Replica:
        """The one process on a file."""
        (replica,) = self.replicas
        return replica

    @property
    def services(self) -> list[Replica]:
        """Those that callers reach."""
        return [each for each in self.replicas if each.does == "serve"]

    @property
    def workers(self) -> list[Replica]:
        """Those that relay and are not called."""
        return [each for each in self.replicas if each.does == "worker"]

    def collect(self) -> int:
        """Take what has come out of the mocks' own ledgers, which are bounded. How many requests their recipients have got."""
        for name, received in self.books.received.items():
            ledger = self.mocks.counterparts[name].room().ledger
            received += ledger.entries
            ledger.clear()
        return sum(map(len, self.books.received.values()))

    async def collecting(self) -> None:
        """Collect for ever, before any ledger is full."""
        while True:
            self.collect()
            await asyncio.sleep(1)

    # Load

    async def introduce(self, patients: int) -> None:
        """Patients who consent, with a certificate that Försäkringskassan knows."""
        for number in range(patients):
            born = f"19{50 + number % 40:02}0{1 + number // 40}0{1 + number % 9}"
            person = f"{born}980{control_digit(born[2:] + '980')}"
            name = {"resourceType": "Patient", "identifier": [{"system": PERSONNUMMER.fhir, "value": person}]}
            self.patients.append(str((await self._call("/fhir/Patient", name)).json()["id"]))
            self.mocks.register(_certificate(f"intyg-{number}", person))
            for consent in _consents(self.patients[-1]):
                await self._call("/api/consents", consent)

    async def _call(self, path: str, given: Json) -> httpx.Response:
        response = await self.client.post(f"{self.services[0].address}{path}", json=given)
        assert response.status_code == 201, response.text
        return response

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Callers who send one request after another, whatever happens to the service."""
        callers = [asyncio.create_task(self._calling(number)) for number in range(self.callers)]
        try:
            yield
        finally:
            for caller in callers:
                caller.cancel()
            ended = await asyncio.gather(*callers, return_exceptions=True)
        faults = [each for each in ended if isinstance(each, Exception)]
        assert not faults, faults

    async def _calling(self, number: int) -> None:
        while True:
            about = self.chance.randrange(len(self.patients))
            path, given = (
                _notification(self.patients[about], about) if number % 3 == 0 else _activity(self.patients[about])
            )
            try:
                response = await self.client.post(f"{self.chance.choice(self.services).address}{path}", json=given)
            except httpx.HTTPError:  # it is dead, or died over the answer: nothing was acknowledged
                await asyncio.sleep(0.02)
                continue
            if response.status_code == 201:
                self.books.acknowledged.append(response.json()["resource"])
            else:
                self.books.refused[response.status_code] += 1
                await asyncio.sleep(0.02)

    # The end

    async def drain(self) -> None:
        """Time goes by until everything has come to its end; what was parked is replayed once. Raises ``TimeoutError`` when
        nothing moves."""
        address = f"{self.services[0].address}/api/outbox/replay"
        await self.client.post(address, json={"why": "the faults are over", "dryRun": False})
        left = _waiting(self.place)
        while left:
            async with asyncio.timeout(PATIENCE):
                while (now := _waiting(self.place)) == left:
                    self.mocks.clock.advance(timedelta(minutes=10))
                    await asyncio.sleep(0.2)
            left = now
        self.collect()

    def compare(self) -> dict[str, int]:
        """What the books say of one another: the first four must be nothing."""
        outbox = _outbox(self.place)
        first = {name: _first(received) for name, received in self.books.received.items()}
        told = {about for _, _, _, about, _ in outbox}
        return {
            "lost": sum(about not in told for about in self.books.acknowledged)
            + sum(id not in first[to] for _, id, to, _, state in outbox if state == "delivered")
            + sum(state != "delivered" for *_, state in outbox),
            "duplicates after de-duplication": sum(_twice(received) for received in self.books.received.values()),
            "out of order": sum(_out_of_order(outbox, self.place, name, list(ids)) for name, ids in first.items()),
            "double outcomes": _double_outcomes(self.place),
            "acknowledged": len(self.books.acknowledged),
            "messages": len(outbox),
            "raw duplicates": sum(
                len(_accepted(each)) - len(set(_accepted(each))) + _recognised(each)
                for each in self.books.received.values()
            ),
        }


MUST_BE_NOTHING: Final = ("lost", "duplicates after de-duplication", "out of order", "double outcomes")


ON_POSTGRES: Final = ("serve", "serve", "worker", "worker")


@asynccontextmanager
async def world(
    home: Path, seed: int, *leases: float, patience: float = 20.0, database: str = "",
    callers: int = CALLERS, patients: int = PATIENTS,
) -> AsyncIterator[World]:  # fmt: skip
    """A new service on a new database in ``home``, begun, with patients; or two with two workers on the ``database`` of a
    PostgreSQL. ``leases``: seconds of a lease and a heartbeat; ``patience``: how many it waits for an answer."""
    mocks = MockWorld(MovableClock(), BOOK)
    async with AsyncExitStack() as stack:
        mock_port, door_port = _free_port(), _free_port()
        await stack.enter_async_context(serving(mocks.app(), mock_port))
        in_front = await stack.enter_async_context(door(door_port, mock_port))
        environment = _environment(home, mock_port, door_port, patience) | {"REKO_DATABASE": database}
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        client = httpx.AsyncClient(headers=bearer, timeout=10, trust_env=False)
        await stack.enter_async_context(client)
        replicas = [
            await _replica(stack, client, does, environment, leases)
            for does in (ON_POSTGRES if database else ("serve",))
        ]
        made = World(database or home / "reko.db", mocks, in_front, replicas, Random(seed), client, callers)  # noqa: S311
        await asyncio.gather(*(replica.begin() for replica in replicas))
        await made.introduce(patients)
        collecting = asyncio.create_task(made.collecting())
        stack.callback(collecting.cancel)
        yield made
        assert not collecting.done(), collecting


async def _replica(
    stack: AsyncExitStack, client: httpx.AsyncClient, does: str, environment: dict[str, str], leases: Sequence[float]
) -> Replica:
    port = _free_port()
    maker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.soak.victim", does, *map(str, leases),
        env=environment | {"REKO_PORT": f"{port}"}, cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    stack.push_async_callback(_end, maker)
    made = Replica(does, port, maker, client)
    stack.callback(made.kill)
    return made


async def _end(victim: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        victim.kill()
    await victim.wait()


def _environment(home: Path, mock_port: int, door_port: int, patience: float) -> dict[str, str]:
    clients = home / "clients.toml"
    rights = ", ".join(f'"{right.value}"' for right in Right)
    clients.write_text(
        f'[[client]]\ntoken_sha256 = "{token_hash(TOKEN)}"\nemployee = "TSTNMT2321000156-P0001"\ncommission = "uppdrag"\n'
        f'care_unit = "{UNIT}"\ncare_provider = "{PROVIDER}"\nrights = [{rights}]\n',
        encoding="utf-8",
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("REKO_")}
    return clean | {
        "REKO_DATA": f"{home}",
        "REKO_CLIENTS": f"{clients}",
        "REKO_OUTBOX_SLOTS": f"{SLOTS}",
        "REKO_CLOCK_URL": f"http://{HOST}:{mock_port}/_control/clock",
        **{f"REKO_ADAPTERS__{name.upper()}__URL": f"http://{HOST}:{door_port}/{name}" for name in RECIPIENTS},
        **{f"REKO_ADAPTERS__{name.upper()}__TIMEOUT_SECONDS": f"{patience}" for name in RECIPIENTS},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        number: int = probe.getsockname()[1]
        return number


# What callers send


def _activity(patient: str) -> tuple[str, Json]:
    kind = {"kinds": ["employer-contact"], "mode": "visit", "performedAt": BEGAN.isoformat()}
    return "/api/activities", {"patient": {"id": patient}, **kind}


def _notification(patient: str, number: int) -> tuple[str, Json]:
    return "/api/notifications", {
        "patient": {"id": patient},
        "recipient": {"kind": "forsakringskassan"},
        "topic": "assumed-rehab-need",
        "parts": [{"category": "assumed_rehab_need", "text": "Behov kan antas."}],
        "certificate": f"intyg-{number}",
    }


def _consents(patient: str) -> Sequence[Json]:
    given: Json = {"patient": {"id": patient}, "givenAt": BEGAN.isoformat(), "how": "VERBAL"}
    to_fk = {"recipient": {"kind": "forsakringskassan"}, "purposes": ["COC"], "categories": ["assumed_rehab_need"]}
    days = {"firstDay": TODAY, "lastDay": (BEGAN + timedelta(days=180)).date().isoformat()}
    return {**given, "kind": "coordination"}, {**given, "kind": "disclosure", **to_fk, **days}


def _certificate(id: str, person: str) -> CertificateIn:
    period = PeriodIn(start=(BEGAN - timedelta(days=10)).date(), end=(BEGAN + timedelta(days=20)).date(), degree=100)
    return CertificateIn(
        id=id, personal_number=person, unit=UNIT, provider=PROVIDER, signed=BEGAN - timedelta(days=9), periods=(period,)
    )


# What the books say


def _waiting(place: Place) -> int:
    return _count(place, "state IN ('waiting', 'claimed', 'retrying')")


def _count(place: Place, where: str) -> int:
    number: int = rows(place, f"SELECT count(*) FROM outbox WHERE {where}")[0][0]  # noqa: S608 - our own words
    return number


def _outbox(place: Place) -> list[tuple[Any, ...]]:
    if isinstance(place, Path):
        assert rows(place, "PRAGMA integrity_check") == [("ok",)]
    return [
        (number, _named(payload), destination, about, state)
        for number, payload, destination, about, state in rows(
            place, "SELECT number, payload, destination, about, state FROM outbox ORDER BY number"
        )
    ]


def _named(payload: bytes) -> str:
    """The id that the recipient gets: the same at each try."""
    return str(json.loads(payload)["id"])


def _accepted(received: Sequence[Entry]) -> list[str]:
    """Ids that were taken, duplicates that the recipient recognised left out."""
    return [entry.id for entry in received if entry.accepted and entry.report != ("seen before",)]


def _first(received: Sequence[Entry]) -> dict[str, None]:
    return dict.fromkeys(_accepted(received))


def _twice(received: Sequence[Entry]) -> int:
    return sum(times - 1 for times in Counter(_accepted(received)).values())


def _recognised(received: Sequence[Entry]) -> int:
    """Repeats that the recipient knew for what they were by the id."""
    known = set(_accepted(received))
    return sum(not (entry.accepted and entry.report != ("seen before",)) and entry.id in known for entry in received)


def _out_of_order(outbox: Sequence[tuple[Any, ...]], place: Place, destination: str, arrived: Sequence[str]) -> int:
    """Messages that came to the recipient before an earlier one of the same patient."""
    number_of = {id: number for number, id, *_ in outbox}
    found = rows(place, "SELECT payload, patient FROM outbox WHERE destination = ?", destination)
    patients = {_named(payload): patient for payload, patient in found}
    newest: defaultdict[str, int] = defaultdict(int)
    wrong: int = 0
    for id in arrived:
        wrong += number_of[id] < newest[patients[id]]
        newest[patients[id]] = max(newest[patients[id]], number_of[id])
    return wrong


def _double_outcomes(place: Place) -> int:
    """Outcomes that were written twice: a delivery, and what follows from one, stands once for each message."""
    deliveries = rows(
        place, "SELECT count(*) FROM attempt WHERE outcome = 'Delivered' GROUP BY message HAVING count(*) > 1"
    )
    told: int = rows(place, "SELECT count(*) FROM resource WHERE type = 'Communication'")[0][0]
    return len(deliveries) + abs(told - _count(place, "destination = 'forsakringskassan' AND state = 'delivered'"))
