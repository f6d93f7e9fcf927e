"""The audit trail as AuditEvents, made from the rows of decisions and tries when somebody asks (ADR 0011), and found by what
the rows tell."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, case, false, func, literal, not_, or_, select, true

from contracts.audit import AuditedDecision, AuditedDisclosure
from contracts.consent import DecisionRecord, Question
from contracts.outbox import REACHED
from contracts.record import Caller, Record
from fhir_mappings import audit_event
from fhir_mappings.audit_event import DECISION, DISCLOSURE, FAILURE, SUCCESS, UNKNOWN, Kind
from service.fhir_api.search import criteria, matching
from service.fhir_api.search.dates import FAR_FUTURE
from service.fhir_api.search.parameters import MADE, find
from service.fhir_api.search.sorting import Place
from service.fhir_api.search.statements import question
from service.fhir_api.search.values import Binds, Columns, Match, plain
from service.store.codec import decode, from_micros
from service.store.database import Row
from service.store.snapshot import SqlSnapshot, hidden_of
from service.store.sql import restricted_of
from service.store.tables import attempt, decision, outbox

Events = dict[int, Record]
"""By a number that an event has to itself: of two from one table the younger has the higher."""


# What events are made of


class Source(NamedTuple):
    """A table that events are made from: what their ids begin with, its rows, whose they are, what they are about, where they
    stand in it, how an event is made of one, and its columns as those of an index, by search parameter."""

    name: str
    rows: Select[Any]
    unit: ColumnElement[str]
    about: ColumnElement[str]
    number: ColumnElement[int]
    make: Callable[[Row, str, str], Record]
    columns: Mapping[str, Columns]


def _columns(kind: Kind, patient: Any, at: Any, outcome: Any) -> dict[str, Columns]:
    """An event tells its time to the second."""
    codes = {"type": kind.type[:2], "subtype": kind.subtype[:2], "action": ("", kind.action)}
    second = at - at % _SECOND
    return {
        **{name: SimpleNamespace(system=literal(system), code=literal(code)) for name, (system, code) in codes.items()},
        "outcome": SimpleNamespace(system=literal(""), code=outcome),
        "patient": SimpleNamespace(target=patient),
        "date": SimpleNamespace(low=second, high=second + _SECOND),
        "_lastUpdated": SimpleNamespace(low=at, high=at + 1),
    }


_SECOND: Final = 1_000_000


def _of_decision(row: Row, unit: str, base: str) -> Record:
    number, at, patient, about, body = row
    audited = AuditedDecision(number, from_micros(at), about, decode(body, DecisionRecord))
    return _record(f"decision-{number}", audited.at, unit, patient, audit_event.of_decision(audited, base))


def _of_try(row: Row, unit: str, base: str) -> Record:
    number, at, patient, about, message, destination, question, outcome, reason = row
    certain = REACHED[outcome]
    asked, when = decode(question, Question), from_micros(at)
    audited = AuditedDisclosure(number, when, about, message, destination, asked, certain, reason if certain else "")
    return _record(f"disclosure-{number}", when, unit, patient, audit_event.of_disclosure(audited, base))


def _record(id: str, at: datetime, unit: str, patient: str, body: bytes) -> Record:
    return Record(MADE, id, 1, at, unit, patient, body)


_OUTSIDE: Final = [literal(outcome) for outcome in REACHED]
_FOR_CERTAIN: Final = [literal(outcome) for outcome, certain in REACHED.items() if certain]

_SOURCES: Final = (
    Source(
        "decision",
        select(decision.c.number, decision.c.at, decision.c.patient, decision.c.about, decision.c.body),
        decision.c.unit,
        decision.c.about,
        decision.c.number,
        _of_decision,
        _columns(
            DECISION, decision.c.patient, decision.c.at, case((decision.c.permitted == 1, SUCCESS), else_=FAILURE)
        ),
    ),
    Source(
        "disclosure",
        select(
            attempt.c.number,
            attempt.c.at,
            outbox.c.patient,
            outbox.c.about,
            outbox.c.id,
            outbox.c.destination,
            outbox.c.question,
            attempt.c.outcome,
            attempt.c.reason,
        )
        .join(outbox, outbox.c.id == attempt.c.message)
        .where(outbox.c.kind == "party-message", attempt.c.outcome.in_(_OUTSIDE)),
        outbox.c.unit,
        outbox.c.about,
        attempt.c.number,
        _of_try,
        _columns(
            DISCLOSURE,
            outbox.c.patient,
            attempt.c.at,
            case((attempt.c.outcome.in_(_FOR_CERTAIN), SUCCESS), else_=UNKNOWN),
        ),
    ),
)
"""Of tries, those that left for somebody outside: the care provider's own platform and record system are nobody outside."""


# What the rows tell

Told = Callable[[Source], Match]
"""What a parameter asks of a table, its columns and values as those of an index."""


