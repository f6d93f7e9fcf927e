"""Parts of the soak on PostgreSQL: two services and two workers, killed, stopped and restarted while callers go on, and the
database restarted under all of them."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.postgres import MISSING, Cluster, binaries, cluster
from tests.soak.processes import MANY_CALLERS, MANY_PATIENTS
from tests.soak.world import CALLERS, PATIENTS, World, world

Sums = dict[str, int]

LEASE, HEARTBEAT = 1.5, 0.4
"""Seconds: the others take over from who is gone, without being told."""


@asynccontextmanager
async def _shared_world(
    home: Path, seed: int, callers: int = CALLERS, patients: int = PATIENTS
) -> AsyncIterator[tuple[World, Cluster]]:
    found = binaries()
    if found is None:
        raise SystemExit(MISSING)
    with cluster(found, durable=True) as server:
        database = server.database(home)
        async with world(home, seed, LEASE, HEARTBEAT, database=database, callers=callers, patients=patients) as at:
            yield at, server


async def replica_kills(home: Path, seed: int, number: int) -> Sums:
    """SIGKILL of a service or a worker at random moments; the others go on meanwhile."""
    async with _shared_world(home, seed) as (at, _):
        async with at.load():
            for _turn in range(number):
                await asyncio.sleep(at.chance.uniform(0.02, 0.5))
                one = at.chance.choice(at.replicas)
                await one.end()
                at.collect()
                await one.begin()
        await at.drain()
        return {"kills": number, **at.compare()}


async def replica_messages(home: Path, seed: int, number: int) -> Sums:
    """So many messages to recipients, and SIGKILL of one process every few seconds."""
    died = 0
    async with _shared_world(home, seed, MANY_CALLERS, MANY_PATIENTS) as (at, _):
        async with at.load():
            while at.collect() < number:
                await asyncio.sleep(at.chance.uniform(1, 9))
                one = at.chance.choice(at.replicas)
                await one.end()
                await one.begin()
                died += 1
        await at.drain()
        return {"kills": died, **at.compare()}


async def replica_stops(home: Path, seed: int, number: int) -> Sums:
    """SIGSTOP of a worker for longer than its lease, then SIGCONT: the other has taken over what it was sending."""
    async with _shared_world(home, seed) as (at, _):
        async with at.load():
            for _turn in range(number):
                await asyncio.sleep(at.chance.uniform(0.1, 0.5))
                one = at.chance.choice(at.workers)
                os.kill(one.pid, signal.SIGSTOP)
                await asyncio.sleep(LEASE + HEARTBEAT + at.chance.uniform(0.1, 0.8))
                os.kill(one.pid, signal.SIGCONT)
                await one.until_ready()
        await at.drain()
        return {"stops": number, **at.compare()}


async def database_restarts(home: Path, seed: int, number: int) -> Sums:
    """The database is stopped, well or as by a power cut, and comes again after a moment."""
    async with _shared_world(home, seed) as (at, server):
        async with at.load():
            for turn in range(number):
                await asyncio.sleep(at.chance.uniform(0.5, 3.0))
                await asyncio.to_thread(server.stop, _ENDS[turn % 2])
                await asyncio.sleep(at.chance.uniform(0.0, 1.5))
                await asyncio.to_thread(server.start)
                for one in at.replicas:
                    await one.until_ready()
        await at.drain()
        return {"restarts": number, "answered 503": at.books.refused[503], **at.compare()}


_ENDS: Final = (signal.SIGINT, signal.SIGQUIT)


async def rolling_restarts(home: Path, seed: int, number: int) -> Sums:
    """Each of the four is asked to stop and started again, one after the other."""
    async with _shared_world(home, seed) as (at, _):
        async with at.load():
            for _turn in range(number):
                for one in at.replicas:
                    await one.end(signal.SIGTERM)
                    at.collect()
                    await one.begin()
        await at.drain()
        return {"rolling restarts": number, **at.compare()}
