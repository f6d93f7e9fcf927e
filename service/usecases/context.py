"""What every use case is given beside the transaction, and what it is asked and answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from contracts.errors import Issue
from contracts.identity import HsaId
from contracts.ports import IdSource, Transaction
from contracts.record import Caller, Document, Record
from service.rules.region import RegionalProfile


@dataclass(frozen=True, slots=True)
class Context:
    """The region's rules, the source of ids, and the destinations that there is a way to.

    ``provider`` is the care provider whose platform and record system they are; another's records go to neither.
    """

    region: RegionalProfile
    ids: IdSource
    destinations: frozenset[str]
    provider: HsaId | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """A resource that a caller wants stored.

    ``id`` is empty when a new one is to be made. ``expected`` is the version that the caller believes to be current
    (If-Match). ``unless`` is an identifier (system, value) that must not be there yet (If-None-Exist).
    """

    caller: Caller
    document: Document
    id: str = ""
    expected: int | None = None
    unless: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of it. ``changed`` is false when the same was there already: then nothing was written."""

    record: Record
    changed: bool = True
    notes: tuple[Issue, ...] = ()


class UseCase(Protocol):
    """The story behind a write to one resource type."""

    def __call__(self, transaction: Transaction, context: Context, write: Write) -> Recorded:
        """Run it. Raises ``Refused`` and then has done nothing."""
        ...


Check = Callable[[Document], object]
"""A mapper used as a judge: raises ``Invalid``."""
