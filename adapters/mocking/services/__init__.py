"""Counterparts of systems that no adapter speaks with yet. One that gets an adapter moves into its folder.

The national platform is another one, which stands in front of the others: ``national_platform``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp

from adapters.mocking.counterpart import Counterpart
from adapters.mocking.services import consent_service, hsa_directory, identity_provider, log_service


@dataclass(frozen=True, slots=True)
class Service:
    """One of them: its name in Swedish, and how it is made."""

    title: str
    create: Callable[[Counterpart], ASGIApp]


SERVICES: Final[Mapping[str, Service]] = {
    "consent_service": Service(consent_service.TITLE, consent_service.create),
    "log_service": Service(log_service.TITLE, log_service.create),
    "hsa_directory": Service(hsa_directory.TITLE, hsa_directory.create),
    "identity_provider": Service(identity_provider.TITLE, identity_provider.create),
}
