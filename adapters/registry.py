"""ADAPTERS, one line each. To add an outside system: a folder here, and a line in one of the three tables.

By convention a folder has ``settings.Settings``, ``adapter.build`` and ``mock.create``. They are imported when asked
for, so that the service starts fast and never loads a mock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Protocol, TypeVar

import httpx

from adapters.http import Destination
from contracts.ports import (
    AddressBook,
    BlockSource,
    Certificates,
    CertificateSource,
    Channel,
    Clock,
    Entrance,
    Mailbox,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from adapters.mocking import Counterpart


class Open(Protocol):
    """Something that holds connections."""

    async def aclose(self) -> None:
        """Close them."""
        ...


class OpenChannel(Channel, Open, Protocol):
    """A channel with its connections."""


class OpenMailbox(OpenChannel, Mailbox, AddressBook, Protocol):
    """A channel in which the other parties' messages come too, with its connections."""


class OpenCertificateSource(CertificateSource, Certificates, Open, Protocol):
    """A source of certificates, listed and whole, with its connections."""


class OpenBlockSource(BlockSource, Open, Protocol):
    """A source of blocks with its connections."""


PortT = TypeVar("PortT", bound=Open, covariant=True)


@dataclass(frozen=True, slots=True)
class Adapter(Generic[PortT]):
    """One outside system: ``name`` is its folder and its settings key. ``counterpart`` is its name and prefix in the mock
    world, where that is another one."""

    name: str
    port: Literal["channel", "certificates", "blocks"]
    title: str
    counterpart: str = ""

    @property
    def prefix(self) -> str:
        """Its name in the mock world."""
        return self.counterpart or self.name

    def settings(self) -> type[Destination]:
        """The class of its settings."""
        found: type[Destination] = self._member("settings", "Settings")
        return found

    def build(self, settings: Destination, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> PortT:
        """The adapter, ready to use. Tests hand in a transport that ends in the mock."""
        built: PortT = self._member("adapter", "build")(settings, clock, transport)
        return built

    def mock(self, counterpart: "Counterpart") -> "ASGIApp":
        """The other side of the contract, as an application."""
        create: Callable[[Counterpart], ASGIApp] = self._member("mock", "create")
        return create(counterpart)

    def _member(self, module: str, name: str) -> Any:
        return getattr(import_module(f"adapters.{self.name}.{module}"), name)


MAILBOXES: Final[tuple[Adapter[OpenMailbox], ...]] = (
    Adapter("sdk", "channel", "SDK meddelandetjänst", counterpart="message_service"),
)
"""Those of the channels that are mailboxes too: one object is both, so build it once."""

CHANNELS: Final[tuple[Adapter[OpenChannel], ...]] = (
    Adapter("forsakringskassan", "channel", "Försäkringskassan"),
    Adapter("regional_platform", "channel", "Regional dataplattform"),
    Adapter("ehr", "channel", "Journalsystem"),
    *MAILBOXES,
)
CERTIFICATE_SOURCES: Final[tuple[Adapter[OpenCertificateSource], ...]] = (
    Adapter("intygstjanst", "certificates", "Intygstjänsten"),
)

BLOCK_SOURCES: Final[tuple[Adapter[OpenBlockSource], ...]] = (Adapter("block_service", "blocks", "Spärrtjänsten"),)

ENTRANCES: Final = ("forsakringskassan",)
"""Adapters whose other side posts to us: their folder has ``inbound.create``."""


def entrances() -> tuple[Entrance, ...]:
    """Every way in."""
    return tuple(import_module(f"adapters.{name}.inbound").create() for name in ENTRANCES)


_ALL: Final[tuple[Adapter[Any], ...]] = (*CHANNELS, *CERTIFICATE_SOURCES, *BLOCK_SOURCES)
ADAPTERS: Final[Mapping[str, Adapter[Any]]] = {adapter.name: adapter for adapter in _ALL}