def told(name: str, value: str) -> Told | None:
    """What a parameter, which has been read already, asks of the rows; ``None`` where only the event itself can tell."""
    code, _, modifier = name.partition(":")
    if name == "_id":
        return told_by_id([plain(one) for one in criteria.values(value)])
    parameter = find(MADE, code)
    if parameter is None or code not in _SOURCES[0].columns or modifier not in _MODIFIERS.get(parameter.kind, _PLAIN):
        return None
    if modifier == "missing":
        is_there = Match((name, value), (), lambda _, __: false() if criteria.boolean(value) else true())
        return lambda _: is_there
    return _of_columns(
        name, [matching.MATCH[parameter.kind](parameter, modifier, one) for one in criteria.values(value)]
    )


def told_by_id(ids: Sequence[str]) -> Told:
    """The events with these ids."""
    return lambda source: _one_of(source, ids)


def told_of(patients: Sequence[str]) -> Told:
    """The events of patients, by their addresses."""
    return _of_columns("patient", [matching.any_target(patients)])


_PLAIN: Final = ("", "missing")
_MODIFIERS: Final = {"token": ("", "missing", "not"), "reference": ("", "missing", "Patient")}


def _of_columns(name: str, matches: Sequence[Match]) -> Told:
    code, _, modifier = name.partition(":")

    def on(source: Any, values: Sequence[Any]) -> ColumnElement[bool]:
        given = iter(values)
        found = or_(*(match.condition(source.columns[code], given) for match in matches))
        return not_(found) if modifier == "not" else found

    values = tuple(_own(value) for match in matches for value in match.values)
    asked = Match((name, *(match.shape for match in matches)), values, on)
    return lambda _: asked


def _own(value: Any) -> Any:
    """A patient stands in a row by id alone."""
    return value.removeprefix("Patient/") if isinstance(value, str) else value


def _one_of(source: Source, ids: Sequence[str]) -> Match:
    parts = [each.partition("-") for each in ids]
    numbers = tuple(int(number) for name, _, number in parts if name == source.name and _is_number(number))
    return Match(("_id", len(numbers)), numbers, lambda of, v: of.number.in_(v) if v else false())


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


# Events, in the order of time

# A place is where a look at the trail has come to: the row of each table.

NEWEST: Final[Place] = (FAR_FUTURE,) * len(_SOURCES)
OLDEST: Final[Place] = (-1,) * len(_SOURCES)
"""Where a look begins."""


def beyond(place: Place, number: int) -> Place:
    """The place at an event."""
    row, of = divmod(number, len(_SOURCES))
    return (*place[:of], row, *place[of + 1 :])


@dataclass(frozen=True, slots=True)
class Trail:
    """The events of the caller's unit of which the rows tell all that is ``asked``, in one state of the database; none about what
    the caller may not see. Rows of a table are numbered as they are written, which is the order of time."""

    snapshot: SqlSnapshot
    base: str
    caller: Caller
    asked: Sequence[Told] = ()

    def events(self, most: int, place: Place = NEWEST, *, oldest_first: bool = False) -> Events:
        """The next ones behind the place."""
        found = [self._of(of, most, place[of], oldest_first) for of in range(len(_SOURCES))]
        ordered = merge(*(each.items() for each in found), key=_when, reverse=not oldest_first)
        return dict(each for each, _ in zip(ordered, range(most), strict=False))

    def count(self, most: int = FAR_FUTURE) -> int:
        """How many there are; not counted further than told."""
        return sum(self._counted(source, most) for source in _SOURCES)

    def _of(self, of: int, most: int, row: Any, oldest_first: bool) -> Events:
        source = _SOURCES[of]
        number = source.number

        def build(binds: Binds) -> Select[Any]:
            rows, at = self._rows(source, binds), next(binds)
            rows = rows.where(number > at if oldest_first else number < at)
            return rows.order_by(number if oldest_first else number.desc()).limit(next(binds))

        found = self._ask(source, oldest_first, (row, most), build)
        return {row[0] * len(_SOURCES) + of: source.make(row, self.caller.unit.value, self.base) for row in found}

    def _counted(self, source: Source, most: int) -> int:
        def build(binds: Binds) -> Select[Any]:
            some = self._rows(source, binds).with_only_columns(source.number).limit(next(binds))
            return select(func.count()).select_from(some.subquery())

        return int(self._ask(source, "count", (most,), build)[0][0])

    def _rows(self, source: Source, binds: Binds) -> Select[Any]:
        seen = source.unit == next(binds), source.about.not_in(restricted_of(next(binds)))
        return source.rows.where(*seen).where(*(each(source).condition(source, binds) for each in self.asked))

    def _ask(
        self, source: Source, how: object, more: Sequence[Any], build: Callable[[Binds], Select[Any]]
    ) -> Sequence[Row]:
        matches = [each(source) for each in self.asked]
        shape = "trail", source.name, how, tuple(match.shape for match in matches)
        whose = self.caller.unit.value, hidden_of(self.caller)
        values = *whose, *(value for match in matches for value in match.values), *more
        asked = question(shape, values, build)
        return self.snapshot.ask(asked.text, asked.values)


def _when(each: tuple[int, Record]) -> tuple[datetime, int]:
    number, event = each
    return event.updated, number
