"""What taking in the feed costs: an answer by care unit, parsed, judged and staged. Prints figures with the machine they were
taken on; asserts nothing. Run it with ``python bench/feed.py``; there are lines for each way of answering ("valid", "real").

read        the whole answer through the reader, in pieces of 64 KB
staged      the same, and staged in a database on disk, piece by piece, until the pull is sealed
bare        the same bytes parsed by lxml at once and checked against the schema, and how many times as long the others
            take. Of a real answer the check sees little: it gives up at the first fault, and such answers break their
            schema from the start
memory      by how much the peak of the process grows while the answer streams from a file into the staging table, and
            one ten times as long

Each measurement has a process of its own, as a pull meets it; seconds are of CPU, the smallest of the rounds. ``warm`` is the
ratio in one process that does both again and again, where the bare way gets its memory back without asking for it.
"""

import argparse
import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

from lxml import etree
from machine import machine

from adapters import soap
from adapters.intygstjanst import answers, wire
from adapters.intygstjanst.answers import Mode
from adapters.intygstjanst.population import generate
from adapters.intygstjanst.reader import AnswerReader
from contracts.identity import HsaId
from contracts.record import Caller
from contracts.sick_leave import Judged
from service.clock import SystemClock
from service.store.store import SqlStore
from service.usecases import follow_sick_leaves

UNIT: Final = HsaId("SE1111111111-E001")
PROVIDER: Final = HsaId("SE1111111111-V001")
TODAY: Final = date(2026, 3, 2)
MODES: Final[tuple[Mode, ...]] = ("valid", "real")
CHUNK: Final = 64 * 1024
OF_A_PATIENT: Final = 2
"""Certificates, fewer than there are on average."""


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--certificates", type=int, default=10_000, help="in the answer")
    parser.add_argument("--rounds", type=int, default=7, help="of each measurement")
    parser.add_argument("--json", action="store_true", help="one JSON object at the end")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.part:
        name, answer = wanted.part
        print(PARTS[name](Path(answer)))
        return
    figures = _measured(wanted.certificates, wanted.rounds)
    for name, part in figures.items():
        print(f"{name:14} " + "  ".join(f"{key} {value}" for key, value in part.items()))
    if wanted.json:
        print(json.dumps(figures))


def _measured(count: int, rounds: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"machine": machine()}
    certificates = generate(1, UNIT, PROVIDER, count // OF_A_PATIENT, TODAY)[:count]
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        for mode in MODES:
            answer, long = Path(home) / "answer.xml", Path(home) / "long.xml"
            body = b"".join(answers.certificates(wire.CARE_UNIT, certificates, mode))
            answer.write_bytes(body)
            long.write_bytes(_repeated(body, 10))
            figures |= {f"{mode} {name}": part for name, part in _of(answer, long, len(certificates), rounds).items()}
    return figures


def _of(answer: Path, long: Path, certificates: int, rounds: int) -> dict[str, Any]:
    turns = [[_in_a_process(part, answer) for part in ("read", "staged", "bare")] for _ in range(rounds)]
    read, staged, bare = map(min, zip(*turns, strict=True))
    ratio = {"read/bare": f"{read / bare:.2f}", "staged/bare": f"{staged / bare:.2f}"}
    ratio["warm read/bare"] = f"{_in_a_process('warm', answer):.2f}"
    growth = {certificates: answer, certificates * 10: long}
    return {
        "read": _speed(read, answer, certificates),
        "staged": _speed(staged, answer, certificates),
        "bare": {**_speed(bare, answer, certificates), **ratio},
        "memory": {f"MB for {count}": f"{_in_a_process('memory', file):.1f}" for count, file in growth.items()},
    }


def _speed(seconds: float, answer: Path, certificates: int) -> dict[str, Any]:
    return {
        "s": f"{seconds:.3f}",
        "MB/s": f"{answer.stat().st_size / seconds / 1e6:.1f}",
        "µs each": f"{seconds / certificates * 1e6:.1f}",
    }


def _repeated(body: bytes, times: int) -> bytes:
    """The answer with its records so many times over, each time with other ids."""
    begin, end = body.index(b"<c:intygsData>"), body.index(b"</r:intygsLista>")
    records = (re.sub(rb"(<c:intygsId>).{8}", rb"\g<1>%08x" % turn, body[begin:end]) for turn in range(times))
    return body[:begin] + b"".join(records) + body[end:]


def _in_a_process(part: str, answer: Path) -> float:
    command = [sys.executable, __file__, "--part", part, str(answer)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


# What a process measures


def _read(body: bytes) -> int:
    reader = AnswerReader(wire.CARE_UNIT)
    found = sum(len(reader.feed(body[start : start + CHUNK])) for start in range(0, len(body), CHUNK))
    return found + len(reader.close())


def _staged(answer: Path) -> float:
    """Seconds, on a database that is open; the answer comes in pieces, as the adapter hands them on."""
    body = answer.read_bytes()
    return asyncio.run(_with_store(body[start : start + CHUNK] for start in range(0, len(body), CHUNK)))


async def _with_store(pieces: Iterable[bytes]) -> float:
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        store = SqlStore(Path(home) / "reko.db", SystemClock(), {}, lambda _, __: {})
        began = time.process_time()
        await _stage(pieces, store)
        seconds = time.process_time() - began
        store.close()
        return seconds


async def _stage(pieces: Iterable[bytes], store: SqlStore) -> None:
    caller = Caller(UNIT, "bench", UNIT, PROVIDER, frozenset())
    pull = await store.run(lambda transaction: transaction.pulls.begin(caller, 14))
    await follow_sick_leaves.stage(store, pull, _judged(pieces))
    await store.run(lambda transaction: transaction.pulls.seal(pull.number))


async def _judged(pieces: Iterable[bytes]) -> AsyncIterator[Judged]:
    reader = AnswerReader(wire.CARE_UNIT)
    for piece in pieces:
        if found := reader.feed(piece):
            yield found
    yield reader.close()


def _bare(body: bytes) -> bool:
    envelope = etree.fromstring(body)
    return soap.schema(wire.CARE_UNIT.schema).validate(envelope[0][0])


def _seconds(work: Callable[[bytes], object]) -> Callable[[Path], float]:
    def measure(answer: Path) -> float:
        body = answer.read_bytes()
        soap.schema(wire.CARE_UNIT.schema)
        return _time(work, body)

    return measure


def _time(work: Callable[[bytes], object], body: bytes) -> float:
    began = time.process_time()
    work(body)
    return time.process_time() - began


def _warm(answer: Path) -> float:
    body = answer.read_bytes()
    return statistics.median(_time(_read, body) / _time(_bare, body) for _ in range(10))


def _memory(answer: Path) -> float:
    """Megabytes above the peak that a first small answer has left."""
    small = b"".join(answers.certificates(wire.CARE_UNIT, generate(1, UNIT, PROVIDER, 100, TODAY), "valid"))
    asyncio.run(_with_store([small]))
    before = _peak()
    asyncio.run(_with_store(_chunks(answer)))
    return (_peak() - before) / 1024


def _chunks(answer: Path) -> Iterator[bytes]:
    with answer.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _peak() -> int:
    """In KB, of this program alone: ``getrusage`` would also tell of the one that started it."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))


PARTS: Final[Mapping[str, Callable[[Path], float]]] = {
    "read": _seconds(_read),
    "staged": _staged,
    "bare": _seconds(_bare),
    "warm": _warm,
    "memory": _memory,
}

if __name__ == "__main__":
    main()
