"""The whole service in this process, the mock world behind it, and a clock that both share and tests move.

``flow`` is one service for a module's tests: each test brings patients of its own, so that they do not meet. Nothing is
stubbed: requests pass the whole application, the relay runs, messages end in the mocks of the registry.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Final

import httpx
import orjson
import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapters.mocking import Entry, Fault
from adapters.mocking.courier import Courier
from contracts.identity import control_digit
from contracts.record import Right, Role
from contracts.time import STOCKHOLM, swedish_day
from fhir_mappings.identifiers import (
    ACT_CODE,
    ACT_REASON,
    ACTIVITY_KIND,
    CERTIFICATE_ID,
    CONSENT_ACTION,
    CONSENT_KIND,
    CONSENT_SCOPE,
    EXT_CONSENT_MODE,
    EXT_CONTACT_MODE,
    EXT_INFORMATION_CATEGORY,
    HSA_ID,
    INFORMATION_CATEGORY,
    LAW_2019_1297,
    NOTIFICATION_TOPIC,
    ORGANISATION_NUMBER,
    PARTICIPATION_TYPE,
    PERSONNUMMER,
    PLAN_KIND,
    RECIPIENT_KIND,
    UCUM,
    WORK_ABILITY,
)
from service import fetching, watching
from service.clock import MovableClock
from service.main import create_app, create_worker
from service.mock_world import CertificateIn, MockWorld, PeriodIn
from service.outbox import relay
from service.pulling import rounds
from service.security import token_hash
from service.settings import Settings
from service.store.codec import from_micros
from tests import beside
from tests.postgres import TEMPLATE, Cluster

Json = dict[str, Any]

PROVIDER: Final = "TSTNMT2321000156-S0001"
UNIT: Final = "TSTNMT2321000156-E0001"
OTHER_UNIT: Final = "TSTNMT2321000156-E0002"
OTHER_PROVIDER: Final = "TSTNMT5560000001-S0009"
UNIT_ELSEWHERE: Final = "TSTNMT5560000001-E0009"
COORDINATOR: Final = "TSTNMT2321000156-P0001"
DOCTOR: Final = "TSTNMT2321000156-D0001"
EMPLOYER: Final = "5560000001"
FK: Final = "2021005521"

PATIENCE: Final = 15.0
"""Seconds to wait for something to come about."""

_ALL_RIGHTS: Final = tuple(Right)
_CALLERS: Final = {
    # name: (employee, care unit, care provider, rights)
    "coordinator": (COORDINATOR, UNIT, PROVIDER, _ALL_RIGHTS),
    "reader": ("TSTNMT2321000156-P0002", UNIT, PROVIDER, (Right.FHIR_READ,)),
    "colleague": ("TSTNMT2321000156-P0005", UNIT, PROVIDER, tuple(set(Right) - {Right.FHIR_RESTRICTED})),
    "lister": ("TSTNMT2321000156-P0004", UNIT, PROVIDER, (Right.OUTBOX_LIST,)),
    "neighbour": ("TSTNMT2321000156-P0003", OTHER_UNIT, PROVIDER, _ALL_RIGHTS),
    "stranger": ("TSTNMT5560000001-P0009", UNIT_ELSEWHERE, OTHER_PROVIDER, _ALL_RIGHTS),
    "doctor": (DOCTOR, UNIT, PROVIDER, _ALL_RIGHTS),
    "locum": (DOCTOR, UNIT, PROVIDER, tuple(set(Right) - {Right.FHIR_RESTRICTED})),
    "platform": ("TSTNMT2321000156-F0001", UNIT, PROVIDER, (Right.DIALOGUE_RECEIVE,)),
}


@dataclass(frozen=True, slots=True)
class Person:
    """A synthetic person: known to the service as ``Patient/<id>``."""

    number: str
    name: str
    id: str = ""

    @property
    def reference(self) -> str:
        """As resources point at the person."""
        return f"Patient/{self.id}"


@dataclass(frozen=True, slots=True)
class Promised:
    """A message as the outbox holds it."""

    id: str
    destination: str
    state: str
    attempts: int
    next_try: datetime | None
    reason: str


def synthetic_people() -> Iterator[Person]:
    """People of the test series, no two alike (decision D28)."""
    for days in count():
        born = date(1950, 1, 1) + timedelta(days=days)
        nine = f"{born:%y%m%d}980"
        yield Person(f"{born:%Y%m%d}980{control_digit(nine)}", f"Prov Exempelsson{days}")


@dataclass(frozen=True, slots=True)
class Forms:
    """Resources as a record system writes them. ``refs`` are the organisations and the coordinator's role."""

    refs: dict[str, str]
    clock: MovableClock

    def activity(self, person: Person, kind: str = "employer-contact", mode: str = "visit", **elements: Any) -> Json:
        """A performed activity; ``elements`` add to it or replace."""
        return {
            "resourceType": "Procedure",
            "extension": [{"url": EXT_CONTACT_MODE, "valueCode": mode}],
            "status": "completed",
            "category": concept(ACTIVITY_KIND, kind),
            "subject": {"reference": person.reference},
            "performedDateTime": self.time(timedelta(hours=-1)),
            "performer": [{"actor": {"reference": self.refs["role"]}, "onBehalfOf": {"reference": self.refs["unit"]}}],
            **elements,
        }

    def coordination(self, person: Person, **elements: Any) -> Json:
        """A consent to coordination, oral."""
        return {
            "resourceType": "Consent",
            "status": "active",
            "scope": concept(CONSENT_SCOPE, "treatment"),
            "category": [concept(CONSENT_KIND, "coordination")],
            "patient": {"reference": person.reference},
            "dateTime": self.time(),
            "policy": [{"uri": LAW_2019_1297}],
            "verification": [self._oral(person)],
            **elements,
        }

    def disclosure(
        self,
        person: Person,
        recipient: str = "fk",
        categories: Sequence[str] = ("assumed_rehab_need", "contact_details"),
        effect: str = "permit",
        **elements: Any,
    ) -> Json:
        """A consent to disclosure to one recipient for half a year, or with ``deny`` the refusal of it."""
        today = swedish_day(self.clock.now())
        return {
            "resourceType": "Consent",
            "status": "active",
            "scope": concept(CONSENT_SCOPE, "patient-privacy"),
            "category": [concept(CONSENT_KIND, "disclosure"), concept(ACT_CODE, "IDSCL")],
            "patient": {"reference": person.reference},
            "dateTime": self.time(),
            "performer": [{"reference": person.reference}],
            "organization": [{"reference": self.refs["unit"]}],
            "policy": [{"uri": LAW_2019_1297}],
            "verification": [self._oral(person)],
            "provision": {
                "type": effect,
                "period": {"start": f"{today}", "end": f"{today + timedelta(days=180)}"},
                "actor": [
                    {"role": concept(PARTICIPATION_TYPE, "CST"), "reference": {"reference": self.refs["unit"]}},
                    {"role": concept(PARTICIPATION_TYPE, "IRCP"), "reference": {"reference": self.refs[recipient]}},
                ],
                "action": [concept(CONSENT_ACTION, "disclose")],
                "purpose": [{"system": ACT_REASON, "code": "COC"}],
                "code": [concept(INFORMATION_CATEGORY, category) for category in categories],
            },
            **elements,
        }

    def request(self, person: Person, certificate: str = "", recipient: str = "fk", **elements: Any) -> Json:
        """A person's judgement that a need may be assumed, to be told to a recipient (4 §)."""
        parts = (("assumed_rehab_need", "Behov kan antas."), ("contact_details", "Nås vardagar 8-10."))
        about = {"about": [{"identifier": {"system": CERTIFICATE_ID, "value": certificate}}]} if certificate else {}
        return {
            "resourceType": "CommunicationRequest",
            "status": "active",
            "category": [concept(NOTIFICATION_TOPIC, "assumed-rehab-need")],
            "subject": {"reference": person.reference},
            **about,
            "payload": [
                {"extension": [{"url": EXT_INFORMATION_CATEGORY, "valueCode": category}], "contentString": text}
                for category, text in parts
            ],
            "authoredOn": self.time(),
            "requester": {"reference": self.refs["role"]},
            "recipient": [{"reference": self.refs[recipient]}],
            **elements,
        }

    def goal(self, person: Person, ladder: Sequence[tuple[int, int]] = ((10, 75), (40, 50), (70, 25))) -> Json:
        """A goal with tapering: (days from today, degree)."""
        today = swedish_day(self.clock.now())
        return {
            "resourceType": "Goal",
            "lifecycleStatus": "active",
            "description": {"text": "Åter i ordinarie arbete"},
            "subject": {"reference": person.reference},
            "target": [
                {
                    "measure": concept(WORK_ABILITY, "assessed-reduction"),
                    "detailQuantity": {"value": degree, "unit": "%", "system": UCUM, "code": "%"},
                    "dueDate": f"{today + timedelta(days=days)}",
                }
                for days, degree in ladder
            ],
        }

    def plan(self, person: Person, goal: str, **elements: Any) -> Json:
        """A sjukskrivnings- och rehabiliteringsplan with a goal."""
        today = swedish_day(self.clock.now())
        return {
            "resourceType": "CarePlan",
            "status": "active",
            "intent": "plan",
            "category": [concept(PLAN_KIND, "sjukskrivnings-och-rehabiliteringsplan")],
            "title": "Sjukskrivnings- och rehabiliteringsplan",
            "subject": {"reference": person.reference},
            "period": {"start": f"{today}", "end": f"{today + timedelta(days=100)}"},
            "author": {"reference": self.refs["unit"]},
            "goal": [{"reference": goal}],
            **elements,
        }

    def time(self, distance: timedelta = timedelta(0)) -> str:
        """The time that far from now, as a record system in Sweden writes it."""
        return (self.clock.now() + distance).astimezone(STOCKHOLM).isoformat(timespec="seconds")

    def _oral(self, person: Person) -> Json:
        return {
            "extension": [{"url": EXT_CONSENT_MODE, "valueCode": "VERBAL"}],
            "verified": True,
            "verifiedWith": {"reference": person.reference},
            "verificationDate": self.time(),
        }


