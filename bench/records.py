"""A patient's record as the store grows: all of one patient's resources, read and put into a bundle's page.

everything   the page of ``Patient/<id>/$everything`` for a patient drawn by chance, eleven resources with their bodies: p50 and
             p99 in ms, at each size, on SQLite, and on a PostgreSQL of its own where one is installed

``--most`` says how far the curve goes (a million takes minutes on SQLite, an hour on PostgreSQL).
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from machine import machine
from run import UNIT
from search import GROUP, PER_PATIENT, _write
from sqlalchemy import Select, select

from service.clock import SystemClock
from service.fhir_api.search import index, parameters
from service.store.database import Place
from service.store.snapshot import to_record
from service.store.sql import CURRENT_COLUMNS
from service.store.store import SqlStore
from service.store.tables import history, resource
from tests.postgres import binaries, cluster

ASKED = 500


def main() -> None:
    """Fill a store of each engine, and ask it at each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=100_000, help="resources at the end of the curve")
    wanted = parser.parse_args()
    sizes = [size for size in (10_000, 30_000, 100_000, 300_000, 1_000_000) if size <= wanted.most]
    print(f"machine     {machine()}")
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        asyncio.run(_curve("sqlite", Path(home) / "reko.db", sizes))
    if found := binaries():
        with cluster(found, durable=True) as server:
            asyncio.run(_curve("postgres", server.database("records"), sizes))


async def _curve(engine: str, place: Place, sizes: Sequence[int]) -> None:
    store = SqlStore(place, SystemClock(), parameters.definitions(), index.rows_of)
    for before, size in zip([0, *sizes], sizes, strict=False):
        began = time.perf_counter()
        for first in range(before, size, GROUP):
            await store.run(partial(_write, numbers=range(first, min(first + GROUP, size))))
        filled = round((size - before) / (time.perf_counter() - began))
        print(f"{engine:10} {size:9} resources  {await _everything(store, size)}  filled at {filled}/s", flush=True)
    store.close()


async def _everything(store: SqlStore, size: int) -> dict[str, Any]:
    """Never the same patient twice: what is asked for is not in the cache because it was asked for before."""
    chance, times = random.Random(size), []  # noqa: S311 - any patient will do
    for person in chance.sample(range(size // (PER_PATIENT + 1)), ASKED):
        began = time.perf_counter()
        records = [to_record(row) for row in await store.select(_page(f"p-{person}"))]
        times.append(time.perf_counter() - began)
        if len(records) != PER_PATIENT + 1:
            raise SystemExit("a record is not whole")
    times.sort()
    return {f"p{part} ms": round(times[ASKED * part // 100] * 1e3, 2) for part in (50, 99)}


def _page(patient: str) -> Select[Any]:
    """As ``fhir_api/operations/everything.py`` asks it."""
    return (
        select(*CURRENT_COLUMNS)
        .join(history, history.c.hid == resource.c.hid)
        .where(
            resource.c.patient == patient,
            resource.c.unit.in_([UNIT, "TSTNMT2321000156-S0001"]),
            resource.c.type.in_(["Patient", "Procedure", "Consent", "CarePlan", "Observation"]),
            resource.c.rid > 0,
        )
        .order_by(resource.c.rid)
        .limit(101)
    )


if __name__ == "__main__":
    main()
