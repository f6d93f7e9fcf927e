"""From search parameters to questions over the index tables. https://hl7.org/fhir/R4/search.html

The page is found over index tables alone; bodies are joined last (docs/adr/0003-store.md).
"""

from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import parse_qsl

from sqlalchemy import Select, and_, func, select

from contracts.errors import Issue, IssueType, Malformed, VersionConflict
from contracts.record import Record
from service.fhir_api.search import criteria, including, sorting, subset
from service.fhir_api.search.criteria import Criterion, ModifierNotServed, NotServed
from service.fhir_api.search.including import Include
from service.fhir_api.search.parameters import FEW
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.sorting import Place, SortKey
from service.fhir_api.search.statements import Question, question
from service.fhir_api.search.values import Binds, Condition
from service.store.snapshot import SqlSnapshot, to_record
from service.store.sql import CURRENT_COLUMNS
from service.store.tables import history, resource

Pairs = Sequence[tuple[str, str]]

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 500
MAX_VALUES: Final = 200
"""Values of all parameters together: more is more than the database takes in one question."""

LET_THROUGH: Final = frozenset({"_format", "_pretty", "_totalMethod"})
"""Parameters that change nothing here; ``_totalMethod`` is what a known client sends."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search on one type, checked. ``pairs`` are the parameters that are obeyed, as they came; ``ignored`` names those
    that a lenient client sent in vain."""

    type: str
    pairs: tuple[tuple[str, str], ...] = ()
    criteria: tuple[Criterion, ...] = field(default=(), compare=False)
    count: int = DEFAULT_COUNT
    total: bool = False
    sort: tuple[SortKey, ...] = ()
    includes: tuple[Include, ...] = ()
    summary: str = "false"
    elements: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @property
    def asked(self) -> list[tuple[str, str, Criterion]]:
        """Each criterion with its name and value."""
        pairs = [pair for pair in self.pairs if pair[0] not in _CONTROLS]
        return [(*pair, criterion) for pair, criterion in zip(pairs, self.criteria, strict=True)]

    @property
    def is_quick(self) -> bool:
        """Whether a page is found in one step over a few rows under one key: almost as good as a read by id."""
        is_plain = not (self.sort or self.includes or self.total) and self.count <= DEFAULT_COUNT
        return is_plain and any(each.is_direct and each.spread == FEW for each in self.criteria)


ReadCriterion = Callable[[str, str, str], Criterion]
"""Reads a search parameter of a type: type, name, value. Raises as ``criteria.read`` does."""


def parse(
    type_: str,
    pairs: Pairs,
    *,
    lenient: bool = False,
    read: ReadCriterion = criteria.read,
    controls: Collection[str] | None = None,
) -> Query:
    """The query that parameters ask for. Raises ``Malformed`` with every parameter that cannot be obeyed; a lenient
    client's unknown ones are ignored instead. ``controls`` are those that say how to answer, if they are not all."""
    asked = [pair for pair in pairs if pair[0] not in LET_THROUGH]
    if sum(value.count(",") + 1 for _, value in asked) > MAX_VALUES:
        raise Malformed(Issue(IssueType.TOO_LONG, f"ask for at most {MAX_VALUES} values at a time"))
    reading = _Reading(type_, lenient, read, _CONTROLS if controls is None else controls)
    for name, value in asked:
        reading.take(name, value)
    return reading.query()


def condition(type_: str, text: str, base: str) -> Query:
    """The query of a conditional interaction, ``name=value&name=value``: https://hl7.org/fhir/R4/http.html#ccreate.
    Raises ``VersionConflict`` when it asks for nothing, ``Malformed`` as a search does and when it says how to answer."""
    asked = parse(type_, relative(base, parse_qsl(text, keep_blank_values=True)))
    if not asked.pairs:
        raise VersionConflict("the condition does not say which resource is meant")
    if len(asked.criteria) != len(asked.pairs):
        raise Malformed("a condition takes search parameters of the type, and nothing else")
    return replace(asked, count=1)


