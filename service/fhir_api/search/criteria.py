"""One criterion of a search, ``name:modifier=value,value``, as a condition. https://hl7.org/fhir/R4/search.html

What matches is said over the rows of one index table; a resource is found when one of its rows matches.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, not_, or_, select, true

from contracts.time import Period
from fhir_mappings.identifiers import canonical_token
from service.fhir_api.search.index import FAR_FUTURE, FAR_PAST, normal, span
from service.fhir_api.search.parameters import SearchParameter, find
from service.store.codec import to_micros
from service.store.tables import INDEX_TABLES, date_index, reference_index, resource, string_index, token_index

Numbers = Mapping[tuple[str, str], int]
Condition = ColumnElement[bool]


class NotServed(Exception):
    """A parameter or a modifier that is not known here."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """``rows`` says which index rows of the parameter match; of a parameter of every type, which resources. One that asks
    for values, and wants what has them, may ``narrow`` a search to few resources."""

    parameter: SearchParameter
    rows: Condition
    is_negated: bool = False
    narrows: bool = True

    def condition(self, type_: str, numbers: Numbers, *, leads: bool) -> Condition:
        """The condition on resources. The one that ``leads`` is looked up first and the others asked of what it found: the
        database cannot know which of them finds few."""
        if self.parameter.code in SPECIAL:
            return self.rows
        table = INDEX_TABLES[self.parameter.kind]
        rows = and_(table.c.parameter == numbers[type_, self.parameter.code], self.rows)
        if leads:
            return resource.c.rid.in_(select(table.c.rid).where(rows))
        found = exists().where(rows, table.c.rid == resource.c.rid)
        return not_(found) if self.is_negated else found


def read(type_: str, name: str, value: str) -> Criterion:
    """Raises ``NotServed``, and ``ValueError`` (which never repeats the value) when the value cannot be read."""
    code, colon, modifier = name.partition(":")
    parameter = SPECIAL.get(code) or find(type_, code)
    if parameter is None:
        raise NotServed(f"{type_} has no search parameter of this name, or it is not served")
    if colon and modifier not in _modifiers(parameter):
        raise NotServed(f"{code} cannot be asked with this modifier")
    if modifier == "missing":
        return Criterion(parameter, true(), is_negated=_boolean(value), narrows=False)
    values = _split(value, ",")
    if "" in values:
        raise ValueError("a value is missing")
    match = _SPECIAL_MATCH.get(code) or _MATCH[parameter.kind]
    rows = or_(*(match(parameter, modifier, one) for one in values))
    return Criterion(parameter, rows, is_negated=modifier == "not", narrows=modifier != "not")


def _modifiers(parameter: SearchParameter) -> frozenset[str]:
    if parameter.code in SPECIAL:
        return frozenset()
    return _MODIFIERS[parameter.kind] | {"missing", *parameter.targets}


_MODIFIERS: Final[dict[str, frozenset[str]]] = {
    "token": frozenset({"not"}),
    "reference": frozenset(),
    "string": frozenset({"exact", "contains"}),
    "date": frozenset(),
}


# Values. https://hl7.org/fhir/R4/search.html#escaping


def _split(text: str, separator: str) -> list[str]:
    """The parts between separators that no backslash escapes."""
    return re.findall(rf"(?:^|{re.escape(separator)})((?:\\.|[^{re.escape(separator)}])*)", text, re.DOTALL)


def _plain(text: str) -> str:
    return re.sub(r"\\([\\,|$])", r"\1", text)


def _boolean(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("true or false is wanted")
    return value == "true"


# What matches, by kind of parameter


def _token(_: SearchParameter, __: str, value: str) -> Condition:
    """``code``, ``system|code``, ``|code`` (without system) or ``system|``."""
    *stated, code = (_plain(part) for part in _split(value, "|"))
    if len(stated) > 1 or not any((*stated, code)):
        raise ValueError("a code is wanted: code, system|code, |code or system|; a bar in a code is written \\|")
    if not stated:
        return token_index.c.code == code
    system, code = canonical_token(stated[0], code)
    of_system = token_index.c.system == system
    return and_(of_system, token_index.c.code == code) if code else of_system


def _reference(parameter: SearchParameter, modifier: str, value: str) -> Condition:
    """``Type/id``, or ``id`` of the type that the modifier says, else of any that the parameter may point at."""
    target = _plain(value)
    types = (modifier,) if modifier else parameter.targets
    return reference_index.c.target.in_([target] if "/" in target else [f"{type_}/{target}" for type_ in types])


def _string(_: SearchParameter, modifier: str, value: str) -> Condition:
    """The beginning, whatever the case and the accents; ``exact`` is letter by letter."""
    text, norm = _plain(value), string_index.c.norm
    wanted = normal(text)
    if modifier == "exact":
        return and_(norm == wanted, string_index.c.text == text)
    if not wanted:
        raise ValueError("letters are wanted")
    if modifier == "contains":
        return norm.contains(wanted, autoescape=True)
    return and_(norm >= wanted, norm < wanted + _LAST_LETTER)


_LAST_LETTER: Final = "\U0010ffff"
"""Sorts after every letter: what begins with a text stands in one stretch of the index."""


def _date(_: SearchParameter, __: str, value: str) -> Condition:
    return _compare_dates(date_index.c.low, date_index.c.high, value)


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
    except ValueError:
        raise ValueError("a date is wanted: YYYY, YYYY-MM, YYYY-MM-DD, or a time to the minute or the second") from None


def _is_within(low: Any, high: Any, first: int, last: int) -> Condition:
    return and_(low >= first, high <= last)


_PREFIXES: Final[dict[str, Callable[[Any, Any, int, int], Condition]]] = {
    "eq": _is_within,
    "ne": lambda *ranges: not_(_is_within(*ranges)),
    "gt": lambda low, high, first, last: high > last,
    "lt": lambda low, high, first, last: low < first,
    "ge": lambda low, high, first, last: or_(high > last, _is_within(low, high, first, last)),
    "le": lambda low, high, first, last: or_(low < first, _is_within(low, high, first, last)),
    "sa": lambda low, high, first, last: low >= last,
    "eb": lambda low, high, first, last: high <= first,
}

_MATCH: Final[dict[str, Callable[[SearchParameter, str, str], Condition]]] = {
    "token": _token,
    "reference": _reference,
    "string": _string,
    "date": _date,
}


# Parameters of every type, answered from the resource table itself

SPECIAL: Final = {
    "_id": SearchParameter("_id", "token", ("id",)),
    "_lastUpdated": SearchParameter("_lastUpdated", "date", ("meta.lastUpdated",)),
}
_SPECIAL_MATCH: Final[dict[str, Callable[[SearchParameter, str, str], Condition]]] = {
    "_id": lambda _, __, value: resource.c.id == _plain(value),
    "_lastUpdated": lambda _, __, value: _compare_dates(resource.c.updated, resource.c.updated + 1, value),
}
