"""What the store asks of a database engine. Two are known: ``sqlite``, one file owned by one process, and ``postgres``,
shared by any number of processes. What they do differently stands there; every statement is written once
(docs/adr/0018-two-engines.md).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import Engine, create_mock_engine
from sqlalchemy.engine import Dialect

from contracts.errors import Unavailable
from service.store import tables

SCHEMA_VERSION: Final = "0010"
"""The newest revision in ``migrations/versions``."""

Place = Path | str
"""Where the database is: the file of an embedded one, or the URL of one that is shared."""


Row = tuple[Any, ...]


class Cursor(Protocol):
    """What a statement has answered."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection without implicit transactions, usable from any one thread at a time. ``Error`` is the base of what the
    driver raises."""

    @property
    def Error(self) -> type[Exception]: ...  # noqa: N802 - the name that the DB-API gives it
    @property
    def in_transaction(self) -> bool: ...
    def execute(self, statement: str, values: Any = ..., /) -> Cursor: ...
    def executemany(self, statement: str, rows: Any, /) -> Cursor: ...
    def close(self) -> None: ...


class Database(Protocol):
    """An engine, opened on its place."""

    is_shared: bool
    """Whether other processes write to it too."""
    group_seconds: float
    """How long a group of works may go on taking up more of them: others wait for it."""
    longest_row: int | None
    """Characters of an index row that it takes for certain; ``None`` if of any."""
    look: str
    """Begins a transaction that reads one state of everything."""
    url: str
    """What SQLAlchemy calls the engine and its driver."""

    def connect(self, *, read_only: bool = False, hurried: bool = True) -> Connection:
        """Open a connection. Raises ``Unavailable``. What changes the schema or the search index over everything stored is
        not ``hurried``: it waits for others, and takes the time that it takes."""
        ...

    def readers(self, size: int) -> Engine:
        """A pool of connections that read."""
        ...

    def lent(self, connection: Any) -> Connection:
        """The driver's own connection, out of that pool, as one of ours."""
        ...

    def driven(self, connection: Any) -> Any:
        """The driver's own connection behind one of ours."""
        ...

    def begin(self, connection: Any, *, beside: bool = False) -> None:
        """Begin a transaction beside which nobody writes; or, with ``beside``, one beside which others of that kind run,
        and none of the first."""
        ...

    def apart(self, connection: Any) -> Callable[[], None] | None:
        """From now on a commit on the connection does not wait for the disk: what comes back does, from any one thread, for all
        that was committed before, and raises ``OSError``. ``None`` where each commit waits itself."""
        ...

    def append(self, connection: Any, statement: Any, rows: Sequence[Row]) -> None:
        """Write rows, all of them or none, as durable as a commit is, where no transaction has begun: what nothing that is
        read decides about. ``statement`` is a positional one of ``service.store.sql``."""
        ...

    def ring(self, connection: Any) -> None:
        """Tell the other processes, with the commit, that the outbox has changed."""
        ...

    def listen(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call ``wake``, from any thread, when another process rings. What comes back ends it."""
        ...

    def schema_version(self, connection: Any) -> str | None:
        """The revision of the schema; ``None`` where nothing is stored yet. Raises ``Unavailable`` where something else
        is."""
        ...

    def prepare(self) -> None:
        """Make the schema where there is none. Raises ``Unavailable`` where another version's is."""
        ...

    def learn(self, connection: Any) -> None:
        """Look at how much there is of what, where statements are planned by that."""
        ...

    def telling(self, what: str) -> AbstractContextManager[None]:
        """Tells the caller with ``Unavailable`` that the database cannot be opened, read or written; the fault's own name
        is told, its text, which may repeat what it was given, is not. Having been asked nonsense is no such fault."""
        ...

    def close(self) -> None:
        """Give it free."""
        ...


def checked(found: str | None) -> bool:
    """Whether the schema is this version's; false where there is none. Raises ``Unavailable`` for any other."""
    if found not in (None, SCHEMA_VERSION):
        raise Unavailable(_OTHER_SCHEMA.format(found=found, needed=SCHEMA_VERSION))
    return found is not None


def found_version(names: set[str], read: Callable[[], Any]) -> str | None:
    """The schema's version where these tables are; ``read`` gives the row that tells it."""
    row = "alembic_version" in names and read()
    if names and not row:
        raise Unavailable("the database holds something else than this service's data")
    return str(row[0]) if row else None


VERSION_OF_SCHEMA: Final = "SELECT version_num FROM alembic_version"


def create_schema(connection: Connection, url: str, dialect: Dialect) -> None:
    """Make the newest schema in the transaction that has begun."""

    def execute(statement: Any, *_: object) -> None:
        connection.execute(str(statement.compile(dialect=dialect)))

    tables.metadata.create_all(create_mock_engine(url, execute), checkfirst=False)
    connection.execute(_VERSION_TABLE)
    connection.execute(f"INSERT INTO alembic_version VALUES ('{SCHEMA_VERSION}')")  # noqa: S608 - our own constant


_VERSION_TABLE: Final = (
    "CREATE TABLE alembic_version "
    "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)
"""As Alembic makes it."""

_OTHER_SCHEMA: Final = "the database has schema {found}, this version needs {needed}: run reko db migrate, or the newer version that made it"
