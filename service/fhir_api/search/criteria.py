"""One criterion of a search, ``name:modifier=value,value``, as a condition. https://hl7.org/fhir/R4/search.html

What matches is said over the rows of one index table; a resource is found when one of its rows matches. A chain asks it of
the resource that a row points at, ``_has`` of those whose rows point here.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    Select,
    Table,
    and_,
    exists,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
    type_coerce,
    union,
    union_all,
)

from service.fhir_api.search import matching, ranges
from service.fhir_api.search.parameters import (
    ANY,
    HIERARCHIES,
    MADE,
    MANY,
    OF_TYPE,
    PARAMETERS,
    SPECIAL,
    SearchParameter,
    find,
    why_unserved,
)
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.statements import Question, question
from service.fhir_api.search.values import TEXT, Binds, Columns, Condition, Match, one_of, plain, split
from service.store.tables import INDEX_TABLES, reference_index, resource, string_index, token_index

MAX_LINKS: Final = 4
"""References that a chain or nested ``_has`` may follow, one after the other."""


MAX_REACHED: Final = 60
"""Selects of other resources, in one chain and in one search: each costs time to write, and one chain over references that
may point anywhere would need thousands."""


class NotServed(Exception):
    """A parameter that is not known here."""


class ModifierNotServed(NotServed):
    """A parameter that is known, asked in a way that is not. R4 has it refused, whatever the client would put up with: what
    it narrows would come unnarrowed. https://hl7.org/fhir/R4/search.html#modifiers"""


@dataclass(frozen=True, slots=True)
class Rows:
    """Which rows of an index table match: ``on`` takes the values' parameters in the order of ``values``."""

    shape: tuple[Hashable, ...]
    values: Callable[[Scope], Sequence[Any]]
    on: Callable[[Columns, Scope, Binds], Condition]


@dataclass(frozen=True, slots=True)
class Way:
    """Where a reference has to lead: selects of the addresses that do, which stand in other resources."""

    shape: tuple[Hashable, ...]
    values: Callable[[Scope], Sequence[Any]]
    addresses: Callable[[Scope, Binds], Sequence[Any]]

    @property
    def rows(self) -> Rows:
        """The rows that lead there."""
        return Rows(
            self.shape,
            self.values,
            lambda c, scope, binds: or_(*(c.target.in_(each) for each in self.addresses(scope, binds))),
        )

    def question(self, scope: Scope, most: int) -> Question:
        """The question for the addresses themselves."""

        def build(binds: Binds) -> Select[Any]:
            found = union(*(select(each.subquery()) for each in self.addresses(scope, binds)))
            return select(found.subquery()).limit(next(binds))

        return question(("way", len(scope.values), self.shape), [*self.values(scope), most], build)


@dataclass(frozen=True, slots=True)
class Criterion:
    """Asked of a resource. Two of one ``shape`` are written alike, and differ in their ``values``.

    ``spread`` tells how many it mostly finds; one that ``narrows`` asks for values, and wants what has them; one
    that ``is_direct`` is looked up by a whole key of one index; ``reaches`` counts the selects of other resources; ``way``
    is where a reference has to lead, if that is asked.
    """

    shape: Hashable
    values: Callable[[Scope], Sequence[Any]]
    on: Callable[[Any, Scope, Binds, bool], Condition]
    spread: int
    narrows: bool = True
    is_direct: bool = False
    reaches: int = 0
    way: Way | None = None

    @property
    def may_lead(self) -> bool:
        """Whether it finds so few that the others are better asked of what it found."""
        return self.narrows and self.spread < MANY

    def condition(self, of: Any, scope: Scope, binds: Binds, *, leads: bool = False) -> Condition:
        """The condition on ``of``, the resource table or an alias. The one that ``leads`` is looked up first and the others
        asked of what it found: the database cannot know which of them finds few."""
        return self.on(of, scope, binds, leads)


