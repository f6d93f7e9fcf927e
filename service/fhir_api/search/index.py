"""From a resource to the rows that searches find it by. https://hl7.org/fhir/R4/search.html"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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


def rows_of(numbers: Numbers, content: Content) -> IndexRows:
    """The index rows of a resource under the numbers that the store gave the parameters."""
    type_ = content["resourceType"]
    rows: Rows = {kind: set() for kind in KINDS}
    for parameter in PARAMETERS.get(type_, {}).values():
        if not parameter.rows:
            _INDEX.get(parameter.kind, _index)(rows, numbers, content, parameter)
    return rows


def _index(rows: Rows, numbers: Numbers, content: Content, parameter: SearchParameter) -> None:
    """What is found under the values; where that is nothing (a concept that is only text), that one is there at all."""
    number = numbers[content["resourceType"], parameter.code]
    for value, type_ in _values(content, parameter):
        found = tuple(_EXTRACT[parameter.kind](value, type_)) or _PRESENT.get(parameter.kind, ())
        rows[parameter.kind].update((number, *row) for row in found)


def _index_token(rows: Rows, numbers: Numbers, content: Content, parameter: SearchParameter) -> None:
    """A token's words are found as texts, and identifiers by their type."""
    type_, code = content["resourceType"], parameter.code
    if any(each.type == "existence" for each in parameter.elements):
        rows["token"].add((numbers[type_, code], _existence(content, parameter), ""))
        return
    _index(rows, numbers, content, parameter)
    for value, kind in _values(content, parameter):
        rows["string"].update((numbers[type_, code], extract.normal(each), each) for each in extract.words(value, kind))
        if kind == "Identifier":
            rows["token"].update((numbers[type_, code + OF_TYPE], *row) for row in extract.typed(value))


def _existence(content: Content, parameter: SearchParameter) -> str:
    """``x.exists() and x != false``"""
    return "true" if any(value is not False for value, _ in _values(content, parameter)) else "false"


def _index_reference(rows: Rows, numbers: Numbers, content: Content, parameter: SearchParameter) -> None:
    """A logical reference is found by its identifier."""
    number = numbers[content["resourceType"], parameter.code]
    for value, type_ in _values(content, parameter):
        if parameter.of and not _may_be(content, value, parameter.of):
            continue
        found = tuple(extract.references(value, type_)) or _PRESENT["reference"]
        rows["reference"].update((number, *row) for row in found)
        if type_ == "Reference" and "identifier" in value:
            rows["token"].update((number, *row) for row in extract.tokens(value["identifier"], "Identifier"))


def _may_be(content: Content, reference: Any, type_: str) -> bool:
    """Whether it points at a resource of the type; one that says no type may."""
    inside = primitives.contained(content, reference)
    if inside is not None:
        return bool(inside["resourceType"] == type_)
    says_none = "type" not in reference and "reference" not in reference
    return says_none or primitives.points_at(reference, type_)


def _index_composite(rows: Rows, numbers: Numbers, content: Content, parameter: SearchParameter) -> None:
    """Every combination of what one element has for the first part with what it has for the second."""
    number = numbers[content["resourceType"], parameter.code]
    for element in parameter.elements:
        for base in _walk([content], _steps(element.path)) if element.path else [content]:
            first, second = (_part(base, part) for part in parameter.parts)
            as_first, as_second = (_FIRST[parameter.parts[0].kind], _SECOND[parameter.parts[1].kind])
            rows["composite"].update(
                (number, *as_first(one), *as_second(other)) for one, other in product(first, second)
            )


def _part(base: Content, part: SearchParameter) -> Iterator[Row]:
    for value, type_ in _values(base, part):
        yield from _EXTRACT[part.kind](value, type_)


_FIRST: Final[dict[str, Callable[[Row], Row]]] = {"token": lambda row: row, "reference": lambda row: (*row, "")}
_SECOND: Final[dict[str, Callable[[Row], Row]]] = {
    "token": lambda row: (*row, 0.0, 0.0),
    "string": lambda row: (*row, 0.0, 0.0),
    "quantity": lambda row: (row[0], row[3], row[1], row[2]),
    "date": lambda row: ("", "", float(row[0]), float(row[1])),
}
"""A part's row as it stands in the composite's table."""


def _values(content: Content, parameter: SearchParameter) -> Iterator[tuple[Any, str]]:
    """What stands at the parameter's elements, each with its data type."""
    for element in parameter.elements:
        for value in _walk([content], _steps(element.path)):
            yield value, element.type


Step = tuple[str, str, str]
"""An element's name, and what an element below it must say for it to be meant: ``telecom``, ``system``, ``email``."""


@cache
def _steps(path: str) -> tuple[Step, ...]:
    return tuple(_STEP.findall(path))


_STEP: Final = re.compile(r"(\w+)(?:\[(\w+)=([^\]]+)\])?")


def _walk(elements: Iterable[Any], steps: tuple[Step, ...]) -> Iterator[Any]:
    """The values at the end of the path. A repeating element may hold nulls, where there are only extensions."""
    (name, below, wanted), rest = steps[0], steps[1:]
    for element in elements:
        found = element.get(name) if isinstance(element, dict) else None
        repeated = found if isinstance(found, list) else (found,)
        kept = [each for each in repeated if each is not None and (not below or each.get(below) == wanted)]
        yield from _walk(kept, rest) if rest else kept


_EXTRACT: Final[dict[str, Callable[[Any, str], Iterator[Row]]]] = {
    "token": extract.tokens,
    "reference": extract.references,
    "date": extract.dates,
    "string": extract.strings,
    "quantity": extract.quantities,
    "uri": extract.uris,
}
_PRESENT: Final[dict[str, tuple[Row, ...]]] = {"token": (("", ""),), "reference": (("",),)}
"""A row that no value is equal to, for ``:missing``."""

_INDEX: Final = {"token": _index_token, "reference": _index_reference, "composite": _index_composite}
