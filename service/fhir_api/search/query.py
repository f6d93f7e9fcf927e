"""From search parameters to a statement over the index tables. https://hl7.org/fhir/R4/search.html

The page is found over index tables alone; bodies are joined last (docs/adr/0003-store.md).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, not_, or_, select

from contracts.errors import Issue, IssueType, Malformed
from contracts.time import Period
from fhir_mappings.identifiers import canonical_token
from service.fhir_api.search.index import FAR_FUTURE, FAR_PAST, normal, span
from service.fhir_api.search.parameters import SearchParameter, find
from service.store.codec import to_micros
from service.store.sql import CURRENT_COLUMNS
from service.store.tables import date_index, history, reference_index, resource, string_index, token_index

Pairs = Sequence[tuple[str, str]]
Numbers = Mapping[tuple[str, str], int]
Condition = ColumnElement[bool]

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 500

LET_THROUGH: Final = frozenset({"_format", "_pretty", "_totalMethod"})
"""Parameters that change nothing here; ``_totalMethod`` is what a known client sends."""

CONCEALED: Final = frozenset({"identifier", "name", "family", "given", "birthdate"})
"""Parameters whose values never stand in a link (decision D10)."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search on one type, checked. ``ignored`` names the parameters that a lenient client sent in vain."""

    type: str
    criteria: Pairs = ()
    count: int = DEFAULT_COUNT
    total: bool = False
    descending: bool = False
    ignored: tuple[str, ...] = ()


def parse(type_: str, pairs: Pairs, *, lenient: bool = False) -> Query:
    """The query that parameters ask for. Raises ``Malformed`` with every parameter that cannot be obeyed; a lenient
    client's unknown ones are ignored instead."""
    criteria = [pair for pair in pairs if pair[0] not in LET_THROUGH and pair[0] not in _CONTROLS]
    controls = {name: value for name, value in pairs if name in _CONTROLS}
    problems = {pair: problem for pair in criteria if (problem := _problem(type_, *pair)) is not None}
    ignored = {pair: problem for pair, problem in problems.items() if lenient and _is_unknown(problem)}
    issues = [problem for pair, problem in problems.items() if pair not in ignored] + _control_problems(controls)
    if issues:
        raise Malformed(*issues)
    return _query(type_, [pair for pair in criteria if pair not in ignored], controls, ignored)


def _query(type_: str, criteria: Pairs, controls: Mapping[str, str], ignored: Collection[tuple[str, str]]) -> Query:
    count = min(int(controls.get("_count", DEFAULT_COUNT)), MAX_COUNT)
    if controls.get("_summary") == "count":
        count = 0
    return Query(
        type_,
        tuple(criteria),
        count,
        total=count == 0 or controls.get("_total") == "accurate",
        descending=controls.get("_sort", "").startswith("-"),
        ignored=tuple(sorted({name for name, _ in ignored})),
    )


def page(query: Query, numbers: Numbers, owners: Collection[str], after: int | None) -> Select[Any]:
    """The statement of one page: rows of ``sql.CURRENT_COLUMNS`` and the row id, one more than ``count`` if there are
    more. ``after`` is the row id that the page before ended with."""
    found = select(resource.c.rid, resource.c.hid).where(_matches(query, numbers, owners))
    if after is not None:
        found = found.where(resource.c.rid < after if query.descending else resource.c.rid > after)
    order = resource.c.rid.desc() if query.descending else resource.c.rid
    rows = found.order_by(order).limit(query.count + 1).subquery()
    return (
        select(*CURRENT_COLUMNS, resource.c.rid)
        .join(rows, rows.c.rid == resource.c.rid)
        .join(history, history.c.hid == rows.c.hid)
        .order_by(order)
    )


def count(query: Query, numbers: Numbers, owners: Collection[str]) -> Select[Any]:
    """The statement of the total."""
    return select(func.count()).select_from(resource).where(_matches(query, numbers, owners))


