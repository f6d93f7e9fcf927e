"""What a value of a search parameter matches, by the parameter's kind. https://hl7.org/fhir/R4/search.html#ptypes

A value is read once, into a ``Match``; reading raises ``ValueError``, which never repeats the value, when it is none of its
kind.
"""

import math
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, not_, or_

from fhir_mappings.identifiers import canonical_token
from fhir_mappings.r4 import TYPES
from service.fhir_api.search.dates import micros, span
from service.fhir_api.search.extract import normal
from service.fhir_api.search.parameters import ANY, SearchParameter

TEXT: Final = String()

Condition = ColumnElement[bool]
Columns = Any
"""The columns of a table or of its alias, by name."""

Binds = Iterator[Any]
"""The parameters of a statement that is being built, in the order of its values."""


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on the columns of an index table. Of one parameter, matches of the same ``shape`` differ in their
    ``values`` alone: what was written for one is asked again for the other."""

    shape: Hashable
    values: tuple[Any, ...]
    on: Callable[[Columns, Sequence[Any]], Condition]

    def condition(self, c: Columns, binds: Binds) -> Condition:
        """The condition, its values standing for themselves as parameters."""
        return self.on(c, [next(binds) for _ in self.values])


# Values. https://hl7.org/fhir/R4/search.html#escaping


def split(text: str, separator: str) -> list[str]:
    """The parts between separators that no backslash escapes."""
    if "\\" not in text:
        return text.split(separator)
    return re.findall(rf"(?:^|{re.escape(separator)})((?:\\.|[^{re.escape(separator)}])*)", text, re.DOTALL)


def plain(text: str) -> str:
    """The text without its escapes."""
    return text if "\\" not in text else re.sub(r"\\([\\,|$])", r"\1", text)


# Tokens

OF_SYSTEM: Final = "system"
"""The shape of what asks for any code of a system."""


def token(parameter: SearchParameter, _: str, value: str) -> Match:
    """``code``, ``system|code``, ``|code`` (without system) or ``system|``."""
    *stated, code = (plain(part) for part in split(value, "|"))
    if len(stated) > 1 or not any((*stated, code)):
        raise ValueError("a code is wanted: code, system|code, |code or system|; a bar in a code is written \\|")
    if not stated:
        return Match("code", (code,), lambda c, v: c.code == v[0])
    system, code = canonical_token(stated[0], code)
    if parameter.system and system == parameter.system:
        system = ""  # codes are stored without the one system that they can have
    if code:
        return Match("both", (code, system), lambda c, v: and_(c.code == v[0], c.system == v[1]))
    return Match(OF_SYSTEM, (system,), lambda c, v: and_(c.code != "", c.system == v[0]))


def of_type(_: SearchParameter, __: str, value: str) -> Match:
    """``type-system|type-code|value`` of an identifier."""
    parts = [plain(part) for part in split(value, "|")]
    if len(parts) != 3 or not all(parts[1:]):
        raise ValueError("an identifier with its type is wanted: type-system|type-code|value")
    system, code, identifier = parts
    values = identifier, identifier.replace("-", ""), f"{system}|{code}"
    return Match("of-type", values, lambda c, v: and_(c.code.in_(v[:2]), c.system == v[2]))


# References


def reference(parameter: SearchParameter, modifier: str, value: str) -> Match:
    """``Type/id``, an address, or ``id`` of the type that the modifier says, else of any that the parameter may point at."""
    target = plain(value)
    if "/" in target or ":" in target:
        return _any_target((target,))
    types = (modifier,) if modifier else TYPES if parameter.targets == ANY else parameter.targets
    return _any_target(tuple(f"{type_}/{target}" for type_ in types))


def _any_target(targets: tuple[str, ...]) -> Match:
    return Match(len(targets), targets, lambda c, v: c.target == v[0] if len(v) == 1 else c.target.in_(v))


# Texts


def string(_: SearchParameter, modifier: str, value: str) -> Match:
    """The beginning, whatever the case and the accents; ``exact`` is letter by letter."""
    text = plain(value)
    wanted = normal(text)
    if modifier == "exact":
        return Match("exact", (wanted, text), lambda c, v: and_(c.norm == v[0], c.text == v[1]))
    if not wanted:
        raise ValueError("letters are wanted")
    if modifier == "contains":
        pattern = re.sub(r"([/%_])", r"/\1", wanted)
        return Match("contains", (f"%{pattern}%",), lambda c, v: c.norm.like(v[0], escape="/"))
    return Match("begins", (wanted, wanted + LAST_LETTER), lambda c, v: and_(c.norm >= v[0], c.norm < v[1]))


LAST_LETTER: Final = "\U0010ffff"
"""Sorts after every letter: what begins with a text stands in one stretch of the index."""


# Addresses. https://hl7.org/fhir/R4/search.html#uri


def uri(_: SearchParameter, modifier: str, value: str) -> Match:
    """The whole address, letter by letter; ``below`` also what lies under it, ``above`` also what it lies under."""
    address = plain(value)
    if modifier == "below":
        under = address.rstrip("/") + "/"
        values = address, under, under + LAST_LETTER
        return Match("below", values, lambda c, v: or_(c.uri == v[0], and_(c.uri >= v[1], c.uri < v[2])))
    if modifier == "above":
        parts = address.split("/")
        over = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
        wanted = tuple(sorted(each + end for each in over if each for end in ("", "/")))
        return Match(len(wanted), wanted, lambda c, v: c.uri.in_(v))
    return Match("equal", (address,), lambda c, v: c.uri == v[0])


# Ranges. https://hl7.org/fhir/R4/search.html#prefix: the target is [low, high), the value covers [first, last)


def _within(low: Any, high: Any, first: Any, last: Any) -> Condition:
    return and_(low >= first, high <= last)


Compare = Callable[[Any, Any, Any, Any], Condition]

_PREFIXES: Final[Mapping[str, Compare]] = {
    "eq": _within,
    "ne": lambda *ranges: not_(_within(*ranges)),
    "gt": lambda low, high, first, last: high > last,
    "lt": lambda low, high, first, last: low < first,
    "ge": lambda low, high, first, last: or_(high > last, _within(low, high, first, last)),
    "le": lambda low, high, first, last: or_(low < first, _within(low, high, first, last)),
    "sa": lambda low, high, first, last: low >= last,
    "eb": lambda low, high, first, last: high <= first,
    "ap": lambda low, high, first, last: and_(low < last, high > first),
}


def _prefixed(value: str) -> tuple[str, str]:
    prefix, text = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
    if prefix not in _PREFIXES:
        raise ValueError("this prefix is not known: eq, ne, gt, lt, ge, le, sa, eb or ap")
    return prefix, text


def date(parameter: SearchParameter, _: str, value: str) -> Match:
    """``ap`` is what has a moment in common with the date: R4 leaves to the server how near is near. Of ``ongoing`` that is
    the only question."""
    prefix, text = _prefixed(value)
    if parameter.code == "ongoing":
        if prefix != "eq":
            raise ValueError("a day is wanted, without prefix")
        prefix = "ap"
    compare = _PREFIXES[prefix]
    return Match(prefix, _span(text), lambda c, v: compare(c.low, c.high, v[0], v[1]))


def _span(text: str) -> tuple[int, int]:
    try:
        return micros(span(text.replace(" ", "+")))
    except ValueError:
        raise ValueError("a date is wanted: YYYY, YYYY-MM, YYYY-MM-DD, or a time to the minute or the second") from None


# Quantities. https://hl7.org/fhir/R4/search.html#quantity: the value as it stands is compared, the target is [low, high]


def quantity(_: SearchParameter, __: str, value: str) -> Match:
    """``number``, ``number|system|code`` or ``number||code-or-unit``, with a prefix before the number. Only ``eq``, ``ne``
    and ``ap`` look at how precisely the number is written: 5.4 is what rounds to it."""
    text, *unit = (plain(part) for part in split(value, "|"))
    prefix, digits = _prefixed(text)
    if len(unit) not in (0, 2):
        raise ValueError("a quantity is wanted: number, number|system|code or number||unit")
    width, compare = _QUANTITY_PREFIXES[prefix]
    at, half = _number(digits)
    around = width(at, half)
    named = {"code": unit[1], "system": unit[0]} if unit else {}
    stated = tuple(name for name, text in named.items() if text)
    values = (float(at - around), float(at + around), *(named[name] for name in stated))

    def on(c: Columns, v: Sequence[Any]) -> Condition:
        units = (getattr(c, name) == text for name, text in zip(stated, v[2:], strict=True))
        return and_(compare(c.low, c.high, v[0], v[1]), *units)

    return Match((prefix, stated), values, on)


_NUMBER: Final = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", re.ASCII)


def _number(text: str) -> tuple[Decimal, Decimal]:
    """A number and half of its last place."""
    if not _NUMBER.fullmatch(text.replace(" ", "+")):
        raise ValueError("a number is wanted, with a point for decimals")
    try:
        number = Decimal(text.replace(" ", "+"))
    except InvalidOperation:
        raise ValueError("a number is wanted, with a point for decimals") from None
    return number, Decimal((0, (5,), int(number.as_tuple().exponent) - 1))


def _as_written(_: Decimal, half: Decimal) -> Decimal:
    return half


def _a_tenth(at: Decimal, half: Decimal) -> Decimal:
    """As R4 suggests for what is near."""
    return max(abs(at) / 10, half)


def _exactly(_: Decimal, __: Decimal) -> Decimal:
    return Decimal(0)


def _rounds(low: Any, high: Any, first: Any, last: Any) -> Condition:
    return and_(low >= first, high < last)


_QUANTITY_PREFIXES: Final[Mapping[str, tuple[Callable[[Decimal, Decimal], Decimal], Compare]]] = {
    "eq": (_as_written, _rounds),
    "ne": (_as_written, lambda *ranges: not_(_rounds(*ranges))),
    "sa": (_exactly, lambda low, high, first, last: low > last),
    "eb": (_exactly, lambda low, high, first, last: high < first),
    "ap": (_a_tenth, lambda low, high, first, last: and_(low <= last, high >= first)),
    **{prefix: (_exactly, _PREFIXES[prefix]) for prefix in ("gt", "lt", "ge", "le")},
}
"""How far around the number is meant, and how a range of that width is compared."""


# Positions. https://hl7.org/fhir/R4/location.html#search


def near(_: SearchParameter, __: str, value: str) -> Match:
    """``latitude|longitude|distance|unit``, the unit being km unless stated, the distance 10 km.

    Reckoned on a map that is flat around the point, so that any database can: it is right to within a percent or so as far
    as 500 km, up to the polar circle and beyond the length of Sweden.
    """
    latitude, longitude, distance, unit = _position(value)
    if not (abs(latitude) <= 89 and abs(longitude) <= 180 and distance > 0 and unit in _KILOMETRES):
        raise ValueError("latitude|longitude|distance|unit is wanted, in degrees, the unit being km, m or [mi_i]")
    reach = distance * _KILOMETRES[unit] / _KILOMETRES_A_DEGREE
    bend = math.radians(latitude)
    width, shortening = math.cos(bend) ** 2, math.sin(2 * bend) * math.radians(1) / 2
    values = latitude - reach, latitude + reach, latitude, longitude, width, shortening, reach**2
    return Match("near", values, _is_near)


def _is_near(c: Columns, v: Sequence[Any]) -> Condition:
    """A degree of longitude shortens towards the pole: reckoned half way between the point and the place."""
    south, north, latitude, longitude, width, shortening, reach = v
    up, along = c.latitude - latitude, c.longitude - longitude
    return and_(c.latitude.between(south, north), up * up + along * along * (width - shortening * up) <= reach)


def _position(value: str) -> tuple[float, float, float, str]:
    parts = split(value, "|")
    if len(parts) > 4:
        raise ValueError("latitude|longitude|distance|unit is wanted")
    latitude, longitude, distance, unit = [*parts, "", "", "", ""][:4]
    return _degrees(latitude), _degrees(longitude), _degrees(distance or "10"), unit or "km"


def _degrees(text: str) -> float:
    return float(_number(text)[0])


_KILOMETRES: Final = {"km": 1.0, "m": 0.001, "[mi_i]": 1.609344}
_KILOMETRES_A_DEGREE: Final = 6371.0 * math.radians(1)


# Composites: parts between dollars, all of one element


def composite(parameter: SearchParameter, _: str, value: str) -> Match:
    """What the first part matches beside what the second matches. https://hl7.org/fhir/R4/search.html#composite"""
    values = split(value, "$")
    if len(values) != 2 or not all(values):
        raise ValueError("two values are wanted, with a dollar between them")
    first, second = (
        MATCH[part.kind](replace(part, code=parameter.code), "", each)
        for part, each in zip(parameter.parts, values, strict=True)
    )
    as_second, parts = _SECOND[parameter.parts[1].kind], len(first.values)

    def on(c: Columns, v: Sequence[Any]) -> Condition:
        return and_(first.on(_First(c), v[:parts]), second.on(as_second(c), v[parts:]))

    return Match((first.shape, second.shape), first.values + second.values, on)


class _First:
    def __init__(self, c: Columns) -> None:
        self.code, self.system, self.target = c.code, c.system, c.code


class _Coded:
    def __init__(self, c: Columns) -> None:
        self.code, self.system, self.low, self.high = c.value, c.qualifier, c.low, c.high


class _Written:
    def __init__(self, c: Columns) -> None:
        self.norm, self.text = c.value, c.qualifier


_SECOND: Final[Mapping[str, Callable[[Columns], Columns]]] = {
    "token": _Coded,
    "quantity": _Coded,
    "date": _Coded,
    "string": _Written,
}

MATCH: Final[Mapping[str, Callable[[SearchParameter, str, str], Match]]] = {
    "token": token,
    "reference": reference,
    "string": string,
    "date": date,
    "quantity": quantity,
    "uri": uri,
    "composite": composite,
    "special": near,
}
