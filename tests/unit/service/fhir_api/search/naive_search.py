"""A second reading of the R4 search text, without an index and without SQL: https://hl7.org/fhir/R4/search.html

Each function quotes the sentence it obeys. Slow and plain on purpose; nothing of the service is used.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SWEDEN = ZoneInfo("Europe/Stockholm")
BEGINNING, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """``elements`` as the R4 definition of the parameter lists them; ``targets`` for references."""

    kind: str
    elements: tuple[str, ...]
    targets: tuple[str, ...] = ()


PARAMETERS: dict[tuple[str, str], Parameter] = {
    ("Procedure", "identifier"): Parameter("token", ("identifier",)),
    ("Procedure", "status"): Parameter("token", ("status",)),
    ("Procedure", "code"): Parameter("token", ("code",)),
    ("Procedure", "category"): Parameter("token", ("category",)),
    ("Procedure", "date"): Parameter("date", ("performedDateTime", "performedPeriod")),
    ("Procedure", "patient"): Parameter("reference", ("subject",), ("Patient",)),
    ("Procedure", "based-on"): Parameter("reference", ("basedOn",), ("CarePlan",)),
    ("Procedure", "performer"): Parameter(
        "reference", ("performer.actor",), ("Practitioner", "PractitionerRole", "Organization")
    ),
    ("Patient", "identifier"): Parameter("token", ("identifier",)),
    ("Patient", "active"): Parameter("token", ("active",)),
    ("Patient", "birthdate"): Parameter("date", ("birthDate",)),
    ("Patient", "family"): Parameter("string", ("name.family",)),
    ("Patient", "given"): Parameter("string", ("name.given",)),
    ("Patient", "name"): Parameter("string", ("name.text", "name.family", "name.given")),
}


def matches(resource: Json, criteria: Sequence[tuple[str, str]]) -> bool:
    """Repeated parameters: "the server should return only those that match all"."""
    return all(_matches_one(resource, name, value) for name, value in criteria)


def _matches_one(resource: Json, name: str, value: str) -> bool:
    code, _, modifier = name.partition(":")
    if code == "_id":
        return any(resource["id"] == _unescape(one) for one in _parts(value, ","))
    parameter = PARAMETERS[resource["resourceType"], code]
    elements = [found for path in parameter.elements for found in _walk(resource, path.split("."))]
    if modifier == "missing":  # "true: resources that don't have a value for the parameter"
        return (not elements) == (value == "true")
    # Values between commas: what matches any of them is found.
    found = any(
        _KINDS[parameter.kind](element, one, modifier, parameter) for element in elements for one in _parts(value, ",")
    )
    # ":not reverses the code matching: returns all resources that do not have a matching item", those without any too
    return not found if modifier == "not" else found


def _walk(element: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(element, list):
        for each in element:
            yield from _walk(each, path)
    elif element is not None and not path:
        yield element
    elif isinstance(element, dict) and path[0] in element:
        yield from _walk(element[path[0]], path[1:])


# Escaping. Dollar, comma, bar and backslash that are no separators "shall be prepended with the character \".


def _parts(text: str, separator: str) -> list[str]:
    parts, letters = [""], iter(text)
    for letter in letters:
        if letter == "\\":
            parts[-1] += letter + next(letters, "")
        elif letter == separator:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _unescape(text: str) -> str:
    out, letters = "", iter(text)
    for letter in letters:
        following = next(letters, "") if letter == "\\" else ""
        out += following if following and following in "\\,|$" else letter + following
    return out


# Token: "[code]", "[system]|[code]", "|[code]" (no system), "[system]|" (any code of it)


def _token(element: Any, value: str, _: str, __: Parameter) -> bool:
    *system, code = (_unescape(part) for part in _parts(value, "|"))
    return any(
        (not code or code == own_code) and (not system or system[0] == own_system)
        for own_system, own_code in _tokens(element)
    )


def _tokens(element: Any) -> Iterator[tuple[str, str]]:
    if isinstance(element, bool):
        yield "", str(element).lower()
    elif isinstance(element, str):
        yield "", element
    elif "coding" in element:
        for coding in element["coding"]:
            yield from _tokens(coding)
    elif "code" in element or "value" in element:
        yield element.get("system", ""), element.get("code", element.get("value"))


# Reference: "[id]", "[type]/[id]"; ":[type]" says which type an id alone means


def _reference(element: Json, value: str, modifier: str, parameter: Parameter) -> bool:
    address = element.get("reference", "").split("/_history/")[0]
    if "/" in value:
        return bool(address == value)
    return any(address == f"{type}/{value}" for type in ([modifier] if modifier else parameter.targets))


# String: "equals or starts with, case and accent insensitive"; ":contains" anywhere; ":exact" as written


def _string(element: str, value: str, modifier: str, _: Parameter) -> bool:
    value = _unescape(value)
    if modifier == "exact":
        return element == value
    own, wanted = _folded(element), _folded(value)
    return wanted in own if modifier == "contains" else own.startswith(wanted)


def _folded(text: str) -> str:
    """Without case and accents; å, ä and ö are no accented letters in Swedish."""
    letters = unicodedata.normalize("NFC", " ".join(text.casefold().split()))
    plain = (letter if letter in "åäö" else unicodedata.normalize("NFKD", letter) for letter in letters)
    return "".join(part for part in "".join(f"{each}" for each in plain) if not _is_accent(part))


def _is_accent(letter: str) -> bool:
    return unicodedata.category(letter) == "Mn"


# Date: "the range of the search value" against "the range of the target value"


@dataclass(frozen=True)
class Range:
    low: datetime
    high: datetime
    """The first instant after it."""

    def contains(self, other: "Range") -> bool:
        return self.low <= other.low and other.high <= self.high

    def overlaps(self, other: "Range") -> bool:
        return self.low < other.high and other.low < self.high

    @property
    def above(self) -> "Range":
        return Range(self.high, END)

    @property
    def below(self) -> "Range":
        return Range(BEGINNING, self.low)


def _date(element: Any, value: str, _: str, __: Parameter) -> bool:
    prefix, text = (value[:2], value[2:]) if value[0].isalpha() else ("eq", value)
    search, target = _range(text), _target(element)
    greater, less, equal = search.above.overlaps(target), search.below.overlaps(target), search.contains(target)
    outcomes = {
        "eq": equal,  # the range of the search value fully contains the range of the target value
        "ne": not equal,
        "gt": greater,  # the range above the search value intersects the range of the target value
        "lt": less,
        "ge": greater or equal,
        "le": less or equal,
        # does not overlap, and the range above (below) contains the range of the target value
        "sa": not search.overlaps(target) and search.above.contains(target),
        "eb": not search.overlaps(target) and search.below.contains(target),
    }
    return outcomes[prefix]


def _target(element: Any) -> Range:
    """Period: "if the lower bound is missing, its value is less than any other"; the higher likewise."""
    if isinstance(element, str):
        return _range(element)
    start = _range(element["start"]).low if "start" in element else BEGINNING
    return Range(start, _range(element["end"]).high if "end" in element else END)


def _range(text: str) -> Range:
    """What a date of its precision covers: the year, the month, the day (in Sweden), the minute, the second."""
    day, _, time = text.partition("T")
    numbers = [int(part) for part in day.split("-")]
    if not time:
        year, month, date = [*numbers, 1, 1][:3]
        first = datetime(year, month, date, tzinfo=SWEDEN)
        return Range(first.astimezone(UTC), _next(first, len(numbers)).astimezone(UTC))
    start = datetime.fromisoformat(text.replace("Z", "+00:00"))
    start = start if start.tzinfo else start.replace(tzinfo=SWEDEN)
    clock = time.partition("+")[0].partition("-")[0].rstrip("Z")
    width = timedelta(microseconds=1) if "." in clock else timedelta(seconds=1 if clock.count(":") == 2 else 60)
    return Range(start.astimezone(UTC), start.astimezone(UTC) + width)


def _next(first: datetime, precision: int) -> datetime:
    if precision == 1:
        return first.replace(year=first.year + 1)
    if precision == 2:
        return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return datetime.combine(first.date() + timedelta(days=1), first.timetz())


_KINDS: dict[str, Callable[[Any, str, str, Parameter], bool]] = {
    "token": _token,
    "reference": _reference,
    "string": _string,
    "date": _date,
}
