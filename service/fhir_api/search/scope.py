"""Whose data a search sees. Every select of a resource, also of what is only asked about, goes through here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_

from contracts.record import Caller
from service.store.indexing import Numbers


@dataclass(frozen=True, slots=True)
class Scope:
    """``values`` are what ``seen`` is asked with; ``numbers`` those of the search parameters.

    ``seen`` says the same as ``contracts.record.Caller.may_see`` does of one record. A search that is answered, counted,
    chained, included or begun at the other end asks it of each resource that it touches: what may not be seen changes
    nothing that can be.
    """

    numbers: Numbers
    values: tuple[str | int, ...]

    @classmethod
    def of(cls, caller: Caller, numbers: Numbers) -> "Scope":
        """What the caller may see."""
        return cls(numbers, (*caller.owners, int(caller.sees_restricted)))

    def seen(self, of: Any, type_: str, binds: Iterator[Any]) -> ColumnElement[bool]:
        """The condition on ``of``, the resource table or an alias of it; its values are the ``values``."""
        *owners, restricted = (next(binds) for _ in self.values)
        return and_(of.c.type == type_, of.c.unit.in_(owners), of.c.restricted <= restricted)
