"""The soak in a form that is bounded; `make soak` runs the long one."""

import json
import tempfile
from pathlib import Path
from typing import Final

import pytest

from tests.postgres import MISSING, binaries
from tests.soak import run
from tests.soak.run import PARTS, bad

pytestmark = pytest.mark.anyio

MEMORY: Final = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - each home in it is a new, private one
BOUNDED: Final = {"kills": 50, "stops": 3, "disk": 3, "faults": 1, "storm": 3000}
"""The races have tests of their own."""
ON_POSTGRES: Final = {"replica-kills": 4, "replica-stops": 1, "database-restarts": 2}
"""Rolling restarts are in ``tests/architecture/test_composed.py``, of the processes that compose starts."""


@pytest.mark.skipif(binaries() is None, reason=MISSING)
@pytest.mark.parametrize("name", ON_POSTGRES)
async def test_nothing_is_lost_doubled_or_out_of_order_between_replicas(name: str) -> None:
    with tempfile.TemporaryDirectory() as home:
        sums = await PARTS[name].play(Path(home), 1, ON_POSTGRES[name])
    assert not bad(sums), sums
    assert sums["messages"] > 0


@pytest.mark.parametrize("name", BOUNDED)
async def test_nothing_is_lost_doubled_or_out_of_order(name: str) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as home:
        sums = await PARTS[name].play(Path(home), 1, BOUNDED[name])
    assert not bad(sums), sums
    assert sums["messages"] >= BOUNDED[name]


def test_parts_are_taken_up_where_they_were_and_summed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played: list[tuple[int, int]] = []

    async def play(_: Path, seed: int, number: int) -> dict[str, int]:
        played.append((seed, number))
        return {"messages": number, "lost": int(seed == 3)}

    monkeypatch.setattr(run, "PARTS", {"kills": run.Part(play, 4, 100)})
    state = tmp_path / "state" / "soak.json"
    assert run.main(["kills", "-n", "6", "--state", str(state)]) == 0
    assert run.main(["-n", "6", "--state", str(state)]) == 0
    assert run.main(["-n", "10", "--state", str(state)]) == 1, "one was lost in the third slice"
    assert played == [(1, 4), (2, 2), (3, 4)]
    assert json.loads(state.read_text())["kills"]["sums"] == {"messages": 10, "lost": 1}
    assert "kills: all 3 slices" in capsys.readouterr().out.splitlines()[-1]
    assert run.main(["-n", "1", "--fresh", "--state", str(state)]) == 0


def test_a_part_that_counts_messages_ends_when_so_many_have_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slice makes more of them than it waits for: callers go on, and what waits is drained."""
    asked: list[int] = []

    async def play(_: Path, _seed: int, number: int) -> dict[str, int]:
        asked.append(number)
        return {"messages": number + 3}

    monkeypatch.setattr(run, "PARTS", {"messages": run.Part(play, 4, 12, counts="messages")})
    state = tmp_path / "soak.json"
    assert run.main(["--state", str(state)]) == 0
    assert asked == [4, 4]
    assert json.loads(state.read_text())["messages"]["done"] == 14
