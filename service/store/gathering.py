"""Rows of the search index that a group of transactions writes together, at its end or when somebody asks the index.

Row by row they are most of all statements of a write, and touch the same pages anew for every piece of work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.store import sql
from service.store.database import Connection
from service.store.indexing import IndexRows

Row = tuple[Any, ...]


Mark = Mapping[str, tuple[int, int]]
"""How far the gathering had come, at a savepoint: per table the rows, and how many of them were written."""


class _Waiting:
    """Rows of one index table, those already written first."""

    __slots__ = ("keys", "rows", "written")

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.written = 0
        self.keys: set[Row] = set()
        """What the rows are found under; also of rows that were undone since, which costs a look more."""


@dataclass(slots=True)
class Gathered:
    """The rows of one group. Whoever asks the index first lets write what the answer may depend on."""

    index: dict[str, _Waiting] = field(default_factory=lambda: {kind: _Waiting() for kind in sql.INSERT_INDEX})
    resources: set[int] = field(default_factory=set)
    """Row ids of the resources whose index rows are here."""

    def add(self, rid: int, rows: IndexRows) -> None:
        """The index rows of a resource."""
        self.resources.add(rid)
        for kind, found in rows.items():
            waiting = self.index[kind]
            waiting.rows += [(*row, rid) for row in found]
            waiting.keys.update(found)

    def holds(self, kind: str, key: Row) -> bool:
        """Whether the answer to a question for ``key`` may depend on rows that are not written yet."""
        waiting = self.index[kind]
        return len(waiting.rows) > waiting.written and key in waiting.keys

    def write(self, connection: Connection) -> None:
        """Write the index rows that are not. In the order of the table: neighbours share pages."""
        for kind, waiting in self.index.items():
            if len(waiting.rows) > waiting.written:
                connection.executemany(sql.INSERT_INDEX[kind], sorted(waiting.rows[waiting.written :]))
                waiting.written = len(waiting.rows)

    def mark(self) -> Mark:
        """To be taken with a savepoint."""
        return {kind: (len(each.rows), each.written) for kind, each in self.index.items()}

    def back_to(self, mark: Mark) -> None:
        """To be done with the return to a savepoint: what was written since then is not any more."""
        for kind, (rows, written) in mark.items():
            del self.index[kind].rows[rows:]
            self.index[kind].written = written
