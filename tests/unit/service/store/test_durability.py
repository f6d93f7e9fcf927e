"""What was acknowledged is there after any end: the file is looked at as a crash would leave it, and the process is killed."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import IO, Final

import pytest

from service.store.store import SqlStore
from tests.unit.service.store import crash_victim
from tests.unit.service.store.samples import disagreements, open_store, record_all

pytestmark = pytest.mark.anyio

SNAPSHOTS: Final = 50
KILLS: Final = 12
LONGEST: Final = 0.2
"""Seconds that a victim has to open the file and work on it."""


async def test_a_copy_of_the_file_holds_all_that_was_acknowledged(tmp_path: Path) -> None:
    """The files as they stand at any moment are what a power cut leaves: a result that came out is in them."""
    store = open_store(tmp_path / "reko.db")
    acknowledged: set[str] = set()
    copies: dict[Path, set[str]] = {}
    with closing(sqlite3.connect(tmp_path / "reko.db", isolation_level=None)) as observer:
        workers = [asyncio.create_task(_work(store, f"{name}", acknowledged, observer)) for name in range(8)]
        for number in range(SNAPSHOTS):
            await asyncio.sleep(Random(number).uniform(0, 0.01))  # noqa: S311 - any moment will do
            copies[tmp_path / f"copy-{number}" / "reko.db"] = set(acknowledged)
            await asyncio.to_thread(_copy, tmp_path / "reko.db", tmp_path / f"copy-{number}")
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    store.close()
    for copy, known in copies.items():
        assert known <= _whole_records(copy)
    assert len(known) > SNAPSHOTS
    await _check(copy, known)


async def _work(store: SqlStore, name: str, acknowledged: set[str], observer: sqlite3.Connection) -> None:
    for number in count():
        id = await store.run(partial(record_all, id=f"{name}-{number}"))
        # At this very moment another connection sees it: the commit came before the answer.
        assert observer.execute("SELECT count(*) FROM resource WHERE id = ?", (id,)).fetchone() == (1,)
        acknowledged.add(id)


def _copy(file: Path, to: Path) -> None:
    """Both files as of one moment: while somebody reads, nothing is taken out of the log that the copy needs.

    Another process copies: closing a file here would lose SQLite's own locks on it (POSIX)."""
    to.mkdir()
    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM alembic_version").fetchone()
        subprocess.run(["cp", str(file), f"{file}-wal", str(to)], check=True)


def _whole_records(file: Path) -> set[str]:
    """Ids of the resources. Each has its message and its row in the access log, and nothing else has."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not _is_made(connection):
            return set()
        ids = {row[0] for row in connection.execute("SELECT id FROM resource")}
        assert {f"m-{id}" for id in ids} == {row[0] for row in connection.execute("SELECT id FROM outbox")}
        logged = {row[0] for row in connection.execute("SELECT DISTINCT resource FROM access_log")}
        assert {f"Procedure/{id}" for id in ids} == logged
        return ids


def _is_made(connection: sqlite3.Connection) -> bool:
    """The schema is there wholly or not at all: a victim may have been killed before."""
    return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def _versions(file: Path) -> dict[str, int]:
    with closing(sqlite3.connect(file)) as connection:
        if not _is_made(connection):
            return {}
        return dict(connection.execute("SELECT id, version FROM resource").fetchall())


async def _check(file: Path, acknowledged: set[str]) -> None:
    store = open_store(file)
    missing = [id for id in acknowledged if store.read("Procedure", id) is None]
    torn = await disagreements(store)
    store.close()
    assert (missing, torn) == ([], [])


@contextmanager
def _victim(file: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, crash_victim.__file__, str(file)]
    place = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=place) as victim:
        try:
            yield victim
        finally:
            victim.kill()


def _pipe(end: IO[str] | None) -> IO[str]:
    assert end is not None
    return end


def _kill_one(victim: subprocess.Popen[str], after: float) -> dict[str, int]:
    """The newest acknowledged version of each id."""
    said = _pipe(victim.stdout)
    _pipe(victim.stdin).write("go\n")
    _pipe(victim.stdin).flush()
    acknowledged: dict[str, int] = {}
    for line in said:
        first, _, second = line.strip().partition(" ")
        if first == "dead":
            return acknowledged
        if first == "pid":
            time.sleep(after)
            os.kill(int(second), signal.SIGKILL)
        else:
            acknowledged[first] = int(second)
    raise AssertionError("the victim ended by itself")


async def test_killed_at_any_moment_it_has_lost_nothing(tmp_path: Path) -> None:
    """SIGKILL while the file is made, opened, or written to; each time the next one goes on with what is there."""
    file = tmp_path / "reko.db"
    moments = Random(2019)  # noqa: S311 - any moment will do
    acknowledged: dict[str, int] = {}
    with _victim(file) as victim:
        for _ in range(KILLS):
            acknowledged |= _kill_one(victim, moments.uniform(0, LONGEST))
            assert acknowledged.keys() <= _whole_records(file)
            versions = _versions(file)
            assert not [id for id, version in acknowledged.items() if versions[id] < version]
    await _check(file, set(acknowledged))
    assert len(acknowledged) > 100, "it was killed before it did anything"
