"""A store under load, to be killed: ``python crash_victim.py FILE``.

For each line on standard input a fork of this process works on the file until it is killed. It tells ``ID VERSION`` on
standard output as soon as that version is acknowledged; then this process tells ``dead``. Everything slow is imported once.
"""

import asyncio
import os
import sys
from functools import partial
from itertools import count
from pathlib import Path

from contracts.record import Record
from service.clock import SystemClock, Uuid7
from service.fhir_api.search import index, parameters
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from tests.unit.service.store.samples import UNIT, procedure, record_all

WORKERS = 12


async def _work(store: SqlStore, ids: Uuid7) -> None:
    """New resources, and now and then another version of one, which takes index rows away."""
    for number in count():
        id = await store.run(lambda transaction: record_all(transaction, ids.new()))
        _tell(id, 1)
        if number % 3 == 0:
            record = await store.run(partial(_change, id))
            _tell(id, record.version)


def _change(id: str, transaction: SqlTransaction) -> Record:
    return transaction.save(procedure(f"p-{id}", identifier=f"ehr-{id}", status="entered-in-error"), id, UNIT.value)


def _tell(id: str, version: int) -> None:
    os.write(1, f"{id} {version}\n".encode())


async def _load(file: Path) -> None:
    store = SqlStore(file, SystemClock(), parameters.definitions(), index.rows_of)
    await asyncio.gather(*(_work(store, Uuid7()) for _ in range(WORKERS)))


def main(file: Path) -> None:
    for _ in sys.stdin:
        victim = os.fork()
        if not victim:
            asyncio.run(_load(file))
        os.write(1, f"pid {victim}\n".encode())
        os.waitpid(victim, 0)
        os.write(1, b"dead\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