def read(type_: str, name: str, value: str, links: int = MAX_LINKS) -> Criterion:
    """Raises ``NotServed``, and ``ValueError`` (which never repeats the value) when the value cannot be read."""
    if name.startswith("_has:"):
        return _read_has(type_, name, value, links)
    first, dot, rest = name.partition(".")
    code, colon, modifier = first.partition(":")
    parameter = find(type_, code)
    if parameter is None:
        raise NotServed(why_unserved(type_, code) or f"{type_} has no search parameter of this name")
    if dot:
        return _read_chain(type_, parameter, modifier, rest, value, links)
    if colon and modifier not in _modifiers(parameter):
        raise ModifierNotServed("cannot be asked with this modifier")
    if code in SPECIAL:
        return _read_special(parameter, value)
    if modifier == "missing":
        return _indexed(type_, parameter, INDEX_TABLES[parameter.kind], _ANY_ROW, negated=boolean(value), narrows=False)
    if parameter.kind == "reference" and modifier in _ALONG:
        return _read_hierarchy(type_, parameter, modifier, value)
    table, suffix, match = _looked_up(parameter, modifier)
    rows = _any_of([match(parameter, modifier, one) for one in values(value)])
    is_negated = modifier == "not"
    return _indexed(type_, parameter, table, rows, suffix=suffix, negated=is_negated, narrows=not is_negated)


def _looked_up(
    parameter: SearchParameter, modifier: str
) -> tuple[Table, str, Callable[[SearchParameter, str, str], Match]]:
    """The table to look into, what the parameter's code ends with there, and how a value is read."""
    if modifier == "text":
        return string_index, "", matching.string
    if modifier == "of-type":
        return token_index, OF_TYPE, matching.of_type
    if modifier == "identifier":
        return token_index, "", matching.token
    return INDEX_TABLES[parameter.kind], "", matching.MATCH[parameter.kind]


def _any_of(found: Sequence[Match]) -> Rows:
    return Rows(
        tuple(match.shape for match in found),
        lambda _: [value for match in found for value in match.values],
        lambda c, _, binds: or_(*(match.condition(c, binds) for match in found)),
    )


_ANY_ROW: Final = Rows((), lambda _: (), lambda _, __, ___: true())


def _indexed(
    type_: str,
    parameter: SearchParameter,
    table: Table,
    rows: Rows,
    *,
    suffix: str = "",
    negated: bool = False,
    narrows: bool = True,
) -> Criterion:
    """What has, or with ``negated`` has not, a row that matches."""
    keys = [(type_, code + suffix) for code in parameter.indexed_as]

    def condition(of: Any, scope: Scope, binds: Binds, leads: bool) -> Condition:
        at = table.alias()
        matches = and_(one_of(at.c.parameter, [next(binds) for _ in keys]), rows.on(at.c, scope, binds))
        if leads:
            looked_up: Condition = of.c.rid.in_(select(at.c.rid).where(matches))
            return looked_up
        found = exists().where(matches, at.c.rid == of.c.rid)
        return not_(found) if negated else found

    return Criterion(
        (*keys, parameter.code, table.name, negated, rows.shape),
        lambda scope: [*(scope.numbers[key] for key in keys), *rows.values(scope)],
        condition,
        parameter.spread,
        narrows,
        is_direct=narrows and table in _BY_KEY and matching.OF_SYSTEM not in rows.shape,
    )


_BY_KEY: Final = (token_index, reference_index)


# Modifiers. https://hl7.org/fhir/R4/search.html#modifiers


def _modifiers(parameter: SearchParameter) -> frozenset[str]:
    if parameter.code in SPECIAL:
        return frozenset()
    if parameter.is_by_sound:
        return frozenset({"missing"})
    known = _MODIFIERS.get(parameter.kind, frozenset()) | {"missing", *_types(parameter)}
    if parameter.kind == "reference" and _hierarchies(parameter):
        known |= _ALONG
    return known | {"of-type"} if parameter.has_identifiers else known


_MODIFIERS: Final[dict[str, frozenset[str]]] = {
    "token": frozenset({"not", "text"}),
    "reference": frozenset({"identifier"}),
    "string": frozenset({"exact", "contains"}),
    "uri": frozenset({"above", "below"}),
}
_ALONG: Final = frozenset({"above", "below"})
"""Of references those alone that may point at what can be part of another."""


def _hierarchies(parameter: SearchParameter) -> tuple[str, ...]:
    return tuple(each for each in _types(parameter) if each in HIERARCHIES)


def _types(parameter: SearchParameter) -> tuple[str, ...]:
    """The types that a reference may point at, as far as they can be named."""
    return tuple(PARAMETERS) if parameter.targets == ANY else parameter.targets


