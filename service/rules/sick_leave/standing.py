"""A certificate as it stands on the day that is asked about (rehabstod.md §§ 3.2, 3.5).

Days are counted as ordinals (``date.toordinal``) in here: a comparison or a gap is one operation on whole numbers.
Both ends of a span are inclusive.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter, itemgetter
from typing import Any, Final, Generic, Protocol, TypeVar

from contracts.errors import Invalid

Span = tuple[int, int]
_LAST_OF_ALL: Final = date.max.toordinal()
_START: Final = attrgetter("start")
_FIRST: Final = itemgetter(0)


class CertifiedPeriod(Protocol):
    """One period, as ``contracts.sick_leave.CertificatePeriod``."""

    @property
    def start(self) -> date:
        """The first day."""
        ...

    @property
    def end(self) -> date:
        """The last day."""
        ...

    @property
    def degree(self) -> int:
        """In percent."""
        ...


class Certified(Protocol):
    """What the counting reads of a certificate: ``contracts.sick_leave.Certificate`` is one.

    ``patient`` is whatever tells patients apart; ``signed`` is ``None`` or something that sorts as time does.
    """

    @property
    def patient(self) -> Hashable:
        """Whose it is."""
        ...

    @property
    def periods(self) -> Sequence[CertifiedPeriod] | None:
        """At least one; none is an error (Q11)."""
        ...

    @property
    def signed(self) -> Any:
        """When it was signed."""
        ...


C = TypeVar("C", bound=Certified)


@dataclass(slots=True, eq=False)
class Standing(Generic[C]):
    """One certificate on the day: its periods as spans in its own order, its first and last day, whether a period covers
    the day (``active``), or else it ended within the days asked for (``recent``)."""

    certificate: C
    spans: list[Span]
    start: int
    end: int
    active: bool
    recent: bool

    @property
    def days(self) -> int:
        """Days covered by its periods; holes do not count."""
        return _covered(self.spans)

    @property
    def degrees(self) -> list[int]:
        """The degrees by the start of their periods, each as often as it stands there."""
        return [period.degree for period in sorted(self.certificate.periods or (), key=_START)]


def standing(certificate: C, day: int, days_since_end: int) -> Standing[C]:
    """Raises ``Invalid`` for a certificate without periods (Q11).

    With a hole on the day it is neither active nor recent. When it was signed plays no part.
    """
    if not certificate.periods:
        raise Invalid("a certificate has no periods")
    spans: list[Span] = []
    start, end, active = _LAST_OF_ALL, 0, False
    # One pass: this is where a large unit's time goes.
    for period in certificate.periods:
        first, last = period.start.toordinal(), period.end.toordinal()
        spans.append((first, last))
        if first < start:
            start = first
        if last > end:
            end = last
        if first <= day <= last:
            active = True
    return Standing(certificate, spans, start, end, active, not active and 1 <= day - end <= days_since_end)


def days(members: Iterable[Standing[C]], gap: int) -> int:
    """The length of a sick leave (§ 3.5) whose members come by first day: days in the union of all their periods.

    Periods that end before they start are counted as the national engine counts them, to the day: only the last
    unbroken chain counts (without such periods there is one alone), each certificate is merged by itself, its blocks are
    taken newest first, and all are sorted (stably) and merged once more.
    """
    blocks: list[Span] = []
    reached = 0
    for each in members:
        if each.start > reached + gap + 1:
            blocks.clear()
        blocks += _merged(each.spans)[::-1]
        if each.end > reached:
            reached = each.end
    return _covered(blocks)


def _merged(spans: list[Span]) -> list[Span]:
    """Blocks of spans that overlap, by first day. Most certificates' periods follow each other: they are the blocks."""
    reached = 0
    for first, last in spans:
        if not reached < first <= last:
            break
        reached = last
    else:
        return spans
    blocks: list[Span] = []
    for first, last in sorted(spans, key=_FIRST):
        if not blocks or first > blocks[-1][1]:
            blocks.append((first, last))
        elif last > blocks[-1][1]:
            blocks[-1] = (blocks[-1][0], last)
    return blocks


def _covered(spans: list[Span]) -> int:
    """The days in the blocks that the spans merge into. A span that ends before it starts is a block of its own, unless
    another one holds its start, and takes days away."""
    total = reached = 0
    for first, last in sorted(spans, key=_FIRST):
        if first > reached:
            total += last - first + 1
            reached = last
        elif last > reached:
            total += last - reached
            reached = last
    return total