def relative(base: str, pairs: Pairs) -> list[tuple[str, str]]:
    """References to this server may be written in full."""
    return [(name, value.replace(f"{base}/", "")) for name, value in pairs]


def matching(query: Query, scope: Scope, snapshot: SqlSnapshot) -> list[Record]:
    """What matches, in order; one more than ``count`` when there are more. Of a condition: one is meant, two are too many.
    A transaction is a snapshot too: what is found there stays so until it ends."""
    asked = page(query, scope)
    return [to_record(row[: len(CURRENT_COLUMNS)]) for row in snapshot.ask(asked.text, asked.values)]


class _Reading:
    """Takes one parameter after the other, and keeps everything that is wrong."""

    def __init__(self, type_: str, lenient: bool, criterion: ReadCriterion, known: Collection[str]) -> None:
        self._type = type_
        self._lenient = lenient
        self._criterion = criterion
        self._known = known
        self._obeyed: list[tuple[str, str]] = []
        self._criteria: list[Criterion] = []
        self._controls: dict[str, Any] = {}
        self._ignored: set[str] = set()
        self._issues: list[Issue] = []

    def take(self, name: str, value: str) -> None:
        """Read a parameter. The value is never repeated: it may be a personal number."""
        try:
            self._read(name, value)
            self._obeyed.append((name, value))
        except NotServed as unknown:
            if self._lenient and not isinstance(unknown, ModifierNotServed):
                self._ignored.add(name)
            else:
                self._issues.append(Issue(IssueType.NOT_SUPPORTED, f"{tellable(name)}: {unknown}"))
        except ValueError as wrong:
            self._issues.append(Issue(IssueType.VALUE, f"{tellable(name)}: {wrong}"))

    def _read(self, name: str, value: str) -> None:
        if name in self._known:
            into, read = _CONTROLS[name]
            found = read(self._type, value)
            if isinstance(found, tuple):  # lists that are stated apart are one
                found = (*self._controls.get(into, ()), *found)
            elif into in self._controls:
                raise ValueError("is stated once")
            self._controls[into] = found
        else:
            self._criteria.append(self._criterion(self._type, name, value))

    def query(self) -> Query:
        """What was asked for. Raises ``Malformed`` with all that is wrong."""
        if self._controls.get("summary") == "text" and "includes" in self._controls:
            self._issues.append(Issue(IssueType.VALUE, "_summary=text cannot be asked together with _include"))
        if len(self._controls.get("sort", ())) > sorting.MAX_KEYS:
            self._issues.append(Issue(IssueType.VALUE, f"_sort: at most {sorting.MAX_KEYS} parameters to sort by"))
        if sum(each.reaches for each in self._criteria) > criteria.MAX_REACHED:
            self._issues.append(Issue(IssueType.TOO_LONG, "too many other resources are asked: say of which types"))
        if self._issues:
            raise Malformed(*self._issues)
        if self._controls.get("summary") == "count":
            self._controls["count"] = 0
        if self._controls.get("count") == 0:
            self._controls["total"] = True
        ignored = tuple(sorted(self._ignored))
        return Query(self._type, tuple(self._obeyed), tuple(self._criteria), ignored=ignored, **self._controls)


def tellable(name: str) -> str:
    """A name that nobody knows could hold anything, a personal number too."""
    plain = name.translate(str.maketrans("", "", "-_:."))
    return name if plain.isascii() and plain.isalpha() and len(name) < 100 else "a parameter"


# The questions


def page(query: Query, scope: Scope, place: Place | None = None) -> Question:
    """The question for one page: rows of ``sql.CURRENT_COLUMNS``, what they are sorted by, and the row id; one more than
    ``count`` if there are more. ``place`` is where the page before ended."""
    ended = () if place is None else place
    numbers = [number for key in query.sort for number in key.numbers(query.type, scope)]
    values = [*numbers, *_values(query, scope), *(each for each in ended if each is not None), query.count + 1]
    shape = "page", *_shape(query, scope), query.sort, tuple(each is None for each in ended)
    return question(shape, values, lambda binds: _page(query, scope, place, binds))