@dataclass(slots=True)
class Flow:
    """The running service as callers, operators and the other side see it."""

    UNIT: ClassVar = UNIT
    OTHER_UNIT: ClassVar = OTHER_UNIT
    PROVIDER: ClassVar = PROVIDER
    COORDINATOR: ClassVar = COORDINATOR
    DOCTOR: ClassVar = DOCTOR

    app: ASGIApp
    settings: Settings
    world: MockWorld
    callers: dict[str, httpx.AsyncClient]
    forms: Forms
    people: Iterator[Person] = field(default_factory=synthetic_people)

    @staticmethod
    def lifespan(app: ASGIApp) -> AbstractAsyncContextManager[None]:
        """Start and stop another application as a server does."""
        return _lifespan(app)

    # Who calls

    @property
    def coordinator(self) -> httpx.AsyncClient:
        """On the unit, with every right."""
        return self.callers["coordinator"]

    @property
    def reader(self) -> httpx.AsyncClient:
        """On the unit, may read FHIR alone."""
        return self.callers["reader"]

    @property
    def colleague(self) -> httpx.AsyncClient:
        """On the unit, with every right but to see what is restricted."""
        return self.callers["colleague"]

    @property
    def lister(self) -> httpx.AsyncClient:
        """On the unit, may list the outbox alone."""
        return self.callers["lister"]

    @property
    def neighbour(self) -> httpx.AsyncClient:
        """On another unit of the same care provider."""
        return self.callers["neighbour"]

    @property
    def stranger(self) -> httpx.AsyncClient:
        """At another care provider."""
        return self.callers["stranger"]

    @property
    def doctor(self) -> httpx.AsyncClient:
        """On the unit, as the doctor who issues every certificate that names no other."""
        return self.callers["doctor"]

    @property
    def locum(self) -> httpx.AsyncClient:
        """As the same doctor, without the right to see what is restricted."""
        return self.callers["locum"]

    @property
    def nobody(self) -> httpx.AsyncClient:
        """Without a token."""
        return self.callers["nobody"]

    # What comes in

    async def post(self, resource: Json, client: httpx.AsyncClient | None = None) -> Json:
        """Create it and give back what is stored then."""
        response = await (client or self.coordinator).post(f"/fhir/{resource['resourceType']}", json=resource)
        assert response.status_code in (200, 201), response.text
        stored: Json = response.json()
        return stored

    async def put(self, resource: Json) -> Json:
        """Update it and give back what is stored then."""
        response = await self.coordinator.put(f"/fhir/{resource['resourceType']}/{resource['id']}", json=resource)
        assert response.status_code == 200, response.text
        stored: Json = response.json()
        return stored

    async def refused(self, resource: Json, status: int = 422) -> list[Json]:
        """The issues with which a create is refused."""
        response = await self.coordinator.post(f"/fhir/{resource['resourceType']}", json=resource)
        assert response.status_code == status, response.text
        issues: list[Json] = response.json()["issue"]
        return issues

    async def patient(self, client: httpx.AsyncClient | None = None) -> Person:
        """Somebody new, introduced by the record system."""
        person = next(self.people)
        identifier = [{"system": PERSONNUMMER.fhir, "value": person.number}]
        stored = await self.post(
            {"resourceType": "Patient", "identifier": identifier, "name": [{"text": person.name}]}, client
        )
        return Person(person.number, person.name, stored["id"])

    async def consenting(self, *recipients: str) -> Person:
        """Somebody new who consents to coordination, and to disclosure to the recipients."""
        person = await self.patient()
        await self.post(self.forms.coordination(person))
        for recipient in recipients:
            await self.post(self.forms.disclosure(person, recipient))
        return person

    async def request(self, person: Person, **elements: Any) -> str:
        """Ask that Försäkringskassan is told; a certificate is known there. The reference of the request."""
        certificate = self.certify(person)
        stored = await self.post(self.forms.request(person, certificate, **elements))
        return f"CommunicationRequest/{stored['id']}"

    def certify(self, person: Person, first: int = -10, last: int = 20, *, id: str = "", **elements: Any) -> str:
        """A certificate that covers these days from today, known to the feed and to Försäkringskassan; its id."""
        today = swedish_day(self.clock.now())
        name = id or f"intyg-{person.number[:8]}-{first}-{last}"
        period = PeriodIn(start=today + timedelta(days=first), end=today + timedelta(days=last), degree=100)
        given: Json = {
            "id": name,
            "personal_number": person.number,
            "patient_name": person.name,
            "unit": UNIT,
            "provider": PROVIDER,
            "doctor": DOCTOR,
            "doctor_name": "Dag Doktor",
            "signed": self.clock.now() - timedelta(days=30),
            "diagnosis": "F438A",
            "occupations": ("NUVARANDE_ARBETE",),
            "periods": (period,),
            **elements,
        }
        self.world.register(CertificateIn(**given))
        return name

    # Time

    @property
    def clock(self) -> MovableClock:
        """The one clock."""
        return self.world.clock

    # What comes out

    def promised(self, about: str, destination: str = "forsakringskassan") -> list[Promised]:
        """The messages about a resource to a destination, in the order in which they were promised."""
        found = self.rows(
            "SELECT id, destination, state, attempts, next_try, reason FROM outbox "
            "WHERE about = ? AND destination = ? ORDER BY number",
            about,
            destination,
        )
        return [
            Promised(id, to, state, attempts, None if due is None else from_micros(due), reason)
            for id, to, state, attempts, due, reason in found
        ]

    async def until(
        self, about: str, state: str, destination: str = "forsakringskassan", attempts: int = 0
    ) -> Promised:
        """Wait until a message about the resource is in the state, after as many tries at least."""
        found: list[Promised] = []
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            found = self.promised(about, destination)
            for each in found:
                if each.state == state and each.attempts >= attempts:
                    return each
            await asyncio.sleep(0.02)
        raise AssertionError(f"waited for {state} of {destination}, found {found}")

    async def quiet(self) -> None:
        """Wait until nothing is on its way."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            if not self.rows("SELECT 1 FROM outbox WHERE state IN ('waiting', 'claimed')"):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("something is still on its way")

    def order(self, system: str, *faults: Fault) -> None:
        """Let a counterpart misbehave."""
        self.world.counterparts[system].room().order(list(faults))

    def ledger(self, system: str = "forsakringskassan") -> list[Entry]:
        """What a counterpart has received."""
        return self.world.counterparts[system].room().ledger.entries

    def accepted(self, id: str, system: str = "forsakringskassan") -> int:
        """How often a counterpart has accepted what has that id."""
        return sum(entry.accepted for entry in self.ledger(system) if entry.id == id)

    def events(self, about: str) -> list[Json]:
        """The CloudEvents about a resource that the regional platform has taken."""
        entries = [entry for entry in self.ledger("regional_platform") if entry.summary.get("subject") == about]
        return [orjson.loads(entry.request) for entry in entries if entry.accepted]

    @asynccontextmanager
    async def paused(self, destination: str = "forsakringskassan") -> AsyncIterator[None]:
        """An operator lets nothing be sent to the destination meanwhile."""
        address = f"/api/destinations/{destination}"
        assert (await self.coordinator.post(f"{address}/pause", json={"why": "a test"})).status_code == 204
        try:
            yield
        finally:
            assert (await self.coordinator.post(f"{address}/resume")).status_code == 204

    # What is stored

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the database, read beside the service."""
        return beside.rows(self.settings.database_place, statement, *values)

    def change(self, statement: str, *values: object) -> None:
        """Spoil the database beside the service."""
        beside.change(self.settings.database_place, statement, *values)

    def no_room(self, table: str) -> AbstractContextManager[None]:
        """The table takes no row meanwhile."""
        return beside.no_room(self.settings.database_place, table)

    async def stored(self) -> list[tuple[Any, ...]]:
        """Everything that a refused request must leave as it was, when the relay has come to rest."""
        await self.quiet()
        tables = ("resource", "history", "token_index", "decision", "access_log", "outbox", "certificate")
        return [self.rows(f"SELECT count(*) FROM {table}")[0] for table in tables]  # noqa: S608 - our own names

    def accesses(self, person: Person, request_id: str = "") -> list[tuple[Any, ...]]:
        """The access log's rows about somebody: employee, action, resource, interaction; of one request or of all."""
        return self.rows(
            "SELECT employee, action, resource, interaction FROM access_log "
            "WHERE patient = ? AND ? IN ('', request_id) ORDER BY number",
            person.id,
            request_id,
        )


