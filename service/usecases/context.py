"""What every use case is given beside the transaction, and what it is asked and answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from contracts.consent import Recipient
from contracts.errors import Issue
from contracts.identity import HsaId
from contracts.ports import IdSource, Transaction
from contracts.record import Caller, Document, Record
from service.rules.region import RegionalProfile

SERVICE: Final = "rekobryggan"
"""The commission under which the service acts by itself."""

Reaches = Callable[[str, Recipient, HsaId], bool]


@dataclass(frozen=True, slots=True)
class Context:
    """The region's rules, the source of ids, and the destinations that there is a way to.

    ``provider`` is the care provider whose platform and record system they are; another's records go to neither.
    ``reaches`` tells whether a channel knows the way from a unit to a recipient. ``approving`` are the units whose messages
    to other parties somebody reads before they are sent. ``units`` are the care units that are served here, as far as the
    settings say.
    """

    region: RegionalProfile
    ids: IdSource
    destinations: frozenset[str]
    provider: HsaId | None = None
    reaches: Reaches = lambda channel, recipient, unit: True
    approving: frozenset[HsaId] = frozenset()
    units: Mapping[HsaId, HsaId] = field(default_factory=dict)
    """Each with its care provider."""
    informs: Mapping[HsaId, HsaId] = field(default_factory=dict)
    """Who on a unit informs Försäkringskassan, where the unit has made that clear (forsakringskassan.md § 6.2)."""


@dataclass(frozen=True, slots=True)
class Write:
    """A resource that a caller wants stored.

    ``id`` is empty when a new one is to be made, under ``fresh`` or an id that the service chooses. ``expected`` is the
    version that the caller believes to be current (If-Match), ANY or ABSENT. ``coming`` are resources (``Type/id``) that the
    same transaction makes: they may be pointed at before they are there. ``of_restricted``: it is made of something that is
    labelled as restricted, also where it points at nothing that would tell.
    """

    caller: Caller
    document: Document
    id: str = ""
    expected: int | None = None
    fresh: str = ""
    coming: frozenset[str] = frozenset()
    of_restricted: bool = False

    def saying(self, document: Document) -> "Write":
        """The same write of another document. Written out, as ``Caller.asking`` is: every write passes here."""
        return Write(self.caller, document, self.id, self.expected, self.fresh, self.coming, self.of_restricted)


ABSENT: Final = 0
"""The version of what must not be there (If-None-Match: *)."""
ANY: Final = -1
"""The version of what must be there, whichever it is (If-Match: *)."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A resource that a caller wants deleted. ``expected`` is as in ``Write``."""

    caller: Caller
    type: str
    id: str
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of it. ``changed`` is false when the same was there already: then nothing was written. ``created`` tells
    that there was none before."""

    record: Record
    changed: bool = True
    notes: tuple[Issue, ...] = ()
    created: bool = False


class UseCase(Protocol):
    """The story behind a write to one resource type."""

    def __call__(self, transaction: Transaction, context: Context, write: Write) -> Recorded:
        """Run it. Raises ``Refused`` and then has done nothing."""
        ...


class Farewell(Protocol):
    """The story behind the deletion of a resource of one type."""

    def __call__(self, transaction: Transaction, context: Context, removal: Removal) -> Recorded:
        """Run it. Raises ``Refused`` and then has done nothing."""
        ...


Check = Callable[[Document], object]
"""A mapper used as a judge: raises ``Invalid``."""
