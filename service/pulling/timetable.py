"""When a care unit is pulled next. Pure.

Each unit has a place of its own in the interval, so that the units of a region are spread over it however the service was
started; what failed comes again sooner, each unit at a time of its own.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final

from service.pulling.units import ScheduledUnit

RETRY: Final = timedelta(minutes=1)
"""After a first failure; then twice as long each time, up to the unit's interval."""
_MOST_DOUBLINGS: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Past:
    """A pull that was begun, and whether it failed."""

    began: datetime
    failed: bool


def next_pull(unit: ScheduledUnit, past: Sequence[Past], now: datetime) -> datetime:
    """When it is due, from its pulls, newest first. At once if there has been none."""
    if not past:
        return now
    failures = sum(1 for _ in takewhile(lambda each: each.failed, past))
    if failures:
        wait = min(RETRY * (1 << min(failures - 1, _MOST_DOUBLINGS)), unit.every)
        return past[0].began + wait * (0.8 + 0.4 * _share(unit, f"failure {failures}"))
    return _slot_after(unit, past[0].began)


def _slot_after(unit: ScheduledUnit, began: datetime) -> datetime:
    first = _EPOCH + unit.every * _share(unit, "phase")
    turns = (began - first) // unit.every
    return first + (turns + 1) * unit.every


def _share(unit: ScheduledUnit, of: str) -> float:
    """From 0 up to 1, the same each time."""
    digest = hashlib.blake2b(f"{unit.id} {of}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
