"""The order of a search's pages, and where the next one begins. https://hl7.org/fhir/R4/search.html#sort

A page begins after a place, never after a number of rows: what is written between two pages moves nothing. What has no value
to sort by comes last, whichever way; what is equal stands in the order of creation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, false, func, or_, select

from service.fhir_api.search.parameters import SearchParameter, find
from service.fhir_api.search.scope import Scope
from service.fhir_api.search.values import Binds, one_of
from service.store.tables import INDEX_TABLES, resource

MAX_KEYS: Final = 4

Place = tuple[int | float | str | None, ...]
"""Where a page ended: the value of each key, and the row id."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """One parameter to sort by. Of several values of a resource the first in the order counts."""

    parameter: SearchParameter
    descending: bool

    def numbers(self, type_: str, scope: Scope) -> list[int]:
        """The values of the statement that ``value`` is written in."""
        if self.parameter.code in _COLUMNS:
            return []
        return [scope.numbers[type_, code] for code in self.parameter.indexed_as]

    def value(self, binds: Binds) -> ColumnElement[Any]:
        """What a resource is sorted by; null where it has none."""
        if self.parameter.code in _COLUMNS:
            return _COLUMNS[self.parameter.code]
        at = INDEX_TABLES[self.parameter.kind].alias()
        column = at.c[_SORTED_BY[self.parameter.kind]]
        numbers = [next(binds) for _ in self.parameter.indexed_as]
        rows = and_(at.c.rid == resource.c.rid, one_of(at.c.parameter, numbers))
        if self.parameter.kind in ("token", "reference"):
            rows = and_(rows, column != "")  # a row that only says that something is there
        best = func.max(column) if self.descending else func.min(column)
        return select(best).where(rows).scalar_subquery()


_COLUMNS: Final[dict[str, ColumnElement[Any]]] = {"_id": resource.c.id, "_lastUpdated": resource.c.updated}
_SORTED_BY: Final = {
    "token": "code",
    "reference": "target",
    "date": "low",
    "string": "norm",
    "quantity": "low",
    "uri": "uri",
}


def read(type_: str, value: str) -> tuple[SortKey, ...]:
    """The keys of ``_sort``. ``ValueError`` when one cannot be sorted by."""
    return tuple(_key(type_, each) for each in value.split(","))


def _key(type_: str, text: str) -> SortKey:
    parameter = find(type_, text.removeprefix("-"))
    if parameter is None or parameter.kind not in _SORTED_BY:
        raise ValueError("search parameters of the type, other than composites, a hyphen before one meaning descending")
    return SortKey(parameter, text.startswith("-"))


def order(keys: Sequence[SortKey], values: Sequence[Any], rid: Any) -> list[Any]:
    """The order, over the columns that hold the keys' values and the row id."""
    by = [
        each
        for key, value in zip(keys, values, strict=True)
        for each in (case((value.is_(None), 1), else_=0), value.desc() if key.descending else value)
    ]
    return [*by, rid]


def after(keys: Sequence[SortKey], values: Sequence[Any], rid: Any, place: Place, binds: Binds) -> ColumnElement[bool]:
    """What comes after the place in that order; its values are the place's own, less what is null."""
    at = [None if each is None else next(binds) for each in place]
    beyond: ColumnElement[bool] = rid > at[-1]
    for key, value, ended in reversed(list(zip(keys, values, at[:-1], strict=True))):
        same = value.is_(None) if ended is None else value == ended
        beyond = or_(_further(key, value, ended), and_(same, beyond))
    return beyond


def _further(key: SortKey, value: Any, ended: Any) -> ColumnElement[bool]:
    if ended is None:
        return false()
    return or_(value < ended if key.descending else value > ended, value.is_(None))
