"""A sick leave's degrees over time, as figures to draw: pure.

All rows share one axis, so that they can be compared at a glance and today stands in the same place. Around today a day has
its full width; what lies further away is pressed into a strip at either end, however long it is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

from contracts.sick_leave import CertificatePeriod

BEFORE: Final = 90
AFTER: Final = 60
"""Days around today that have their full width."""
STRIP: Final = 20
DAY: Final = 1.2
"""Widths in the drawing's own units."""
NEAR: Final = DAY * (BEFORE + AFTER)
WIDTH: Final = STRIP + NEAR + STRIP
HEIGHT: Final = 26
_LABEL: Final = 17
"""A bar that is narrower holds no number."""
_NARROWEST: Final = 2.5
"""So that a single day is seen beside the line of today."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days in a row, both ends inclusive, with one degree in percent."""

    start: date
    end: date
    degree: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch as drawn: its height is its degree; ``label`` is empty where it would not fit."""

    x: float
    y: float
    width: float
    height: float
    shade: int
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """``told`` says the same in words."""

    bars: tuple[Bar, ...]
    told: str


@dataclass(frozen=True, slots=True)
class Tick:
    """The first day of a month on the axis."""

    x: float
    label: str


def course(periods: Iterable[CertificatePeriod]) -> tuple[Stretch, ...]:
    """What was certified day by day: where certificates overlap the highest degree. Days that none covers are in no stretch."""
    spans = [(each.start.toordinal(), each.end.toordinal() + 1, each.degree) for each in periods]
    found: list[tuple[int, int, int]] = []
    for first, after in pairwise(sorted({day for start, end, _ in spans for day in (start, end)})):
        degree = max((degree for start, end, degree in spans if start <= first < end), default=0)
        if found and found[-1][1:] == (first, degree):
            found[-1] = (found[-1][0], after, degree)
        elif degree:
            found.append((first, after, degree))
    return tuple(Stretch(date.fromordinal(a), date.fromordinal(b - 1), degree) for a, b, degree in found)


def timeline(periods: Iterable[CertificatePeriod], on: date) -> Timeline:
    """As drawn on the day."""
    stretches = course(periods)
    told = ", ".join(f"{each.degree} % {each.start} – {each.end}" for each in stretches)
    return Timeline(_bars(stretches, on), told)


TODAY: Final = STRIP + DAY * BEFORE
"""Where today begins."""


def ticks(on: date) -> tuple[Tick, ...]:
    """The months that begin where days have their full width."""
    days = (on + timedelta(days=distance) for distance in range(-BEFORE, AFTER))
    return tuple(Tick(TODAY + DAY * (day - on).days, _MONTHS[day.month - 1]) for day in days if day.day == 1)


_MONTHS: Final = ("jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec")


def _bars(stretches: Sequence[Stretch], on: date) -> tuple[Bar, ...]:
    if not stretches:
        return ()
    first, last = ((day - on).days for day in (stretches[0].start, stretches[-1].end))
    return tuple(
        _bar(_place((each.start - on).days, first, last), _place((each.end - on).days + 1, first, last), each.degree)
        for each in stretches
    )


def _bar(x: float, end: float, degree: int) -> Bar:
    height = round(HEIGHT * degree / 100, 1)
    width = round(max(end - x, _NARROWEST), 1)
    return Bar(
        round(x, 1), round(HEIGHT - height, 1), width, height, -(-degree // 25), str(degree) if width >= _LABEL else ""
    )


def _place(distance: int, first: int, last: int) -> float:
    """Where a day begins that is so far from today, when the whole reaches from ``first`` to ``last``."""
    if distance < -BEFORE:
        return STRIP * (distance - first) / (-BEFORE - first)
    if distance > AFTER:
        return STRIP + NEAR + STRIP * (distance - AFTER) / (last + 1 - AFTER)
    return TODAY + DAY * distance
