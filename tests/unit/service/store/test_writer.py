"""The writer: work shares a commit, each piece is undone alone, and nothing that anybody does stops the thread."""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest

from contracts.errors import Conflict, Unavailable
from contracts.outbox import DeliveryState
from service.fhir_api.search import index, parameters
from service.store.indexing import open_index
from service.store.sqlite import SqliteDatabase
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from service.store.writer import Writer
from tests.unit.service.store.samples import (
    UNIT,
    StillClock,
    disagreements,
    message,
    open_new,
    open_store,
    procedure,
    record_all,
)

pytestmark = pytest.mark.anyio

Work = Callable[[SqlTransaction], Any]


@pytest.fixture
async def store(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SqlStore]:
    store = open_new(tmp_path / "reko.db")
    yield store
    store.close()


@contextmanager
def held(store: SqlStore) -> Iterator[None]:
    """The writer is busy meanwhile: what is asked for shares the next commit."""
    gate = threading.Event()
    first = asyncio.ensure_future(store.run(lambda _: gate.wait(10)))
    try:
        yield
    finally:
        gate.set()
        first.add_done_callback(lambda done: done.exception())


async def in_one_group(store: SqlStore, *works: Work) -> list[Any]:
    with held(store):
        asked = [asyncio.ensure_future(store.run(work)) for work in works]
        await asyncio.sleep(0)
    return await asyncio.gather(*asked, return_exceptions=True)


def saving(id: str) -> Work:
    return lambda transaction: record_all(transaction, id)


def failing(error: BaseException, id: str = "failing") -> Work:
    def work(transaction: SqlTransaction) -> NoReturn:
        record_all(transaction, id)
        raise error

    return work


def commits(store: SqlStore) -> int:
    """How often others have changed the database, as a reading connection sees it."""
    return int(store._reader.execute("PRAGMA data_version").fetchone()[0])


def ids(store: SqlStore) -> set[str]:
    found = {row[0] for row in store._reader.execute("SELECT id FROM resource")}
    promised = {str(row[0]).removeprefix("m-") for row in store._reader.execute("SELECT id FROM outbox")}
    logged = {
        str(row[0]).removeprefix("Procedure/") for row in store._reader.execute("SELECT resource FROM access_log")
    }
    assert found == promised == logged, "a transaction is in part there"
    return found


async def test_work_that_waits_shares_one_commit(store: SqlStore) -> None:
    await store.run(saving("first"))
    before = commits(store)
    assert await in_one_group(store, *map(saving, "abcdefgh")) == list("abcdefgh")
    assert commits(store) == before + 1
    assert ids(store) == {"first", *"abcdefgh"}


async def test_more_than_a_group_is_several(store: SqlStore) -> None:
    names = [f"a-{number}" for number in range(600)]
    assert await in_one_group(store, *map(saving, names)) == names
    assert ids(store) == set(names)
    assert await disagreements(store) == []


@pytest.mark.parametrize("error", [Conflict("taken"), KeyError("unforeseen"), sqlite3.ProgrammingError("nonsense")])
async def test_what_raises_undoes_its_own_and_nothing_of_its_neighbours(store: SqlStore, error: Exception) -> None:
    results = await in_one_group(store, saving("a"), failing(error), saving("b"), failing(error), saving("c"))
    assert results == ["a", error, "b", error, "c"]
    assert ids(store) == {"a", "b", "c"}
    assert await disagreements(store) == []


@pytest.mark.parametrize("error", [StopIteration(1), asyncio.CancelledError(), SystemExit(1), GeneratorExit()])
async def test_what_no_future_takes_comes_out_as_an_error(store: SqlStore, error: BaseException) -> None:
    results = await in_one_group(store, saving("a"), failing(error), saving("b"))
    assert (results[0], results[2]) == ("a", "b")
    assert repr(results[1]) == f"RuntimeError('a piece of work ended with {type(error).__name__}')"
    assert ids(store) == {"a", "b"}


async def test_row_ids_of_undone_work_are_given_to_others(store: SqlStore) -> None:
    await in_one_group(store, saving("a"), failing(ValueError()), saving("b"))
    rows = store._reader.execute("SELECT rid, hid FROM resource ORDER BY rid").fetchall()
    assert rows == [(1, 1), (2, 2)]


async def test_a_piece_of_work_sees_those_before_it(store: SqlStore) -> None:
    def look(transaction: SqlTransaction) -> bool:
        return transaction.read("Procedure", "a") is not None

    assert await in_one_group(store, look, saving("a"), look) == [False, "a", True]


