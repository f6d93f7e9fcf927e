"""A pull: one answer about one care unit, read to its end, then applied patient by patient (decisions D22, D23)."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from contracts.record import Caller
from contracts.time import swedish_day

MOST_DAYS: Final = 14
"""The contract's bound on how long ago a sick leave may have ended to be asked for (rehabstod.md § 1.4)."""


class PullState(StrEnum):
    """Where a pull stands."""

    READING = "reading"
    """The answer comes in. Nothing of it has been applied, and if it ends badly nothing will be."""
    APPLYING = "applying"
    """The answer was whole: the patients whom it names are gone through."""
    CLOSING = "closing"
    """The unit's other patients are: what should have been in the answer has vanished, the rest has aged out."""
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PullCounts:
    """What a pull found and did. ``applied`` of the ``patients`` have been gone through; ``changed`` and ``vanished`` are
    certificates, ``sick_leaves`` those of the patients in whom something changed."""

    certificates: int = 0
    patients: int = 0
    set_aside: int = 0
    applied: int = 0
    changed: int = 0
    vanished: int = 0
    sick_leaves: int = 0


@dataclass(frozen=True, slots=True)
class Pull:
    """``days`` is how long ago a sick leave may have ended to be asked for. ``cursor`` is where the work on patients
    stands; ``reason`` why it failed, in words without personal data."""

    number: int
    caller: Caller
    days: int
    began: datetime
    state: PullState
    counts: PullCounts = PullCounts()
    cursor: str = ""
    ended: datetime | None = None
    reason: str = ""

    @property
    def unit(self) -> str:
        """HSA-id of the care unit."""
        return self.caller.unit.value

    @property
    def day(self) -> date:
        """The day that the answer speaks of, also when it is applied on the next one."""
        return swedish_day(self.began)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a stored certificate without reading it: whose it is (the national number), its content as it is
    kept, its first and its last day. Certificates with the same content are the same."""

    person: str
    content: bytes
    first: date
    last: date