def _matches(query: Query, numbers: Numbers, owners: Collection[str]) -> Condition:
    return and_(
        resource.c.type == query.type,
        resource.c.unit.in_(sorted(owners)),
        *(_condition(query.type, name, value, numbers) for name, value in query.criteria),
    )


# What is asked of one parameter


def _problem(type_: str, name: str, value: str) -> Issue | None:
    """Why a parameter cannot be obeyed. The value is never repeated: it may be a personal number."""
    code, _, modifier = name.partition(":")
    parameter = _SPECIAL.get(code) or find(type_, code)
    if parameter is None:
        return _unknown(f"{type_} has no search parameter of this name, or it is not served")
    if modifier and (code in _SPECIAL or modifier not in _MODIFIERS[parameter.kind]):
        return _unknown(f"{code} cannot be asked with this modifier")
    if not value:
        return Issue(IssueType.VALUE, f"{code} has no value")
    try:
        _each(parameter, modifier, value, {(type_, code): 0}, type_)
    except ValueError as wrong:
        return Issue(IssueType.VALUE, f"{code}: {wrong}")
    return None


def _unknown(text: str) -> Issue:
    return Issue(IssueType.NOT_SUPPORTED, text)


def _is_unknown(issue: Issue) -> bool:
    return issue.type is IssueType.NOT_SUPPORTED


def _condition(type_: str, name: str, value: str, numbers: Numbers) -> Condition:
    code, _, modifier = name.partition(":")
    parameter = _SPECIAL.get(code) or find(type_, code)
    assert parameter is not None  # noqa: S101 - parse() has refused unknown ones
    return _each(parameter, modifier, value, numbers, type_)


def _each(parameter: SearchParameter, modifier: str, value: str, numbers: Numbers, type_: str) -> Condition:
    """Any of the values between commas."""
    if parameter.code in _SPECIAL:
        return or_(*(_SPECIAL_CONDITION[parameter.code](one) for one in _values(value)))
    number = numbers[type_, parameter.code]
    if modifier == "missing":
        present = _present(parameter, number)
        return not_(present) if _boolean(value) else present
    matches = or_(*(_KINDS[parameter.kind](parameter, number, modifier, one) for one in _values(value)))
    return not_(matches) if modifier == "not" else matches


def _values(value: str) -> list[str]:
    """Split at commas that no backslash escapes. https://hl7.org/fhir/R4/search.html#escaping"""
    parts = value.replace("\\,", "\0").split(",")
    return [part.replace("\0", ",").replace("\\|", "\1").replace("\\$", "$").replace("\\\\", "\\") for part in parts]


