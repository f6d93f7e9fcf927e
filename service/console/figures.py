"""The summary as tables: women and men apart, and together."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from service.rules.sick_leave import Question, Summary, summary
from service.rules.sick_leave.statistics import Breakdown, Share
from service.usecases.see_overview import Counted

Part = Callable[[Breakdown], Sequence[Share]]


class Figure(NamedTuple):
    """A line of a table: women, men, all; ``None`` where nobody is counted."""

    name: str
    shares: tuple[Share | None, Share | None, Share | None]


class Table(NamedTuple):
    """Sick leaves by one thing about them."""

    heading: str
    lines: tuple[Figure, ...]


class Figures(NamedTuple):
    """All tables of one way of counting."""

    question: Question
    summary: Summary
    tables: tuple[Table, ...]


def figures(counted: Counted) -> Figures:
    """The tables of what was counted, before any filter."""
    found = summary(counted.held.rows)
    tables = (
        _table("Diagnosgrupp", found, lambda breakdown: breakdown.groups),
        _table("Sjukskrivningsgrad", found, lambda breakdown: breakdown.degrees),
        _table("Antal grader i intyget", found, lambda breakdown: breakdown.degree_counts),
        _table("Sjukskrivningslängd (dagar)", found, lambda breakdown: breakdown.lengths),
    )
    return Figures(counted.question, found, tables)


def _table(heading: str, found: Summary, part: Part) -> Table:
    women, men = ({share.id: share for share in part(each)} for each in (found.women, found.men))
    lines = (Figure(share.name, (women.get(share.id), men.get(share.id), share)) for share in part(found.everybody))
    return Table(heading, tuple(lines))