def concept(system: str, code: str) -> Json:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code}]}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Stories in which the database has a part are told on both engines; with ``REKO_TEST_DATABASE=postgres`` all are on
    PostgreSQL."""
    everywhere = os.environ.get("REKO_TEST_DATABASE")
    engines = [everywhere] if everywhere else ["sqlite", "postgres"]
    if "databases" in metafunc.fixturenames and (everywhere or metafunc.module.__name__.rpartition(".")[2] in _ON_BOTH):
        metafunc.parametrize("databases", engines, indirect=True, scope="module")


_ON_BOTH: Final = {
    "test_audit_search",
    "test_concurrency",
    "test_deliver",
    "test_dialogue",
    "test_never_twice_never_wrong",
    "test_search",
}

Databases = Callable[[Path], str]
"""The setting that names the database of a home."""


@pytest.fixture(scope="module")
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Of the engine that the tests are told on."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield lambda _: ""
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    homes: set[Path] = set()

    def database(home: Path) -> str:
        homes.add(home)
        return cluster.database(home, TEMPLATE)

    yield database
    for home in homes:
        cluster.drop(home)


@pytest.fixture(scope="module")
async def service(anyio_backend: str, databases: Databases) -> AsyncIterator[Flow]:
    """One service for all tests of a module."""
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory(dir=_MEMORY) as home:
        _look_often(patch)
        async with serving(Path(home), database=databases(Path(home))) as served:
            yield served


def _look_often(patch: pytest.MonkeyPatch) -> None:
    """At the movable clock, which rings no bell."""
    for module in (relay, rounds, watching, fetching):
        patch.setattr(module, "IDLE", 0.02)


_MEMORY: Final = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - each home in it is a new, private one
"""Where the disk need not be waited for: what survives a power cut is not asked here."""


@pytest.fixture
async def flow(service: Flow) -> AsyncIterator[Flow]:
    """The service. After the test nobody misbehaves, no route is held, and nothing of it is on its way any more."""
    yield service
    for system in service.world.counterparts:
        service.order(system)
    for id, destination in service.rows(_UNSENT):
        await service.coordinator.post(f"/api/outbox/{id}/cancel", json={"why": "the test is over"})
        await service.coordinator.post(f"/api/destinations/{destination}/resume")


_UNSENT: Final = "SELECT id, destination FROM outbox WHERE state IN ('waiting', 'retrying', 'parked')"


@pytest.fixture
async def serve(
    anyio_backend: str, databases: Databases
) -> AsyncIterator[Callable[..., AbstractAsyncContextManager[Flow]]]:
    """Serves on a given database, for tests that stop the service or start it anew."""
    with pytest.MonkeyPatch.context() as patch:
        _look_often(patch)
        yield lambda home, *given, **more: serving(home, *given, database=databases(home), **more)


@pytest.fixture
def own_logging() -> Iterator[None]:
    """The command sets up logging for its whole process: afterwards it is as it was."""
    root = logging.getLogger()
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("", "httpx", "httpcore")}
    root.handlers[:] = []
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@asynccontextmanager
async def serving(
    home: Path,
    world: MockWorld | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    *,
    national: bool = False,
    sdk: bool = False,
    **changed: Any,
) -> AsyncIterator[Flow]:
    """The service on the database in ``home``, with its lifespan, and the mock world as its surroundings, reached by
    ``transport`` if one is given. On a shared database there are two of it, asked in turn, and two workers. With
    ``national`` it may ask the national engine, with ``sdk`` it has a message service; ``changed`` are settings."""
    care = _Care()
    world = world or MockWorld(MovableClock(), courier=Courier(care))
    settings = _settings(home).model_copy(update=changed)
    if national:
        settings.adapters["intygstjanst"]["rest_url"] = "http://mocks/intygstjanst/internalapi"
    if sdk:
        settings.adapters["sdk"] = _message_service(home)
    mocks = transport or httpx.ASGITransport(app=world.app())
    made = [create_app, create_app, create_worker, create_worker] if settings.is_shared else [create_app]
    apps = [make(settings, dict.fromkeys(settings.adapters, mocks), world.clock) for make in made]
    app = care.app = _InTurn(apps[:2])
    async with AsyncExitStack() as stack:
        for each in apps:
            await stack.enter_async_context(_lifespan(each))
        callers = {name: await stack.enter_async_context(_client(app, name)) for name in (*_CALLERS, "nobody")}
        yield Flow(app, settings, world, callers, Forms(await _introduced(callers["coordinator"]), world.clock))


def _message_service(home: Path) -> Json:
    """SDK, with the addresses of Försäkringskassan, and of Arbetsförmedlingen and a municipality as they are in the mock world."""
    book = home / "sdk.toml"
    book.write_text(_ADDRESSES, encoding="utf-8")
    place = {"url": "http://mocks/message_service", "addresses": book, "token": "of-the-tests"}
    return place | {"connect_seconds": 0.1, "timeout_seconds": 0.7}


_ADDRESSES: Final = f"""organisation = "0203:region.example"
[units]
"{UNIT}" = "sdk:inkorg:0203:region.example:eken"

