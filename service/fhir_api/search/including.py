"""What comes along with what a search finds: ``_include`` and ``_revinclude``. https://hl7.org/fhir/R4/search.html#include"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, select

from service.fhir_api.search.parameters import ANY, MADE, PARAMETERS, SearchParameter
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.statements import Question, padded, question
from service.fhir_api.search.values import Binds
from service.store.sql import CURRENT_COLUMNS
from service.store.tables import history, reference_index, resource

MOST: Final = 1000
"""Resources that come along with one page; that there are more is told in the bundle."""

MAX_ROUNDS: Final = 5
"""Steps that ``:iterate`` takes from what was found."""

ALL: Final = "*"

Rows = Sequence[tuple[Any, ...]]
Ask = Callable[[Question], Rows]
"""Asks a statement on the snapshot that the page was read from."""

Name = tuple[str, str]
"""Type and id."""


@dataclass(frozen=True, slots=True)
class Include:
    """``Type:parameter:Target``; ``*`` for a type or a parameter is any. ``backwards`` is ``_revinclude``."""

    source: str
    code: str
    target: str
    backwards: bool
    iterates: bool

    def numbers(self, scope: Scope, types: Iterable[str]) -> list[int]:
        """The numbers of the references that are followed from resources of the types."""
        sources = [each for each in types if self.source in (ALL, each)]
        return [scope.numbers[type_, each.code] for type_ in sources for each in references(type_) if self._is(each)]

    def _is(self, parameter: SearchParameter) -> bool:
        return self.code in (ALL, parameter.code) and (not self.target or self.target in types_of(parameter))


def references(type_: str) -> list[SearchParameter]:
    """The references of a type that can be followed."""
    return [each for each in PARAMETERS[type_].values() if each.kind == "reference"]


def types_of(parameter: SearchParameter) -> tuple[str, ...]:
    """The served types that a reference may point at."""
    return tuple(PARAMETERS if parameter.targets == ANY else (each for each in parameter.targets if each in PARAMETERS))


def read(type_: str, value: str, *, backwards: bool, iterates: bool) -> Include:
    """``ValueError`` when no such reference is served."""
    everything = ALL if backwards or iterates else type_, ALL, ""
    source, code, target = everything if value == ALL else (*value.split(":"), "", "")[:3]
    found = Include(source, code, target or (type_ if backwards and not iterates else ""), backwards, iterates)
    sources = [each for each in PARAMETERS if source in (ALL, each)]
    known = any(found._is(each) for one in sources for each in references(one))
    if value != ALL and (value.count(":") > 2 or not known):
        raise ValueError("type:parameter, a reference that is served, or type:parameter:target type; * stands for any")
    if MADE in ((source,) if backwards else (target,)):
        raise ValueError(f"{MADE} is made when it is read, and comes along with nothing: ask for it by itself")
    if not backwards and not iterates and source != type_:
        raise ValueError(f"references of {type_}; those of what comes along are followed with :iterate")
    return found


def included(
    includes: Sequence[Include], found: Rows, scope: Scope, ask: Ask, ask_of_found: Ask | None = None
) -> tuple[Rows, bool]:
    """Rows of ``sql.CURRENT_COLUMNS`` and the row id that come along with what was found, each once; and whether some were
    left out because there are too many. ``ask_of_found`` asks where what was found is indexed, if that is elsewhere."""
    if not includes:
        return (), False
    seen: dict[Name, Any] = {_name(row): row for row in found}
    matched = len(seen)
    fresh, asked, ask_of = found, includes, ask_of_found or ask
    for _ in range(MAX_ROUNDS):
        near = [row for include in asked for row in _next_to(include, fresh, scope, ask, ask_of)] if fresh else []
        fresh = [row for name, row in {_name(row): row for row in near}.items() if name not in seen]
        seen |= {_name(row): row for row in fresh}
        asked, ask_of = [each for each in includes if each.iterates], ask
        if not asked or len(seen) - matched > MOST:
            break
    along = list(seen.values())[matched:]
    return along[:MOST], len(along) > MOST


def _name(row: tuple[Any, ...]) -> Name:
    return row[0], row[1]


def _next_to(include: Include, rows: Rows, scope: Scope, ask: Ask, ask_of: Ask) -> Rows:
    if include.backwards:
        return _pointing(include, rows, scope, ask)
    return _pointed_at(include, rows, scope, ask, ask_of)


def _pointing(include: Include, rows: Rows, scope: Scope, ask: Ask) -> Rows:
    """What points at the rows."""
    targets = padded([f"{type_}/{id}" for type_, id in map(_name, rows) if include.target in ("", type_)])
    sources = [each for each in PARAMETERS if include.source in (ALL, each)] if targets else []
    return [
        row
        for source in sources
        if (numbers := include.numbers(scope, [source]))
        for row in ask(_that_point(source, scope, numbers, targets))
    ]


def _that_point(source: str, scope: Scope, numbers: Sequence[int], targets: Sequence[str]) -> Question:
    def build(binds: Binds) -> Select[Any]:
        c = reference_index.c
        seen = _current(scope, source, binds)
        pointing = c.parameter.in_(_as_many(binds, numbers)), c.target.in_(_as_many(binds, targets))
        return seen.where(resource.c.rid.in_(select(c.rid).where(*pointing)))

    shape = "pointing", source, len(scope.values), len(numbers), len(targets)
    return question(shape, [*scope.values, *numbers, *targets], build)


def _pointed_at(include: Include, rows: Rows, scope: Scope, ask: Ask, ask_of: Ask) -> Rows:
    """What the rows point at; where they are indexed says ``ask_of``."""
    numbers = include.numbers(scope, dict.fromkeys(row[0] for row in rows))
    wanted: dict[str, list[str]] = {}
    for (address,) in ask_of(_addresses(numbers, padded([row[-1] for row in rows]))) if numbers else ():
        type_, slash, id_ = address.partition("/")
        if slash and type_ in PARAMETERS and include.target in ("", type_):
            wanted.setdefault(type_, []).append(id_)
    return [row for type_, ids in wanted.items() for row in ask(_with_ids(type_, scope, padded(ids)))]


def _addresses(numbers: Sequence[int], rids: Sequence[int]) -> Question:
    def build(binds: Binds) -> Select[Any]:
        c = reference_index.c
        return (
            select(c.target)
            .where(c.parameter.in_(_as_many(binds, numbers)), c.rid.in_(_as_many(binds, rids)))
            .distinct()
        )

    return question(("addresses", len(numbers), len(rids)), [*numbers, *rids], build)


def _with_ids(type_: str, scope: Scope, ids: Sequence[str]) -> Question:
    def build(binds: Binds) -> Select[Any]:
        return _current(scope, type_, binds).where(resource.c.id.in_(_as_many(binds, ids)))

    return question(("ids", type_, len(scope.values), len(ids)), [*scope.values, *ids], build)


def _current(scope: Scope, type_: str, binds: Binds) -> Select[Any]:
    return (
        select(*CURRENT_COLUMNS, resource.c.rid)
        .join(history, history.c.hid == resource.c.hid)
        .where(scope.seen(resource, type_, binds))
        .order_by(resource.c.rid)
        .limit(MOST + 1)
    )


def _as_many(binds: Binds, values: Sequence[Any]) -> list[Any]:
    return [next(binds) for _ in values]
