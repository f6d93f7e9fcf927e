"""From a resource to the rows that searches find it by. https://hl7.org/fhir/R4/search.html"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final

from contracts.time import STOCKHOLM, Period
from fhir_mappings import primitives
from fhir_mappings.identifiers import canonical_token
from service.fhir_api.search.parameters import PARAMETERS, SearchParameter
from service.store.codec import to_micros
from service.store.indexing import IndexRows, Numbers

FAR_PAST: Final = -(2**62)
FAR_FUTURE: Final = 2**62


def rows_of(numbers: Numbers, content: Mapping[str, Any]) -> IndexRows:
    """The index rows of a resource under the numbers that the store gave the parameters."""
    type_ = content["resourceType"]
    rows: dict[str, set[tuple[Any, ...]]] = {kind: set() for kind in _EXTRACT}
    for parameter in PARAMETERS.get(type_, ()):
        number = numbers[type_, parameter.code]
        for value in _values(content, parameter):
            rows[parameter.kind].update((number, *row) for row in _found(parameter, value))
    return rows


def _found(parameter: SearchParameter, value: Any) -> Iterable[tuple[Any, ...]]:
    """What is found under the value; where that is nothing (a concept that is only text), that it is there at all."""
    return tuple(_EXTRACT[parameter.kind](value)) or _PRESENT[parameter.kind]


def _values(content: Mapping[str, Any], parameter: SearchParameter) -> Iterator[Any]:
    for path in parameter.paths:
        yield from _walk([content], _steps(path))


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _walk(elements: Iterable[Any], steps: tuple[str, ...]) -> Iterator[Any]:
    """The values at the end of the path. A repeating element may hold nulls, where there are only extensions."""
    for element in elements:
        found = element.get(steps[0]) if isinstance(element, dict) else None
        below = found if isinstance(found, list) else (found,)
        yield from (each for each in below if each is not None) if len(steps) == 1 else _walk(below, steps[1:])


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
    lasting = _lasting(value)
    low = FAR_PAST if lasting.start is None else to_micros(lasting.start)
    yield low, FAR_FUTURE if lasting.end is None else to_micros(lasting.end)


def _lasting(value: Any) -> Period:
    if isinstance(value, str):
        return _covered(value)
    return Period(_covered(value.get("start")).start, _covered(value.get("end")).end)


def _covered(text: str | None) -> Period:
    """What is not stated, and what cannot be reckoned with (the first hours of the year 1), may be any time."""
    try:
        return Period() if text is None else span(text)
    except ValueError:
        return Period()


def span(text: str) -> Period:
    """The time that a date of any precision covers: a year, a month or a day in Sweden, a minute, a second, or, with a
    fraction, an instant. A time without zone, which a search may state, is Swedish. ``ValueError`` for anything else."""
    match = _DATE.fullmatch(text)
    if match is None:
        return _time(text)
    year, month, day = int(match["year"]), match["month"], match["day"]
    last_month = int(month or 12)
    last_day = int(day or monthrange(year, last_month)[1])
    return Period.of_days(date(year, int(month or 1), int(day or 1)), date(year, last_month, last_day))


_DATE: Final = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d))?)?", re.ASCII)
_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(?P<second>:\d\d(?P<fraction>\.\d+)?)?(?P<zone>Z|[+-]\d\d:\d\d)?", re.ASCII
)


def _time(text: str) -> Period:
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError("this is no date and no time")
    start = primitives.instant(text) if match["zone"] else _swedish(text)
    if match["fraction"]:
        return Period(start, start + timedelta(microseconds=1))
    return Period(start, start + (timedelta(seconds=1) if match["second"] else timedelta(minutes=1)))


def _swedish(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=STOCKHOLM).astimezone(UTC)
    except OverflowError:
        raise ValueError("the year is outside what can be reckoned with") from None


def _strings(value: Any) -> Iterator[tuple[str, str]]:
    yield normal(value), value


_EXTRACT: Final = {"token": _tokens, "reference": _references, "date": _dates, "string": _strings}
_PRESENT: Final[dict[str, tuple[tuple[Any, ...], ...]]] = {"token": (("", ""),), "reference": (("",),)}
"""A row that no value is equal to, for ``:missing``."""


def normal(text: str) -> str:
    """Without case, accents and needless blanks, as R4 compares strings; å, ä and ö are letters and stay."""
    kept = unicodedata.normalize("NFC", text.casefold())
    return " ".join("".join(_plain(letter) for letter in kept).split())


def _plain(letter: str) -> str:
    if letter in "åäö":
        return letter
    return "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part))
