"""One thread writes. Work that waits is run in one database transaction and becomes durable together (group commit).

Each piece of work has a savepoint of its own: one that raises is undone alone. Rows of the access log that come without
any other work are written together. If the process dies before the commit, nothing of the group has happened and
nobody has been answered; after it, everything has. Nobody is answered before it is on the disk (``flushing.py``).
"""

import asyncio
import logging
import queue
import threading
from bisect import bisect
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from time import monotonic
from typing import Any, Final, TypeVar

from contracts.errors import RekoError, Unavailable
from contracts.ports import Clock
from contracts.record import Access
from service.store import sql
from service.store.database import Database, Row, checked
from service.store.flushing import Flusher
from service.store.gathering import Gathered
from service.store.indexing import SearchIndex
from service.store.outbox import MustBeAlone
from service.store.transaction import RowIds, SqlTransaction, access_rows

T = TypeVar("T")
Work = Callable[[SqlTransaction], Any]

GROUP: Final = 256
"""The most pieces of work that share one commit."""

LEARNING: Final = tuple(1_000 * 2**each for each in range(7))
"""How many resources there are when the database is made to look at them: a young one grows quicker than it looks by itself."""

_log = logging.getLogger(__name__)


class _Job:
    __slots__ = ("accesses", "beside", "error", "future", "loop", "result", "waits", "work")

    def __init__(self, work: Work | None, accesses: Sequence[Access] = (), *, beside: bool) -> None:
        self.work = work
        self.accesses = accesses
        self.beside = beside
        self.waits = False
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()
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
        self._database = database
        self._connection = database.connect()
        flush = database.apart(self._connection)
        self._flusher = None if flush is None else Flusher(flush)
        self._index = index
        self._clock = clock
        self._wake = wake
        self._ids = RowIds(0, 0)
        self._row_at_begin = 0
        # Groups: as they are equal, all that anybody can read has been flushed.
        self._begun = self._told = 0
        self._beside = False
        self._left: list[_Job] = []
        self._coming: list[_Job] = []
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closed = False
        self._door = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[SqlTransaction], T], *, beside: bool = False) -> T:
        """Run the work in the next group and wait until it is durable. Raises ``Unavailable`` after the end. Of a
        database that several processes write to see ``Database.begin`` for ``beside``."""
        result: T = await self._queued(_Job(work, beside=beside))
        return result

    async def log(self, accesses: Sequence[Access]) -> None:
        """Write rows of the access log in the next group and wait until they are durable. Raises as ``run``.

        What comes in one turn of the loop is handed over at its end: the thread is woken once, and groups are larger.
        """
        job = _Job(None, accesses, beside=True)
        with self._door:
            self._check()
            if not self._coming:
                job.loop.call_soon(self._hand_in)
            self._coming.append(job)
        await job.future

    async def settled(self) -> None:
        """Wait until whatever a reader has seen so far is durable: who leaves a row in the access log waits for that."""
        if self._flusher is not None and self._begun != self._told:
            await self.log(())

    def _queued(self, job: _Job) -> asyncio.Future[Any]:
        with self._door:
            self._check()
            self._jobs.put(job)
        return job.future

    def _check(self) -> None:
        if self._closed:
            raise Unavailable("the database is closed")

    def _hand_in(self) -> None:
        with self._door:
            coming, self._coming = self._coming, []
        for job in coming:
            self._jobs.put(job)

    def close(self) -> None:
        """Finish what waits, then stop."""
        with self._door:
            self._closed = True
        self._hand_in()
        self._jobs.put(None)
        self._thread.join()
        if self._flusher is not None:
            self._flusher.close()
        self._connection.close()

    def _run(self) -> None:
        stopping = False
        while not stopping or self._left:
            group, is_last = self._collect()
            stopping = stopping or is_last
            if not group:
                continue
            self._begun += 1
            told = partial(self._tell, group, changed=self._write(group))
            if self._flusher is None:
                told()
            else:
                self._flusher.then(told)
            self._learn()

    def _tell(self, group: list[_Job], *, changed: bool) -> None:
        """It is durable."""
        self._told += 1
        _hand_over(group)
        if changed:
            self._ring()

    def _ring(self) -> None:
        """Whoever listens cannot stop the writer."""
        try:
            self._wake()
        except Exception as error:
            _log.error("the outbox's listener failed", exc_info=error, extra={"event": "store.wake-failed"})

    def _learn(self) -> None:
        """Beside the writer: others go on writing meanwhile."""
        before, self._row_at_begin = self._row_at_begin, self._ids.resource
        if self._database.is_shared and bisect(LEARNING, before) < bisect(LEARNING, self._ids.resource):
            threading.Thread(target=self._look, name="store-learner", daemon=True).start()

    def _look(self) -> None:
        """It answers without, if late."""
        with suppress(Exception), closing(self._database.connect()) as connection:
            self._database.learn(connection)

    def _collect(self) -> tuple[list[_Job], bool]:
        """What waits, and whether nothing comes after it."""
        group, self._left = self._left, []
        while len(group) < GROUP:
            try:
                job = self._jobs.get(block=not group)
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _write(self, group: list[_Job]) -> bool:
        """Whether somebody should look at the outbox."""
        if all(job.work is None for job in group):
            self._log_alone(group)
            return False
        woken, gathered = False, Gathered(longest=self._database.longest_row)
        try:
            self._begin(beside=all(job.beside for job in group))
            until = monotonic() + self._database.group_seconds
            done = 0
            while done < len(group) and (not done or monotonic() < until):
                woken = self._attempt(group[done], gathered) or woken
                done += 1
            self._left = [job for job in group[:done] if job.waits] + group[done:]
            group[:] = [job for job in group[:done] if not job.waits]
            gathered.write(self._connection)
            self._log([job for job in group if job.work is None])
            if woken:
                self._database.ring(self._connection)
            self._connection.execute("COMMIT")
        except Exception as error:
            self._undo(group, error)
            return False
        return woken

    def _begin(self, *, beside: bool) -> None:
        """Also find out what other processes have written since the last group, and whether they still speak the same
        language. Raises ``Unavailable`` when they do not."""
        self._roll_back()
        self._beside = beside and self._database.is_shared
        self._database.begin(self._connection, beside=beside)
        rid, hid, parameter, schema = self._connection.execute(sql.LAST_WRITTEN, {}).fetchone()
        checked(schema)
        if parameter != self._index.newest:
            raise Unavailable("another version of this service has made the search index anew: start this one again")
        self._ids = RowIds((rid or 0) + 1, (hid or 0) + 1)
        self._row_at_begin = self._ids.resource

    def _log_alone(self, jobs: list[_Job]) -> None:
        """As ``_log``, where nothing else is written."""
        try:
            self._roll_back()
            with self._database.telling("written"):
                self._database.append(self._connection, sql.INSERT_ACCESS, self._rows(jobs))
        except Exception as error:
            self._undo(jobs, error)

    def _rows(self, jobs: list[_Job]) -> list[Row]:
        return access_rows(self._clock.now(), (access for job in jobs for access in job.accesses))

    def _log(self, jobs: list[_Job]) -> None:
        """What is shown to whom: all of it, or none. Nobody else need suffer when it cannot be written."""
        if not jobs:
            return
        self._connection.execute("SAVEPOINT log")
        try:
            with self._database.telling("written"):
                self._connection.executemany(sql.INSERT_ACCESS, self._rows(jobs))
        except Exception as error:
            told = _told(error)
            for job in jobs:
                job.error = told
            self._connection.execute("ROLLBACK TO log")
        self._connection.execute("RELEASE log")

    def _attempt(self, job: _Job, gathered: Gathered) -> bool:
        if job.work is None:
            return False
        before, mark = self._ids.copy(), gathered.mark()
        at = self._clock.now()
        transaction = SqlTransaction(
            self._connection, self._index, at, self._ids, gathered=gathered, beside=self._beside
        )
        job.waits = False
        self._connection.execute("SAVEPOINT work")
        try:
            with self._database.telling("written"):
                job.result = job.work(transaction)
                transaction.finish()
                if gathered.is_doubtful:
                    gathered.write(self._connection)
        except BaseException as error:
            self._ids = before
            gathered.back_to(mark)
            job.waits, job.beside = isinstance(error, MustBeAlone), False
            job.error = None if job.waits else _told(error)
            # Fails when the database itself has ended the transaction (disk full): then the whole group is undone.
            self._connection.execute("ROLLBACK TO work")
        self._connection.execute("RELEASE work")
        return job.error is None and not job.waits and bool(transaction.woken)

    def _undo(self, group: list[_Job], error: Exception) -> None:
        _log.error("a group could not be committed", exc_info=error, extra={"event": "store.commit-failed"})
        with suppress(self._connection.Error):  # tried again before the next group
            self._roll_back()
        told = error if isinstance(error, Unavailable) else Unavailable("the database cannot be written")
        for job in group:
            job.error = job.error or told

    def _roll_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def _told(error: BaseException) -> BaseException:
    """What the caller gets for it."""
    if isinstance(error, RekoError) and not isinstance(error, Unavailable):
        return error
    _log.error("a piece of work failed", exc_info=error, extra={"event": "store.work-failed"})
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"a piece of work ended with {type(error).__name__}")  # a future refuses the error itself


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
