"""The mock national services as one ASGI application: each counterpart under its own prefix, control under ``/_control``.

``reko mock`` runs it for people; tests mount it or single mocks in-process. It accepts synthetic persons only (decision D28)
and moves the clock that it owns (decision D27).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any, Final

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from adapters.forsakringskassan import mock as fk
from adapters.intygstjanst import mock as feed
from adapters.mocking import NAMESPACE_HEADER, Counterpart, Fault
from adapters.registry import ADAPTERS
from contracts.identity import HsaId, PersonId
from contracts.sick_leave import Certificate, CertificatePeriod
from contracts.time import swedish_day
from service.clock import MovableClock
from service.national_engine import exactly


class PeriodIn(BaseModel):
    """Whole days, both inclusive, and the degree in percent."""

    model_config = ConfigDict(extra="forbid")

    start: date
    end: date
    degree: int


class CertificateIn(BaseModel):
    """A certificate that the mock world shall know. ``sentToFk`` lets Försäkringskassan know it too."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )

    id: str
    personal_number: str
    patient_name: str = ""
    unit: str
    provider: str
    doctor: str = ""
    doctor_name: str = ""
    signed: AwareDatetime
    diagnosis: str | None = None
    occupations: tuple[str, ...] = ()
    periods: tuple[PeriodIn, ...]
    sent_to_fk: bool = True
    revoked: bool = False

    def certificate(self) -> Certificate:
        """As the feed tells it. Raises ``ValueError`` for a person who could be real."""
        person = PersonId(self.personal_number)
        if not person.is_synthetic:
            raise ValueError("only numbers of the test series are accepted here")
        return Certificate(
            id=self.id,
            patient=person,
            unit=HsaId(self.unit),
            periods=tuple(CertificatePeriod(each.start, each.end, each.degree) for each in self.periods),
            signed=self.signed,
            patient_name=self.patient_name,
            provider=HsaId(self.provider),
            doctor=self.doctor,
            doctor_name=self.doctor_name,
            diagnosis=self.diagnosis,
            occupations=self.occupations,
        )


class _ClockIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime | None = None
    advance: timedelta | None = None


class MockWorld:
    """All counterparts of the registry, and their clock."""

    def __init__(self, clock: MovableClock) -> None:
        self.clock = clock
        self.counterparts = {name: Counterpart(name, clock.now) for name in ADAPTERS}
        feed.compute_with(self.counterparts["intygstjanst"], exactly)

    def app(self) -> Starlette:
        """The application."""
        mounts = [Mount(f"/{name}", ADAPTERS[name].mock(each)) for name, each in self.counterparts.items()]
        return Starlette(
            routes=[*mounts, *(Route(path, self._answer(deed), methods=[m]) for m, path, deed in _CONTROL)]
        )

    def register(self, given: CertificateIn, namespace: str = "") -> None:
        """Make a certificate known to the feed, and to Försäkringskassan if it was sent there."""
        certificate = given.certificate()
        if not given.revoked:
            feed.register(self.counterparts["intygstjanst"], [certificate], namespace)
        if given.sent_to_fk:
            known = fk.CertificateAtRecipient(
                certificate.id, certificate.patient.digits, certificate.unit.value, True, given.revoked
            )
            fk.register(self.counterparts["forsakringskassan"], [known], namespace)

    def populate(self, seed: int, unit: HsaId, provider: HsaId, patients: int) -> int:
        """Generate a unit's certificates; how many there are."""
        certificates = feed.generate(seed, unit, provider, patients, swedish_day(self.clock.now()))
        feed.register(self.counterparts["intygstjanst"], certificates)
        return len(certificates)

    def populate_region(self, seed: int, units: int, patients: int) -> int:
        """Generate so many units with so many patients each; how many certificates there are. Raises ``Invalid`` for more
        people than the test series hold."""
        region = feed.generate_region(seed, units, patients, swedish_day(self.clock.now()))
        feed.register_region(self.counterparts["intygstjanst"], region)
        return sum(len(unit.certificates) for unit in region.values())

    def _answer(self, deed: "_Deed") -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return _json(deed(self, request, await request.body()))
            except _Unknown:
                return _json({"error": "there is no such system", "systems": sorted(self.counterparts)}, 404)
            except ValidationError as error:
                found = error.errors(include_input=False, include_url=False, include_context=False)
                return _json(
                    {"error": [{"at": ".".join(map(str, each["loc"])), "text": each["msg"]} for each in found]}, 422
                )
            except ValueError as error:
                return _json({"error": str(error)}, 422)

        return endpoint

    def counterpart(self, request: Request) -> Counterpart:
        """The system in the address."""
        system = request.path_params["system"]
        if system not in self.counterparts:
            raise _Unknown
        return self.counterparts[system]


