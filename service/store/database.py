"""Opening the embedded database: one file, owned by one process.

SQLite in WAL mode with ``synchronous=FULL``: what was acknowledged survives a power loss; group commit hides its cost.
"""

import fcntl
import os
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_mock_engine
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from contracts.errors import Unavailable
from service.store import tables

SCHEMA_VERSION: Final = "0001"
"""The newest revision in ``migrations/versions``."""

_VERSION_TABLE: Final = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"


class Database:
    """The database file and its lock."""

    def __init__(self, file: Path) -> None:
        self.file = file
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = _own(file)

    def connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        """A connection without implicit transactions, usable from any one thread at a time."""
        connection = sqlite3.connect(
            self.file, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=5
        )
        for pragma in _PRAGMAS + (("query_only=ON",) if read_only else ()):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    def prepare(self) -> None:
        """Make the schema in a new file. Raises ``Unavailable`` when the file holds another version's schema."""
        connection = self.connect()
        try:
            found = _schema_version(connection)
            if found is None:
                _create(connection)
            elif found != SCHEMA_VERSION:
                raise Unavailable(
                    f"the database has schema {found}, this version needs {SCHEMA_VERSION}: run reko db migrate"
                )
        finally:
            connection.close()

    def close(self) -> None:
        """Give the file free."""
        os.close(self._lock)


_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "temp_store=MEMORY",
    "cache_size=-16000",
    "journal_size_limit=67108864",
)


def _own(file: Path) -> int:
    lock = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise Unavailable("another process has the database file open; one process owns it") from None
    return lock


def _schema_version(connection: sqlite3.Connection) -> str | None:
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:
        return None
    return None if row is None else str(row[0])


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    dialect = sqlite_dialect()

    def execute(statement: Any, *_: object) -> None:
        connection.execute(str(statement.compile(dialect=dialect)))

    tables.metadata.create_all(create_mock_engine("sqlite://", execute), checkfirst=False)
    connection.execute(_VERSION_TABLE)
    connection.execute("INSERT INTO alembic_version VALUES (?)", (SCHEMA_VERSION,))
    connection.execute("COMMIT")
