"""What is asked of a unit's overview: the settings (rehabstod.md § 4.4), the filters' values (§ 4.5), order and page.

``PARAMETERS`` names each part as it stands in an address, a JSON body, a form and FHIR ``Parameters``; ``read`` makes a
question of such pairs. A question is checked when made: every part that cannot be obeyed is told, with what it takes.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from contracts.errors import Invalid, Issue, IssueType
from contracts.sick_leave import RekoStatusType
from service.rules.sick_leave.diagnosis import CHAPTERS, NO_CHAPTER
from service.rules.sick_leave.grouping import GAP
from service.rules.sick_leave.modes import MODES
from service.rules.sick_leave.occupation import TYPES
from service.rules.sick_leave.order import COLUMNS, Place

DEFAULT_MODE: Final = "rehabstod"
DEFAULT_SORT: Final = "end"
DEFAULT_LIMIT: Final = 100


class Interval(NamedTuple):
    """Whole numbers, both ends inclusive; ``None`` is an open end."""

    first: int | None
    last: int | None

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int) and (
            (self.first is None or self.first <= value) and (self.last is None or value <= self.last)
        )

    @property
    def id(self) -> str:
        """``15-30``, ``730-``."""
        return "-".join("" if end is None else str(end) for end in self)


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the overview of one care unit on a day (``on``, a Swedish day). Filters are all joined by "and", the
    values of one by "or"; an empty one is not asked.

    ``unit`` is a mottagning of the care unit: it limits which patients are shown, not which certificates count.
    ``after`` is where the page before ended; ``offset`` counts from there.

    Raises ``Invalid`` with an issue for each part that is out of its range.
    """

    on: date
    mode: str = DEFAULT_MODE
    gap: int = GAP
    max_days_since_end: int = 0
    unit: str = ""
    doctors: tuple[str, ...] = ()
    lengths: tuple[Interval, ...] = ()
    end_from: date | None = None
    end_to: date | None = None
    ends_within: int | None = None
    age_from: int | None = None
    age_to: int | None = None
    chapters: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    occupations: tuple[str, ...] = ()
    text: str = ""
    sort: str = DEFAULT_SORT
    descending: bool = False
    offset: int = 0
    limit: int = DEFAULT_LIMIT
    after: Place | None = None

    def __post_init__(self) -> None:
        issues = [*_out_of_range(self), *_unknown(self), *_reversed(self)]
        if issues:
            raise Invalid(*issues)


RANGES: Final[Mapping[str, tuple[int, int]]] = MappingProxyType(
    {
        "gap": (0, 90),
        "max_days_since_end": (0, 14),
        "ends_within": (0, 365),
        "age_from": (0, 150),
        "age_to": (0, 150),
        "offset": (0, 1_000_000),
        "limit": (0, 1000),
    }
)
"""What the whole numbers of a question may be, both ends inclusive (§ 4.4, § 4.5)."""

MEMBERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "mode": tuple(MODES),
        "chapters": tuple(each.id for each in (*CHAPTERS, NO_CHAPTER)),
        "statuses": tuple(RekoStatusType),
        "occupations": TYPES,
        "sort": tuple(COLUMNS),
    }
)
"""What the others may be."""

LONGEST_TEXT: Final = 200
MOST_VALUES: Final = 100


def _out_of_range(question: Question) -> Iterable[Issue]:
    for name, (least, most) in RANGES.items():
        value = getattr(question, name)
        if value is not None and not least <= value <= most:
            yield _issue(name, f"a whole number from {least} to {most}")
    if len(question.text) > LONGEST_TEXT:
        yield _issue("text", f"at most {LONGEST_TEXT} characters")


def _unknown(question: Question) -> Iterable[Issue]:
    for name, known in MEMBERS.items():
        value = getattr(question, name)
        if not set((value,) if isinstance(value, str) else value) <= set(known):
            yield _issue(name, "one of " + ", ".join(known))
    for each in fields(question):
        value = getattr(question, each.name)
        if each.name != "after" and isinstance(value, tuple) and len(value) > MOST_VALUES:
            yield _issue(each.name, f"at most {MOST_VALUES} values")


def _reversed(question: Question) -> Iterable[Issue]:
    for first, last in (("end_from", "end_to"), ("age_from", "age_to")):
        low, high = getattr(question, first), getattr(question, last)
        if low is not None and high is not None and low > high:
            yield _issue(first, f"not more than {_NAME_OF[last]}")


def _issue(field: str, takes: str) -> Issue:
    return Issue(IssueType.VALUE, f"{_NAME_OF[field]} takes {takes}", _NAME_OF[field])


# What is sent


