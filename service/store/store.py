"""The store: a writer, readers on snapshots, and the search index (port ``Store``)."""

import asyncio
import secrets
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Select, create_engine
from sqlalchemy.pool import QueuePool

from contracts.ports import Clock
from contracts.record import Record
from fhir_mappings.document import decode
from service.store import sql
from service.store.database import Database
from service.store.transaction import IndexRows, Row, SearchIndex, SqlTransaction, to_record, write_index
from service.store.writer import Writer

T = TypeVar("T")

READERS: Final = 2
"""Threads for searches; point reads are quick enough for the event loop (7 µs)."""

Definitions = Mapping[tuple[str, str], str]
"""Search parameters by (type, code), each with a text that changes when its meaning does."""


class SqlStore:
    """The embedded database, opened."""

    def __init__(
        self,
        file: Path,
        clock: Clock,
        definitions: Definitions,
        rows_of: Callable[[Mapping[tuple[str, str], int], Mapping[str, Any]], IndexRows],
    ) -> None:
        self._database = Database(file)
        self._database.prepare()
        self.numbers = _number(self._database, definitions, rows_of)
        index = SearchIndex(self.numbers, lambda content: rows_of(self.numbers, content))
        self._wake: Callable[[], None] = lambda: None
        self._writer = Writer(self._database, index, clock, lambda: self._wake())
        self._reader = self._database.connect(read_only=True)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: self._database.connect(read_only=True),
            poolclass=QueuePool,
            pool_size=READERS,
            isolation_level="AUTOCOMMIT",
        )

    def on_outbox_change(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` (from the writer's thread) whenever a commit changed the outbox."""
        self._wake = wake

    async def run(self, work: Callable[[SqlTransaction], T]) -> T:
        """See ``contracts.ports.Store``."""
        return await self._writer.run(work)

    def read(self, type: str, id: str) -> Record | None:
        """The current version, from the newest commit."""
        row = self._reader.execute(sql.READ, {"type": type, "id": id}).fetchone()
        return None if row is None else to_record(row)

    def version(self, type: str, id: str, version: int) -> Record | None:
        """One version."""
        row = self._reader.execute(sql.VERSION, {"type": type, "id": id, "version": version}).fetchone()
        return None if row is None else to_record(row)

    def versions(self, type: str, id: str) -> Sequence[Record]:
        """Every version, newest first."""
        return [to_record(row) for row in self._reader.execute(sql.VERSIONS, {"type": type, "id": id})]

    async def select(self, statement: Select[Any]) -> Sequence[Row]:
        """Rows of a statement over ``service.store.tables``, on a reader thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._select, statement)

    def _select(self, statement: Select[Any]) -> Sequence[Row]:
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    async def secret(self, name: str) -> bytes:
        """A secret of 32 random bytes that every process on this database shares, made at the first call."""
        return await self.run(lambda transaction: _secret(transaction.connection, name))

    def close(self) -> None:
        """Finish what waits and give the file free."""
        self._writer.close()
        self._readers.shutdown()
        self._engine.dispose()
        self._reader.close()
        self._database.close()


def _secret(connection: sqlite3.Connection, name: str) -> bytes:
    row = connection.execute("SELECT value FROM secret WHERE name = :name", {"name": name}).fetchone()
    if row is not None:
        return bytes(row[0])
    value = secrets.token_bytes(32)
    connection.execute(sql.PUT_SECRET, {"name": name, "value": value})
    return value


def _number(
    database: Database,
    definitions: Definitions,
    rows_of: Callable[[Mapping[tuple[str, str], int], Mapping[str, Any]], IndexRows],
) -> Mapping[tuple[str, str], int]:
    """Give each search parameter its number. New or changed ones are indexed over everything stored, in one
    transaction: a parameter is usable on old data at once, never partly."""
    connection = database.connect()
    known = {
        (row[0], row[1]): row[2] for row in connection.execute("SELECT type, code, definition FROM search_parameter")
    }
    changed = {key: text for key, text in definitions.items() if known.get(key) != text}
    connection.execute("BEGIN IMMEDIATE")
    for (type_, code), text in changed.items():
        connection.execute(_NAME_PARAMETER, {"type": type_, "code": code, "definition": text})
    numbers = {
        (row[1], row[2]): row[0] for row in connection.execute("SELECT number, type, code FROM search_parameter")
    }
    for type_ in sorted({key[0] for key in changed}):
        _index_again(connection, type_, lambda content: rows_of(numbers, content))
    connection.execute("COMMIT")
    connection.close()
    return numbers


_NAME_PARAMETER: Final = (
    "INSERT INTO search_parameter (type, code, definition) VALUES (:type, :code, :definition) "
    "ON CONFLICT (type, code) DO UPDATE SET definition = excluded.definition"
)
_BODIES_OF_TYPE: Final = (
    "SELECT resource.rid, history.body FROM resource JOIN history ON history.hid = resource.hid WHERE resource.type = ?"
)


def _index_again(connection: sqlite3.Connection, type_: str, rows_of: Callable[[Mapping[str, Any]], IndexRows]) -> None:
    for rid, body in connection.execute(_BODIES_OF_TYPE, (type_,)).fetchall():
        for statement in sql.CLEAR_INDEX:
            connection.execute(statement, {"row": rid})
        write_index(connection, rid, rows_of(decode(body).content))