def place_of(row: Sequence[Any]) -> Place:
    """Where a page ends whose last row this is."""
    return tuple(row[len(CURRENT_COLUMNS) :])


def count(query: Query, scope: Scope) -> Question:
    """The question for the total."""
    counted = select(func.count()).select_from(resource)
    shape = "count", *_shape(query, scope)
    return question(shape, _values(query, scope), lambda binds: counted.where(_matches(query, scope, binds)))


def _shape(query: Query, scope: Scope) -> tuple[Hashable, ...]:
    return query.type, len(scope.values), tuple(each.shape for each in query.criteria)


def _values(query: Query, scope: Scope) -> list[Any]:
    return [*scope.values, *(value for each in query.criteria for value in each.values(scope))]


def _page(query: Query, scope: Scope, place: Place | None, binds: Binds) -> Select[Any]:
    """Rows are found and put in order over the index alone; bodies are joined to those that the page holds."""
    names = [f"key{number}" for number in range(len(query.sort))]
    keys = [each.value(binds).label(name) for each, name in zip(query.sort, names, strict=True)]
    found = select(resource.c.rid, *keys).where(_matches(query, scope, binds)).subquery()
    sorted_by = [found.c[name] for name in names]
    rows = select(found).order_by(*sorting.order(query.sort, sorted_by, found.c.rid))
    if place is not None:
        rows = rows.where(sorting.after(query.sort, sorted_by, found.c.rid, place, binds))
    ordered = rows.limit(next(binds)).subquery()
    sorted_by = [ordered.c[name] for name in names]
    return (
        select(*CURRENT_COLUMNS, *sorted_by, resource.c.rid)
        .join(ordered, ordered.c.rid == resource.c.rid)
        .join(history, history.c.hid == resource.c.hid)
        .order_by(*sorting.order(query.sort, sorted_by, resource.c.rid))
    )


def _matches(query: Query, scope: Scope, binds: Binds) -> Condition:
    lead = _lead(query.criteria)
    return and_(
        scope.seen(resource, query.type, binds),
        *(each.condition(resource, scope, binds, leads=each is lead) for each in query.criteria),
    )


def _lead(asked: Sequence[Criterion]) -> Criterion | None:
    """What to look up first: what finds the fewest, if that is not most of them."""
    return min((each for each in asked if each.may_lead), key=lambda each: each.spread, default=None)


# Parameters that say how to answer


def _count(_: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise ValueError("a whole number is wanted")
    return min(int(value), MAX_COUNT)


def _one_of(*allowed: str) -> Callable[[str, str], str]:
    def read(_: str, value: str) -> str:
        if value not in allowed:
            raise ValueError(f"{', '.join(allowed[:-1])} or {allowed[-1]} is wanted")
        return value

    return read


def _total(_: str, value: str) -> bool:
    """An estimate is not cheaper here than the number."""
    return _one_of("none", "estimate", "accurate")(_, value) != "none"


def _elements(type_: str, value: str) -> tuple[str, ...]:
    names = tuple(each.removeprefix(f"{type_}.") for each in value.split(","))
    if not subset.element_names(type_).issuperset(names):
        raise ValueError(f"names of elements of {type_} are wanted, with commas between them")
    return names


def _include(*, backwards: bool, iterates: bool) -> Callable[[str, str], tuple[Include]]:
    return lambda type_, value: (including.read(type_, value, backwards=backwards, iterates=iterates),)


_CONTROLS: Final[Mapping[str, tuple[str, Callable[[str, str], Any]]]] = {
    "_count": ("count", _count),
    "_total": ("total", _total),
    "_summary": ("summary", _one_of("true", "text", "data", "count", "false")),
    "_elements": ("elements", _elements),
    "_sort": ("sort", sorting.read),
    "_include": ("includes", _include(backwards=False, iterates=False)),
    "_include:iterate": ("includes", _include(backwards=False, iterates=True)),
    "_revinclude": ("includes", _include(backwards=True, iterates=False)),
    "_revinclude:iterate": ("includes", _include(backwards=True, iterates=True)),
}
"""By name: the field of ``Query`` that it sets, and how its value is read."""