class Parameter(NamedTuple):
    """A part as it is sent: its ``name`` there and its ``field`` here, how its text is read (raising ``ValueError`` in
    words that say what is wanted), whether it may stand several times. A ``concealed`` one never stands in an address."""

    name: str
    field: str
    read: Callable[[str], Any]
    many: bool = False
    concealed: bool = False


def _whole(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise ValueError("a whole number")
    return int(text)


def _day(text: str) -> date:
    try:
        if len(text) == 10:
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("a date, YYYY-MM-DD")


def interval(text: str) -> Interval:
    """``15-30``, ``730-``, ``-14``. Raises ``ValueError``."""
    first, hyphen, last = text.partition("-")
    if not hyphen or not (first or last):
        raise ValueError("days from-to, either of which may be left out")
    found = Interval(_whole(first) if first else None, _whole(last) if last else None)
    if found.first is not None and found.last is not None and found.first > found.last:
        raise ValueError("days from-to, the first not more than the last")
    return found


PARAMETERS: Final = tuple(
    Parameter(*each)
    for each in (
        ("mode", "mode", str),
        ("gap", "gap", _whole),
        ("maxDaysSinceEnd", "max_days_since_end", _whole),
        ("unit", "unit", str),
        ("doctor", "doctors", str, True),
        ("length", "lengths", interval, True),
        ("endFrom", "end_from", _day),
        ("endTo", "end_to", _day),
        ("endsWithin", "ends_within", _whole),
        ("ageFrom", "age_from", _whole),
        ("ageTo", "age_to", _whole),
        ("chapter", "chapters", str, True),
        ("status", "statuses", str, True),
        ("occupation", "occupations", str, True),
        ("text", "text", str, False, True),
        ("sort", "sort", str),
        ("offset", "offset", _whole),
        ("limit", "limit", _whole),
    )
)
"""A ``sort`` with a minus before it descends."""

UNAVAILABLE: Final = MappingProxyType(
    {
        "communication": "ärendestatus (obesvarade frågor) finns i Webcert, som inget kontrakt här ger",
        "risk": "SRS-risk finns i SRS-tjänsten, som inget kontrakt här ger",
    }
)
"""Rehabstöd's filters that are not there, and why: asking for one is refused."""

_NAME_OF: Final = {each.field: each.name for each in PARAMETERS} | {"descending": "sort", "after": "page"}
_BY_NAME: Final[Mapping[str, Parameter]] = MappingProxyType({each.name: each for each in PARAMETERS})


def read(pairs: Iterable[tuple[str, str]], on: date, names: Collection[str] = _BY_NAME) -> Question:
    """The question that name and value pairs ask, with parameters of these ``names`` alone. An empty value counts as not
    sent, as in a form.

    Raises ``Invalid`` with everything that is wrong, never repeating it.
    """
    sent: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in pairs:
        if value != "" or name not in names:
            sent[name].append(value)
    issues: list[Issue] = []
    parts: dict[str, Any] = {}
    for name, texts in sent.items():
        issues += _read_one(name, texts, parts) if name in names or name in UNAVAILABLE else [_UNKNOWN]
    if issues:
        raise Invalid(*issues)
    sort = parts.get("sort", DEFAULT_SORT)
    return Question(on, **{**parts, "sort": sort.removeprefix("-"), "descending": sort.startswith("-")})


_UNKNOWN: Final = Issue(IssueType.NOT_SUPPORTED, "a parameter that is not known here")


def _read_one(name: str, texts: list[str], parts: dict[str, Any]) -> list[Issue]:
    if name in UNAVAILABLE:
        return [Issue(IssueType.NOT_SUPPORTED, UNAVAILABLE[name], name)]
    parameter = _BY_NAME[name]
    if len(texts) > 1 and not parameter.many:
        return [_issue(parameter.field, "one value")]
    try:
        values = tuple(parameter.read(text) for text in texts)
    except ValueError as wanted:
        return [_issue(parameter.field, str(wanted))]
    parts[parameter.field] = values if parameter.many else values[0]
    return []


def written(question: Question) -> list[tuple[str, str]]:
    """The pairs that ask the question again: settings and order always, the rest where it is asked; never ``after``."""
    pairs: list[tuple[str, str]] = []
    for each in PARAMETERS:
        value = getattr(question, each.field)
        is_asked = value is not None and value != Question.__dataclass_fields__[each.field].default
        if is_asked or each.field in _ALWAYS_WRITTEN:
            pairs += [(each.name, _text(one)) for one in (value if each.many else (value,))]
    return [(name, f"-{value}" if name == "sort" and question.descending else value) for name, value in pairs]


SETTINGS: Final = ("mode", "gap", "max_days_since_end")
"""What changes the figures themselves: it is told with every answer."""


_ALWAYS_WRITTEN: Final = (*SETTINGS, "sort")


def _text(value: Any) -> str:
    return value.id if isinstance(value, Interval) else str(value)
