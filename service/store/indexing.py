"""The search index: its parameters' numbers, and the rows that searches find a resource by."""

from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from fhir_mappings.document import decode
from service.store import sql
from service.store.database import Connection, Database, Row

Definitions = Mapping[tuple[str, str], str]
"""Search parameters by (type, code), each with a text that changes when its meaning does."""

Numbers = Mapping[tuple[str, str], int]
"""The number of each search parameter, by (type, code)."""

IndexRows = Mapping[str, Collection[tuple[Any, ...]]]
"""What searches find a resource by: per kind of parameter, the values of the index table's columns but the row id."""

RowsOf = Callable[[Numbers, Mapping[str, Any]], IndexRows]
"""Makes the rows of a resource's content."""


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """Which search parameters exist, under which number, and how a resource is indexed by them."""

    numbers: Numbers
    rows_of: RowsOf

    @property
    def newest(self) -> int | None:
        """The highest number: it grows whenever a parameter is added or changed, by which processes of an older version know
        that they are. One that is only taken away moves nothing: raise ``parameters.INDEXING`` with it."""
        return max(self.numbers.values(), default=None)

    def write(self, connection: Connection, rid: int, content: Mapping[str, Any]) -> None:
        """Write the rows of a resource that has none."""
        for kind, rows in self.rows_of(self.numbers, content).items():
            if rows:
                connection.executemany(sql.INSERT_INDEX[kind], [(*row, rid) for row in rows])

    def renew(self, connection: Connection, rid: int, rows: IndexRows) -> IndexRows:
        """Take away what the resource is not to be found by any more. The rows that it has not yet."""
        had: dict[str, set[Row]] = {}
        for row in connection.execute(sql.INDEX_ROWS, {"row": rid}).fetchall():
            had.setdefault(row[0], set()).add(sql.INDEX_ROW[row[0]](row))
        for kind, known in had.items():
            if gone := known.difference(rows.get(kind, ())):
                connection.executemany(sql.REMOVE_INDEX[kind], [(*row, rid) for row in gone])
        return {kind: set(found).difference(had.get(kind, ())) for kind, found in rows.items()}

    def clear(self, connection: Connection, rid: int) -> None:
        """Take away every row of a resource."""
        for statement in sql.CLEAR_INDEX:
            connection.execute(statement, {"row": rid})


def open_index(database: Database, definitions: Definitions, rows_of: RowsOf) -> SearchIndex:
    """The index with these parameters. New or changed ones are indexed over everything stored, in one transaction: a
    parameter is usable on old data at once, never partly. Those that are gone are forgotten, so that they are new if they
    come back: what was stored in between knows nothing of them."""
    with closing(database.connect(hurried=False)) as connection:
        database.begin(connection)
        known = {(type_, code): (number, text) for number, type_, code, text in connection.execute(sql.PARAMETERS)}
        for number in [number for key, (number, text) in known.items() if definitions.get(key) != text]:
            _forget(connection, number)
        changed = {key: text for key, text in definitions.items() if key not in known or known[key][1] != text}
        for (type_, code), text in changed.items():
            connection.execute(sql.NAME_PARAMETER, {"type": type_, "code": code, "definition": text})
        numbers = {(type_, code): number for number, type_, code, _ in connection.execute(sql.PARAMETERS)}
        index = SearchIndex(numbers, rows_of)
        for type_ in sorted({type_ for type_, _ in changed}):
            _index_again(connection, index, type_)
        if changed:
            database.learn(connection)
        connection.execute("COMMIT")  # one that is closed before has done nothing
    return index


def _forget(connection: Connection, number: int) -> None:
    """The number may be given again: no row may be left under it."""
    for statement in (*sql.FORGET_ROWS, sql.FORGET_PARAMETER):
        connection.execute(statement, {"gone": number})


def _index_again(connection: Connection, index: SearchIndex, type_: str) -> None:
    """Some at a time: a region's records are more than the memory holds."""
    rid = 0
    while rows := connection.execute(sql.BODIES_OF_TYPE, {"of_type": type_, "after": rid, "most": _SOME}).fetchall():
        for rid, body in rows:
            index.clear(connection, rid)
            index.write(connection, rid, decode(body).content)


_SOME: Final = 500
