"""What was acknowledged is on the disk, and not only committed: the disk here keeps what was flushed, and forgets the rest."""

import asyncio
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from contracts.errors import Unavailable
from contracts.record import Access, AccessAction
from service.store.flushing import Flusher
from service.store.store import SqlStore
from tests.unit.service.store.samples import CALLER, open_new, record_all

pytestmark = pytest.mark.anyio


@dataclass(slots=True)
class Disk:
    """Each flush is kept as it was when it began: that much is there after the power has gone."""

    file: Path
    real: Callable[[int], None]
    flushed: list[str] = field(default_factory=list)
    goes_on: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    is_broken: bool = False

    def fdatasync(self, descriptor: int) -> None:
        kept = self.file.parent / f"kept-{len(self.flushed)}.db"
        shutil.copyfile(self.file, kept)
        shutil.copyfile(f"{self.file}-wal", f"{kept}-wal")
        self.asked.set()
        assert self.goes_on.wait(10)
        if self.is_broken:
            raise OSError(5, "Input/output error")
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


async def test_after_a_flush_that_failed_nothing_is_acknowledged_any_more(store: SqlStore, disk: Disk) -> None:
    """The system forgets that it failed: the next flush would succeed, and what was lost would be lost still."""
    assert await save(store, "before") == "before"
    disk.is_broken = True
    with pytest.raises(Unavailable, match="may not have kept"):
        await save(store, "lost")
    disk.is_broken = False
    flushes = len(disk.flushed)
    for _ in range(2):
        with pytest.raises(Unavailable, match="start the service again"):
            await save(store, "after")
    assert len(disk.flushed) == flushes


def test_what_waits_is_told_in_its_order_and_once() -> None:
    gate = threading.Event()
    told: list[tuple[int, Unavailable | None]] = []
    began: list[int] = []

    def flush() -> None:
        began.append(len(told))
        assert gate.wait(10)

    flusher = Flusher(flush)
    for number in range(4):
        flusher.then(lambda failed, number=number: told.append((number, failed)))  # type: ignore[misc]
    gate.set()
    flusher.close()
    assert told == [(number, None) for number in range(4)]
    assert len(began) <= 2