def _boolean(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("true or false is wanted")
    return value == "true"


def _present(parameter: SearchParameter, number: int) -> Condition:
    table = _TABLES[parameter.kind]
    return exists().where(table.c.parameter == number, table.c.rid == resource.c.rid)


def _token(_: SearchParameter, number: int, __: str, value: str) -> Condition:
    stated, bar, written = value.rpartition("|")
    system, code = canonical_token(stated.replace("\1", "|"), written.replace("\1", "|"))
    criteria = [token_index.c.parameter == number, token_index.c.rid == resource.c.rid]
    if code:
        criteria.append(token_index.c.code == code)
    if bar:
        criteria.append(token_index.c.system == system)
    return exists().where(*criteria)


def _reference(parameter: SearchParameter, number: int, modifier: str, value: str) -> Condition:
    targets = (
        [value] if "/" in value else [f"{type_}/{value}" for type_ in ([modifier] if modifier else parameter.targets)]
    )
    return exists().where(
        reference_index.c.parameter == number,
        reference_index.c.target.in_(targets),
        reference_index.c.rid == resource.c.rid,
    )


def _string(_: SearchParameter, number: int, modifier: str, value: str) -> Condition:
    wanted = normal(value)
    norm = string_index.c.norm
    tests: Mapping[str, Callable[[], Condition]] = {
        "exact": lambda: norm == wanted,
        "contains": lambda: norm.contains(wanted, autoescape=True),
    }
    match = tests.get(modifier, lambda: norm.startswith(wanted, autoescape=True))()
    return exists().where(string_index.c.parameter == number, match, string_index.c.rid == resource.c.rid)


def _date(_: SearchParameter, number: int, __: str, value: str) -> Condition:
    low, high = date_index.c.low, date_index.c.high
    return exists().where(
        date_index.c.parameter == number, _compare_dates(low, high, value), date_index.c.rid == resource.c.rid
    )


def _compare_dates(low: ColumnElement[int], high: ColumnElement[int], value: str) -> Condition:
    """https://hl7.org/fhir/R4/search.html#prefix: the target is [low, high), the value covers [first, last)."""
    prefix, text = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
    if prefix not in _PREFIXES:
        raise ValueError("this prefix is not known for dates")
    covered = _span(text)
    first = FAR_PAST if covered.start is None else to_micros(covered.start)
    last = FAR_FUTURE if covered.end is None else to_micros(covered.end)
    return _PREFIXES[prefix](low, high, first, last)


def _span(text: str) -> Period:
    try:
        return span(text.replace(" ", "+"))
    except (ValueError, OverflowError):
        raise ValueError("a date is wanted: YYYY, YYYY-MM, YYYY-MM-DD, or a time with zone") from None


_PREFIXES: Final[dict[str, Callable[[Any, Any, int, int], Condition]]] = {
    "eq": lambda low, high, first, last: and_(low >= first, high <= last),
    "ne": lambda low, high, first, last: not_(and_(low >= first, high <= last)),
    "gt": lambda low, high, first, last: high > last,
    "lt": lambda low, high, first, last: low < first,
    "ge": lambda low, high, first, last: high > first,
    "le": lambda low, high, first, last: low < last,
    "sa": lambda low, high, first, last: low >= last,
    "eb": lambda low, high, first, last: high <= first,
}

_KINDS: Final[dict[str, Callable[[SearchParameter, int, str, str], Condition]]] = {
    "token": _token,
    "reference": _reference,
    "string": _string,
    "date": _date,
}
_TABLES: Final = {"token": token_index, "reference": reference_index, "string": string_index, "date": date_index}
_MODIFIERS: Final[dict[str, frozenset[str]]] = {
    "token": frozenset({"not", "missing"}),
    "reference": frozenset({"Patient", "Organization", "Practitioner", "PractitionerRole", "missing"}),
    "string": frozenset({"exact", "contains", "missing"}),
    "date": frozenset({"missing"}),
}

# Parameters of every type, answered from the resource table itself


def _id(value: str) -> Condition:
    return resource.c.id == value


def _last_updated(value: str) -> Condition:
    return _compare_dates(resource.c.updated, resource.c.updated + 1, value)


_SPECIAL: Final = {
    "_id": SearchParameter("_id", "token", ("id",)),
    "_lastUpdated": SearchParameter("_lastUpdated", "date", ("meta.lastUpdated",)),
}
_SPECIAL_CONDITION: Final[dict[str, Callable[[str], Condition]]] = {"_id": _id, "_lastUpdated": _last_updated}


# Parameters that say how to answer


def _control_problems(controls: Mapping[str, str]) -> list[Issue]:
    return [
        Issue(IssueType.VALUE, f"{name} takes {allowed}")
        for name, value in controls.items()
        for allowed, test in (_CONTROLS[name],)
        if not test(value)
    ]


def _is_count(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 10


_CONTROLS: Final[dict[str, tuple[str, Callable[[str], bool]]]] = {
    "_count": ("a whole number", _is_count),
    "_total": ("none, estimate or accurate", lambda value: value in ("none", "estimate", "accurate")),
    "_summary": ("count or false", lambda value: value in ("count", "false")),
    "_sort": ("_id or -_id (the order of creation)", lambda value: value in ("_id", "-_id")),
}
