"""A patient's record as the store grows: all of one patient's resources, read and put into a bundle's page.

everything   the page of ``Patient/<id>/$everything`` for a patient drawn by chance, eleven resources with their bodies: p50 and
             p99 in ms, at each size, on SQLite, and on a PostgreSQL of its own where one is installed

``--most`` says how far the curve goes (a million takes some minutes and 5 GB).
"""

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
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
from service.store.tables import INDEX_TABLES, history, resource, search_parameter
from tests.postgres import binaries, cluster

ASKED = 500


def main() -> None:
    """Fill a store of each engine, and ask it at each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=100_000, help="resources at the end of the curve")
    wanted = parser.parse_args()
    sizes = [size for size in (10_000, 30_000, 100_000, 300_000, 1_000_000) if size <= wanted.most]
    print(f"machine     {machine()}")
    with ExitStack() as stack:
        file = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="reko-bench-"))) / "reko.db"
        found = binaries()
        shared = stack.enter_context(cluster(found, durable=True)).database("records") if found else ""
        for before, size in zip([0, *sizes], sizes, strict=False):
            asyncio.run(_measured("sqlite", file, before, size))
            if shared:
                _copy(file, shared)
                asyncio.run(_measured("postgres", shared, size, size))


async def _measured(engine: str, place: Place, before: int, size: int) -> None:
    store = SqlStore(place, SystemClock(), parameters.definitions(), index.rows_of)
    for first in range(before, size, GROUP):
        await store.run(partial(_write, numbers=range(first, min(first + GROUP, size))))
    print(f"{engine:10} {size:9} resources  {await _everything(store, size)}", flush=True)
    store.close()


def _copy(file: Path, url: str) -> None:
    """The same rows, which are written sooner so than by the store."""
    SqlStore(url, SystemClock(), parameters.definitions(), index.rows_of).close()
    with closing(sqlite3.connect(file)) as filled, closing(psycopg.connect(url, autocommit=True)) as shared:
        for table in (search_parameter, resource, history, *INDEX_TABLES.values()):
            shared.execute(f"TRUNCATE {table.name}")
            with shared.cursor().copy(f"COPY {table.name} FROM STDIN") as copy:
                for row in filled.execute(f"SELECT * FROM {table.name}"):  # noqa: S608 - our own tables
                    copy.write_row(row)
        shared.execute("ANALYZE")


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
