"""What the pages show around the rows: the form that asked, what was chosen in words, how old the data are."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from contracts.record import Caller, Right, Role
from contracts.sick_leave import LastPull
from service.console import timeline, words
from service.console.forms import Pairs
from service.console.rendering import moment
from service.rules.sick_leave import FILTERS, Choices, Question, Row
from service.rules.sick_leave.order import COLUMNS
from service.rules.sick_leave.question import written
from service.rules.sick_leave.reko_status import NAMES
from service.usecases.see_overview import Seen

OLD: Final = timedelta(days=1)
"""After so long without a pull the page says so."""


class Choice(NamedTuple):
    """A value as it stands in the form: ``occurs`` is false where nobody on the unit has it now."""

    id: str
    label: str
    chosen: bool
    occurs: bool


@dataclass(frozen=True, slots=True)
class Form:
    """The filters with what was sent, whether it can be read or not."""

    caller: Caller
    unit: str
    offered: Choices
    pairs: Pairs

    def value(self, name: str) -> str:
        """What stands in a field."""
        return dict(self.pairs).get(name, "")

    def choices(self, filter: str) -> list[Choice]:
        """What a filter offers."""
        found = next(each for each in FILTERS if each.id == filter)
        chosen = {value for name, value in self.pairs if name in found.parameters}
        return [
            Choice(each.id, each.label, each.id in chosen, self.offered.occurs(filter, each))
            for each in found.options or self.offered.options(filter)
        ]

    def hidden(self, *without: str) -> Pairs:
        """The fields that ask the same again."""
        return [(name, value) for name, value in self.pairs if name not in without]

    @property
    def may_set_status(self) -> bool:
        """Doctors see a status and set none."""
        return Right.FHIR_WRITE in self.caller.rights and not self.is_doctor

    @property
    def is_doctor(self) -> bool:
        """Whether the list is confined to what the caller issued."""
        return self.caller.role is Role.DOCTOR

    @property
    def statuses(self) -> dict[str, str]:
        """Every status by its id."""
        return {type.value: name for type, name in NAMES.items()}


class Heading(NamedTuple):
    """A column that sorts: how it does now (as ``aria-sort`` says it, or empty), and what to ask for to turn it."""

    label: str
    sorted: str
    turn: str


class Line(NamedTuple):
    """A row, its place in the whole list, its picture; ``saved`` when its status was just set, ``wished`` when the doctor wished
    for contact with Försäkringskassan in one of its certificates."""

    number: int
    row: Row
    timeline: timeline.Timeline
    saved: bool
    wished: bool


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of the list. ``filters`` says in words what was chosen; ``warnings`` why the list may be wrong. ``before`` and
    ``after`` are the fields that ask for the pages beside it."""

    question: Question
    lines: tuple[Line, ...]
    total: int
    held_back: int
    pulled: LastPull | None
    now: datetime
    filters: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    before: Pairs
    after: Pairs

    @property
    def headings(self) -> dict[str, Heading]:
        """By column."""
        return {id: self._heading(id, column.label) for id, column in COLUMNS.items()}

    @property
    def ticks(self) -> tuple[timeline.Tick, ...]:
        """The months of the timelines' axis."""
        return timeline.ticks(self.question.on)

    def _heading(self, id: str, label: str) -> Heading:
        if id != self.question.sort:
            return Heading(label, "", id)
        return Heading(label, "descending", id) if self.question.descending else Heading(label, "ascending", f"-{id}")


def sheet(seen: Seen, offered: Choices, now: datetime, saved: str = "") -> Sheet:
    """The page as it is shown now; ``saved`` is the patient whose status was just set."""
    found, question = seen.overview, seen.overview.question
    first = question.offset
    lines = (
        Line(
            number,
            row,
            timeline.timeline(row.periods, question.on),
            row.patient == saved,
            not seen.wishes.isdisjoint(row.certificates),
        )
        for number, row in enumerate(found.rows, first + 1)
    )
    return Sheet(
        question=question,
        lines=tuple(lines),
        total=found.total,
        held_back=found.held_back,
        pulled=seen.pulled,
        now=now,
        filters=_in_words(question, offered),
        warnings=warnings(seen.pulled, question, now),
        before=_at(question, max(0, first - question.limit)) if first else (),
        after=_at(question, first + question.limit) if first + len(found.rows) < found.total and found.rows else (),
    )


def warnings(pulled: LastPull | None, question: Question, now: datetime) -> tuple[str, ...]:
    """Why the figures may be other than the unit's own."""
    if pulled is None:
        return (words.NEVER_PULLED,)
    said = (
        (pulled.failed, words.PULL_FAILED),
        (now - pulled.at > OLD, words.OLD),
        (pulled.max_days_since_end < question.max_days_since_end, words.TOO_NARROW),
        (pulled.applying, words.APPLYING),
    )
    failed = moment(pulled.failed) if pulled.failed else ""
    days = pulled.max_days_since_end
    return tuple(text.format(at=moment(pulled.at), failed=failed, days=days) for holds, text in said if holds)


def _at(question: Question, offset: int) -> Pairs:
    return written(replace(question, offset=offset))


_NO_FILTERS: Final = ("mode", "gap", "maxDaysSinceEnd", "sort", "offset", "limit")


def _in_words(question: Question, offered: Choices) -> tuple[tuple[str, str], ...]:
    labels = {
        (name, option.id): option.label
        for each in FILTERS
        for name in each.parameters
        for option in each.options or offered.options(each.id)
    }
    chosen: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in written(question):
        if name not in _NO_FILTERS:
            chosen[name].append(labels.get((name, value), value))
    return tuple((words.NAMES[name], ", ".join(values)) for name, values in chosen.items())
