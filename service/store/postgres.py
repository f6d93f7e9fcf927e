"""The shared engine: PostgreSQL, on which any number of processes work at once (docs/adr/0018-two-engines.md).

Whoever writes holds one lock of the database until the commit: exclusively, or, to claim messages, together with others who
claim. So a withdrawal comes wholly before or wholly after a claim here too, and nothing runs beside a use case.
"""

import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from time import monotonic
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper
from sqlalchemy import Engine, String, create_engine
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.pool import QueuePool

from contracts.errors import Invalid, Unavailable
from service.store import sql, tables
from service.store.database import VERSION_OF_SCHEMA, Row, checked, create_schema, found_version

_log = logging.getLogger(__name__)

_WRITING: Final = 0x52454B4F
"""The lock that whoever writes holds; also while the schema is made or changed, and the search index."""
_CHANNEL: Final = "reko_outbox"

_MANNERS: Final = "SET standard_conforming_strings = on; SET client_encoding = 'UTF8'"
"""However the server was set up."""
# The second is for a process that stands still, or whose machine is gone, while it holds the lock.
_HURRIED: Final = "; SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '10s'"
_READING: Final = "; SET default_transaction_read_only = on"
_CONNECTING: Final = {"connect_timeout": 3, "tcp_user_timeout": 10_000, "keepalives_idle": 10, "keepalives_interval": 5}
PAUSE: Final = 0.5
"""Seconds after a connection that failed in which no other is tried: who asks meanwhile is told at once."""


class PostgresDatabase:
    """A database of a PostgreSQL server. Raises ``Unavailable`` when it cannot be reached."""

    is_shared = True
    group_seconds = 0.01
    longest_row: int | None = 600  # it takes 2704 bytes, packed
    url = "postgresql+psycopg://"
    look = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def __init__(self, url: str) -> None:
        try:
            self._conninfo = make_conninfo(url, **_CONNECTING)
        except psycopg.ProgrammingError:  # its text repeats the URL, and the password in it
            raise Unavailable("the database's URL cannot be read: postgresql://user:password@host/name") from None
        self._failed_at = float("-inf")
        self.connect().close()

    def connect(self, *, read_only: bool = False, hurried: bool = True) -> "PostgresConnection":
        """See ``Database``."""
        with telling("opened"):
            return PostgresConnection(lambda: self._open(_manners(read_only=read_only, hurried=hurried)))

    def _open(self, manners: str) -> psycopg.Connection:
        if monotonic() - self._failed_at < PAUSE:
            raise psycopg.OperationalError("the database could not be reached a moment ago")
        try:
            connection = psycopg.connect(self._conninfo, autocommit=True, prepare_threshold=1)
            connection.prepared_max = 500
            connection.adapters.register_dumper(int, Int8Dumper)  # one type, so that one plan serves all numbers
            connection.adapters.register_dumper(str, _TextDumper)
            connection.execute(manners)
        except psycopg.Error:
            self._failed_at = monotonic()
            raise
        return connection

    def readers(self, size: int) -> Engine:
        """See ``Database``."""
        return create_engine(
            self.url,
            creator=lambda: self._open(_manners(read_only=True)),
            poolclass=QueuePool,
            pool_size=size,
            pool_pre_ping=True,
            isolation_level="AUTOCOMMIT",
        )

    def lent(self, connection: psycopg.Connection) -> "PostgresConnection":
        """See ``Database``."""
        return PostgresConnection(lambda: connection)

    def driven(self, connection: "PostgresConnection") -> psycopg.Connection:
        """See ``Database``."""
        return connection.raw

    def begin(self, connection: "PostgresConnection", *, beside: bool = False) -> None:
        """See ``Database``. Each statement sees what was committed before it began: what is read under the lock is read
        after all who held it before."""
        kind = "_shared" if beside else ""
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        connection.execute(f"SELECT pg_advisory_xact_lock{kind}({_WRITING})")

    def apart(self, connection: "PostgresConnection") -> Callable[[], None] | None:
        """See ``Database``. Others flush too, and a commit waits for whichever flush covers it."""
        return None

    def append(self, connection: "PostgresConnection", statement: sql.Statement, rows: Sequence[Row]) -> None:
        """See ``Database``. The lock is for those who read before they write."""
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        connection.executemany(statement, rows)
        connection.execute("COMMIT")

    def ring(self, connection: "PostgresConnection") -> None:
        """See ``Database``."""
        connection.execute(f"NOTIFY {_CHANNEL}")

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """See ``Database``. A ring that is lost costs the listener the time until it looks by itself."""
        return _Listener(lambda: self._open(_manners()), wake).stop

    def schema_version(self, connection: "PostgresConnection") -> str | None:
        """See ``Database``."""
        with telling("read"):
            names = {name for (name,) in connection.execute(_TABLES)}
            return found_version(names, lambda: connection.execute(VERSION_OF_SCHEMA).fetchone())

    def prepare(self) -> None:
        """See ``Database``. Of several processes that start at once one makes the schema; the others wait for it."""
        with closing(self.connect(hurried=False)) as connection, telling("written"):
            self.begin(connection)
            if not checked(self.schema_version(connection)):
                create_schema(connection, self.url, _DIALECT)
            connection.execute("COMMIT")

    def learn(self, connection: "PostgresConnection") -> None:
        """See ``Database``. The server looks by itself once a minute. Until it has, it takes what a unit has of a type for one
        row, and searches among thousands take seconds."""
        connection.execute(_LEARN)

    def telling(self, what: str) -> Any:
        """See ``Database``."""
        return telling(what)

    def close(self) -> None:
        """See ``Database``. Each connection is closed by whoever opened it."""