[[party]]
kind = "forsakringskassan"
name = "Försäkringskassan"
organisation = "0203:fk.example"
address = "sdk:inkorg:0203:fk.example"

[[party]]
kind = "arbetsformedlingen"
name = "Arbetsförmedlingen"
organisation = "0203:arbetsformedlingen.example"
address = "sdk:inkorg:0203:arbetsformedlingen.example"

[[party]]
kind = "municipality"
number = "2120009994"
name = "Exempelstads kommun"
organisation = "0203:exempelstad.example"
address = "sdk:inkorg:0203:exempelstad.example:socialtjansten"
"""


class _Care(httpx.AsyncBaseTransport):
    """Where the other parties' messages end: in the service itself."""

    app: ASGIApp

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await httpx.ASGITransport(app=self.app).handle_async_request(request)


class _InTurn:
    """What stands in front of several services."""

    def __init__(self, apps: Sequence[ASGIApp]) -> None:
        self._next = cycle(apps)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await next(self._next)(scope, receive, send)


def _settings(home: Path) -> Settings:
    clients = home / "clients.toml"
    clients.write_text("".join(map(_entry, _CALLERS)), encoding="utf-8")
    short = {"connect_seconds": 0.1, "timeout_seconds": 0.7}
    return Settings(
        data=home,
        database="",
        clients=clients,
        clock_url="",
        care_provider=PROVIDER,
        region="vgr",
        public_url="http://reko",
        adapters={
            "forsakringskassan": {"url": "http://mocks/forsakringskassan", **short},
            "regional_platform": {"url": "http://mocks/regional_platform", **short},
            "ehr": {"url": "http://mocks/ehr", **short},
            "intygstjanst": {"url": "http://mocks/intygstjanst"},
            "block_service": {"url": "http://mocks/block_service", **short},
        },
    )


