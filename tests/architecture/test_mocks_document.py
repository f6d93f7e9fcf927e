"""docs/mocks.md does what it says: its examples run as written, its tables are the code's."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from adapters.forsakringskassan.mock_officer import SCRIPTS
from adapters.mocking.faults import CATALOGUE
from adapters.mocking.people import PEOPLE
from adapters.sdk.mock_parties import PARTIES
from adapters.sdk.mock_party_rules import RULES
from service.mock_pytest import RekoMock
from service.mock_world import TITLES

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs/mocks.md").read_text(encoding="utf-8")


def block(language: str, number: int = 0) -> str:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return found[number]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def test_a_foreign_client_is_tested_as_the_document_says(reko_mock_server: str, tmp_path: Path) -> None:
    """What each print says stands behind it as a comment."""
    code = block("python")
    assert "adapters" not in code
    assert "service" not in code
    file = tmp_path / "client.py"
    file.write_text(code.replace("http://127.0.0.1:8090", reko_mock_server), encoding="utf-8")
    told = run(file, cwd=tmp_path)
    assert told.returncode == 0, told.stderr
    promised = [words.split(":")[0].split(";")[0] for words in re.findall(r"^print\(.*\)  # (.+)$", code, re.MULTILINE)]
    assert len(promised) == 5
    assert told.stdout.splitlines() == promised


def test_the_plugin_is_used_as_the_document_says(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(block("python", 1), encoding="utf-8")
    told = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "1 passed" in told.stdout, told.stdout


def test_the_plugin_fails_a_test_for_what_was_not_consented(tmp_path: Path) -> None:
    number = next(iter(PEOPLE))
    (tmp_path / "test_it.py").write_text(
        f"""import httpx

def test_told_too_much(reko_mock):
    reko_mock.ask("PUT", "spy", [{{"person": "{number}", "categories": []}}])
    httpx.post(reko_mock.url("regional_platform") + "/events", content="{number} F438", trust_env=False)
""",
        encoding="utf-8",
    )
    told = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "1 passed, 1 error" in told.stdout, told.stdout
    assert '"category":"diagnosis"' in told.stdout


def test_the_plugin_costs_nothing_until_it_is_asked_for() -> None:
    asked = "import sys, service.mock_pytest; print([n for n in ('starlette', 'lxml', 'httpx') if n in sys.modules])"
    assert run("-c", asked, cwd=ROOT).stdout.strip() == "[]"


def test_the_scenario_can_be_played(reko_mock: RekoMock, tmp_path: Path) -> None:
    import asyncio

    from adapters.mocking.scenario import play, read
    from service.clock import MovableClock
    from service.mock_world import MockWorld

    (tmp_path / "s.toml").write_text(block("toml"), encoding="utf-8")
    world = MockWorld(MovableClock())
    asyncio.run(play(world.app(), read(tmp_path / "s.toml")))
    assert [fault.name for fault in world.counterparts["regional_platform"].room("demo").waiting] == ["busy"]
    assert world.counterparts["municipality"].room("demo").state["orders"].script == "sip"


@pytest.mark.parametrize("names", [CATALOGUE, SCRIPTS], ids=["faults", "scripts"])
def test_every_name_stands_with_its_person(names: dict[str, object]) -> None:
    stated = dict(re.findall(r"^\| `([\w-]+)` \|.* (\d{12}|alone) \|$", TEXT, re.MULTILINE))
    people = {person.fault or person.script: person.number for person in PEOPLE.values()}
    assert {name: stated[name] for name in names} == {name: people.get(name, "alone") for name in names}


def test_every_script_and_rule_of_a_party_stands_there() -> None:
    chapter = TEXT.partition("## Parties' scripts")[2].partition("## Faults")[0]
    for name, party in PARTIES.items():
        assert f"`{name}`" in chapter
        assert {script for script in party.scripts if f"`{script}`" not in chapter} == set()
        assert f"`{party.organisation}`" in TEXT
    stated = re.findall(r"`([A-Z_]+)`", chapter)
    assert stated == ["TOO_LARGE", "UNREADABLE", "SCHEMA", *(rule.rule for rule in RULES)]


def test_every_counterpart_stands_with_its_differences() -> None:
    assert set(re.findall(r"^\| `/(\w+)` \|", TEXT, re.MULTILINE)) == set(TITLES)


def test_every_path_of_control_that_is_named_exists(reko_mock: RekoMock) -> None:
    known = reko_mock.ask("GET", "openapi.json")["paths"]
    named = set(re.findall(r"`(?:GET|PUT|POST|DELETE)? ?(/_control/[\w/{}.]+)", TEXT))
    assert len(named) > 12
    assert named <= known.keys()
