"""The store: a writer, readers on snapshots, and the search index (port ``Store``)."""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Select
from sqlalchemy.exc import DBAPIError

from contracts.ports import Clock
from contracts.record import Access, Record, Version
from service.store import sql
from service.store.database import Connection, Place, Row
from service.store.engines import open_database
from service.store.indexing import Definitions, RowsOf, open_index
from service.store.snapshot import SqlSnapshot, to_record, to_version
from service.store.transaction import SqlTransaction
from service.store.writer import Writer

T = TypeVar("T")

READERS: Final = 2
"""Threads for searches; point reads are quick enough for the event loop (7 µs)."""


class SqlStore:
    """The database, opened. Raises ``Unavailable`` when it cannot be, and then holds nothing."""

    def __init__(self, place: Place, clock: Clock, definitions: Definitions, rows_of: RowsOf) -> None:
        self._wake: Callable[[], None] = lambda: None
        self._follow: Callable[[SqlTransaction], None] = lambda _: None
        with ExitStack() as opened:
            self._database = database = open_database(place)
            opened.callback(database.close)
            database.prepare()
            with database.telling("written"):
                index = open_index(database, definitions, rows_of)
            self.numbers = index.numbers
            self._index, self._clock = index, clock
            self._reader = database.connect(read_only=True)
            opened.callback(self._reader.close)
            self._engine = database.readers(READERS)
            opened.callback(self._engine.dispose)
            self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
            opened.callback(self._readers.shutdown)
            self._writer = Writer(database, index, clock, lambda: self._wake())
            opened.callback(self._writer.close)
            self._deaf = opened.enter_context(ExitStack())
            self._close = opened.pop_all().close

    @property
    def is_shared(self) -> bool:
        """Whether other processes work on the database too."""
        return self._database.is_shared

    def on_outbox_change(self, wake: Callable[[], None]) -> None:
        """Call ``wake``, from any thread, whenever a commit changed the outbox; as a rule also one of another process."""
        self._wake = wake
        self._deaf.callback(self._database.listen(wake))

    def follow_messages(self, follow: Callable[[SqlTransaction], None]) -> None:
        """Call ``follow`` at the end of every piece of work that promised or moved a message to a party, in its transaction."""
        self._follow = follow

    async def run(self, work: Callable[[SqlTransaction], T]) -> T:
        """See ``contracts.ports.Store``."""
        return await self._writer.run(self._followed(work))

    async def claim(self, work: Callable[[SqlTransaction], T]) -> T:
        """The same for work that claims messages: other processes may claim meanwhile. As soon as it writes anything else it
        is undone, and done again with nobody beside it."""
        return await self._writer.run(self._followed(work), beside=True)

    def _followed(self, work: Callable[[SqlTransaction], T]) -> Callable[[SqlTransaction], T]:
        def followed(transaction: SqlTransaction) -> T:
            result = work(transaction)
            if transaction.moved:
                self._follow(transaction)
            return result

        return followed

    async def log(self, *accesses: Access) -> None:
        """See ``contracts.ports.Store``."""
        await self._writer.log(accesses)

    async def settled(self) -> None:
        """Wait until whatever has been read so far would outlast a power loss."""
        await self._writer.settled()

    def read(self, type: str, id: str) -> Record | None:
        """The current version, from the newest commit."""
        return next(iter(self._records(sql.READ, {"type": type, "id": id})), None)

    def standing(self, type: str, id: str) -> Record | None:
        """The current version or, with an empty body, what a deletion left; from the newest commit."""
        wanted = {"type": type, "buried": sql.buried(type), "id": id}
        return next(iter(self._records(sql.STANDING_RECORD, wanted)), None)

    def version(self, type: str, id: str, version: int) -> Version | None:
        """One version, also of a resource that has been deleted since."""
        return next(iter(self._versions(sql.VERSION, type, id, version=version)), None)

    def versions(self, type: str, id: str) -> Sequence[Version]:
        """Every version, newest first; also of a resource that has been deleted."""
        return self._versions(sql.VERSIONS, type, id)

    def writers(self, type: str, id: str) -> Mapping[int, Sequence[tuple[str, str]]]:
        """Employee and commission of everybody who wrote at the instant of each version, from the access log: of whoever wrote
        it, and of nobody else unless two did at the same microsecond."""
        with self._database.telling("read"):
            rows = self._reader.execute(sql.WRITERS, {"type": type, "id": id}).fetchall()
        return {version: [row[1:] for row in rows if row[0] == version] for version, _, _ in rows}

    def _versions(self, statement: str, type: str, id: str, **more: int) -> Sequence[Version]:
        wanted = {"type": type, "buried": sql.buried(type), "id": id, **more}
        with self._database.telling("read"):
            return [to_version(row) for row in self._reader.execute(statement, wanted)]

    def _records(self, statement: str, wanted: Mapping[str, Any]) -> Sequence[Record]:
        with self._database.telling("read"):
            return [to_record(row) for row in self._reader.execute(statement, wanted)]

    def glance(self, work: Callable[[SqlSnapshot], T]) -> T:
        """Work of one statement that is as quick as a point read: done at once, where no thread needs to be woken."""
        with self._database.telling("read"):
            return work(SqlSnapshot(self._reader, self._index, self._clock.now()))

    async def look(self, work: Callable[[SqlSnapshot], T]) -> T:
        """See ``contracts.ports.Store``."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._look, work)

    def _look(self, work: Callable[[SqlSnapshot], T]) -> T:
        with self._telling_reader() as lent:
            connection = self._database.lent(lent.connection.driver_connection)
            connection.execute(self._database.look)
            try:
                return work(SqlSnapshot(connection, self._index, self._clock.now()))
            finally:
                connection.execute("COMMIT")

    @contextmanager
    def _telling_reader(self) -> Iterator[SqlConnection]:
        with self._database.telling("read"):
            try:
                with self._engine.connect() as lent:
                    yield lent
            except DBAPIError as error:
                raise error.orig or error from error

    async def select(self, statement: Select[Any]) -> Sequence[Row]:
        """Rows of a statement over ``service.store.tables``, on a reader thread."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._select, statement)

    def _select(self, statement: Select[Any]) -> Sequence[Row]:
        with self._telling_reader() as lent:
            return [tuple(row) for row in lent.execute(statement)]

    async def secret(self, name: str) -> bytes:
        """A secret of 32 random bytes that every process on this database shares, made at the first call."""
        return await self.run(lambda transaction: _secret(transaction.connection, name))

    def close(self) -> None:
        """Finish what waits and give the file free."""
        self._close()


def _secret(connection: Connection, name: str) -> bytes:
    row = connection.execute(sql.SECRET, {"name": name}).fetchone()
    if row is not None:
        return bytes(row[0])
    value = secrets.token_bytes(32)
    connection.execute(sql.PUT_SECRET, {"name": name, "value": value})
    return value
