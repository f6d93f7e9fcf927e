"""Counterparts of systems that no adapter speaks with yet. One that gets an adapter moves into its folder.

Two more need others to answer: the national platform stands in front of them (``national_platform``), and the identity provider
says what the HSA directory knows (``identity_provider``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp

from adapters.mocking.counterpart import Counterpart
from adapters.mocking.services import consent_service, hsa_directory, log_service


@dataclass(frozen=True, slots=True)
class Service:
    """One of them: its name in Swedish, and how it is made."""

    title: str
    create: Callable[[Counterpart], ASGIApp]


SERVICES: Final[Mapping[str, Service]] = {
    "consent_service": Service(consent_service.TITLE, consent_service.create),
    "log_service": Service(log_service.TITLE, log_service.create),
    "hsa_directory": Service(hsa_directory.TITLE, hsa_directory.create),
}
