"""From a resource to the rows that searches find it by. https://hl7.org/fhir/R4/search.html"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
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


def rows_of(numbers: Numbers, content: Content) -> IndexRows:
    """The index rows of a resource under the numbers that the store gave the parameters."""
    type_ = content["resourceType"]
    rows: Rows = {kind: set() for kind in KINDS}
    plan = _plan(type_)
    for name in content:
        for parameter, index, ways in plan.get(name, ()):
            if values := _values(content, ways):
                index(rows, numbers, content, parameter, values)
    return rows


@cache
def _plan(type_: str) -> Mapping[str, Sequence[tuple[SearchParameter, "_Index", tuple[Way, ...]]]]:
    """By the name of an element of the resource: the parameters that are read from it, how each is indexed, and the ways to
    its values. A resource has few of the elements that it could have."""
    plan: dict[str, list[tuple[SearchParameter, _Index, tuple[Way, ...]]]] = {}
    for parameter in PARAMETERS.get(type_, {}).values():
        index, ways = _indexing(parameter)
        for first in dict.fromkeys(way[0] for way in ways if not parameter.rows):
            plan.setdefault(first, []).append((parameter, index, tuple(way for way in ways if way[0] == first)))
    return plan


def _indexing(parameter: SearchParameter) -> tuple["_Index", tuple[Way, ...]]:
    if any(each.type == "existence" for each in parameter.elements):
        return _index_existence, _WHOLE
    return _INDEX.get(parameter.kind, _index), _ways_of(parameter)


_WHOLE: Final[tuple[Way, ...]] = (("resourceType", (), ""),)
"""To the resource itself, which is always there."""


@cache
def _ways_of(parameter: SearchParameter) -> tuple[Way, ...]:
    steps = [(tuple(_STEP.findall(each.path)), each.type) for each in parameter.elements]
    return tuple((found[0][0] if found else "resourceType", found, type_) for found, type_ in steps)


_STEP: Final = re.compile(r"(\w+)(?:\[(\w+)=([^\]]+)\])?")


def _values(content: Content, ways: tuple[Way, ...]) -> Values:
    found: Values = []
    for first, steps, type_ in ways:
        if first in content:
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


def _index(rows: Rows, numbers: Numbers, content: Content, parameter: SearchParameter, values: Values) -> None:
    """What is found under the values; where that is nothing (a concept that is only text), that one is there at all."""
    number, extracted = numbers[content["resourceType"], parameter.code], _EXTRACT[parameter.kind]
    of_kind = rows[parameter.kind]
    for value, type_ in values:
        for row in tuple(extracted(value, type_)) or _PRESENT.get(parameter.kind, ()):
            of_kind.add((number, *row))


def _index_token(rows: Rows, numbers: Numbers, content: Content, parameter: SearchParameter, values: Values) -> None:
    """A token's words are found as texts, and identifiers by their type."""
    type_, code = content["resourceType"], parameter.code
    _index(rows, numbers, content, parameter, values)
    for value, kind in values:
        if isinstance(value, dict):
            for each in extract.words(value, kind):
                rows["string"].add((numbers[type_, code], extract.normal(each), each))
        if kind == "Identifier":
            rows["token"].update((numbers[type_, code + OF_TYPE], *row) for row in extract.typed(value))


def _index_existence(rows: Rows, numbers: Numbers, content: Content, parameter: SearchParameter, _: Values) -> None:
    """``x.exists() and x != false``, which every resource answers."""
    is_there = any(value is not False for value, _ in _values(content, _ways_of(parameter)))
    rows["token"].add((numbers[content["resourceType"], parameter.code], "true" if is_there else "false", ""))


def _index_reference(
    rows: Rows, numbers: Numbers, content: Content, parameter: SearchParameter, values: Values
) -> None:
    """A logical reference is found by its identifier."""
    kept = [pair for pair in values if not parameter.of or _may_be(content, pair[0], parameter.of)]
    _index(rows, numbers, content, parameter, kept)
    number = numbers[content["resourceType"], parameter.code]
    for value, type_ in kept:
        if type_ == "Reference" and "identifier" in value:
            rows["token"].update((number, *row) for row in extract.tokens(value["identifier"], "Identifier"))


def _may_be(content: Content, reference: Any, type_: str) -> bool:
    """Whether it points at a resource of the type; one that says no type may."""
    if reference.get("reference", "").startswith(f"{type_}/"):
        return True
    inside = primitives.contained(content, reference)
    if inside is not None:
        return bool(inside["resourceType"] == type_)
    says_none = "type" not in reference and "reference" not in reference
    return says_none or primitives.points_at(reference, type_)


def _index_composite(
    rows: Rows, numbers: Numbers, content: Content, parameter: SearchParameter, values: Values
) -> None:
    """Every combination of what one element has for the first part with what it has for the second, which is mostly of
    another data type and not there."""
    number = numbers[content["resourceType"], parameter.code]
    as_first, as_second = _FIRST[parameter.parts[0].kind], _SECOND[parameter.parts[1].kind]
    for base, _ in values:
        if second := _part(base, parameter.parts[1]):
            pairs = product(_part(base, parameter.parts[0]), second)
            rows["composite"].update((number, *as_first(one), *as_second(other)) for one, other in pairs)


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


_EXTRACT: Final[dict[str, Callable[[Any, str], Iterator[Row]]]] = {
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

_Index = Callable[[Rows, Numbers, Content, SearchParameter, Values], None]

_INDEX: Final[dict[str, _Index]] = {"token": _index_token, "reference": _index_reference, "composite": _index_composite}
