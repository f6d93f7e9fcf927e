"""Parts of the soak in which the service's process is killed, stopped and starved while callers and recipients go on."""

import asyncio
import os
import resource
import signal
from datetime import timedelta
from pathlib import Path
from typing import Final

from adapters.mocking import Fault
from tests.soak import door
from tests.soak.world import RECIPIENTS, World, world

Sums = dict[str, int]

LEASE, HEARTBEAT = 1.0, 0.3
"""Seconds, where a service is stopped for longer than its lease."""

MANY_CALLERS, MANY_PATIENTS = 8, 240
"""Where it is about how many messages there are: what waits for the lease of a killed one holds up a patient."""


async def kills(home: Path, seed: int, number: int) -> Sums:
    """SIGKILL at random moments: while it starts, writes, sends, is answered."""
    async with world(home, seed) as at:
        async with at.load():
            for _ in range(number):
                await asyncio.sleep(at.chance.uniform(0.02, 0.35))
                await at.it.end()
                at.collect()
                await at.it.begin()
        await at.drain()
        return {"kills": number, **at.compare()}


async def messages(home: Path, seed: int, number: int) -> Sums:
    """So many messages to recipients, and SIGKILL every few seconds: less often than in ``kills``, so that most of them leave."""
    died = 0
    async with world(home, seed, callers=MANY_CALLERS, patients=MANY_PATIENTS) as at:
        async with at.load():
            while at.collect() < number:
                await asyncio.sleep(at.chance.uniform(1, 9))
                await at.it.end()
                await at.it.begin()
                died += 1
        await at.drain()
        return {"kills": died, **at.compare()}


async def stops(home: Path, seed: int, number: int) -> Sums:
    """SIGSTOP for longer than the lease, then SIGCONT: what was being sent is still its own, or is not written."""
    async with world(home, seed, LEASE, HEARTBEAT) as at:
        async with at.load():
            for _ in range(number):
                await asyncio.sleep(at.chance.uniform(0.1, 0.5))
                os.kill(at.it.pid, signal.SIGSTOP)
                await asyncio.sleep(LEASE + at.chance.uniform(0.1, 0.5))
                os.kill(at.it.pid, signal.SIGCONT)
                await at.it.until_ready()
        await at.drain()
        return {"stops": number, **at.compare()}


async def disk(home: Path, seed: int, number: int) -> Sums:
    """The disk fills up, or nothing can be written at all; it is killed there, or finds room again and goes on."""
    async with world(home, seed) as at:
        async with at.load():
            for turn in range(number):
                await asyncio.sleep(at.chance.uniform(0.1, 0.4))
                _limit(at, 0 if turn % 2 else _size(home / "reko.db") + at.chance.randrange(100_000))
                await asyncio.sleep(at.chance.uniform(0.3, 1.0))
                if turn % 3 == 2:
                    await at.it.end()
                    await at.it.begin()
                _limit(at, resource.RLIM_INFINITY)
                await at.it.until_ready()
        await at.drain()
        return {"full or read-only": number, "answered 503": at.books.refused[503], **at.compare()}


async def faults(home: Path, seed: int, number: int) -> Sums:
    """Recipients and the way to them fail in every kind, under load; then they are well again, and everything arrives."""
    async with world(home, seed, patience=1.0) as at:
        for _ in range(number):
            for kind in (*door.FAULTS, *ANSWERS):
                async with at.load():
                    _misbehave(at, kind)
                    await asyncio.sleep(0.2)
                    at.mocks.clock.advance(timedelta(minutes=6))  # whoever rests comes again
                    await asyncio.sleep(0.2)
                    _misbehave(at, door.OPEN)
        await at.drain()
        return {"faults": number * (len(door.FAULTS) + len(ANSWERS)), **at.compare()}


ANSWERS: Final = {
    "busy": Fault(kind="http", status=503, retry_after=7, times=None),
    "too many": Fault(kind="http", status=429, times=None),
    "broken": Fault(kind="http", status=500, times=None),
    "gateway": Fault(kind="http", status=502, times=None),
}
"""With those of the door twelve kinds."""


def _misbehave(at: World, kind: str) -> None:
    at.door.fault = kind if kind in door.FAULTS else door.OPEN
    for name in RECIPIENTS:
        at.mocks.counterparts[name].room().order([ANSWERS[kind]] if kind in ANSWERS else [])


def _limit(at: World, bytes: int) -> None:
    """The longest file that the service may write; a write beyond it fails as on a full disk."""
    resource.prlimit(at.it.pid, resource.RLIMIT_FSIZE, (bytes, resource.RLIM_INFINITY))


def _size(file: Path) -> int:
    return max(each.stat().st_size for each in file.parent.glob(f"{file.name}*"))
