"""One thread writes. Work that waits is run in one database transaction and becomes durable together (group commit).

Each piece of work has a savepoint of its own: one that raises is undone alone. If the process dies before the commit,
nothing of the group has happened and nobody has been answered; after it, everything has.
"""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from contracts.errors import RekoError, Unavailable
from contracts.ports import Clock
from service.store.database import Database
from service.store.transaction import RowIds, SearchIndex, SqlTransaction

T = TypeVar("T")
Work = Callable[[SqlTransaction], Any]

GROUP: Final = 256
"""The most pieces of work that share one commit."""

_log = logging.getLogger(__name__)


class _Job:
    __slots__ = ("error", "future", "loop", "result", "work")

    def __init__(self, work: Work, loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.result: Any = None
        self.error: BaseException | None = None

    def settle(self) -> None:
        """On the caller's loop: hand over the result, unless the caller has gone."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Writer:
    """The thread that owns the only writing connection."""

    def __init__(self, database: Database, index: SearchIndex, clock: Clock, wake: Callable[[], None]) -> None:
        self._connection = database.connect()
        self._index = index
        self._clock = clock
        self._wake = wake
        self._ids = _next_ids(self._connection)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[SqlTransaction], T]) -> T:
        """Run the work in the next group and wait until it is durable."""
        job = _Job(work, asyncio.get_running_loop())
        self._jobs.put(job)
        result: T = await job.future
        return result

    def close(self) -> None:
        """Finish what waits, then stop."""
        self._jobs.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        stopping = False
        while not stopping:
            group, stopping = self._collect()
            if group and self._write(group):
                self._wake()
            _hand_over(group)

    def _collect(self) -> tuple[list[_Job], bool]:
        first = self._jobs.get()
        if first is None:
            return [], True
        group = [first]
        while len(group) < GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _write(self, group: list[_Job]) -> bool:
        """Whether somebody should look at the outbox."""
        ids = RowIds(self._ids.resource, self._ids.history)
        woken = False
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for job in group:
                woken = self._attempt(job) or woken
            self._connection.execute("COMMIT")
        except Exception as error:
            self._undo(group, ids, error)
            return False
        return woken

    def _attempt(self, job: _Job) -> bool:
        before = RowIds(self._ids.resource, self._ids.history)
        transaction = SqlTransaction(self._connection, self._index, self._ids, self._clock.now())
        self._connection.execute("SAVEPOINT work")
        try:
            job.result = job.work(transaction)
            transaction.finish()
        except Exception as error:
            self._connection.execute("ROLLBACK TO work")
            self._ids.resource, self._ids.history = before.resource, before.history
            job.error = _told(error)
        self._connection.execute("RELEASE work")
        return job.error is None and bool(transaction.woken)

    def _undo(self, group: list[_Job], ids: RowIds, error: Exception) -> None:
        _log.error(
            "a group could not be committed", extra={"event": "store.commit-failed", "kind": type(error).__name__}
        )
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._ids.resource, self._ids.history = ids.resource, ids.history
        for job in group:
            job.error = job.error or _told(error)


def _told(error: Exception) -> Exception:
    if isinstance(error, sqlite3.Error):
        return Unavailable("the database cannot be written")
    if not isinstance(error, RekoError):
        _log.exception("a piece of work failed", extra={"event": "store.work-failed"})
    return error


def _hand_over(group: list[_Job]) -> None:
    for loop in {job.loop for job in group}:
        jobs = [job for job in group if job.loop is loop]
        try:
            loop.call_soon_threadsafe(_settle_all, jobs)
        except RuntimeError:  # the loop has been closed: nobody waits any more
            continue


def _settle_all(jobs: list[_Job]) -> None:
    for job in jobs:
        job.settle()


def _next_ids(connection: sqlite3.Connection) -> RowIds:
    rid, hid = connection.execute(
        "SELECT (SELECT coalesce(max(rid), 0) FROM resource), (SELECT coalesce(max(hid), 0) FROM history)"
    ).fetchone()
    return RowIds(rid + 1, hid + 1)