def _entry(name: str) -> str:
    employee, unit, provider, rights = _CALLERS[name]
    role = f'role = "{Role.DOCTOR}"' if employee == DOCTOR else ""
    return f"""[[client]]
{role}
token_sha256 = "{token_hash(f"token-of-{name}")}"
employee = "{employee}"
commission = "{provider}-uppdrag"
care_unit = "{unit}"
care_provider = "{provider}"
care_provider_is_public = {"true" if provider == PROVIDER else "false"}
rights = [{", ".join(f'"{right.value}"' for right in rights)}]
"""


def _client(app: ASGIApp, name: str) -> httpx.AsyncClient:
    bearer = {} if name == "nobody" else {"Authorization": f"Bearer token-of-{name}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://reko", headers=bearer)


@asynccontextmanager
async def _lifespan(app: ASGIApp) -> AsyncIterator[None]:
    """Start and stop the application as a server does."""
    said: asyncio.Queue[Message] = asyncio.Queue()
    heard: asyncio.Queue[Message] = asyncio.Queue()
    running = asyncio.create_task(_live(app, said, heard))
    await said.put({"type": "lifespan.startup"})
    answer = await heard.get()
    assert answer["type"] == "lifespan.startup.complete", answer
    try:
        yield
    finally:
        await said.put({"type": "lifespan.shutdown"})
        await running