def values(value: str) -> list[str]:
    """The values between the commas. Raises ``ValueError`` where one is missing."""
    found = split(value, ",")
    if "" in found:
        raise ValueError("a value is missing")
    return found


def boolean(value: str) -> bool:
    """Raises ``ValueError`` for what is neither."""
    if value not in ("true", "false"):
        raise ValueError("true or false is wanted")
    return value == "true"


def pointing_at(type_: str, code: str, addresses: Sequence[str]) -> Criterion:
    """What points at one of the addresses by the reference of this code."""
    return _indexed(type_, PARAMETERS[type_][code], reference_index, _any_of([matching.any_target(addresses)]))


# Hierarchies. https://hl7.org/fhir/R4/search.html#recursive


def _read_hierarchy(type_: str, parameter: SearchParameter, modifier: str, value: str) -> Criterion:
    """``location:below=1``: at that place or at a part of it, however deep; ``above``: at that or at what it is part of."""
    types = _hierarchies(parameter)
    ends = replace(parameter, targets=types)
    named = [each for one in values(value) for each in matching.reference(ends, "", one).values]
    by_type = {each: [address for address in named if f"/{address}".split("/")[-2] == each] for each in types}
    asked = {each: found for each, found in by_type.items() if found}
    if sum(map(len, asked.values())) < len(named):
        raise ValueError(f"what can be part of another is wanted: {', '.join(types)}")
    way = Way(
        (modifier, *((each, len(found)) for each, found in asked.items())),
        lambda scope: [
            value
            for each, found in asked.items()
            for value in (*found, scope.numbers[each, HIERARCHIES[each]], *scope.values, *scope.values)
        ],
        lambda scope, binds: [_along(each, len(found), modifier, scope, binds) for each, found in asked.items()],
    )
    criterion = _indexed(type_, parameter, reference_index, way.rows)
    return replace(criterion, is_direct=False, reaches=len(asked), way=way)


def _along(type_: str, count: int, modifier: str, scope: Scope, binds: Binds) -> Any:
    """The addresses that are named, and those of what is reached from them, as far as it may be seen. Nothing is reached
    twice, so that a circle ends.

    The addresses stand in the recursive part itself, which both databases evaluate once; and each step begins at a row id,
    which SQLite looks up first.
    """
    named = [type_coerce(next(binds), TEXT) for _ in range(count)]
    number, after = next(binds), len(type_) + 2
    start, one, other, link = resource.alias(), resource.alias(), resource.alias(), reference_index.alias()
    first = select(start.c.rid, (_head(type_) + start.c.id).label("address")).where(
        scope.seen(start, type_, binds), start.c.id.in_([func.substr(each, after) for each in named])
    )
    reached = first.cte(recursive=True)
    near: tuple[Condition, ...]
    if modifier == "below":
        near = one.c.rid == reached.c.rid, link.c.target == _head(type_) + one.c.id, other.c.rid == link.c.rid
    else:
        near = link.c.rid == reached.c.rid, other.c.id == func.substr(link.c.target, after)
    step = select(other.c.rid, _head(type_) + other.c.id).where(
        link.c.parameter == number, scope.seen(other, type_, binds), *near
    )
    reached = reached.union(step)
    return union_all(select(reached.c.address), *(select(each) for each in named))


# Chains. https://hl7.org/fhir/R4/search.html#chaining


def _read_chain(type_: str, parameter: SearchParameter, modifier: str, rest: str, value: str, links: int) -> Criterion:
    """``subject:Patient.name``: of each type that the reference may point at and that has such a parameter."""
    if parameter.kind != "reference" or (modifier and modifier not in _types(parameter)):
        raise NotServed(f"{parameter.code} cannot be followed to another resource like this")
    types = [modifier] if modifier else _types(parameter)
    asked = _of_targets([each for each in types if each in PARAMETERS and each != MADE], rest, value, _one_less(links))
    if len(asked) > 1 and sum(each.reaches for each in asked.values()) > MAX_REACHED:
        raise ValueError("a chain that leads to too many types: say which, as in subject:Patient.name")
    spread = max(parameter.spread, *(each.spread for each in asked.values()))
    narrows = all(each.narrows for each in asked.values())
    way = _through(asked)
    chained = _indexed(type_, parameter, reference_index, way.rows, narrows=narrows)
    reaches = sum(1 + each.reaches for each in asked.values())
    return replace(chained, spread=spread, is_direct=False, reaches=reaches, way=way)


