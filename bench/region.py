"""What a whole region costs: every unit pulled end to end, by `reko serve` with a timetable, from `reko mock` with generated
units, each in a process of its own. Prints figures with the machine they were taken on; asserts nothing. Run it with
``python bench/region.py``; the full size takes several minutes.

first       all units for the first time: every certificate becomes its resources
again       an hour later: nothing has changed
memory      peak of the service's process so far
ready       the slowest and the median answer of /health/ready meanwhile, which waits for the one writer
"""

import argparse
import json
import os
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from machine import free_port, machine

from service.security import token_hash

HOST: Final = "127.0.0.1"
UNITS_OF_A_PROVIDER: Final = 25
"""As the mock generates them."""
REKO: Final = Path(sys.executable).with_name("reko")


def main() -> None:
    """Generate, pull, pull again."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=500)
    parser.add_argument("--patients", type=int, default=100, help="on each unit")
    parser.add_argument("--slots", type=int, default=4, help="units pulled at a time")
    parser.add_argument("--json", action="store_true", help="one JSON object at the end")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        figures = {"machine": machine(), **_region(Path(home), wanted)}
    for name, part in figures.items():
        print(f"{name:10} " + "  ".join(f"{key} {value}" for key, value in part.items()))
    if wanted.json:
        print(json.dumps(figures))


def _region(home: Path, wanted: argparse.Namespace) -> dict[str, Any]:
    port, mock_port, token = free_port(), free_port(), secrets.token_urlsafe(32)
    settings = _settings(home, wanted, port, mock_port, token)
    mocks = f"http://{HOST}:{mock_port}"
    generated = ("--units", str(wanted.units), "--patients", str(wanted.patients))
    with _running({}, "mock", "--port", str(mock_port), *generated), httpx.Client(base_url=mocks) as world:
        _wait(world, "/_control/clock")
        began = time.perf_counter()
        with _running(settings, "serve") as service, httpx.Client(base_url=f"http://{HOST}:{port}") as client:
            _wait(client, "/health/ready")
            first = _round(home, client, wanted.units, 1, began)
            world.put("/_control/clock", json={"advance": "PT1H"}).raise_for_status()
            again = _round(home, client, wanted.units, 2, time.perf_counter())
            rounds = (("first", first), ("again", again))
            figures = {f"{name} {part}": told for name, parts in rounds for part, told in parts.items()}
            return figures | {"memory": {"peak MB": _peak(service.pid)}}


def _settings(home: Path, wanted: argparse.Namespace, port: int, mock_port: int, token: str) -> dict[str, str]:
    units, clients = home / "units.toml", home / "clients.toml"
    entries = (
        f'[[unit]]\ncare_unit = "SE1111111111-E{number:04}"\n'
        f'care_provider = "SE1111111111-V{(number - 1) // UNITS_OF_A_PROVIDER + 1:03}"\n'
        for number in range(1, wanted.units + 1)
    )
    units.write_text('actor = "SE1111111111-F001"\n' + "".join(entries), encoding="utf-8")
    clients.write_text(
        f'[[client]]\ntoken_sha256 = "{token_hash(token)}"\nemployee = "SE1111111111-P001"\ncommission = "bench"\n'
        'care_unit = "SE1111111111-E0001"\ncare_provider = "SE1111111111-V001"\nrights = ["sick-leave.pull"]\n',
        encoding="utf-8",
    )
    return {
        "REKO_DATA": str(home),
        "REKO_PORT": str(port),
        "REKO_UNITS": str(units),
        "REKO_CLIENTS": str(clients),
        "REKO_PULL_SLOTS": str(wanted.slots),
        "REKO_CLOCK_URL": f"http://{HOST}:{mock_port}/_control/clock",
        "REKO_ADAPTERS__INTYGSTJANST__URL": f"http://{HOST}:{mock_port}/intygstjanst",
    }


def _round(home: Path, client: httpx.Client, units: int, pulls: int, began: float) -> dict[str, Any]:
    """Until each unit has had so many pulls, asking meanwhile how soon the writer answers."""
    waits: list[float] = []
    while _done(home, pulls) < units:
        asked = time.perf_counter()
        client.get("/health/ready")
        waits.append(time.perf_counter() - asked)
        time.sleep(0.1)
    seconds = time.perf_counter() - began
    return {
        "": {"s": f"{seconds:.1f}", "units/s": f"{units / seconds:.1f}", **_stored(home)},
        "ready": {"median ms": f"{statistics.median(waits) * 1000:.1f}", "slowest ms": f"{max(waits) * 1000:.1f}"},
    }


def _done(home: Path, pulls: int) -> int:
    """Units that have had so many pulls."""
    had = f"SELECT unit FROM pull WHERE state = 'done' GROUP BY unit HAVING count(*) >= {pulls}"  # noqa: S608 - a number
    return _count(home, f"SELECT count(*) FROM ({had})")  # noqa: S608


def _stored(home: Path) -> dict[str, int]:
    tables: Sequence[tuple[str, str]] = (
        ("patients", "SELECT count(DISTINCT patient) FROM certificate"),
        ("certificates", "SELECT count(*) FROM certificate"),
        ("versions", "SELECT count(*) FROM history"),
        ("failed", "SELECT count(*) FROM pull WHERE state = 'failed'"),
    )
    return {name: _count(home, statement) for name, statement in tables}


def _count(home: Path, statement: str) -> int:
    with closing(sqlite3.connect(f"file:{home / 'reko.db'}?mode=ro", uri=True, timeout=30)) as connection:
        return int(connection.execute(statement).fetchone()[0])


@contextmanager
def _running(settings: dict[str, str], *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([REKO, *command], env=os.environ | settings, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _wait(client: httpx.Client, path: str) -> None:
    for _ in range(1200):
        try:
            if client.get(path).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit("it does not come up")


def _peak(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) // 1024


if __name__ == "__main__":
    main()
