"""From a resource to the rows that searches find it by. https://hl7.org/fhir/R4/search.html"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from typing import Any, Final

from fhir_mappings import primitives
from service.fhir_api.search import extract
from service.fhir_api.search.parameters import KINDS, OF_TYPE, PARAMETERS, SearchParameter
from service.store.indexing import IndexRows, Numbers

Content = Mapping[str, Any]
Row = tuple[Any, ...]
Rows = dict[str, set[Row]]
Values = list[tuple[Any, str]]
"""What stands at a parameter's elements, each with its data type."""

Step = tuple[str, str, str]
"""An element's name, and what an element below it must say for it to be meant: ``telecom``, ``system``, ``email``."""

Way = tuple[str, tuple[Step, ...], str]
"""The way to an element: the first name, all steps, the data type at the end."""


def rows_of(numbers: Numbers, content: Content, only: frozenset[str] | None = None) -> IndexRows:
    """The index rows of a resource under the numbers that the store gave the parameters; of some alone, by their codes."""
    rows: Rows = {kind: set() for kind in KINDS}
    plan = _plan(content["resourceType"], only)
    for name in content:
        for reading in plan.get(name, ()):
            if values := _values(content, reading.ways):
                reading.index(rows, numbers, content, reading, values)
    return rows


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is read from an element of a resource in one way: how it is indexed, the ways to its values, the parameters
    that are found by it, of which one stands for all."""

    index: "_Index"
    ways: tuple[Way, ...]
    parameter: SearchParameter
    codes: tuple[str, ...]


@lru_cache(1000)
def _plan(type_: str, only: frozenset[str] | None) -> Mapping[str, Sequence[_Reading]]:
    """By the name of an element of the resource: what is read from it. A resource has few of the elements that it could have,
    and parameters share what they are read from."""
    shared: dict[tuple[Any, ...], list[SearchParameter]] = {}
    of_type = PARAMETERS.get(type_, {}).values()
    for parameter in (each for each in of_type if only is None or each.code in only):
        index, ways = _indexing(parameter)
        for first in dict.fromkeys(way[0] for way in ways if not parameter.rows):
            of_first = tuple(way for way in ways if way[0] == first)
            for trigger in _triggers(parameter, first):
                elements = parameter.elements if index is _index_existence else ()
                alike = (parameter.kind, parameter.of, elements, *(part.definition for part in parameter.parts))
                shared.setdefault((trigger, index, of_first, alike), []).append(parameter)
    plan: dict[str, list[_Reading]] = {}
    for (trigger, index, ways, _), parameters in shared.items():
        codes = tuple(each.code for each in parameters)
        plan.setdefault(trigger, []).append(_Reading(index, ways, parameters[0], codes))
    return plan


def _triggers(parameter: SearchParameter, first: str) -> Sequence[str]:
    """The elements of which one must be there: of a pair in the resource itself those of its second part, which mostly is
    of another data type."""
    if first != _ALWAYS or not parameter.parts:
        return (first,)
    return tuple(dict.fromkeys(way[0] for way in _ways_of(parameter.parts[1])))


def _indexing(parameter: SearchParameter) -> tuple["_Index", tuple[Way, ...]]:
    if any(each.type == "existence" for each in parameter.elements):
        return _index_existence, _WHOLE
    return _INDEX.get(parameter.kind, _index), _ways_of(parameter)


_ALWAYS: Final = "resourceType"
_WHOLE: Final[tuple[Way, ...]] = ((_ALWAYS, (), ""),)
"""To the resource itself, which is always there."""


@cache
def _ways_of(parameter: SearchParameter) -> tuple[Way, ...]:
    steps = [(tuple(_STEP.findall(each.path)), each.type) for each in parameter.elements]
    return tuple((found[0][0] if found else _ALWAYS, found, type_) for found, type_ in steps)


_STEP: Final = re.compile(r"(\w+)(?:\[(\w+)=([^\]]+)\])?")


def _values(content: Content, ways: tuple[Way, ...]) -> Values:
    found: Values = []
    for first, steps, type_ in ways:
        if first in content:
            one = content[first]
            if len(steps) == 1 and not steps[0][1] and one is not None and not isinstance(one, list):  # as most are
                found.append((one, type_))
            else:
                found += [(value, type_) for value in _walk([content], steps)]
    return found


def _walk(elements: list[Any], steps: tuple[Step, ...]) -> list[Any]:
    """The values at the end of the path. A repeating element may hold nulls, where there are only extensions."""
    for name, below, wanted in steps:
        found: list[Any] = []
        for each in elements:
            one = each.get(name) if isinstance(each, dict) else None
            if isinstance(one, list):
                found += [part for part in one if part is not None]
            elif one is not None:
                found.append(one)
        elements = [each for each in found if each.get(below) == wanted] if below else found
    return elements


def _index(rows: Rows, numbers: Numbers, content: Content, reading: _Reading, values: Values) -> None:
    """What is found under the values; where that is nothing (a concept that is only text), that one is there at all."""
    type_, kind = content["resourceType"], reading.parameter.kind
    extracted, of_kind = _EXTRACT[kind], rows[kind]
    for value, of in values:
        for row in extracted(value, of) or _PRESENT.get(kind, ()):
            for code in reading.codes:
                of_kind.add((numbers[type_, code], *row))


def _index_token(rows: Rows, numbers: Numbers, content: Content, reading: _Reading, values: Values) -> None:
    """A token's words are found as texts, and identifiers by their type."""
    type_ = content["resourceType"]
    _index(rows, numbers, content, reading, values)
    for value, kind in values:
        if isinstance(value, dict):
            for each in extract.words(value, kind):
                for code in reading.codes:
                    rows["string"].add((numbers[type_, code], extract.normal(each), each))
        if kind == "Identifier":
            for row in extract.typed(value):
                for code in reading.codes:
                    rows["token"].add((numbers[type_, code + OF_TYPE], *row))


