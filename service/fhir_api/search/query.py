"""From search parameters to a statement over the index tables. https://hl7.org/fhir/R4/search.html

The page is found over index tables alone; bodies are joined last (docs/adr/0003-store.md).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, and_, func, select

from contracts.errors import Issue, IssueType, Malformed
from service.fhir_api.search import criteria
from service.fhir_api.search.criteria import Condition, Criterion, NotServed, Numbers
from service.fhir_api.search.parameters import MANY
from service.store.sql import CURRENT_COLUMNS
from service.store.tables import history, resource

Pairs = Sequence[tuple[str, str]]

DEFAULT_COUNT: Final = 50
MAX_COUNT: Final = 500
MAX_VALUES: Final = 200
"""Values of all parameters together: more is more than the database takes in one question."""

LET_THROUGH: Final = frozenset({"_format", "_pretty", "_totalMethod"})
"""Parameters that change nothing here; ``_totalMethod`` is what a known client sends."""

CONCEALED: Final = frozenset({"identifier", "name", "family", "given", "birthdate"})
"""Parameters whose values never stand in a link (decision D10)."""


@dataclass(frozen=True, slots=True)
class Query:
    """A search on one type, checked. ``ignored`` names the parameters that a lenient client sent in vain."""

    type: str
    criteria: tuple[tuple[str, str], ...] = ()
    count: int = DEFAULT_COUNT
    total: bool = False
    descending: bool = False
    ignored: tuple[str, ...] = ()


def parse(type_: str, pairs: Pairs, *, lenient: bool = False) -> Query:
    """The query that parameters ask for. Raises ``Malformed`` with every parameter that cannot be obeyed; a lenient
    client's unknown ones are ignored instead."""
    asked = [pair for pair in pairs if pair[0] not in LET_THROUGH and pair[0] not in _CONTROLS]
    controls = {name: value for name, value in pairs if name in _CONTROLS}
    if sum(value.count(",") + 1 for _, value in asked) > MAX_VALUES:
        raise Malformed(Issue(IssueType.TOO_LONG, f"ask for at most {MAX_VALUES} values at a time"))
    problems = {pair: problem for pair in asked if (problem := _problem(type_, *pair)) is not None}
    ignored = {pair: problem for pair, problem in problems.items() if lenient and _is_unknown(problem)}
    issues = [problem for pair, problem in problems.items() if pair not in ignored] + _control_problems(controls)
    if issues:
        raise Malformed(*issues)
    return _query(type_, [pair for pair in asked if pair not in ignored], controls, ignored)


def _query(type_: str, asked: Pairs, controls: Mapping[str, str], ignored: Collection[tuple[str, str]]) -> Query:
    count = min(int(controls.get("_count", DEFAULT_COUNT)), MAX_COUNT)
    if controls.get("_summary") == "count":
        count = 0
    return Query(
        type_,
        tuple(asked),
        count,
        total=count == 0 or controls.get("_total") == "accurate",
        descending=controls.get("_sort", "").startswith("-"),
        ignored=tuple(sorted({name for name, _ in ignored})),
    )


def page(query: Query, numbers: Numbers, owners: Collection[str], after: int | None) -> Select[Any]:
    """The statement of one page: rows of ``sql.CURRENT_COLUMNS`` and the row id, one more than ``count`` if there are
    more. ``after`` is the row id that the page before ended with."""
    found = select(resource.c.rid).where(_matches(query, numbers, owners))
    if after is not None:
        found = found.where(resource.c.rid < after if query.descending else resource.c.rid > after)
    order = resource.c.rid.desc() if query.descending else resource.c.rid
    rows = found.order_by(order).limit(query.count + 1).subquery()
    return (
        select(*CURRENT_COLUMNS, resource.c.rid)
        .join(rows, rows.c.rid == resource.c.rid)
        .join(history, history.c.hid == resource.c.hid)
        .order_by(order)
    )


def count(query: Query, numbers: Numbers, owners: Collection[str]) -> Select[Any]:
    """The statement of the total."""
    return select(func.count()).select_from(resource).where(_matches(query, numbers, owners))


def _matches(query: Query, numbers: Numbers, owners: Collection[str]) -> Condition:
    asked = [criteria.read(query.type, *pair) for pair in query.criteria]
    lead = _lead(asked)
    return and_(
        resource.c.type == query.type,
        resource.c.unit.in_(sorted(owners)),
        *(each.condition(query.type, numbers, leads=each is lead) for each in asked),
    )


def _lead(asked: Sequence[Criterion]) -> Criterion | None:
    """What to look up first: what finds the fewest, if that is not most of them."""
    fit = (each for each in asked if each.narrows and each.parameter.spread < MANY)
    return min(fit, key=lambda each: each.parameter.spread, default=None)


def _problem(type_: str, name: str, value: str) -> Issue | None:
    """Why a parameter cannot be obeyed. The value is never repeated: it may be a personal number."""
    try:
        criteria.read(type_, name, value)
    except NotServed as unknown:
        return Issue(IssueType.NOT_SUPPORTED, str(unknown))
    except ValueError as wrong:
        return Issue(IssueType.VALUE, f"{name.partition(':')[0]}: {wrong}")
    return None


def _is_unknown(issue: Issue) -> bool:
    return issue.type is IssueType.NOT_SUPPORTED


# Parameters that say how to answer


def _control_problems(controls: Mapping[str, str]) -> list[Issue]:
    return [
        Issue(IssueType.VALUE, f"{name} takes {allowed}")
        for name, value in controls.items()
        for allowed, test in (_CONTROLS[name],)
        if not test(value)
    ]


def _is_count(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 10


_CONTROLS: Final[dict[str, tuple[str, Callable[[str], bool]]]] = {
    "_count": ("a whole number", _is_count),
    "_total": ("none, estimate or accurate", lambda value: value in ("none", "estimate", "accurate")),
    "_summary": ("count or false", lambda value: value in ("count", "false")),
    "_sort": ("_id or -_id (the order of creation)", lambda value: value in ("_id", "-_id")),
}
