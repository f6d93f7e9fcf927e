"""What `reko sjukfall` costs as a whole process, start-up and JSON included. Prints figures with the machine they were taken on;
asserts nothing: `.venv/bin/python bench/sjukfall.py`.

The question file is always the same: 24,000 questions (half of a unit, half of a patient) with 144,000 certificates of one to
four periods, at most twelve a question. ``calibration`` is the CPU time of `orjson.loads` and `dumps` of the same lines in
this process: what a machine's figure is worth beside another's. The national engine (Java) needs 6.8 s CPU for such a file
on another machine.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson
from machine import machine

QUESTIONS: Final = 24_000
CERTIFICATES: Final = 144_000
NATIONAL: Final = 6.8
"""CPU seconds of the national engine, on another machine."""
FIRST: Final = date(2025, 1, 1)
REKO: Final = Path(sys.executable).with_name("reko")


def main() -> None:
    """Make the file, answer it as often as asked, and print the best run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mode", choices=("rehabstod", "corrected"), default="rehabstod")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON object at the end")
    parser.add_argument("--keep", type=Path, help="write the question file here and leave it")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reko-bench-") as home:
        file = wanted.keep or Path(home) / "questions.jsonl"
        with file.open("wb") as lines:
            lines.writelines(questions())
        # The runs come before the calibration: a child's peak memory begins at its parent's.
        runs = [_answered(file, Path(home) / "answers.jsonl", wanted.mode) for _ in range(wanted.runs)]
        figures = {"machine": machine(), "file": _described(file), "calibration": _calibration(file)}
    figures |= {wanted.mode: _judged(min(runs, key=lambda run: run["CPU s"]), figures["calibration"]["CPU s"])}
    for name, part in figures.items():
        print(f"{name:12} " + "  ".join(f"{key} {value}" for key, value in part.items()))
    if wanted.json:
        print(json.dumps(figures))


def _described(file: Path) -> dict[str, Any]:
    return {"questions": QUESTIONS, "certificates": CERTIFICATES, "MB": round(file.stat().st_size / 1e6, 1)}


def _answered(questions_file: Path, answers: Path, mode: str) -> dict[str, Any]:
    """One run of the whole process. ``ru_maxrss`` is the largest child's so far: all are alike."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with questions_file.open("rb") as source, answers.open("wb") as sink:
        subprocess.run([REKO, "sjukfall", "--mode", mode], stdin=source, stdout=sink, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "CPU s": round(cpu, 2),
        "wall s": round(wall, 2),
        "questions/s": round(QUESTIONS / wall),
        "peak MB": round(after.ru_maxrss / 1024),
        "answers": answers.read_bytes().count(b"\n"),
    }


def _judged(run: dict[str, Any], calibration: float) -> dict[str, Any]:
    return run | {
        "of the national 6.8 s": round(run["CPU s"] / NATIONAL, 2),
        "calibrations": round(run["CPU s"] / calibration, 1),
    }


def _calibration(file: Path) -> dict[str, Any]:
    lines = file.read_bytes().splitlines()
    began = time.process_time()
    for line in lines:
        orjson.dumps(orjson.loads(line))
    return {"CPU s": round(time.process_time() - began, 2), "what": "orjson.loads and dumps of the same lines"}


# The file


def questions() -> Iterator[bytes]:
    """The lines, the same each time."""
    chance = Random(3)  # noqa: S311 -- it makes test data
    for number, certificates in enumerate(_sizes(chance)):
        question = {
            "id": number,
            "view": ("enhet", "patient")[number % 2],
            "aktivtDatum": _day(120 + chance.randrange(120)),
            "maxIntygsGlapp": chance.choice([0, 5, 5, 5, 14, 30, 90]),
            "maxAntalDagarSedanSjukfallAvslut": chance.choice([0, 0, 3, 7, 14]),
            "intyg": [_certificate(number, each, chance) for each in range(certificates)],
        }
        yield orjson.dumps(question, option=orjson.OPT_APPEND_NEWLINE)


def _sizes(chance: Random) -> list[int]:
    """How many certificates each question has: 0 to 12, six on average and exactly so in all."""
    sizes = [chance.randint(0, 12) for _ in range(QUESTIONS)]
    while (missing := CERTIFICATES - sum(sizes)) != 0:
        number, step = chance.randrange(QUESTIONS), 1 if missing > 0 else -1
        sizes[number] = min(12, max(0, sizes[number] + step))
    return sizes


def _certificate(question: int, number: int, chance: Random) -> dict[str, Any]:
    start = chance.randrange(300)
    patient = 0 if question % 2 else chance.randrange(3)
    return {
        "id": f"6f2d9a50-{question:08x}-{number:04x}",
        "patientId": f"patient-{question:05}-{patient}",
        "patientNamn": "Exempel Exempelsson",
        "lakareId": f"TSTNMT2321000156-1{chance.randrange(20):03}",
        "lakareNamn": "Läkare Läkarsson",
        "vardenhetId": "TSTNMT2321000156-E0001",
        "vardgivareId": "TSTNMT2321000156-V0001",
        "signeringsTidpunkt": f"{_day(start)}T{chance.randrange(8, 17):02}:{chance.randrange(60):02}:{chance.choice((0, 17, 42)):02}",
        "diagnosKod": chance.choice(["F43.9", "F32.1", "M54.5", "M54.5  Lumbago", "S82.1", "J06.9", "F43.8A"]),
        "biDiagnoser": chance.choice([None, [], ["F41.1"], ["M79.1", "G47.0"]]),
        "sysselsattning": chance.choice([None, ["NUVARANDE_ARBETE"], ["ARBETSSOKANDE", "STUDIER"]]),
        "formagor": list(_periods(start, chance)),
    }


def _periods(start: int, chance: Random) -> Iterator[dict[str, Any]]:
    for degree in chance.sample([100, 75, 50, 25], chance.randint(1, 4)):
        end = start + chance.randrange(28)
        yield {"start": _day(start), "slut": _day(end), "nedsattning": degree}
        start = end + 1


def _day(number: int) -> str:
    return (FIRST + timedelta(number)).isoformat()


if __name__ == "__main__":
    main()
