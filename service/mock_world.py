"""The mock national services as one ASGI application: each counterpart under its own prefix, control under ``/_control``.

``reko mock`` runs it for people; tests mount it or single mocks in-process. It accepts synthetic persons only (decision D28)
and moves the clock that it owns (decision D27).
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from adapters.block_service import mock as block_service
from adapters.block_service.mock import Block
from adapters.forsakringskassan import inbound, mock_control
from adapters.forsakringskassan import mock as fk
from adapters.intygstjanst import mock as feed
from adapters.mocking import describing, page
from adapters.mocking.control import Asked, Row, answered, routes
from adapters.mocking.control_rows import ROWS
from adapters.mocking.counterpart import InNamespace
from adapters.mocking.courier import Courier
from adapters.mocking.ledger import LEDGER_SIZE
from adapters.mocking.services import (
    SERVICES,
    consent_service,
    hsa_directory,
    identity_provider,
    log_service,
    national_platform,
)
from adapters.mocking.services.hsa_directory import control as hsa_control
from adapters.mocking.services.national_platform import Producer
from adapters.mocking.world import World
from adapters.regional_platform import mock_control as platform_control
from adapters.registry import ADAPTERS
from adapters.sdk import mock_control as sdk_control
from adapters.sdk import mock_party
from adapters.sdk.mock_parties import PARTIES
from contracts.certificate import Likely, MedicalCertificate
from contracts.identity import FORSAKRINGSKASSAN, HsaId, PersonId
from contracts.sick_leave import Certificate, CertificatePeriod
from contracts.time import swedish_day
from service.clock import MovableClock
from service.national_engine import exactly

ANSWERS: Final = inbound.PATH
"""Where care takes what Försäkringskassan's officer says, below its ``/soap``."""


class PeriodIn(BaseModel):
    """Whole days, both inclusive, and the degree in percent."""

    model_config = ConfigDict(extra="forbid")

    start: date
    end: date
    degree: int


class CertificateIn(BaseModel):
    """A certificate that the mock world shall know. ``sentToFk`` lets Försäkringskassan know it too. Of the form itself its
    ``version``, ``contactWished`` (26.1) and ``contactReason`` (26.2) may be said; what is not said is made up."""

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
    version: Literal[1, 2] | None = None
    contact_wished: bool | None = None
    contact_reason: str = ""

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

    def form(self) -> MedicalCertificate:
        """As it is read when it is asked for as a whole. Raises as ``certificate``."""
        made = feed.filled(self.certificate())
        wished = made.contact_wished if self.contact_wished is None else self.contact_wished
        reason = self.contact_reason or (made.contact_reason if wished else "")
        if self.version not in (None, made.version):
            made = replace(made, version=self.version, measures=(), prognosis=Likely())
        sent = made.sent_to_fk if self.sent_to_fk else None
        return replace(made, contact_wished=wished, contact_reason=reason, sent_to_fk=sent, revoked=self.revoked)


class BlockIn(BaseModel):
    """A patient's block: inner on one unit's information, or outer, without a unit, on a care provider's."""

    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )

    personal_number: str
    provider: str
    unit: str = ""

    def block(self) -> Block:
        """As the block service knows it. Raises ``ValueError`` for a person who could be real."""
        person = PersonId(self.personal_number)
        if not person.is_synthetic:
            raise ValueError("only numbers of the test series are accepted here")
        return Block(person.digits, HsaId(self.provider).value, HsaId(self.unit).value if self.unit else "")


INERA: Final = "5565594230"
"""The logical address of Inera's national services."""
SECURITY_SERVICES: Final = "SE165565594230-1000"
"""That of the national security services."""
PLATFORM: Final = "national_platform"
IDP: Final = "identity_provider"
TITLES: Final[Mapping[str, str]] = {
    **{adapter.prefix: adapter.title for adapter in ADAPTERS.values()},
    **{name: each.title for name, each in SERVICES.items()},
    **{name: each.title for name, each in PARTIES.items()},
    PLATFORM: national_platform.TITLE,
    IDP: identity_provider.TITLE,
}
"""Every counterpart, and what it is called."""


def _producers(apps: Mapping[str, ASGIApp]) -> Mapping[str, Producer]:
    """Who answers behind the platform: the path under which it publishes an interaction, and the address."""
    inera = apps["consent_service"], apps["log_service"]
    offered = (
        (fk.PATH, FORSAKRINGSKASSAN.value, apps["forsakringskassan"]),
        *((path, INERA, apps["intygstjanst"]) for path in feed.PLATFORM_PATHS),
        *((operation.path, INERA, inera[0]) for operation in (consent_service.CHECK, consent_service.REGISTER)),
        (log_service.STORE.path, INERA, inera[1]),
        (block_service.CHECK.path, SECURITY_SERVICES, apps["block_service"]),
        *((operation.path, SECURITY_SERVICES, apps["hsa_directory"]) for operation in hsa_directory.OPERATIONS),
    )
    return {path: Producer(address, path, app) for path, address, app in offered}


