"""`make bench`: the main job at a steady rate of arrivals, whether or not the service keeps up (an open loop).

A wait counts from when its request was due: a service that falls behind shows it there. ``--rate`` Procedures a second
over 64 connections, each coded, decided, logged, promised and durable before its answer.
"""

import argparse
import asyncio
import secrets
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import Any, Final

from machine import free_port, machine
from run import HOST, _answer, _apart, _environment, _patient, _post, _processor, _until_ready

CONNECTIONS: Final = 64


def main() -> None:
    """Serve, and let the requests come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=int, default=1000, help="arrivals a second")
    parser.add_argument("--seconds", type=float, default=8.0)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        figures = {"machine": machine(), "open loop": asyncio.run(_served(Path(home), wanted.rate, wanted.seconds))}
    for name, part in figures.items():
        print(f"{name:12} " + "  ".join(f"{key} {value}" for key, value in part.items()))


async def _served(home: Path, rate: int, seconds: float) -> dict[str, Any]:
    token, port = secrets.token_urlsafe(24), free_port()
    reko = Path(sys.executable).parent / "reko"
    service = subprocess.Popen([reko, "serve"], env=_environment(home, token, port), stderr=subprocess.DEVNULL)
    _apart(service.pid)
    try:
        await _until_ready(port, service)
        patients = [await _patient(port, token) for _ in range(50)]
        requests = (_post(token, patients[number % 50], f"o-{number}") for number in count())
        made = [next(requests) for _ in range(int(rate * seconds))]
        used = _processor(service.pid)
        waits = sorted(await _waits(port, made, rate))
        return {
            "cpu µs": round((_processor(service.pid) - used) / len(waits) * 1e6),
            "arrivals/s": rate,
            "p50 ms": f"{waits[len(waits) // 2] * 1e3:.1f}",
            "p99 ms": f"{waits[len(waits) * 99 // 100] * 1e3:.1f}",
        }
    finally:
        service.terminate()
        service.wait(10)


async def _waits(port: int, made: list[bytes], rate: int) -> list[float]:
    """From when each was due to its answer, in seconds."""
    coming: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()
    waits: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(HOST, port)
        while (arrived := await coming.get()) is not None:
            due, request = arrived
            writer.write(request)
            status, _, _ = await _answer(reader)
            waits.append(time.perf_counter() - due)
            if status != 201:
                raise SystemExit(f"the service answered {status}")
        writer.close()

    serving = [asyncio.create_task(connection()) for _ in range(CONNECTIONS)]
    began = time.perf_counter()
    for number, request in enumerate(made):
        due = began + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        coming.put_nowait((due, request))
    for _ in serving:
        coming.put_nowait(None)
    await asyncio.gather(*serving)
    return waits


if __name__ == "__main__":
    main()
