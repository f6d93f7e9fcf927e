"""Stored resources and who asks for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from contracts.identity import HsaId


@dataclass(frozen=True, slots=True)
class Document:
    """A resource as accepted: its JSON bytes, and the same bytes parsed. The two always say the same."""

    content: Mapping[str, Any]
    body: bytes

    @property
    def type(self) -> str:
        """The resource type."""
        return str(self.content["resourceType"])


@dataclass(frozen=True, slots=True)
class Record:
    """One version of a stored resource. ``unit`` owns it; ``patient`` is the logical id of the Patient that it is about,
    empty when it is about none; ``body`` is the JSON that a read returns, empty in the version that a deletion makes.
    ``restricted``: its labels, or those of the newest version, leave it to those who have the right to see such data."""

    type: str
    id: str
    version: int
    updated: datetime
    unit: str
    patient: str
    body: bytes
    restricted: bool = False

    @property
    def reference(self) -> str:
        """``Type/id``."""
        return f"{self.type}/{self.id}"


class Operation(StrEnum):
    """What made a version."""

    CREATE = "create"
    UPDATE_AS_CREATE = "update-as-create"
    """The client chose the id, or wrote anew what had been deleted."""
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Version:
    """A version in a history, and what made it. The one that a deletion makes has no body."""

    record: Record
    operation: Operation
    number: int
    """Later ones, of whatever resource, have greater numbers."""


class Right(StrEnum):
    """What a token may be used for."""

    FHIR_READ = "fhir.read"
    FHIR_WRITE = "fhir.write"
    FHIR_RESTRICTED = "fhir.restricted"
    """Sees what is labelled as restricted, and labels it so."""
    SICK_LEAVE_PULL = "sick-leave.pull"
    OUTBOX_LIST = "outbox.list"
    OUTBOX_CONTENT = "outbox.content"
    OUTBOX_REPLAY = "outbox.replay"
    PROTECTED_RELEASE = "protected.release"
    DIALOGUE_RECEIVE = "dialogue.receive"
    """For the platform that brings other parties' messages, not for people."""


class Role(StrEnum):
    """As whom an employee works under the commission: a doctor sees in the unit's overview what she issued herself
    (rehabstod.md § 5.1)."""

    COORDINATOR = "coordinator"
    DOCTOR = "doctor"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an employee under a commission (medarbetaruppdrag) on a care unit of a care provider.

    ``provider_is_public``: a region or a municipality runs it; an authority's legal duty to answer binds no other.
    """

    employee: HsaId
    commission: str
    unit: HsaId
    provider: HsaId
    rights: frozenset[Right]
    request_id: str = ""
    role: Role = Role.COORDINATOR
    provider_is_public: bool = False

    def asking(self, request_id: str) -> "Caller":
        """The same caller in a request of that id."""
        return Caller(  # written out: every request passes here, and ``replace`` takes four times as long
            self.employee,
            self.commission,
            self.unit,
            self.provider,
            self.rights,
            request_id,
            self.role,
            self.provider_is_public,
        )

    @property
    def owners(self) -> tuple[str, str]:
        """Whose data is the caller's to see: its own unit's, and what its care provider shares."""
        return self.unit.value, self.provider.value

    @property
    def sees_restricted(self) -> bool:
        """Whether also that which is labelled as restricted."""
        return Right.FHIR_RESTRICTED in self.rights

    def may_see(self, record: Record) -> bool:
        """Whether a record is the caller's to see. Searches ask the same of the database (``search/scope.py``)."""
        return record.unit in self.owners and (not record.restricted or self.sees_restricted)


class AccessAction(StrEnum):
    """The activity types of the national log contract (StoreLog 2)."""

    READ = "Läsa"
    WRITE = "Skriva"
    PRINT = "Utskrift"


@dataclass(frozen=True, slots=True)
class Access:
    """One row of the access log: who did what with which patient's data (HSLF-FS 2016:40 4 kap. 9 §).

    ``patient`` is the logical id of the Patient, never a personal number.
    """

    caller: Caller
    action: AccessAction
    patient: str
    resource: str
    interaction: str
