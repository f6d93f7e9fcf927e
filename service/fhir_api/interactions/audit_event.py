"""read and search-type of ``AuditEvent``: made from the rows of decisions and tries when somebody asks (ADR 0011).

https://hl7.org/fhir/R4/http.html#read, https://hl7.org/fhir/R4/http.html#search
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from heapq import merge
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, case, false, func, literal, not_, or_, select, true
from starlette.requests import Request
from starlette.responses import Response

from contracts.audit import AuditedDecision, AuditedDisclosure
from contracts.consent import DecisionRecord, Question
from contracts.errors import NotFound, NotSupported
from contracts.outbox import REACHED
from contracts.record import Record, Right
from fhir_mappings import audit_event
from fhir_mappings.audit_event import DECISION, DISCLOSURE, FAILURE, SUCCESS, UNKNOWN, Kind
from service.fhir_api import answers, searching
from service.fhir_api.reading import log_reading, part_asked
from service.fhir_api.search import criteria
from service.fhir_api.search import query as queries
from service.fhir_api.search.criteria import Criterion, ModifierNotServed, NotServed
from service.fhir_api.search.matching import MATCH
from service.fhir_api.search.parameters import MANY, find
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.values import Columns, plain
from service.fhir_api.searching import Found, Search
from service.fhir_api.surroundings import Surroundings
from service.store.codec import decode, from_micros
from service.store.database import Row
from service.store.tables import attempt, decision, outbox

PARAMETERS: Final = ("_id", "patient", "date", "type", "subtype", "action", "outcome")
"""What the rows tell. Whatever else R4 has for the type stands in no column, or says the same of every event."""

CONTROLS: Final = frozenset({"_count", "_total", "_summary", "_elements"})


class _Source(NamedTuple):
    """A table that events are made from: what their ids begin with, its rows, whose they are, where they stand in it, how an
    event is made of one, and its columns as those of an index, by search parameter."""

    name: str
    rows: Select[Any]
    unit: ColumnElement[str]
    number: ColumnElement[int]
    make: Callable[[Row, str], Record]
    columns: Mapping[str, Columns]


def _columns(kind: Kind, patient: Any, at: Any, outcome: Any) -> dict[str, Columns]:
    codes = {"type": kind.type[:2], "subtype": kind.subtype[:2], "action": ("", kind.action)}
    return {
        **{name: SimpleNamespace(system=literal(system), code=literal(code)) for name, (system, code) in codes.items()},
        "outcome": SimpleNamespace(system=literal(""), code=outcome),
        "patient": SimpleNamespace(target=patient),
        "date": SimpleNamespace(low=at, high=at + 1),
    }


def _of_decision(row: Row, base: str) -> Record:
    number, at, patient, about, body = row
    audited = AuditedDecision(number, from_micros(at), about, decode(body, DecisionRecord))
    return _record(f"decision-{number}", audited.at, patient, audit_event.of_decision(audited, base))


def _of_try(row: Row, base: str) -> Record:
    number, at, patient, about, message, destination, question, outcome, reason = row
    certain = REACHED[outcome]
    asked, when = decode(question, Question), from_micros(at)
    audited = AuditedDisclosure(number, when, about, message, destination, asked, certain, reason if certain else "")
    return _record(f"disclosure-{number}", when, patient, audit_event.of_disclosure(audited, base))


def _record(id: str, at: datetime, patient: str, body: bytes) -> Record:
    return Record("AuditEvent", id, 1, at, "", patient, body)


_FOR_CERTAIN: Final = tuple(outcome for outcome, certain in REACHED.items() if certain)

_SOURCES: Final = (
    _Source(
        "decision",
        select(decision.c.number, decision.c.at, decision.c.patient, decision.c.about, decision.c.body),
        decision.c.unit,
        decision.c.number,
        _of_decision,
        _columns(
            DECISION, decision.c.patient, decision.c.at, case((decision.c.permitted == 1, SUCCESS), else_=FAILURE)
        ),
    ),
    _Source(
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
        .where(outbox.c.kind == "party-message", attempt.c.outcome.in_(tuple(REACHED))),
        outbox.c.unit,
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


async def read_audit_event(around: Surroundings, request: Request) -> Response:
    """One event of the unit, by ``decision-<number>`` or ``disclosure-<number>``."""
    caller = around.caller(request, Right.FHIR_READ)
    id = request.path_params["id"]
    found: Sequence[Record] = ()
    for source in _SOURCES:
        found = found or await _records(
            around, source, _of_unit(source, caller.unit.value).where(_has_id(source, [id]))
        )
    if not found:
        raise NotFound("there is no such AuditEvent")
    await log_reading(around, caller, found, "read")
    body = part_asked(request, "AuditEvent", found[0].body)
    return answers.resource(body, headers=answers.version_headers(found[0]))


async def search_audit_events(around: Surroundings, request: Request) -> Response:
    """The unit's events, newest first, each patient's row in the access log durable before they leave."""
    caller = around.caller(request, Right.FHIR_READ)
    search = await searching.asked(around, request, "AuditEvent", caller, _parse)
    found = await _find(around, search)
    await log_reading(around, caller, found.matched, "search-type")
    return searching.answer(around, search, found)


async def refuse_change(*_: object) -> Response:
    """Nobody writes the trail. Raises ``NotSupported``."""
    raise NotSupported("AuditEvent is made by the service itself: it is read and searched, and has no versions")


# What is found


async def _find(around: Surroundings, search: Search) -> Found:
    """A page begins, in each table, before the last row that was shown of it."""
    query, unit = search.query, search.caller.unit.value
    scope = Scope.of(search.caller, around.store.numbers)
    before = search.place or (None,) * len(_SOURCES)
    found: list[list[Record]] = []
    total = 0
    for source, number in zip(_SOURCES, before, strict=True):
        wanted = _of_unit(source, unit).where(*(each.condition(source, scope, iter(())) for each in query.criteria))
        if query.total:
            total += (await around.store.select(select(func.count()).select_from(wanted.subquery())))[0][0]
        page = wanted if number is None else wanted.where(source.number < number)
        if query.count:
            found.append(await _records(around, source, page.order_by(source.number.desc()).limit(query.count + 1)))
    newest_first = list(merge(*found, key=lambda each: each.updated, reverse=True))
    shown = newest_first[: query.count]
    ends = _place(before, shown) if len(newest_first) > len(shown) > 0 else None
    return Found(shown, total=total if query.total else None, ends=ends)


def _of_unit(source: _Source, unit: str) -> Select[Any]:
    return source.rows.where(source.unit == unit)


async def _records(around: Surroundings, source: _Source, statement: Select[Any]) -> list[Record]:
    return [source.make(row, around.base) for row in await around.store.select(statement)]


def _place(before: Sequence[Any], shown: Sequence[Record]) -> tuple[Any, ...]:
    last = {name: int(number) for name, _, number in (record.id.partition("-") for record in shown)}
    return tuple(last.get(source.name, number) for source, number in zip(_SOURCES, before, strict=True))


# What is asked


def _criterion(type_: str, name: str, value: str) -> Criterion:
    """A criterion that is asked of a ``_Source``."""
    code, _, modifier = name.partition(":")
    parameter = find(type_, code)
    if parameter is None or code not in PARAMETERS:
        raise NotServed(f"AuditEvent is made when it is read, and searched by {', '.join(PARAMETERS)}")
    if modifier not in _MODIFIERS.get(parameter.kind, ("", "missing")) or (code == "_id" and modifier):
        raise ModifierNotServed("cannot be asked with this modifier")
    if code == "_id":
        ids = [plain(one) for one in criteria.values(value)]
        return _asks(lambda source: _has_id(source, ids))
    if modifier == "missing":
        is_there = not criteria.boolean(value)
        return _asks(lambda _: true() if is_there else false())
    matches = [MATCH[parameter.kind](parameter, modifier, one) for one in criteria.values(value)]

    def on(source: _Source) -> ColumnElement[bool]:
        columns = source.columns[code]
        found = or_(*(match.on(columns, [_own(each) for each in match.values]) for match in matches))
        return not_(found) if modifier == "not" else found

    return _asks(on)


_MODIFIERS: Final = {"token": ("", "not", "missing"), "reference": ("", "Patient", "missing")}


def _asks(on: Callable[[_Source], ColumnElement[bool]]) -> Criterion:
    return Criterion((), lambda _: (), lambda source, *_: on(source), MANY)


def _own(value: Any) -> Any:
    """A patient stands in a row by id alone."""
    return value.removeprefix("Patient/") if isinstance(value, str) else value


def _has_id(source: _Source, ids: Sequence[str]) -> ColumnElement[bool]:
    parts = [each.partition("-") for each in ids]
    return source.number.in_([int(number) for name, _, number in parts if name == source.name and _is_number(number)])


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 19


_parse: Final = partial(queries.parse, read=_criterion, controls=CONTROLS)