async def _live(app: ASGIApp, said: asyncio.Queue[Message], heard: asyncio.Queue[Message]) -> None:
    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, said.get, heard.put)


async def _introduced(client: httpx.AsyncClient) -> dict[str, str]:
    """The organisations and the coordinator that records point at."""

    async def known(resource: Json) -> str:
        response = await client.post(f"/fhir/{resource['resourceType']}", json=resource)
        assert response.status_code == 201, response.text
        return f"{resource['resourceType']}/{response.json()['id']}"

    provider = await known(_organization(HSA_ID.fhir, PROVIDER, "Exempelregionen"))
    unit = _organization(HSA_ID.fhir, UNIT, "Vårdcentralen Exempel") | {
        "telecom": [{"system": "phone", "value": "010-000 00 00"}],
        "address": [{"line": ["Exempelgatan 1"], "postalCode": "400 00", "city": "Göteborg"}],
        "partOf": {"reference": provider},
    }
    employer = _organization(ORGANISATION_NUMBER.fhir, EMPLOYER, "Exempelbolaget AB")
    refs = {
        "unit": await known(unit),
        "fk": await known(_organization(ORGANISATION_NUMBER.fhir, FK, "Försäkringskassan")),
        "employer": await known(employer | {"type": [concept(RECIPIENT_KIND, "employer")]}),
    }
    identifier = [{"system": HSA_ID.fhir, "value": COORDINATOR}]
    person = {"resourceType": "Practitioner", "identifier": identifier, "name": [{"text": "Karin Koordinator"}]}
    role = {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": await known(person)},
        "organization": {"reference": refs["unit"]},
    }
    return refs | {"role": await known(role)}


def _organization(system: str, number: str, name: str) -> Json:
    return {"resourceType": "Organization", "identifier": [{"system": system, "value": number}], "name": name}
