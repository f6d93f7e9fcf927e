"""Rows that a group of transactions writes together: at its end, or when somebody asks what may depend on them.

Row by row those of the search index are most of all statements of a write, and touch the same pages anew for every piece of
work; those of the access log and the decisions are a statement each.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from service.store import sql
from service.store.database import Connection, Row
from service.store.indexing import IndexRows

Mark = Mapping[sql.Statement, tuple[int, int]]
"""How far the gathering had come, at a savepoint: per statement the rows, and how many of them were written."""


class _Waiting:
    """Rows of one table, those already written first."""

    __slots__ = ("keys", "rows", "written")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.written = 0
        self.keys: set[Row] = set()
        """What rows of an index are found under; also of rows that were undone since, which costs a look more."""


@dataclass(slots=True)
class Gathered:
    """The rows of one group, by the statement that inserts them. Whoever asks the index or the decisions first lets write
    what the answer may depend on."""

    waiting: dict[sql.Statement, _Waiting] = field(default_factory=lambda: defaultdict(_Waiting))
    resources: set[int] = field(default_factory=set)
    """Row ids of the resources whose index rows are here."""
    longest: int | None = None
    """Characters of an index row that the engine takes for certain; without, of any."""
    is_doubtful: bool = False
    """Whether the engine may refuse what waits: who has brought it shall write it, and fail alone."""

    def add(self, statement: sql.Statement, rows: Iterable[Row]) -> None:
        """Rows of a table that is only added to."""
        self.waiting[statement].rows.extend(rows)

    def index(self, rid: int, rows: IndexRows) -> None:
        """The index rows of a resource."""
        self.resources.add(rid)
        for kind, found in rows.items():
            waiting = self.waiting[sql.INSERT_INDEX[kind]]
            waiting.rows += [(*row, rid) for row in found]
            waiting.keys.update(found)
            if self.longest is not None:
                self.is_doubtful = self.is_doubtful or any(_length(row) > self.longest for row in found)

    def holds(self, kind: str, key: Row) -> bool:
        """Whether the answer to a question for ``key`` may depend on index rows that are not written yet."""
        waiting = self.waiting[sql.INSERT_INDEX[kind]]
        return len(waiting.rows) > waiting.written and key in waiting.keys

    def write(self, connection: Connection) -> None:
        """Write the rows that are not yet. Those of an index in its own order: neighbours share pages."""
        for statement, waiting in self.waiting.items():
            if len(waiting.rows) > waiting.written:
                rows = waiting.rows[waiting.written :]
                connection.executemany(statement, sorted(rows) if statement in _INDEXES else rows)
                waiting.written = len(waiting.rows)
        self.is_doubtful = False

    def mark(self) -> Mark:
        """To be taken with a savepoint."""
        return {statement: (len(each.rows), each.written) for statement, each in self.waiting.items()}

    def back_to(self, mark: Mark) -> None:
        """To be done with the return to a savepoint: what was written since then is not any more."""
        for statement, waiting in self.waiting.items():
            rows, waiting.written = mark.get(statement, (0, 0))
            del waiting.rows[rows:]


_INDEXES: Final = frozenset(sql.INSERT_INDEX.values())


def _length(row: Row) -> int:
    return sum([len(each) for each in row if isinstance(each, str)])