class _Unknown(Exception):
    """No such system."""


_Deed = Callable[[MockWorld, Request, bytes], Any]


def _namespace(request: Request) -> str:
    return request.headers.get(NAMESPACE_HEADER, "")


def _index(world: MockWorld, _: Request, __: bytes) -> Any:
    return {
        "systems": {name: ADAPTERS[name].title for name in world.counterparts},
        "control": [f"{method} {path}" for method, path, _ in _CONTROL],
    }


def _ledger(world: MockWorld, request: Request, _: bytes) -> Any:
    counterpart = world.counterpart(request)
    return [asdict(entry) for entry in counterpart.room(_namespace(request)).ledger.entries]


def _ledgers(world: MockWorld, request: Request, _: bytes) -> Any:
    namespace = _namespace(request)
    return {
        name: {
            "received": len((ledger := each.room(namespace).ledger).entries),
            "accepted": ledger.accepted_ids(),
        }
        for name, each in world.counterparts.items()
    }


def _clear(world: MockWorld, request: Request, _: bytes) -> Any:
    wanted = [world.counterpart(request)] if "system" in request.path_params else world.counterparts.values()
    for counterpart in wanted:
        counterpart.reset(_namespace(request))
    return {"cleared": [counterpart.system for counterpart in wanted]}


def _order(world: MockWorld, request: Request, body: bytes) -> Any:
    faults = _FAULTS.validate_json(body)
    listed = faults if isinstance(faults, list) else [faults]
    world.counterpart(request).room(_namespace(request)).order(listed)
    return {"ordered": len(listed)}


def _calm(world: MockWorld, request: Request, _: bytes) -> Any:
    world.counterpart(request).room(_namespace(request)).order([])
    return {"ordered": 0}


def _time(world: MockWorld, _: Request, __: bytes) -> Any:
    return {"now": world.clock.now().isoformat()}


def _move(world: MockWorld, _: Request, body: bytes) -> Any:
    wish = _ClockIn.model_validate_json(body)
    if (wish.now is None) == (wish.advance is None):
        raise ValueError("give either now or advance")
    if wish.now is not None:
        world.clock.move_to(wish.now)
    if wish.advance is not None:
        world.clock.advance(wish.advance)
    return {"now": world.clock.now().isoformat()}


def _certificates(world: MockWorld, request: Request, body: bytes) -> Any:
    given = _CERTIFICATES.validate_json(body)
    for each in given:
        each.certificate()
    for each in given:
        world.register(each, _namespace(request))
    return {"registered": len(given)}


def _mode(world: MockWorld, request: Request, body: bytes) -> Any:
    feed.configure(world.counterparts["intygstjanst"], _MODE.validate_json(body), _namespace(request))
    return {"mode": _MODE.validate_json(body)}


_FAULTS: Final[TypeAdapter[list[Fault] | Fault]] = TypeAdapter(list[Fault] | Fault)
_CERTIFICATES: Final[TypeAdapter[list[CertificateIn]]] = TypeAdapter(list[CertificateIn])
_MODE: Final[TypeAdapter[feed.Mode]] = TypeAdapter(feed.Mode)

_CONTROL: Final[tuple[tuple[str, str, _Deed], ...]] = (
    ("GET", "/", _index),
    ("GET", "/_control/ledger", _ledgers),
    ("DELETE", "/_control/ledger", _clear),
    ("GET", "/_control/ledger/{system}", _ledger),
    ("DELETE", "/_control/ledger/{system}", _clear),
    ("PUT", "/_control/faults/{system}", _order),
    ("DELETE", "/_control/faults/{system}", _calm),
    ("GET", "/_control/clock", _time),
    ("PUT", "/_control/clock", _move),
    ("PUT", "/_control/certificates", _certificates),
    ("PUT", "/_control/mode/intygstjanst", _mode),
)


def _json(content: Mapping[str, Any] | list[Any], status: int = 200) -> Response:
    return Response(orjson.dumps(content, default=_plain), status, media_type="application/json")


def _plain(value: object) -> object:
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
