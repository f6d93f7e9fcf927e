"""`make soak`: long runs under faults, in parts that can be broken off and taken up again.

    make soak                            every part, as far as N says
    make soak N=1000 ARGS=kills          a part until it has come to 1,000, counted over all runs
    make soak ARGS="--fresh"             forget what was summed before

Each slice is a new service on a new database, with a seed of its own that the state file keeps and the line tells. A slice
that was broken off counts for nothing. Exit code 1 when something that must be nothing is not.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import uvloop

from service.outbox import relay
from tests.soak import withdrawal_races
from tests.soak.processes import disk, faults, kills, messages, stops
from tests.soak.replicas import database_restarts, replica_kills, replica_messages, replica_stops, rolling_restarts
from tests.soak.storm import storm
from tests.soak.world import MUST_BE_NOTHING

Sums = dict[str, int]


@dataclass(frozen=True, slots=True)
class Part:
    """``play`` takes a folder, a seed and how many; ``slice`` is how many it takes at a time, ``long`` its long form.
    ``counts`` names the sum that tells how far a slice came, where it may come further than it was asked to."""

    play: Callable[[Path, int, int], Awaitable[Sums]]
    slice: int
    long: int
    counts: str = ""


async def _withdrawal_races(home: Path, seed: int, number: int) -> Sums:
    relay.IDLE = 0.02  # type: ignore[misc]  # the movable clock rings no bell: look at it often
    tally = await withdrawal_races.races(home, number, seed)
    for each in tally.faults:
        print(f"  seed {seed}: {each}")
    return {**tally.outcomes, "untrue answers": len(tally.faults)}


PARTS: Final = {
    "withdrawal-races": Part(_withdrawal_races, 1000, 100_000),
    "kills": Part(kills, 50, 1000),
    "messages": Part(messages, 20_000, 1_000_000, counts="messages"),
    "stops": Part(stops, 20, 500),
    "disk": Part(disk, 20, 200),
    "faults": Part(faults, 1, 20),
    "storm": Part(storm, 100_000, 100_000),
    "replica-kills": Part(replica_kills, 50, 1000),
    "replica-messages": Part(replica_messages, 20_000, 1_000_000, counts="messages"),
    "replica-stops": Part(replica_stops, 20, 500),
    "database-restarts": Part(database_restarts, 20, 200),
    "rolling-restarts": Part(rolling_restarts, 5, 50),
}


def bad(sums: Sums) -> Sums:
    """What must be nothing and is not."""
    return {name: sums[name] for name in (*MUST_BE_NOTHING, "above twice the mean", "untrue answers") if sums.get(name)}


def main(arguments: Iterable[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="all of them, if none is named")
    parser.add_argument("-n", type=int, default=0, help="how far; 0 is each part's long form")
    parser.add_argument("--state", type=Path, default=Path(".reko/soak.json"), help="where the sums are kept")
    parser.add_argument("--fresh", action="store_true", help="begin anew")
    asked = parser.parse_args(None if arguments is None else list(arguments))
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    state: dict[str, Any] = {} if asked.fresh or not asked.state.exists() else json.loads(asked.state.read_text())
    wrong = [_play(name, asked.n or PARTS[name].long, state, asked.state) for name in asked.parts or PARTS]
    return 1 if any(wrong) else 0


def _play(name: str, wanted: int, state: dict[str, Any], file: Path) -> Sums:
    part = PARTS[name]
    kept = state.setdefault(name, {"done": 0, "slices": 0, "seconds": 0.0, "sums": {}})
    while kept["done"] < wanted:
        number, seed, began = min(part.slice, wanted - kept["done"]), kept["slices"] + 1, time.monotonic()
        with tempfile.TemporaryDirectory(prefix="reko-soak-") as home:
            sums = uvloop.run(_as_made(part, Path(home), seed, number))
        kept["done"], kept["slices"] = kept["done"] + (sums[part.counts] if part.counts else number), seed
        kept["seconds"] += time.monotonic() - began
        names = dict.fromkeys([*kept["sums"], *sums])
        kept["sums"] = {each: kept["sums"].get(each, 0) + sums.get(each, 0) for each in names}
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(state, indent=1))
        _tell(f"{name}: slice {seed}, {kept['done']} of {wanted}", sums)
    _tell(f"{name}: all {kept['slices']} slices, {kept['seconds']:.0f} s", kept["sums"])
    return bad(kept["sums"])


async def _as_made(part: Part, home: Path, seed: int, number: int) -> Sums:
    return await part.play(home, seed, number)


def _tell(title: str, sums: Sums) -> None:
    print(f"{title}: " + ", ".join(f"{value} {name}" for name, value in sums.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
