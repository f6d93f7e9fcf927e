"""Whose data a search sees. Every select of a resource, also of what is only asked about, goes through here."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_

from contracts.record import Caller
from service.store.indexing import Numbers


@dataclass(frozen=True, slots=True)
class Scope:
    """``owners`` are the units and the care provider whose data may be seen, also what is ``restricted``; ``numbers`` those
    of the search parameters.

    ``seen`` says the same as ``contracts.record.Caller.may_see`` does of one record. A search that is answered, counted,
    chained, included or begun at the other end asks it of each resource that it touches: what may not be seen changes
    nothing that can be.
    """

    numbers: Numbers
    owners: tuple[str, ...]
    restricted: bool = False

    @classmethod
    def of(cls, caller: Caller, numbers: Numbers) -> "Scope":
        """What the caller may see."""
        return cls(numbers, caller.owners, caller.sees_restricted)

    @property
    def values(self) -> tuple[str | int, ...]:
        """What ``seen`` is asked with."""
        return *self.owners, int(self.restricted)

    def seen(self, of: Any, type_: str, binds: Iterator[Any]) -> ColumnElement[bool]:
        """The condition on ``of``, the resource table or an alias of it; its values are the ``values``."""
        owners = [next(binds) for _ in self.owners]
        return and_(of.c.type == type_, of.c.unit.in_(owners), of.c.restricted <= next(binds))