def _manners(*, read_only: bool = False, hurried: bool = True) -> str:
    return _MANNERS + (_HURRIED if hurried else "") + (_READING if read_only else "")


_LEARN: Final = f"ANALYZE {', '.join(tables.metadata.tables)}"
_TABLES: Final = "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"


class PostgresConnection:
    """A connection that takes the statements of ``service.store.sql``, and that is opened anew when the server has dropped
    it: what stands outside of a transaction is then asked once more."""

    Error = psycopg.Error

    def __init__(self, open_one: Callable[[], psycopg.Connection]) -> None:
        self._open = open_one
        self.raw = open_one()

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun, and the connection still stands."""
        return self.raw.info.transaction_status in _BEGUN

    def execute(self, statement: str, values: Any = None, /) -> psycopg.Cursor[Any]:
        """Run the statement. A plain text has no parameters."""
        text = written(statement) if isinstance(statement, sql.Statement) else statement
        if isinstance(statement, sql.Statement) and values is None:
            values = ()
        stands_alone = not self.in_transaction
        try:
            return self.raw.execute(text, values, binary=True)
        except psycopg.OperationalError:
            if not (stands_alone and self.raw.closed):
                raise
        self.raw = self._open()
        return self.raw.execute(text, values, binary=True)

    def executemany(self, statement: str, rows: Any, /) -> psycopg.Cursor[Any]:
        """Run the statement for each row, inside a transaction that has begun."""
        cursor = self.raw.cursor()
        cursor.executemany(written(statement), rows)
        return cursor

    def close(self) -> None:
        """Give it free."""
        self.raw.close()


_BEGUN: Final = (TransactionStatus.ACTIVE, TransactionStatus.INTRANS, TransactionStatus.INERROR)


class _TextDumper(StrDumper):
    """PostgreSQL's text holds no NUL: whatever has one is kept, and looked for, with the sign for what cannot be shown."""

    def dump(self, obj: str) -> Any:
        """See ``psycopg.adapt.Dumper``."""
        return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)


class _Listener:
    """A thread that waits for rings."""

    def __init__(self, open_one: Callable[[], psycopg.Connection], wake: Callable[[], None]) -> None:
        self._open = open_one
        self._wake = wake
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End within a moment."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                with closing(self._open()) as connection:
                    connection.execute(f"LISTEN {_CHANNEL}")
                    self._wake()  # what rang while nobody listened
                    self._hear(connection)
            except psycopg.Error as error:
                _log.warning("no rings are heard", extra={"event": "store.deaf", "reason": type(error).__name__})
                self._ending.wait(2 * PAUSE)

    def _hear(self, connection: psycopg.Connection) -> None:
        while not self._ending.is_set():
            for _ in connection.notifies(timeout=0.2, stop_after=1):
                with suppress(Exception):  # whoever listens cannot stop this
                    self._wake()


@contextmanager
def telling(what: str) -> Iterator[None]:
    """See ``Database.telling``."""
    try:
        yield
    except psycopg.errors.ProgramLimitExceeded as error:  # 2704 bytes of a row in an index, packed
        raise Invalid("an identifier, code, name or address is too long to be found by") from error
    except psycopg.Error as error:
        if not is_out_of_order(error):
            raise
        raise Unavailable(f"the database cannot be {what} ({type(error).__name__})") from error


def is_out_of_order(error: psycopg.Error) -> bool:
    """Whether the database cannot do its work (gone, stopping, full, read only, stopped by a trigger that is not ours), as
    against having been asked nonsense."""
    return isinstance(error, psycopg.OperationalError | psycopg.InternalError) or error.sqlstate in _NOT_ALLOWED


_NOT_ALLOWED: Final = ("42501", "P0001")
"""A privilege that was taken away; a trigger that refuses."""


# Statements

_DIALECT: Final = PGDialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
_written: Final[dict[str, str]] = {}
_MOST: Final = 5000


def written(statement: str) -> str:
    """A statement of ``service.store.sql`` as the driver takes it."""
    text = _written.get(statement)
    if text is None:
        if len(_written) >= _MOST:
            _written.clear()
        assert isinstance(statement, sql.Statement)  # noqa: S101 - the caller has made sure
        text = _written[statement] = _write(statement)
    return text


def _write(statement: sql.Statement) -> str:
    result = _DIALECT.statement_compiler(_DIALECT, statement.source)
    constants = {
        name: str(bind.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))
        for name, bind in result.binds.items()
        if not bind.required
    }

    def place(found: re.Match[str]) -> str:
        name = found[1]
        if name in constants:
            return constants[name].replace("%%", "%").replace("%", "%%")
        # Said, so that one parameter may stand in two places that the server would read in different ways.
        typed = "::text" if isinstance(result.binds[name].type, String) else ""
        return ("%s" if statement.is_positional else f"%({name})s") + typed

    return re.sub(r"%\((\w+)\)s", place, str(result)) + statement.tail


@compiles(String, "postgresql")
def _bytewise(type_: String, compiler: Any, **more: Any) -> str:
    """Text is compared and put in order by its bytes, as SQLite does it, whatever the server's language."""
    return f'{compiler.visit_VARCHAR(type_, **more)} COLLATE "C"'
