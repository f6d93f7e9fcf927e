"""Opening the embedded database: one file, owned by one process.

SQLite in WAL mode with ``synchronous=FULL``: what was acknowledged survives a power loss; group commit hides its cost.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import create_mock_engine
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from contracts.errors import Unavailable
from service.store import tables

SCHEMA_VERSION: Final = "0007"
"""The newest revision in ``migrations/versions``."""

_VERSION_TABLE: Final = (
    "CREATE TABLE alembic_version "
    "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
"""As Alembic makes it."""


class Database:
    """The database file and its lock. Raises ``Unavailable`` when another process has it, or it cannot be made."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._lock = _own(file)

    def connect(self, *, read_only: bool = False) -> sqlite3.Connection:
        """A connection without implicit transactions, usable from any one thread at a time."""
        with telling("opened"):
            connection = sqlite3.connect(
                self.file, isolation_level=None, check_same_thread=False, cached_statements=256, timeout=5
            )
            try:
                for pragma in _PRAGMAS + (("query_only=ON",) if read_only else ()):
                    connection.execute(f"PRAGMA {pragma}")
            except sqlite3.Error:
                connection.close()
                raise
        return connection

    def prepare(self) -> None:
        """Make the schema in a new file. Raises ``Unavailable`` when the file holds another version's schema."""
        with closing(self.connect()) as connection:
            found = schema_version(connection)
            if found is None:
                _create(connection)
            elif found != SCHEMA_VERSION:
                raise Unavailable(_OTHER_SCHEMA.format(found=found, needed=SCHEMA_VERSION))

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

_OTHER_SCHEMA: Final = "the database has schema {found}, this version needs {needed}: run reko db migrate, or the newer version that made it"


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Tells the caller with ``Unavailable`` that the database cannot be opened, read or written; the fault's own name is
    told, its text, which may repeat what it was given, is not."""
    try:
        yield
    except sqlite3.Error as error:
        if not is_out_of_order(error):
            raise
        name = getattr(error, "sqlite_errorname", type(error).__name__)
        raise Unavailable(f"the database cannot be {what} ({name})") from error


def is_out_of_order(error: sqlite3.Error) -> bool:
    """Whether the database cannot do its work (full, locked, damaged, stopped by a trigger that is not ours), as against
    having been asked nonsense."""
    code: int | None = getattr(error, "sqlite_errorcode", None)  # the driver's own complaints have none
    return code == sqlite3.SQLITE_CONSTRAINT_TRIGGER or (code is not None and code & 0xFF not in _NONSENSE)


_NONSENSE: Final = (
    sqlite3.SQLITE_ERROR,
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_MISUSE,
    sqlite3.SQLITE_RANGE,
    sqlite3.SQLITE_TOOBIG,
)


def _own(file: Path) -> int:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(f"{file}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise Unavailable(f"the database's folder cannot be used ({error.strerror})") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.touch(mode=0o600)  # SQLite gives its other files the same mode
    except BlockingIOError:
        os.close(lock)
        raise Unavailable("another process has the database file open; one process owns it") from None
    except OSError as error:
        os.close(lock)
        raise Unavailable(f"the database file cannot be used ({error.strerror})") from error
    return lock


def schema_version(connection: sqlite3.Connection) -> str | None:
    """The revision of the schema; ``None`` in a new file. Raises ``Unavailable`` for a file that is not ours."""
    with telling("read"):
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not names:
            return None
        row = "alembic_version" in names and connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if not row:
        raise Unavailable("the database file holds something else than this service's data")
    return str(row[0])


def _create(connection: sqlite3.Connection) -> None:
    dialect = sqlite_dialect()

    def execute(statement: Any, *_: object) -> None:
        connection.execute(str(statement.compile(dialect=dialect)))

    with telling("written"):
        connection.execute("BEGIN IMMEDIATE")
        tables.metadata.create_all(create_mock_engine("sqlite://", execute), checkfirst=False)
        connection.execute(_VERSION_TABLE)
        connection.execute("INSERT INTO alembic_version VALUES (?)", (SCHEMA_VERSION,))
        connection.execute("COMMIT")
