"""``reko up --once`` as a newcomer runs it: exit 0 with everything as expected, 1 when an outcome is missing."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, Final

import pytest
from typer.testing import CliRunner

from service import scenario
from service.cli import app

Json = dict[str, Any]

UP: Final = ("up", "--once", "--json", "--port", "0", "--mock-port", "0")


@pytest.fixture(scope="module", autouse=True)
def whole() -> Iterator["subprocess.Popen[str]"]:
    """The whole scenario, begun before the other tests of the module: most of its time is waiting."""
    command = [sys.executable, "-c", "from service.cli import main; main()", *UP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        yield running
        running.kill()


@pytest.mark.usefixtures("own_logging")
def test_a_missing_outcome_is_told_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sixth case is expected to be coded: the employer did not answer, so it is not."""
    case = scenario.cases()[5]
    case.expected = scenario.Expected(("GC001",), {})
    monkeypatch.setattr(scenario, "cases", lambda: [case])
    run = CliRunner().invoke(app, UP)
    assert run.exit_code == 1
    (line,) = run.stdout.splitlines()
    assert json.loads(line)["ok"] is False
    assert "case 6: codes (), expected ('GC001',)" in run.stderr
    assert "✗" in run.stderr


@pytest.mark.usefixtures("own_logging")
def test_a_step_that_is_refused_is_told_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    case = scenario.cases()[5]
    case.name = "\x00"
    monkeypatch.setattr(scenario, "cases", lambda: [case])
    run = CliRunner().invoke(app, UP)
    assert run.exit_code == 1
    assert json.loads(run.stdout.splitlines()[-1]) == {"ok": False, "patients": []}
    assert "the scenario stopped: POST /fhir/Patient: 400" in run.stderr


def test_everything_comes_out_as_expected(whole: "subprocess.Popen[str]") -> None:
    printed, told = whole.communicate(timeout=90)
    assert whole.returncode == 0, told
    (line,) = printed.splitlines()
    result = json.loads(line)
    assert result["ok"] is True
    patients = result["patients"]
    assert [patient["case"] for patient in patients] == [1, 2, 3, 4, 5, 6]
    for patient in patients:
        assert set(patient) == {"case", "codes", "decisions", "deliveries"}
        assert all(set(each) == {"recipient", "permitted", "reasons"} for each in patient["decisions"])
        assert all(set(each) == {"destination", "state", "ledger"} for each in patient["deliveries"])

    to_fk = {
        patient["case"]: (delivery["state"], delivery["ledger"])
        for patient in patients
        for delivery in patient["deliveries"]
        if delivery["destination"] == "forsakringskassan"
    }
    assert to_fk == {
        1: ("delivered", 1),
        2: ("withheld", 0),
        3: ("withheld", 0),
        4: ("delivered", 1),
        5: ("needs-other-channel", 0),
    }
    codes = {patient["case"]: set(patient["codes"]) for patient in patients}
    assert codes[1] == {"GC001", "ZV506", "DV077"}
    assert codes[6] == set()
    (denied,) = [each for each in patients[1]["decisions"] if not each["permitted"]]
    assert denied == {"recipient": "forsakringskassan", "permitted": False, "reasons": ["no-consent"]}
    for words in ("sick leaves pulled for the unit", "[4] David Exempel", "try 3", "What came in, what was coded", "✓"):
        assert words in told