async def test_part_of_a_work_may_be_tried(store: SqlStore) -> None:
    """What follows from a deed may fail without undoing the deed."""

    def work(transaction: SqlTransaction) -> Exception | None:
        record_all(transaction, "deed")
        return transaction.attempt(lambda: failing(KeyError("what follows"), "consequence")(transaction))

    assert repr(await store.run(work)) == "KeyError('what follows')"
    assert ids(store) == {"deed"}
    assert await disagreements(store) == []


# Somebody who has gone


async def test_a_caller_who_gives_up_does_not_undo_the_work(store: SqlStore) -> None:
    with held(store):
        asked = asyncio.ensure_future(store.run(saving("a")))
        await asyncio.sleep(0)
        asked.cancel()
    await store.run(saving("b"))
    assert asked.cancelled()
    assert ids(store) == {"a", "b"}


async def test_a_loop_that_closed_while_its_work_waited_stops_nobody(store: SqlStore) -> None:
    async def ask() -> None:
        asked = asyncio.ensure_future(store.run(saving("a")))
        await asyncio.sleep(0)
        asked.cancel()

    with held(store):
        await asyncio.to_thread(asyncio.run, ask())
    assert await store.run(saving("b")) == "b"
    assert ids(store) == {"a", "b"}


async def test_a_listener_that_fails_stops_nobody(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    def listen() -> NoReturn:
        raise RuntimeError("the loop is closed")

    store.on_outbox_change(listen)
    assert await store.run(saving("a")) == "a"
    assert await store.run(saving("b")) == "b"
    assert {record.__dict__["event"] for record in caplog.records} == {"store.wake-failed"}


async def test_the_bell_rings_when_the_outbox_has_changed_and_only_then(store: SqlStore) -> None:
    rung = threading.Semaphore(0)
    store.on_outbox_change(rung.release)
    await store.run(lambda transaction: transaction.save(procedure(), "a", UNIT.value))
    with suppress(ValueError):
        await store.run(failing(ValueError()))
    assert not rung.acquire(blocking=False)
    await store.run(lambda transaction: transaction.promise(message("m"), DeliveryState.WAITING))
    assert await asyncio.to_thread(rung.acquire, timeout=5)


async def test_what_waits_at_the_end_is_done_and_what_comes_later_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path / "reko.db")
    with held(store):
        asked = [asyncio.ensure_future(store.run(saving(id))) for id in "abc"]
        await asyncio.sleep(0)
    await asyncio.to_thread(store.close)
    assert await asyncio.gather(*asked) == ["a", "b", "c"]
    with pytest.raises(Unavailable, match="the database is closed"):
        await store.run(saving("d"))
    store = open_store(tmp_path / "reko.db")
    assert ids(store) == {"a", "b", "c"}
    store.close()


# A database that cannot


async def test_a_full_disk_is_told_and_nothing_is_half_written(store: SqlStore) -> None:
    def long(id: str) -> Work:
        return lambda transaction: record_all(transaction, id, "x" * 3000)

    await store.run(saving("before"))
    with pages_left(store, 12):
        names = [f"a-{number}" for number in range(40)]
        results = await in_one_group(store, *map(long, names[:20])) + await in_one_group(store, *map(long, names[20:]))
    written = {result for result in results if isinstance(result, str)}
    refused = [result for result in results if not isinstance(result, str)]
    assert refused
    assert {type(each) for each in refused} == {Unavailable}
    assert ids(store) == {"before", *written}
    assert await store.run(saving("after")) == "after"
    assert ids(store) == {"before", *written, "after"}
    assert await disagreements(store) == []


@contextmanager
def pages_left(store: SqlStore, more: int) -> Iterator[None]:
    """The disk has room for so many pages more."""
    connection = store._writer._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages + more}")
    yield
    connection.execute("PRAGMA max_page_count=1000000")


async def test_a_database_that_takes_no_writes_is_told_and_reads_go_on(store: SqlStore) -> None:
    await store.run(saving("before"))
    store._writer._connection.execute("PRAGMA query_only=ON")
    for result in await in_one_group(store, saving("a"), saving("b")):
        assert isinstance(result, Unavailable)
        assert str(result).startswith("the database cannot be written")
    record = store.read("Procedure", "before")
    assert record is not None
    assert record.version == 1
    store._writer._connection.execute("PRAGMA query_only=OFF")
    assert await store.run(saving("after")) == "after"
    assert ids(store) == {"before", "after"}


