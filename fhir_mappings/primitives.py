"""Dates, periods, codings, references and extensions of FHIR R4: small total functions.

FHIR's own rules: http://hl7.org/fhir/R4/datatypes.html. A date is a date in Sweden (decision D12).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache, wraps
from typing import Any, Final, TypeVar

from contracts.activity import Identifier
from contracts.time import STOCKHOLM, Period, day_start, swedish_day
from fhir_mappings.identifiers import System

Json = Mapping[str, Any]
"""A JSON object that has passed the schema."""

Found = tuple[str, str]
"""A code, and the FHIRPath where it stands."""

_DAY_LENGTH: Final = len("2026-03-29")
_SECOND: Final = timedelta(seconds=1)
_LITERAL: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?", re.ASCII)

LAST_INSTANT: Final = day_start(date.max)
"""Record systems write 9999-12-31 for "no end". Later than this cannot be told in Swedish time, and counts as this."""


# ---- Time --------------------------------------------------------------------------------------------------------

T = TypeVar("T")


def remembered(read: Callable[[str], T]) -> Callable[[str], T]:
    """The same function of a time's text, which remembers its last answers: whoever judges, codes, describes and indexes a
    resource asks for the same ones. A fraction may have any number of digits: what is long is not kept."""
    known = lru_cache(1000)(read)

    @wraps(read)
    def asked(text: str) -> T:
        return known(text) if len(text) <= _LONGEST_KEPT else read(text)

    return asked


_LONGEST_KEPT: Final = len("2026-03-29T02:30:00.123456+02:00")


@remembered
def instant(text: str) -> datetime:
    """A FHIR dateTime or instant in UTC. A date is the start of the Swedish day.

    ``ValueError`` for a year or a month alone (nobody knows the day), a time without zone, and a day that is none.
    """
    try:
        return day_start(day(text)) if len(text) <= _DAY_LENGTH else _zoned(text)
    except OverflowError:
        raise ValueError("the year is outside what can be reckoned with") from None


def day(text: str) -> date:
    """A full FHIR date. ``ValueError`` for a year or a month alone, or a day that is none."""
    if len(text) != _DAY_LENGTH:
        raise ValueError("a year or a month alone does not say the day")
    return date.fromisoformat(text)


@remembered
def swedish_date(text: str) -> date:
    """The day, in Sweden, of a FHIR date or dateTime. ``ValueError`` as for ``instant``."""
    return day(text) if len(text) <= _DAY_LENGTH else swedish_day(instant(text))


def period(element: Json) -> Period:
    """A FHIR Period, both ends of which count, as a half-open one: an end given as a date covers that whole Swedish
    day, an end with a time covers that second. ``ValueError`` as for ``instant``."""
    start, end = element.get("start"), element.get("end")
    return Period(None if start is None else instant(start), None if end is None else after(end))


def after(end: str) -> datetime:
    """The first instant that a period no longer covers whose ``end`` is given. ``ValueError`` as for ``instant``."""
    if len(end) > _DAY_LENGTH:
        at = instant(end)
        return min(at - timedelta(microseconds=at.microsecond) + _SECOND, LAST_INSTANT)
    last = day(end)
    return LAST_INSTANT if last == date.max else day_start(last + timedelta(days=1))


def to_instant(at: datetime) -> str:
    """Swedish local time with its offset, to the second: unambiguous also in the hour that autumn repeats."""
    return at.astimezone(STOCKHOLM).isoformat(timespec="seconds")


def to_period(value: Period) -> dict[str, str]:
    """A FHIR Period that reads back as the same: a last second, or a last day where the end is a Swedish midnight."""
    ends = {"start": value.start and _day_or_time(value.start), "end": value.end and _last_covered(value.end)}
    return {name: text for name, text in ends.items() if text}


def _zoned(text: str) -> datetime:
    at = datetime.fromisoformat(text) if text[17:19] != "60" else _leap_second(text)
    if at.tzinfo is None:
        raise ValueError("a time needs a zone")
    at = at.astimezone(UTC)
    return at if at < LAST_INSTANT else LAST_INSTANT


def _leap_second(text: str) -> datetime:
    """FHIR allows the second that Python does not know."""
    return datetime.fromisoformat(f"{text[:17]}59{text[19:]}") + _SECOND


def _is_midnight(at: datetime) -> bool:
    return day_start(swedish_day(at)) == at


def _day_or_time(at: datetime) -> str:
    return swedish_day(at).isoformat() if _is_midnight(at) else to_instant(at)


def _last_covered(end: datetime) -> str:
    if end >= LAST_INSTANT:
        return date.max.isoformat()
    return (swedish_day(end) - timedelta(days=1)).isoformat() if _is_midnight(end) else to_instant(end - _SECOND)


# ---- Codings -----------------------------------------------------------------------------------------------------


@cache
def spellings(system: System | str) -> frozenset[str]:
    """Every way to write a system."""
    return frozenset({system}) if isinstance(system, str) else frozenset((system.fhir, _oid(system), *system.also))


def _oid(system: System) -> str:
    return f"urn:oid:{system.rivta}" if system.rivta else system.fhir


def coded(concept: Json | None, path: str, system: System | str) -> list[Found]:
    """The codes of a system in one CodeableConcept at ``path``. A coding without a code gives an empty one."""
    if concept is None or "coding" not in concept:
        return []
    known = spellings(system)
    return [
        (coding.get("code", ""), f"{path}.coding[{index}].code")
        for index, coding in enumerate(concept["coding"])
        if coding.get("system") in known
    ]


def codes(concepts: Iterable[Json], path: str, system: System | str) -> list[Found]:
    """The codes of a system in a repeating CodeableConcept at ``path``."""
    return [found for index, concept in enumerate(concepts) for found in coded(concept, f"{path}[{index}]", system)]


def coding(system: System | str, code: str, display: str = "") -> dict[str, str]:
    """A Coding as we write it."""
    written = {"system": system if isinstance(system, str) else system.fhir, "code": str(code)}
    return written | {"display": display} if display else written


def concept(system: System | str, code: str, display: str = "") -> dict[str, Any]:
    """A CodeableConcept with one coding."""
    return {"coding": [coding(system, code, display)]}


# ---- References, identifiers and extensions ----------------------------------------------------------------------


def literal(reference: Json) -> tuple[str, str] | None:
    """Type and id of a relative literal reference, ``Patient/1``, also of one to a version. ``None`` for any other."""
    match = _LITERAL.fullmatch(reference.get("reference", ""))
    return None if match is None else (match[1], match[2])


def points_at(reference: Json, type: str) -> bool:
    """Whether a reference says, by address or by its stated type, that it points at a resource of the type."""
    address = reference.get("reference", "")
    return reference.get("type") == type or f"/{type}/" in f"/{address}"


def condition_references(content: Json, at: str, name: str) -> tuple[str, ...]:
    """Where references of a repeating element point at a Condition, and where a Condition is contained."""
    references, inside = enumerate(content.get(name, ())), enumerate(content.get("contained", ()))
    pointing = tuple(f"{at}.{name}[{index}]" for index, each in references if points_at(each, "Condition"))
    return pointing + tuple(f"{at}.contained[{index}]" for index, each in inside if each["resourceType"] == "Condition")


def contained(content: Json, reference: Json) -> Json | None:
    """The contained resource that ``#id`` points at."""
    address = reference.get("reference", "")
    if not address.startswith("#"):
        return None
    return next((part for part in content.get("contained", ()) if part.get("id") == address[1:]), None)


def identifiers(content: Json) -> tuple[Identifier, ...]:
    """The business identifiers that have both a system and a value, as written. Some types have at most one."""
    stated = content.get("identifier", ())
    return tuple(
        Identifier(each["system"], each["value"])
        for each in ((stated,) if isinstance(stated, Mapping) else stated)
        if "system" in each and "value" in each
    )


def identifier(system: System | str, value: str) -> dict[str, str]:
    """An Identifier as we write it."""
    return {"system": system if isinstance(system, str) else system.fhir, "value": value}


def logical(system: System | str, value: str, type: str, display: str = "") -> dict[str, Any]:
    """A reference by identifier."""
    written = {"type": type, "identifier": identifier(system, value)}
    return written | {"display": display} if display else written


def extension_value(element: Json, url: str) -> Any | None:
    """The value of the first extension with the address, whatever its type."""
    found: Json = next((each for each in element.get("extension", ()) if each["url"] == url), {})
    return next((value for name, value in found.items() if name.startswith("value")), None)
