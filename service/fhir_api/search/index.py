"""From a resource to the rows that searches find it by. https://hl7.org/fhir/R4/search.html"""

import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from contracts.time import Period
from fhir_mappings import primitives
from fhir_mappings.identifiers import canonical_token
from service.fhir_api.search.parameters import PARAMETERS, SearchParameter
from service.store.codec import to_micros
from service.store.transaction import IndexRows

FAR_PAST: Final = -(2**62)
FAR_FUTURE: Final = 2**62


def rows_of(numbers: Mapping[tuple[str, str], int], content: Mapping[str, Any]) -> IndexRows:
    """The index rows of a resource under the numbers that the store gave the parameters."""
    type_ = content["resourceType"]
    rows: dict[str, dict[tuple[Any, ...], None]] = {"token": {}, "reference": {}, "date": {}, "string": {}}
    for parameter in PARAMETERS.get(type_, ()):
        number = numbers[type_, parameter.code]
        extract = _EXTRACT[parameter.kind]
        for value in _values(content, parameter):
            rows[parameter.kind].update(((number, *row), None) for row in extract(value))
    return IndexRows(tuple(rows["token"]), tuple(rows["reference"]), tuple(rows["date"]), tuple(rows["string"]))


def _values(content: Mapping[str, Any], parameter: SearchParameter) -> Iterator[Any]:
    for path in parameter.paths:
        yield from _walk([content], path.split("."))


def _walk(elements: Iterable[Any], path: list[str]) -> Iterator[Any]:
    for element in elements:
        found = element.get(path[0]) if isinstance(element, Mapping) else None
        below = found if isinstance(found, list) else () if found is None else (found,)
        yield from below if len(path) == 1 else _walk(below, path[1:])


def _tokens(value: Any) -> Iterator[tuple[str, str]]:
    """A coding, each coding of a concept, an identifier, a code or a boolean as (code, system)."""
    if isinstance(value, bool):
        yield ("true" if value else "false"), ""
    elif isinstance(value, str):
        yield value, ""
    elif "coding" in value:
        for coding in value["coding"]:
            yield from _tokens(coding)
    elif "code" in value or "value" in value:
        system, code = canonical_token(value.get("system", ""), value.get("code") or value.get("value", ""))
        yield code, system


def _references(value: Any) -> Iterator[tuple[str]]:
    """Where a literal reference points, without the version."""
    if "reference" in value:
        yield (value["reference"].partition("/_history/")[0],)


def _dates(value: Any) -> Iterator[tuple[int, int]]:
    """The first instant and the first one after it, in microseconds; open sides are far away."""
    try:
        lasting = _lasting(value)
    except ValueError:  # the first hours of the year 1, which no other zone can tell: no search finds them
        return
    low = FAR_PAST if lasting.start is None else to_micros(lasting.start)
    yield low, FAR_FUTURE if lasting.end is None else to_micros(lasting.end)


def _lasting(value: Any) -> Period:
    if isinstance(value, Mapping):
        return Period(
            span(value["start"]).start if "start" in value else None, span(value["end"]).end if "end" in value else None
        )
    return span(value)


def span(text: str) -> Period:
    """The time that a date of any precision covers: a year, a month or a day in Sweden, else one second."""
    if len(text) > len("2026-03-29"):
        start = primitives.instant(text)
        return Period(start, start.replace(microsecond=0) + timedelta(seconds=1))
    parts = [int(part) for part in text.split("-")]
    first = date(parts[0], *[*parts[1:], 1, 1][:2])
    return Period.of_days(first, _last_day(first, len(parts)))


def _last_day(first: date, precision: int) -> date:
    if precision == 3:
        return first
    month = 12 if precision == 1 else first.month
    return date(first.year, month, monthrange(first.year, month)[1])


def _strings(value: Any) -> Iterator[tuple[str]]:
    yield (normal(value),)


_EXTRACT: Final = {"token": _tokens, "reference": _references, "date": _dates, "string": _strings}


def normal(text: str) -> str:
    """Without case, accents and needless blanks, as R4 compares strings; å, ä and ö are letters and stay."""
    kept = unicodedata.normalize("NFC", text.casefold())
    return " ".join("".join(_plain(letter) for letter in kept).split())


def _plain(letter: str) -> str:
    return letter if letter in "åäö" else unicodedata.normalize("NFD", letter)[0]
