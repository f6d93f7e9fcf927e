"""Searches under load: token and reference searches of one patient's page, and what one costs as the store grows.

filled      resources written through the store's own writer, index rows and all; resources/s and bytes of the file for each
search      16 clients, ``_count=10``: half by reference (``patient=``), half by token (``identifier=``); each answer's
            access-log row is durable before it leaves: requests/s, p50 and p99, the server's processor time for each
cost        one search at a time, in µs of the database alone, at each size: flat means that it does not grow with the store

``--most`` says how far the curve goes (1,000,000 takes some minutes and 2.5 GB).
"""

import argparse
import asyncio
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import orjson
from machine import free_port, machine
from run import UNIT, _environment, _get, _load, _resident, _until_ready

from contracts.record import Document
from service.clock import SystemClock
from service.fhir_api.search import index, parameters, query
from service.fhir_api.search.scope import Scope
from service.store.snapshot import SqlSnapshot
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction

PER_PATIENT: Final = 10
GROUP: Final = 500

ASKED: Final = {
    "patient": [("patient", "Patient/p-7"), ("_count", "10")],
    "identifier": [("identifier", "urn:example:ehr|a-78"), ("_count", "10")],
    "patient, code, date, sorted": [
        ("patient", "Patient/p-7"),
        ("code", "urn:oid:1.2.752.116.1.3.2.1.4|GC001"),
        ("date", "ge2026-01"),
        ("_sort", "-date"),
        ("_count", "10"),
    ],
    "patient.identifier": [("patient.identifier", "urn:example:people|p-7"), ("_count", "10")],
    "_include": [("identifier", "urn:example:ehr|a-78"), ("_include", "Procedure:patient"), ("_count", "10")],
}


def main() -> None:
    """Fill a store, ask it at each size, then serve it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="of the load")
    parser.add_argument("--served", type=int, default=100_000, help="resources when it is put under load")
    parser.add_argument("--most", type=int, default=100_000, help="resources at the end of the curve")
    parser.add_argument("--json", action="store_true", help="one JSON object at the end")
    wanted = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine()}
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        file = Path(home) / "data" / "reko.db"
        file.parent.mkdir()
        sizes = sorted({10_000, wanted.served, wanted.most})
        for before, size in zip([0, *sizes], sizes, strict=False):
            figures |= asyncio.run(_grown(file, before, size))
            if size == wanted.served:
                figures["search x16"] = asyncio.run(_served(Path(home), wanted.seconds, size))
    for name, part in figures.items():
        print(f"{name:24} " + "  ".join(f"{key} {value}" for key, value in part.items()))
    if wanted.json:
        print(orjson.dumps(figures).decode())


# The store, filled


def _content(number: int) -> tuple[str, dict[str, Any]]:
    """Every eleventh resource is a patient, the others are what was done for them."""
    person, act = divmod(number, PER_PATIENT + 1)
    if act == 0:
        identifier = [{"system": "urn:example:people", "value": f"p-{person}"}]
        return f"p-{person}", {
            "resourceType": "Patient",
            "identifier": identifier,
            "name": [{"family": f"Prov{person}"}],
        }
    return f"a-{number}", {
        "resourceType": "Procedure",
        "identifier": [{"system": "urn:example:ehr", "value": f"a-{number}"}],
        "status": "completed" if act % 5 else "not-done",
        "code": {"coding": [{"system": "urn:oid:1.2.752.116.1.3.2.1.4", "code": "GC001", "display": "Koordinering"}]},
        "subject": {"reference": f"Patient/p-{person}"},
        "performedDateTime": f"2026-{number % 12 + 1:02}-{number % 28 + 1:02}T10:00:00+01:00",
        "note": [{"text": "Möte på arbetsplatsen om anpassade arbetsuppgifter. " * 12}],
    }


def _write(transaction: SqlTransaction, numbers: range) -> None:
    for number in numbers:
        id_, content = _content(number)
        transaction.save(Document(content, orjson.dumps(content)), id_, UNIT)


async def _grown(file: Path, before: int, size: int) -> dict[str, Any]:
    store = SqlStore(file, SystemClock(), parameters.definitions(), index.rows_of)
    try:
        began = time.perf_counter()
        for first in range(before, size, GROUP):
            numbers = range(first, min(first + GROUP, size))
            await store.run(partial(_write, numbers=numbers))
        took = time.perf_counter() - began
        figures = {"resources/s": round((size - before) / took), "bytes each": round(_bytes(file) / size)}
        cost = {name: await _cost(store, asked) for name, asked in ASKED.items()}
        return {f"filled to {size}": figures, f"cost at {size}, µs": cost}
    finally:
        store.close()


def _bytes(file: Path) -> int:
    return file.stat().st_size


async def _cost(store: SqlStore, asked: list[tuple[str, str]]) -> int:
    """The median of what a page takes the database, from the question in words to its rows."""
    scope = Scope(store.numbers, (UNIT, "TSTNMT2321000156-S0001"))
    times = []
    for _ in range(200):
        began = time.perf_counter()
        question = query.page(query.parse("Procedure", asked), scope)
        rows = await store.look(partial(SqlSnapshot.ask, statement=question.text, values=question.values))
        times.append(time.perf_counter() - began)
        if not rows:
            raise SystemExit("a search that should find something finds nothing")
    return round(statistics.median(times) * 1e6)


# Under load


async def _served(home: Path, seconds: float, size: int) -> dict[str, Any]:
    token, port = secrets.token_urlsafe(24), free_port()
    reko = Path(sys.executable).parent / "reko"
    service = subprocess.Popen([reko, "serve"], env=_environment(home, token, port), stderr=subprocess.DEVNULL)
    try:
        await _until_ready(port, service)
        await _load(service.pid, port, _requests(token, size), 16, 1.0, [])  # the first seconds fill the caches
        figures = await _load(service.pid, port, _requests(token, size), 16, seconds, [])
        return {**figures, "resident MB": _resident(service.pid)}
    finally:
        service.terminate()
        service.wait(10)


def _requests(token: str, size: int) -> Iterator[bytes]:
    people = size // (PER_PATIENT + 1)
    for number in range(10**9):
        person = number * 7919 % people
        act = person * (PER_PATIENT + 1) + 1 + number % PER_PATIENT
        by = f"patient=Patient/p-{person}" if number % 2 else f"identifier=urn:example:ehr%7Ca-{act}"
        yield _get(token, f"/fhir/Procedure?{by}&_count=10")


if __name__ == "__main__":
    main()
