"""What a date, a quantity or a place matches: all of them are ranges. https://hl7.org/fhir/R4/search.html#prefix"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from sqlalchemy import and_, not_, or_

from service.fhir_api.search.dates import micros, span
from service.fhir_api.search.parameters import SearchParameter
from service.fhir_api.search.values import Columns, Condition, Match, plain, split

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
