"""The embedded engine: one file, owned by one process.

SQLite in WAL mode: what was acknowledged survives a power loss; group commit, and a flush beside the writer, hide its cost.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, Insert, create_engine
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect
from sqlalchemy.pool import QueuePool

from contracts.errors import Unavailable
from service.store import sql
from service.store.database import VERSION_OF_SCHEMA, Row, checked, create_schema, found_version


class SqliteDatabase:
    """The database file and its lock. Raises ``Unavailable`` when another process has it, or it cannot be made."""

    is_shared = False
    group_seconds = 60.0
    longest_row: int | None = None
    look = "BEGIN"
    url = "sqlite://"

    def __init__(self, file: Path) -> None:
        self.file = Path(os.path.realpath(file))  # whatever links lead to it, it has one lock
        self._lock = _own(self.file)
        self._log: int | None = None

    def connect(self, *, read_only: bool = False, hurried: bool = True) -> sqlite3.Connection:
        """See ``Database``."""
        with telling("opened"):
            connection = sqlite3.connect(
                self.file,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=512,
                timeout=5,
                factory=_Connection,
            )
            try:
                for pragma in _PRAGMAS + (("query_only=ON",) if read_only else ()):
                    connection.execute(f"PRAGMA {pragma}")
            except sqlite3.Error:
                connection.close()
                raise
        return connection

    def readers(self, size: int) -> Engine:
        """See ``Database``."""
        return create_engine(
            self.url,
            creator=lambda: self.connect(read_only=True),
            poolclass=QueuePool,
            pool_size=size,
            isolation_level="AUTOCOMMIT",
        )

    def lent(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """See ``Database``."""
        return connection

    def driven(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        """See ``Database``."""
        return connection

    def begin(self, connection: sqlite3.Connection, *, beside: bool = False) -> None:
        """See ``Database``. Only one writes here, whatever it writes."""
        connection.execute("BEGIN IMMEDIATE")

    def apart(self, connection: sqlite3.Connection) -> Callable[[], None] | None:
        """See ``Database``. The log alone is flushed; SQLite itself flushes it before it copies it, and its header before what
        follows (https://sqlite.org/pragma.html#pragma_synchronous). Its file is there as long as the connection is."""
        connection.execute("PRAGMA synchronous=NORMAL")

        def flush() -> None:
            if self._log is None:
                self._log = os.open(f"{self.file}-wal", os.O_RDONLY)
            os.fdatasync(self._log)

        return flush

    def append(self, connection: sqlite3.Connection, statement: sql.Statement, rows: Sequence[Row]) -> None:
        """See ``Database``. What one statement writes is a transaction by itself."""
        if len(rows) <= _AT_ONCE:
            connection.executemany(statement, rows)
            return
        self.begin(connection)
        connection.executemany(statement, rows)
        connection.execute("COMMIT")

    def ring(self, connection: sqlite3.Connection) -> None:
        """See ``Database``. There is no other process."""

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """See ``Database``. There is no other process."""
        return lambda: None

    def schema_version(self, connection: sqlite3.Connection) -> str | None:
        """See ``Database``."""
        with telling("read"):
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            return found_version(names, lambda: connection.execute(VERSION_OF_SCHEMA).fetchone())

    def prepare(self) -> None:
        """See ``Database``."""
        with closing(self.connect()) as connection:
            if checked(self.schema_version(connection)):
                return
            with telling("written"):
                self.begin(connection)
                create_schema(connection, self.url, sqlite_dialect())
                connection.execute("COMMIT")

    def learn(self, connection: sqlite3.Connection) -> None:
        """See ``Database``. Statements are written so that they need none of it."""

    def telling(self, what: str) -> Any:
        """See ``Database``."""
        return telling(what)

    def close(self) -> None:
        """See ``Database``."""
        if self._log is not None:
            os.close(self._log)
        os.close(self._lock)


def in_memory() -> sqlite3.Connection:
    """A database of one connection, with the newest schema, that ends with it."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, factory=_Connection)
    create_schema(connection, SqliteDatabase.url, sqlite_dialect())
    return connection


class _Connection(sqlite3.Connection):
    """Writes many rows by few statements: at each of them the interpreter goes to whoever waits for it, and comes back late."""

    def executemany(self, statement: str, rows: Any, /) -> sqlite3.Cursor:
        """See ``sqlite3.Connection.executemany``."""
        if not (
            isinstance(statement, sql.Statement) and isinstance(statement.source, Insert) and statement.is_positional
        ):
            return super().executemany(statement, rows)
        cursor = self.cursor()
        for begin in range(0, len(rows), _AT_ONCE):
            some = rows[begin : begin + _AT_ONCE]
            cursor.execute(sql.for_rows(statement, len(some)), tuple(chain.from_iterable(some)))
        return cursor


_AT_ONCE: Final = 32
"""Rows of one statement: as many as make it quicker, and few enough that the connection keeps each count's statement."""


_COPIED_AT: Final = 4000
"""Pages in the log at which a commit copies them into the file: those that are written again and again are copied once. The
connection that writes does it, and no other may: https://sqlite.org/wal.html#walresetbug"""

_PRAGMAS: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "temp_store=MEMORY",
    "cache_size=-16000",
    "journal_size_limit=67108864",
    f"wal_autocheckpoint={_COPIED_AT}",
)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """See ``Database.telling``."""
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
        names = file.stat().st_nlink if file.is_file() else 1
    except BlockingIOError:
        os.close(lock)
        raise Unavailable("another process has the database file open; one process owns it") from None
    except OSError as error:
        os.close(lock)
        raise Unavailable(f"the database file cannot be used ({error.strerror})") from error
    if names > 1:
        # Each name would have a lock and a log of its own: https://sqlite.org/howtocorrupt.html#_multiple_links
        os.close(lock)
        raise Unavailable("the database file has a second name, a hard link: remove that, or start from a copy")
    return lock