def _one_less(links: int) -> int:
    if not links:
        raise NotServed(f"at most {MAX_LINKS} references are followed, one after the other")
    return links - 1


def _of_targets(types: Sequence[str], rest: str, value: str, links: int) -> dict[str, Criterion]:
    """The rest of a chain, read for each type that it can be asked of."""
    asked, refused = {}, NotServed("this reference points at nothing that is served")
    for target in types:
        try:
            asked[target] = read(target, rest, value, links)
        except NotServed as reason:
            refused = reason
    if not asked:
        raise refused
    return asked


def _through(asked: dict[str, Criterion]) -> Way:
    """To something, which may be seen, of which its type's criterion is true."""
    return Way(
        ("chain", *((type_, each.shape) for type_, each in asked.items())),
        lambda scope: [value for each in asked.values() for value in (*scope.values, *each.values(scope))],
        lambda scope, binds: [_addresses(type_, each, scope, binds) for type_, each in asked.items()],
    )


def _addresses(type_: str, asked: Criterion, scope: Scope, binds: Binds) -> Any:
    """``Type/id`` of what the criterion finds."""
    target = resource.alias()
    return select(_head(type_) + target.c.id).where(
        scope.seen(target, type_, binds), asked.condition(target, scope, binds, leads=asked.may_lead)
    )


def _head(type_: str) -> Any:
    return literal_column(f"'{type_}/'", TEXT)


# Reverse chains. https://hl7.org/fhir/R4/search.html#has


def _read_has(type_: str, name: str, value: str, links: int) -> Criterion:
    """``_has:Observation:patient:code``: what such an Observation points at."""
    _, source, code, rest = [*name.split(":", 3), "", "", ""][:4]
    if MADE in (type_, source):
        raise NotServed(f"{MADE} is made when it is read: nothing is found by what points there, or from there")
    parameter = find(source, code)
    if parameter is None or parameter.kind != "reference" or type_ not in _types(parameter):
        raise NotServed(f"_has:type:reference:parameter wants a served type and a reference of it to {type_}")
    asked = read(source, rest, value, _one_less(links))
    key = source, code
    first, after = f"{type_}/", f"{type_}0"  # the slash's next sign: all addresses of the type stand between the two

    def condition(of: Any, scope: Scope, binds: Binds, leads: bool) -> Condition:
        at, pointing = reference_index.alias(), resource.alias()
        rows = and_(
            at.c.parameter == next(binds),
            pointing.c.rid == at.c.rid,
            scope.seen(pointing, source, binds),
            asked.condition(pointing, scope, binds, leads=leads and asked.may_lead),
        )
        if leads:
            ids = select(func.substr(at.c.target, len(first) + 1)).where(
                rows, at.c.target >= first, at.c.target < after
            )
            looked_up: Condition = of.c.id.in_(ids)
            return looked_up
        return exists().where(rows, at.c.target == _head(type_) + of.c.id)

    return Criterion(
        ("has", type_, key, asked.shape),
        lambda scope: [scope.numbers[key], *scope.values, *asked.values(scope)],
        condition,
        max(parameter.spread, asked.spread),
        asked.narrows,
        reaches=1 + asked.reaches,
    )


# Parameters of every type, answered from the resource table itself


def _read_special(parameter: SearchParameter, value: str) -> Criterion:
    if parameter.code == "_id":
        ids = [plain(one) for one in values(value)]
        return Criterion(
            ("_id", len(ids)),
            lambda _: ids,
            lambda of, _, binds, __: of.c.id.in_([next(binds) for _ in ids]),
            parameter.spread,
            narrows=False,
            is_direct=True,
        )
    rows = _any_of([ranges.date(parameter, "", one) for one in values(value)])
    return Criterion(
        ("_lastUpdated", rows.shape),
        rows.values,
        lambda of, scope, binds, _: rows.on(_Instant(of), scope, binds),
        MANY,
        narrows=False,
    )


class _Instant:
    """When a resource was changed, as a date of one microsecond."""

    def __init__(self, of: Any) -> None:
        self.low, self.high = of.c.updated, of.c.updated + 1