class Stumbling(sqlite3.Connection):
    """Fails on chosen statements, as a disk does."""

    fails_on: tuple[str, ...] = ()
    ends_transaction = False

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        if statement not in self.fails_on:
            return super().execute(statement, *parameters)
        if self.ends_transaction and self.in_transaction:
            super().execute("ROLLBACK")
        raise sqlite3.OperationalError("disk I/O error")


class StumblingDatabase(SqliteDatabase):
    """Its first connection is the writer's."""

    def connect(self, *, read_only: bool = False, hurried: bool = True) -> sqlite3.Connection:
        super().connect().close()  # the file's own settings
        self.made = sqlite3.connect(self.file, isolation_level=None, check_same_thread=False, factory=Stumbling)
        return self.made


@pytest.fixture
def stumbling(tmp_path: Path) -> Iterator[tuple[Stumbling, Writer]]:
    database = StumblingDatabase(tmp_path / "reko.db")
    database.prepare()
    database.made.close()
    writer = Writer(database, open_index(database, parameters.definitions(), index.rows_of), StillClock(), lambda: None)
    made = writer._connection
    assert isinstance(made, Stumbling)
    yield made, writer
    writer.close()
    database.close()


@pytest.mark.parametrize("statements", [("BEGIN IMMEDIATE",), ("SAVEPOINT work",), ("RELEASE work",), ("COMMIT",)])
@pytest.mark.parametrize("ends_transaction", [False, True])
@pytest.mark.parametrize("and_rolling_back", [False, True])
async def test_a_group_that_cannot_be_committed_never_was(
    stumbling: tuple[Stumbling, Writer], statements: tuple[str, ...], ends_transaction: bool, and_rolling_back: bool
) -> None:
    connection, writer = stumbling
    assert await writer.run(saving("before")) == "before"
    connection.ends_transaction = ends_transaction
    connection.fails_on = (*statements, "ROLLBACK") if and_rolling_back else statements
    conflict = Conflict("its own")
    asked = (writer.run(saving("a")), writer.run(failing(conflict)), writer.run(saving("b")))
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(result) for result in results} <= {Unavailable, Conflict}
    assert isinstance(results[0], Unavailable)
    connection.fails_on = ()
    assert await writer.run(saving("after")) == "after"
    rows = connection.execute("SELECT id, rid, hid FROM resource ORDER BY rid").fetchall()
    assert rows == [("before", 1, 1), ("after", 2, 2)]
    assert connection.execute("SELECT count(*) FROM outbox").fetchone() == (2,)


async def test_work_whose_undoing_fails_undoes_the_group(stumbling: tuple[Stumbling, Writer]) -> None:
    """A disk that is full may end the transaction under the work: what is left cannot be told apart, so all is undone."""
    connection, writer = stumbling
    connection.fails_on, connection.ends_transaction = ("ROLLBACK TO work",), True
    gate = threading.Event()
    asked = [
        writer.run(lambda _: gate.wait(10)),
        writer.run(saving("a")),
        writer.run(failing(KeyError())),
        writer.run(saving("b")),
    ]
    waiting = [asyncio.ensure_future(each) for each in asked]
    await asyncio.sleep(0.01)
    gate.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results[1:]] == [Unavailable, KeyError, Unavailable]
    connection.fails_on = ()
    assert connection.execute("SELECT count(*) FROM resource").fetchone() == (0,)
    assert await writer.run(saving("c")) == "c"


async def test_failures_are_logged_without_words_of_the_data(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with suppress(Conflict):
        await store.run(failing(Conflict("told to the caller, no fault")))
    assert not caplog.records
    with suppress(KeyError):
        await store.run(failing(KeyError("198001019804")))
    (record,) = caplog.records
    assert (record.__dict__["event"], record.getMessage()) == ("store.work-failed", "a piece of work failed")


async def test_reads_of_a_damaged_file_are_told(store: SqlStore, tmp_path: Path) -> None:
    await store.run(saving("a"))
    with closing(sqlite3.connect(tmp_path / "reko.db")) as connection:
        connection.execute("ALTER TABLE history RENAME TO lost")
        with pytest.raises(sqlite3.OperationalError):  # that is nonsense, not a fault of the disk: no 503
            store.read("Procedure", "a")
        connection.execute("ALTER TABLE lost RENAME TO history")
    record = store.read("Procedure", "a")
    assert record is not None