def _index_existence(rows: Rows, numbers: Numbers, content: Content, reading: _Reading, _: Values) -> None:
    """``x.exists() and x != false``, which every resource answers."""
    type_ = content["resourceType"]
    is_there = any(value is not False for value, _ in _values(content, _ways_of(reading.parameter)))
    rows["token"].update((numbers[type_, code], "true" if is_there else "false", "") for code in reading.codes)


def _index_reference(rows: Rows, numbers: Numbers, content: Content, reading: _Reading, values: Values) -> None:
    """A logical reference is found by its identifier."""
    type_, of = content["resourceType"], reading.parameter.of
    kept = [pair for pair in values if not of or _may_be(content, pair[0], of)]
    _index(rows, numbers, content, reading, kept)
    for value, kind in kept:
        if kind == "Reference" and "identifier" in value:
            found = extract.tokens(value["identifier"], "Identifier")
            rows["token"].update((numbers[type_, code], *row) for code in reading.codes for row in found)


def _may_be(content: Content, reference: Any, type_: str) -> bool:
    """Whether it points at a resource of the type; one that says no type may."""
    if reference.get("reference", "").startswith(f"{type_}/"):
        return True
    inside = primitives.contained(content, reference)
    if inside is not None:
        return bool(inside["resourceType"] == type_)
    says_none = "type" not in reference and "reference" not in reference
    return says_none or primitives.points_at(reference, type_)


def _index_composite(rows: Rows, numbers: Numbers, content: Content, reading: _Reading, values: Values) -> None:
    """Every combination of what one element has for the first part with what it has for the second."""
    type_, (first, second) = content["resourceType"], reading.parameter.parts
    as_first, as_second = _FIRST[first.kind], _SECOND[second.kind]
    for base, _ in values:
        pairs = [(*as_first(one), *as_second(other)) for one, other in product(_part(base, first), _part(base, second))]
        for code in reading.codes:
            number = numbers[type_, code]
            rows["composite"].update([(number, *pair) for pair in pairs])


def _part(base: Content, part: SearchParameter) -> list[Row]:
    return [row for value, type_ in _values(base, _ways_of(part)) for row in _EXTRACT[part.kind](value, type_)]


_FIRST: Final[dict[str, Callable[[Row], Row]]] = {"token": lambda row: row, "reference": lambda row: (*row, "")}
_SECOND: Final[dict[str, Callable[[Row], Row]]] = {
    "token": lambda row: (*row, 0.0, 0.0),
    "string": lambda row: (*row, 0.0, 0.0),
    "quantity": lambda row: (row[0], row[3], row[1], row[2]),
    "date": lambda row: ("", "", float(row[0]), float(row[1])),
}
"""A part's row as it stands in the composite's table."""


_EXTRACT: Final[dict[str, Callable[[Any, str], Sequence[Row]]]] = {
    "token": extract.tokens,
    "reference": extract.references,
    "date": extract.dates,
    "string": extract.strings,
    "quantity": extract.quantities,
    "uri": extract.uris,
    "special": extract.positions,
}
_PRESENT: Final[dict[str, tuple[Row, ...]]] = {"token": (("", ""),), "reference": (("",),)}
"""A row that no value is equal to, for ``:missing``."""

_Index = Callable[[Rows, Numbers, Content, _Reading, Values], None]

_INDEX: Final[dict[str, _Index]] = {"token": _index_token, "reference": _index_reference, "composite": _index_composite}
