"""A second reading of the R4 search text, without an index and without SQL: https://hl7.org/fhir/R4/search.html

Each function quotes the sentence it obeys. Slow and plain on purpose; nothing of the service is used.
"""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
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
    only: str = ""
    """``where(resolve() is ...)``"""
    parts: tuple["Parameter", ...] = ()
    system: str = ""
    """The system that a code of a required value set has without saying so."""


AGENTS = ("Patient", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization", "Device")

PARAMETERS: dict[tuple[str, str], Parameter] = {
    ("Procedure", "identifier"): Parameter("token", ("identifier",)),
    ("Procedure", "status"): Parameter("token", ("status",), system="http://hl7.org/fhir/event-status"),
    ("Procedure", "code"): Parameter("token", ("code",)),
    ("Procedure", "category"): Parameter("token", ("category",)),
    ("Procedure", "date"): Parameter("date", ("performedDateTime", "performedPeriod")),
    ("Procedure", "patient"): Parameter("reference", ("subject",), ("Patient",), only="Patient"),
    ("Procedure", "subject"): Parameter("reference", ("subject",), ("Patient", "Group")),
    ("Procedure", "based-on"): Parameter("reference", ("basedOn",), ("CarePlan", "ServiceRequest")),
    ("Procedure", "performer"): Parameter(
        "reference",
        ("performer.actor",),
        ("Practitioner", "PractitionerRole", "Organization", "Patient", "RelatedPerson", "Device"),
    ),
    ("Procedure", "instantiates-uri"): Parameter("uri", ("instantiatesUri",)),
    ("Observation", "code"): Parameter("token", ("code",)),
    ("Observation", "subject"): Parameter("reference", ("subject",), ("Patient", "Group", "Device", "Location")),
    ("Observation", "performer"): Parameter(
        "reference",
        ("performer",),
        ("Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient", "RelatedPerson"),
    ),
    ("Observation", "date"): Parameter("date", ("effectiveDateTime", "effectivePeriod")),
    ("Observation", "ongoing"): Parameter("ongoing", ("effectiveDateTime", "effectivePeriod")),
    ("Observation", "value-quantity"): Parameter("quantity", ("valueQuantity",)),
    ("Observation", "code-value-quantity"): Parameter(
        "composite", (), parts=(Parameter("token", ("code",)), Parameter("quantity", ("valueQuantity",)))
    ),
    ("Observation", "component-code-value-concept"): Parameter(
        "composite",
        ("component",),
        parts=(Parameter("token", ("code",)), Parameter("token", ("valueCodeableConcept",))),
    ),
    ("Patient", "identifier"): Parameter("token", ("identifier",)),
    ("Patient", "active"): Parameter("token", ("active",)),
    ("Patient", "birthdate"): Parameter("date", ("birthDate",)),
    ("Patient", "family"): Parameter("string", ("name.family",)),
    ("Patient", "given"): Parameter("string", ("name.given",)),
    ("Patient", "name"): Parameter("string", ("name.text", "name.family", "name.given")),
    ("Organization", "name"): Parameter("string", ("name", "alias")),
    ("Organization", "partof"): Parameter("reference", ("partOf",), ("Organization",)),
    ("Patient", "organization"): Parameter("reference", ("managingOrganization",), ("Organization",)),
    ("AuditEvent", "action"): Parameter("token", ("action",), system="http://hl7.org/fhir/audit-event-action"),
    ("AuditEvent", "address"): Parameter("string", ("agent.network.address",)),
    ("AuditEvent", "agent"): Parameter("reference", ("agent.who",), AGENTS),
    ("AuditEvent", "agent-name"): Parameter("string", ("agent.name",)),
    ("AuditEvent", "agent-role"): Parameter("token", ("agent.role",)),
    ("AuditEvent", "altid"): Parameter("token", ("agent.altId",)),
    ("AuditEvent", "date"): Parameter("date", ("recorded",)),
    ("AuditEvent", "entity"): Parameter("reference", ("entity.what",), ("Patient", "Consent", "CommunicationRequest")),
    ("AuditEvent", "entity-name"): Parameter("string", ("entity.name",)),
    ("AuditEvent", "entity-role"): Parameter("token", ("entity.role",)),
    ("AuditEvent", "entity-type"): Parameter("token", ("entity.type",)),
    ("AuditEvent", "outcome"): Parameter("token", ("outcome",), system="http://hl7.org/fhir/audit-event-outcome"),
    ("AuditEvent", "patient"): Parameter("reference", ("agent.who", "entity.what"), ("Patient",), only="Patient"),
    ("AuditEvent", "policy"): Parameter("uri", ("agent.policy",)),
    ("AuditEvent", "site"): Parameter("token", ("source.site",)),
    ("AuditEvent", "source"): Parameter("reference", ("source.observer",), AGENTS),
    ("AuditEvent", "subtype"): Parameter("token", ("subtype",)),
    ("AuditEvent", "type"): Parameter("token", ("type",)),
    ("AuditEvent", "_profile"): Parameter("uri", ("meta.profile",)),
    ("AuditEvent", "_security"): Parameter("token", ("meta.security",)),
    ("AuditEvent", "_source"): Parameter("uri", ("meta.source",)),
    ("AuditEvent", "_tag"): Parameter("token", ("meta.tag",)),
}


World = Sequence[Json]
"""Every resource that whoever asks may see: what a chain leads to, and where ``_has`` begins."""


def matches(resource: Json, criteria: Sequence[tuple[str, str]], world: World = ()) -> bool:
    """Repeated parameters: "the server should return only those that match all"."""
    return all(_matches_one(resource, name, value, world) for name, value in criteria)


def _matches_one(resource: Json, name: str, value: str, world: World) -> bool:
    if name.startswith("_has:"):
        # "selected where they are referred to by at least one resource that the rest of the name finds"
        _, type_, reference, rest = name.split(":", 3)
        address = f"{resource['resourceType']}/{resource['id']}"
        pointing = [each for each in world if each["resourceType"] == type_ and address in _led_to(each, reference)]
        return any(_matches_one(each, rest, value, world) for each in pointing)
    first, dot, rest = name.partition(".")
    code, _, modifier = first.partition(":")
    if dot:
        # "the parameter of the resource that the reference leads to"
        addresses = _led_to(resource, code)
        led_to = [each for each in world if f"{each['resourceType']}/{each['id']}" in addresses]
        asked = [each for each in led_to if modifier in ("", each["resourceType"])]
        return any(_matches_one(each, rest, value, world) for each in asked if _can_be_asked(each, rest))
    if code == "_id":
        return any(resource["id"] == _unescape(one) for one in _parts(value, ","))
    parameter = PARAMETERS[resource["resourceType"], code]
    elements = [found for path in parameter.elements for found in _walk(resource, path.split("."))]
    if parameter.parts:
        bases = elements if parameter.elements else [resource]
        elements = [base for base in bases if all(_has_any(base, part) for part in parameter.parts)]
    if parameter.only:
        elements = [each for each in elements if _is_of(each, parameter.only)]
    if modifier == "missing":  # "true: resources that don't have a value for the parameter"
        return (not elements) == (value == "true")
    if modifier in ("above", "below") and parameter.kind == "reference":
        addresses = _led_to(resource, code)
        named = [each for one in _parts(value, ",") for each in _named(one, parameter)]
        return any(address in _along(each, modifier, world) for each in named for address in addresses)
    # Values between commas: what matches any of them is found.
    found = any(
        _KINDS[parameter.kind](element, one, modifier, parameter) for element in elements for one in _parts(value, ",")
    )
    # ":not reverses the code matching: returns all resources that do not have a matching item", those without any too
    return not found if modifier == "not" else found


def _has_any(element: Json, parameter: Parameter) -> bool:
    return any(True for path in parameter.elements for _ in _walk(element, path.split(".")))


def _can_be_asked(resource: Json, rest: str) -> bool:
    code = rest.partition(".")[0].partition(":")[0]
    return code in ("_id", "_has") or (resource["resourceType"], code) in PARAMETERS


def _led_to(resource: Json, code: str) -> list[str]:
    parameter = PARAMETERS[resource["resourceType"], code]
    elements = [found for path in parameter.elements for found in _walk(resource, path.split("."))]
    kept = [each for each in elements if not parameter.only or _is_of(each, parameter.only)]
    return [each.get("reference", "").split("/_history/")[0] for each in kept]


def _is_of(reference: Json, type_: str) -> bool:
    """What says neither by address nor in words what it is may be it."""
    address = reference.get("reference")
    return bool(reference.get("type", type_) == type_ if address is None else address.startswith(f"{type_}/"))


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


def _token(element: Any, value: str, modifier: str, parameter: Parameter) -> bool:
    if (
        modifier == "text"
    ):  # "the text associated with the code: CodeableConcept.text, Coding.display, Identifier.type.text"
        return any(_string(words, value, "", parameter) for words in _words(element))
    if modifier == "of-type":  # "[system]|[code]|[value]": the type of the identifier, and its value
        type_system, type_code, number = (_unescape(part) for part in _parts(value, "|"))
        types = element.get("type", {}).get("coding", [])
        return element.get("value") == number and any(
            (each.get("system", ""), each.get("code", "")) == (type_system, type_code) for each in types
        )
    *system, code = (_unescape(part) for part in _parts(value, "|"))
    if system and parameter.system and system[0] == parameter.system:
        system = [""]
    return any(
        (not code or code == own_code) and (not system or system[0] == own_system)
        for own_system, own_code in _tokens(element)
    )


def _words(element: Any) -> Iterator[str]:
    if isinstance(element, dict):
        concept = element.get("type", element)
        yield from [concept["text"]] if "text" in concept else []
        if "type" not in element:
            yield from (each["display"] for each in element.get("coding", []) if "display" in each)


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
    if modifier == "identifier":  # "the identifier of a logical reference"
        return "identifier" in element and _token(element["identifier"], value, "", parameter)
    address = element.get("reference", "").split("/_history/")[0]
    if "/" in value:  # "the version is passed over"; ":[type]" narrows to it
        wanted = value.split("/_history/")[0]
        return bool(address == wanted and modifier in ("", wanted.split("/")[-2]))
    return any(address == f"{type}/{value}" for type in ([modifier] if modifier else parameter.targets))


def _named(value: str, parameter: Parameter) -> list[str]:
    hierarchical = [each for each in parameter.targets if (each, "partof") in PARAMETERS]
    return [value] if "/" in value else [f"{type}/{value}" for type in hierarchical]


def _along(address: str, modifier: str, world: World) -> set[str]:
    """ ":below: also any that are part of it", ":above: or any parent", as far as they can be seen."""
    by_address = {f"{each['resourceType']}/{each['id']}": each for each in world}
    parts = {name for name, each in by_address.items() if (each["resourceType"], "partof") in PARAMETERS}
    found, fresh = {address}, parts.intersection({address})
    while fresh:
        if modifier == "below":
            near = {part for part in parts if fresh.intersection(_led_to(by_address[part], "partof"))}
        else:
            near = {whole for part in fresh for whole in _led_to(by_address[part], "partof")} & parts
        fresh = near - found
        found |= fresh
    return found


# String: "equals or starts with, case and accent insensitive"; ":contains" anywhere; ":exact" as written


def _string(element: str, value: str, modifier: str, _: Parameter) -> bool:
    value = _unescape(value)
    if modifier == "exact":
        return element == value
    own, wanted = _folded(element), _folded(value)
    return wanted in own if modifier == "contains" else own.startswith(wanted)


def _folded(text: str) -> str:
    """Without case and accents; å, ä and ö are no accented letters in Swedish, and the last two are æ and ø."""
    letters = unicodedata.normalize("NFC", " ".join(text.casefold().split())).replace("æ", "ä").replace("ø", "ö")
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


def _ongoing(element: Any, value: str, _: str, __: Parameter) -> bool:
    """Ours: some of it lies within the day."""
    return _range(value).overlaps(_target(element))


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
        "ap": search.overlaps(target),  # "the range of the search value overlaps with that of the target"
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


# Uri: "the full URI"; ":below" and ":above" by the parts of its path


def _uri(element: str, value: str, modifier: str, _: Parameter) -> bool:
    own, wanted = _steps(element), _steps(_unescape(value))
    if modifier == "below":
        return element == value or (own[: len(wanted)] == wanted and len(element) > len(value.rstrip("/")))
    if modifier == "above":
        return wanted[: len(own)] == own
    return element == _unescape(value)


def _steps(address: str) -> list[str]:
    return address.rstrip("/").split("/")


# Quantity: "[prefix][number]|[system]|[code]", "[number]||[code or unit]"; eq and ne by the significant figures


def _quantity(element: Json, value: str, _: str, __: Parameter) -> bool:
    number, *unit = _parts(value, "|")
    prefix, digits = (number[:2], number[2:]) if number[:2].isalpha() else ("eq", number)
    system, code = unit or ("", "")
    if system and element.get("system") != system:
        return False
    if code and code not in (element.get("code"), None if system else element.get("unit")):
        return False
    at, own = Decimal(digits), Decimal(str(element["value"]))
    half = Decimal(1).scaleb(int(at.as_tuple().exponent)) / 2
    equal = at - half <= own < at + half
    tenth = max(abs(at) / 10, half)
    outcomes = {
        "eq": equal,
        "ne": not equal,
        # "the implicit precision of the number is ignored"
        "gt": own > at,
        "lt": own < at,
        "ge": own >= at,
        "le": own <= at,
        "sa": own > at,
        "eb": own < at,
        "ap": at - tenth <= own <= at + tenth,  # "10% of the stated value"
    }
    return outcomes[prefix]


# Composite: "a tuple of values separated by a $", of one element


def _composite(element: Json, value: str, _: str, parameter: Parameter) -> bool:
    values = _parts(value, "$")
    return all(
        any(
            _KINDS[part.kind](found, each, "", part)
            for path in part.elements
            for found in _walk(element, path.split("."))
        )
        for part, each in zip(parameter.parts, values, strict=True)
    )


_KINDS: dict[str, Callable[[Any, str, str, Parameter], bool]] = {
    "uri": _uri,
    "quantity": _quantity,
    "composite": _composite,
    "ongoing": _ongoing,
    "token": _token,
    "reference": _reference,
    "string": _string,
    "date": _date,
}
