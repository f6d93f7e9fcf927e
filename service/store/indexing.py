"""The search index: its parameters' numbers, and the rows that searches find a resource by."""

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from fhir_mappings.document import decode
from service.store import sql
from service.store.database import Database
from service.store.tables import INDEX_TABLES

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

    def write(self, connection: sqlite3.Connection, rid: int, content: Mapping[str, Any]) -> None:
        """Write the rows of a resource that has none."""
        for kind, rows in self.rows_of(self.numbers, content).items():
            if rows:
                connection.executemany(sql.INSERT_INDEX[kind], [(*row, rid) for row in rows])

    def clear(self, connection: sqlite3.Connection, rid: int) -> None:
        """Take away every row of a resource."""
        for statement in sql.CLEAR_INDEX:
            connection.execute(statement, {"row": rid})


def open_index(database: Database, definitions: Definitions, rows_of: RowsOf) -> SearchIndex:
    """The index with these parameters. New or changed ones are indexed over everything stored, in one transaction: a
    parameter is usable on old data at once, never partly. Those that are gone are forgotten, so that they are new if they
    come back: what was stored in between knows nothing of them."""
    with closing(database.connect()) as connection, _at_once(connection):
        known = {(type_, code): (number, text) for number, type_, code, text in connection.execute(_PARAMETERS)}
        for number in [number for key, (number, _) in known.items() if key not in definitions]:
            _forget(connection, number)
        changed = {key: text for key, text in definitions.items() if key not in known or known[key][1] != text}
        for (type_, code), text in changed.items():
            connection.execute(_NAME_PARAMETER, {"type": type_, "code": code, "definition": text})
        numbers = {(type_, code): number for number, type_, code, _ in connection.execute(_PARAMETERS)}
        index = SearchIndex(numbers, rows_of)
        for type_ in sorted({type_ for type_, _ in changed}):
            _index_again(connection, index, type_)
    return index


_PARAMETERS: Final = "SELECT number, type, code, definition FROM search_parameter"
_NAME_PARAMETER: Final = (
    "INSERT INTO search_parameter (type, code, definition) VALUES (:type, :code, :definition) "
    "ON CONFLICT (type, code) DO UPDATE SET definition = excluded.definition"
)
_FORGET_PARAMETER: Final = "DELETE FROM search_parameter WHERE number = ?"
_FORGET_ROWS: Final = tuple(f"DELETE FROM {table} WHERE parameter = ?" for table in INDEX_TABLES.values())  # noqa: S608
_BODIES_OF_TYPE: Final = (
    "SELECT resource.rid, history.body FROM resource JOIN history ON history.hid = resource.hid WHERE resource.type = ?"
)


@contextmanager
def _at_once(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything or nothing: a connection that is closed without a commit has done nothing."""
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.execute("COMMIT")


def _forget(connection: sqlite3.Connection, number: int) -> None:
    """The number may be given again: no row may be left under it."""
    for statement in (*_FORGET_ROWS, _FORGET_PARAMETER):
        connection.execute(statement, (number,))


def _index_again(connection: sqlite3.Connection, index: SearchIndex, type_: str) -> None:
    for rid, body in connection.execute(_BODIES_OF_TYPE, (type_,)):
        index.clear(connection, rid)
        index.write(connection, rid, decode(body).content)
