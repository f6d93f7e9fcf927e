"""Scenario files: the control surface's own words as TOML."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.mocking.control import routes
from adapters.mocking.control_rows import ROWS
from adapters.mocking.people import PEOPLE
from adapters.mocking.scenario import BadScenario, play, read
from adapters.mocking.world import World
from tests.unit.adapters.mocking.conftest import Clock, echo

NUMBER = next(iter(PEOPLE))


@pytest.fixture
def app(world: World) -> Starlette:
    mounts = [Mount(f"/{name}", echo(each)) for name, each in world.counterparts.items()]
    return Starlette(routes=[*routes(world, ROWS), *mounts])


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "scenario.toml"
    file.write_text(text, encoding="utf-8")
    return file


async def test_a_scenario_is_set_up(tmp_path: Path, app: Starlette, world: World, clock: Clock) -> None:
    text = f"""
    namespace = "n"
    people = [{{number = "{NUMBER}", fault = "VP002"}}]

    [clock]
    now = 2030-01-02T03:04:05Z

    [validation.echo]
    schema = "warn"

    [[faults.echo]]
    name = "VP009"
    times = 2

    [[faults.other]]
    kind = "http"
    status = 418
    """
    await play(app, read(written(tmp_path, text)))
    assert world.times.at("n").isoformat() == "2030-01-02T03:04:05+00:00"
    assert world.times.at("") == clock.now()
    assert [fault.name for fault in world.counterpart("echo").room("n").waiting] == ["VP009"]
    assert world.counterpart("other").room("n").waiting[0].status == 418
    assert world.counterpart("echo").room().waiting == []
    assert world.counterpart("echo").validation(world.counterpart("echo").room("n")).schema_ == "warn"
    assert world.around.people[NUMBER].name == "VP002"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[nonsense]", "there is no part of that name; there are clock"),
        ("[faults.nobody]\nname = 'ok'", "/faults/nobody: there is no such system"),
        ("[[faults.echo]]\nname = 'no-such'", "/faults/echo: there is no fault of that name"),
        ("[[people]]\nnumber = '123'\nfault = 'ok'", "/people:"),
        ("namespace = 1", "namespace is no text"),
        ("= broken", "is no TOML"),
    ],
)
async def test_a_wrong_scenario_says_where(tmp_path: Path, app: Starlette, text: str, told: str) -> None:
    with pytest.raises(BadScenario, match=told):
        await play(app, read(written(tmp_path, text)))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="cannot be read"):
        read(tmp_path / "none.toml")
