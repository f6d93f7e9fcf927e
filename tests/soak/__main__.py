"""`make soak`: the long runs. Resumable: what has been run is added up in a file, and a run goes on where the last one ended.

    make soak ARGS="--part withdrawal-races -n 100000"

Each part is run in rounds, each on a database of its own; the file holds one line a round. Exit 1 when anything was wrong.
"""

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Final

from service.outbox import relay
from tests.soak import withdrawal_races

ROUND: Final = 1000
_MEMORY: Final = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - each home in it is a new, private one
HERE: Final = Path(".reko/soak")


async def _withdrawal_races(home: Path, number: int, seed: int) -> Mapping[str, Any]:
    tally = await withdrawal_races.races(home, number, seed)
    return {"done": tally.races, "outcomes": tally.outcomes, "faults": tally.faults}


PARTS: Final[Mapping[str, tuple[int, Callable[[Path, int, int], Coroutine[Any, Any, Mapping[str, Any]]]]]] = {
    "withdrawal-races": (100_000, _withdrawal_races),
}
"""By name: how many make the long form, and a round of it. A round tells ``done``, ``outcomes`` and ``faults``."""


def main() -> None:
    """Run what was asked for, and say what it came to in all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=[*PARTS], help="one of them; left out: each in turn")
    parser.add_argument("-n", type=int, help="how many in all, what was run before included; left out: the long form")
    parser.add_argument("--fresh", action="store_true", help="begin anew")
    wanted = parser.parse_args()
    relay.IDLE = 0.02  # type: ignore[misc]  # the movable clock rings no bell: look at it often
    names = [wanted.part] if wanted.part else [*PARTS]
    wrong = [_run(name, wanted.n or PARTS[name][0], fresh=wanted.fresh) for name in names]
    sys.exit(1 if any(wrong) else 0)


def _run(name: str, number: int, *, fresh: bool) -> int:
    """The number of faults, in this run and the ones before."""
    file = HERE / f"{name}.jsonl"
    HERE.mkdir(parents=True, exist_ok=True)
    if fresh:
        file.unlink(missing_ok=True)
    began, before = time.monotonic(), _sum(file)["done"]
    while (left := number - _sum(file)["done"]) > 0:
        _add_round(name, min(left, ROUND), file)
    total = _sum(file)
    _tell(f"{name}: {total['done'] - before} in this run ({time.monotonic() - began:.0f} s), {total['done']} in all")
    _tell("  " + ", ".join(f"{kind} {many}" for kind, many in sorted(total["outcomes"].items())))
    _tell(f"  faults: {len(total['faults'])}" + "".join(f"\n    {each}" for each in total["faults"][:20]))
    return len(total["faults"])


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")


def _add_round(name: str, number: int, file: Path) -> None:
    seed = secrets.randbits(32)
    with tempfile.TemporaryDirectory(prefix="reko-soak-", dir=_MEMORY) as home:
        told = asyncio.run(PARTS[name][1](Path(home), number, seed))
    with file.open("a", encoding="utf-8") as rounds:
        rounds.write(json.dumps({"seed": seed, **told}) + "\n")


def _sum(file: Path) -> dict[str, Any]:
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    outcomes: Counter[str] = Counter()
    for line in lines:
        outcomes.update(line["outcomes"])
    return {
        "done": sum(line["done"] for line in lines),
        "outcomes": outcomes,
        "faults": [f"seed {line['seed']}: {each}" for line in lines for each in line["faults"]],
    }


if __name__ == "__main__":
    main()
