"""What was acknowledged is on the disk, and not only committed: the disk here keeps what was flushed, and forgets the rest."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from contracts.record import Access, AccessAction
from service.store.flushing import Flusher
from service.store.store import SqlStore
from tests.unit.service.store.samples import CALLER, open_new, record_all

pytestmark = pytest.mark.anyio

ROOT: Final = Path(__file__).parents[4]


@dataclass(slots=True)
class Disk:
    """Each flush is kept as it was when it began: that much is there after the power has gone."""

    file: Path
    real: Callable[[int], None]
    flushed: list[str] = field(default_factory=list)
    goes_on: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)

    def fdatasync(self, descriptor: int) -> None:
        kept = self.file.parent / f"kept-{len(self.flushed)}.db"
        shutil.copyfile(self.file, kept)
        shutil.copyfile(f"{self.file}-wal", f"{kept}-wal")
        self.asked.set()
        assert self.goes_on.wait(10)
        self.real(descriptor)
        self.flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    def after_a_power_loss(self) -> set[str]:
        """The ids of the resources that are there."""
        with closing(sqlite3.connect(self.file.parent / f"kept-{len(self.flushed) - 1}.db")) as connection:
            return {id for (id,) in connection.execute("SELECT id FROM resource")}


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(tmp_path / "reko.db", os.fdatasync)
    disk.goes_on.set()
    monkeypatch.setattr(os, "fdatasync", disk.fdatasync)
    return disk


@pytest.fixture
async def store(disk: Disk) -> AsyncIterator[SqlStore]:
    store = open_new(disk.file)
    yield store
    disk.goes_on.set()
    store.close()


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until
        time.sleep(0.001)


def save(store: SqlStore, id: str) -> "asyncio.Future[str]":
    return asyncio.ensure_future(store.run(lambda transaction: record_all(transaction, id)))


async def test_nobody_is_told_before_it_is_on_the_disk(store: SqlStore, disk: Disk) -> None:
    for number in range(20):
        asked = [save(store, f"{number}-{each}") for each in range(3)]
        for done in asyncio.as_completed(asked):
            assert await done in disk.after_a_power_loss()
    assert {*disk.flushed} == {f"{disk.file}-wal"}


async def test_the_next_group_is_written_while_the_disk_keeps_the_last(store: SqlStore, disk: Disk) -> None:
    disk.goes_on.clear()
    first = save(store, "first")
    assert await asyncio.to_thread(disk.asked.wait, 10)
    second = save(store, "second")
    await asyncio.to_thread(wait_for, lambda: store.read("Procedure", "second"))
    assert not first.done()
    assert not second.done()
    disk.goes_on.set()
    assert list(await asyncio.gather(first, second)) == ["first", "second"]
    assert {"first", "second"} <= disk.after_a_power_loss()


async def test_rows_of_the_access_log_wait_for_the_disk_too(store: SqlStore, disk: Disk) -> None:
    disk.goes_on.clear()
    logged = asyncio.ensure_future(store.log(Access(CALLER, AccessAction.READ, "p-1", "Patient/p-1", "read")))
    assert await asyncio.to_thread(disk.asked.wait, 10)
    await asyncio.sleep(0.05)
    assert not logged.done()
    disk.goes_on.set()
    await logged


async def test_who_reads_waits_too_where_no_row_says_so(store: SqlStore, disk: Disk) -> None:
    await save(store, "before")
    await asyncio.wait_for(store.settled(), 1)
    disk.goes_on.clear()
    disk.asked.clear()
    unanswered = save(store, "seen")
    assert await asyncio.to_thread(disk.asked.wait, 10)
    assert store.read("Procedure", "seen") is not None
    settled = asyncio.ensure_future(store.settled())
    await asyncio.sleep(0.05)
    assert not settled.done()
    disk.goes_on.set()
    await asyncio.gather(settled, unanswered)
    assert "seen" in disk.after_a_power_loss()


BREAKS: Final = """
import asyncio, os, sys
from pathlib import Path
from tests.unit.service.store.samples import open_store, record_all

file, real = Path(sys.argv[1]), os.fdatasync

async def main():
    store = open_store(file)
    save = lambda id: store.run(lambda transaction: record_all(transaction, id))
    for number in range(5):
        print(await save(f"kept-{number}"), flush=True)
    kept = Path(f"{file}-wal").stat().st_size

    def broken(descriptor):
        with open(f"{file}-wal", "r+b") as log:  # what the system has not written is gone
            size = log.seek(0, 2)
            log.seek(kept)
            log.write(bytes(size - kept))
        raise OSError(5, "Input/output error")

    os.fdatasync = broken
    print(await save("lost"), flush=True)

asyncio.run(main())
"""


def test_a_flush_that_fails_ends_the_process_and_all_that_was_acknowledged_is_there(tmp_path: Path) -> None:
    """Closed in order, SQLite would copy what is gone into the file."""
    file = tmp_path / "reko.db"
    ended = subprocess.run(
        [sys.executable, "-c", BREAKS, str(file)], capture_output=True, text=True, timeout=30, check=False, cwd=ROOT
    )
    acknowledged = [f"kept-{number}" for number in range(5)]
    assert (ended.returncode, ended.stdout.split()) == (os.EX_IOERR, acknowledged), ended.stderr
    assert "may not have kept" in ended.stderr
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert {*acknowledged} <= {id for (id,) in connection.execute("SELECT id FROM resource")}


def test_what_waits_is_told_in_its_order_and_once() -> None:
    gate = threading.Event()
    told: list[int] = []
    began: list[int] = []

    def flush() -> None:
        began.append(len(told))
        assert gate.wait(10)

    flusher = Flusher(flush)
    for number in range(4):
        flusher.then(partial(told.append, number))
    gate.set()
    flusher.close()
    assert told == [0, 1, 2, 3]
    assert len(began) <= 2


@pytest.mark.parametrize("fault", [OSError(5, "Input/output error"), MemoryError(), AttributeError("fdatasync")])
def test_nobody_is_told_of_what_may_be_lost(fault: BaseException) -> None:
    told: list[str] = []
    ended = threading.Event()

    def flush() -> None:
        raise fault

    flusher = Flusher(flush, ended.set)
    flusher.then(partial(told.append, "lost"))
    assert ended.wait(10)
    flusher.then(partial(told.append, "later"))
    flusher.close()
    assert told == []