class MockWorld(World):
    """All counterparts of the registry, and their clock."""

    clock: MovableClock

    def __init__(self, clock: MovableClock, size: int = LEDGER_SIZE, courier: Courier | None = None) -> None:
        super().__init__(clock, TITLES, size, courier)
        self._begin()

    def _begin(self) -> None:
        feed.compute_with(self.counterparts["intygstjanst"], exactly)

    def forget(self, namespace: str = "") -> None:
        """See ``World.forget``; the engine that everybody's sick leaves are computed with is there again."""
        super().forget(namespace)
        self._begin()

    def app(self) -> Starlette:
        """The application. In a namespace of its own under ``/_ns/{namespace}/...``, for clients that set no headers."""
        apps = {each.prefix: each.mock(self.counterparts[each.prefix]) for each in ADAPTERS.values()}
        apps |= {name: SERVICES[name].create(self.counterparts[name]) for name in SERVICES}
        apps |= {name: self._party(name) for name in PARTIES}
        known = partial(hsa_directory.claims, self.counterparts["hsa_directory"])
        apps[IDP] = identity_provider.create(self.counterparts[IDP], known=known)
        apps[PLATFORM] = national_platform.create(self.counterparts[PLATFORM], _producers(apps))
        control = routes(self, _rows(self))
        mounts = {name: Mount(f"/{name}", app) for name, app in apps.items()}
        told = {name: describing.contracts(mount.path, mount.routes) for name, mount in mounts.items()}
        doors = [Route(f"/{name}", describing.door(TITLES[name], told[name])) for name in mounts]
        pages = page.routes(Starlette(routes=control), partial(_index, told))
        inner = Starlette(routes=[*doors, *mounts.values(), *pages, *control])
        self.around.inside = inner
        return Starlette(
            routes=[Mount("/_ns/{namespace}", InNamespace(inner)), Mount("/", inner)], lifespan=self._alive
        )

    def _party(self, name: str) -> ASGIApp:
        return mock_party.create(self.counterparts[name], PARTIES[name], self.counterparts["message_service"])

    @asynccontextmanager
    async def _alive(self, _: Starlette) -> AsyncIterator[None]:
        """While it is served, what is due is done, and proxies stop at the end."""
        running = asyncio.create_task(self.run())
        try:
            yield
        finally:
            running.cancel()
            await self.close()

    def register(self, given: CertificateIn, namespace: str = "") -> None:
        """Make a certificate known to the feed, and to Försäkringskassan if it was sent there."""
        certificate = given.certificate()
        feed.fill(self.counterparts["intygstjanst"], given.form(), namespace)
        hsa_directory.learn(self.counterparts["hsa_directory"], [certificate], namespace)
        if not given.revoked:
            feed.register(self.counterparts["intygstjanst"], [certificate], namespace)
            for care_unit, units in hsa_directory.above(
                self.counterparts["hsa_directory"], certificate.unit, namespace
            ):
                feed.subordinate(self.counterparts["intygstjanst"], care_unit, *units, namespace=namespace)
        if given.sent_to_fk:
            known = fk.CertificateAtRecipient(
                certificate.id, certificate.patient.digits, certificate.unit.value, True, given.revoked
            )
            fk.register(self.counterparts["forsakringskassan"], [known], namespace)

    def populate(self, seed: int, unit: HsaId, provider: HsaId, patients: int) -> int:
        """Generate a unit's certificates; how many there are."""
        certificates = feed.generate(seed, unit, provider, patients, swedish_day(self.clock.now()))
        feed.register(self.counterparts["intygstjanst"], certificates)
        hsa_directory.learn(self.counterparts["hsa_directory"], certificates)
        return len(certificates)

    def populate_region(self, seed: int, units: int, patients: int) -> int:
        """Generate so many units with so many patients each; how many certificates there are. Raises ``Invalid`` for more
        people than the test series hold."""
        region = feed.generate_region(seed, units, patients, swedish_day(self.clock.now()))
        feed.register_region(self.counterparts["intygstjanst"], region)
        for unit in region.values():
            hsa_directory.learn(self.counterparts["hsa_directory"], unit.certificates)
        return sum(len(unit.certificates) for unit in region.values())


def _index(contracts: Mapping[str, list[str]]) -> Response:
    return answered({"systems": TITLES, "contracts": contracts, "control": "/_control/openapi.json"})


def _certificates(world: MockWorld, asked: Asked) -> Any:
    given = _CERTIFICATES.validate_json(asked.body)
    for each in given:
        each.certificate()
    for each in given:
        world.register(each, asked.namespace)
    return {"registered": len(given)}


def _admit(asked: Asked) -> Any:
    rules = _RULES.validate_json(asked.body)
    asked.world.counterpart(PLATFORM).room(asked.namespace).state["rules"] = rules
    return rules.model_dump(mode="json", by_alias=True)


def _blocks(asked: Asked) -> Any:
    known = [each.block() for each in _BLOCKS.validate_json(asked.body)]
    block_service.register(asked.world.counterpart("block_service"), known, asked.namespace)
    return {"registered": len(known)}


def _mode(asked: Asked) -> Any:
    mode = _MODE.validate_json(asked.body)
    feed.configure(asked.world.counterpart("intygstjanst"), mode, asked.namespace)
    return {"mode": mode}


_CERTIFICATES: Final[TypeAdapter[list[CertificateIn]]] = TypeAdapter(list[CertificateIn])
_BLOCKS: Final[TypeAdapter[list[BlockIn]]] = TypeAdapter(list[BlockIn])
_MODE: Final[TypeAdapter[feed.Mode]] = TypeAdapter(feed.Mode)
_RULES: Final = TypeAdapter(national_platform.Rules)


def _rows(world: MockWorld) -> Iterable[Row]:
    """What this world's control can do: as any world's, and what its own counterparts take."""
    known = partial(_certificates, world)
    return (
        *ROWS,
        Row("PUT", "/_control/certificates", known, "Certificates that feed and recipient know", _CERTIFICATES),
        Row("PUT", "/_control/blocks", _blocks, "The blocks that are known", _BLOCKS),
        Row("PUT", "/_control/mode/intygstjanst", _mode, "Answer as the schema says, or as in reality", _MODE),
        Row("PUT", "/_control/platform", _admit, "Whom the national platform lets through, and its patience", _RULES),
        *mock_control.ROWS,
        *sdk_control.ROWS,
        *platform_control.ROWS,
        *hsa_control.ROWS,
    )
