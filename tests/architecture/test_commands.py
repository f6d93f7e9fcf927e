"""The commands of the house, as a newcomer meets them."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
FIXED: Final = [
    "setup",
    "run",
    "test",
    "check",
    "fmt",
    "lint",
    "types",
    "imports",
    "approve",
    "generate",
    "verify",
    "bench",
    "soak",
    "conformance",
    "mock",
]
"""Names that others call."""


def _make(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    # The make that runs these tests must not talk to the one that they run.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=cwd,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_make_alone_lists_every_command_with_a_line() -> None:
    told = _make()
    listed = dict(re.findall(r"^([a-z]+) +(\S.*)$", told.stdout, re.MULTILINE))
    assert told.returncode == 0
    assert set(FIXED) <= set(listed)
    assert set(listed) == set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_a_soak_goes_on_where_it_ended(tmp_path: Path) -> None:
    def soak(number: int) -> str:
        run = [sys.executable, "-m", "tests.soak.run", "withdrawal-races", "-n", str(number)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        told = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
        return told.stdout

    assert "slice 1, 5 of 5" in soak(5)
    assert "slice 2, 8 of 8" in soak(8)
    assert "all 2 slices" in soak(8)


def test_an_old_python_is_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    """A machine on which every Python is too old."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14", "python"):
        (tools / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    told = _make("setup", cwd=tmp_path, PATH=f"{tools}:{os.environ['PATH']}")
    assert told.returncode == 2
    assert "needs Python 3.11 or newer" in told.stdout
    assert not (tmp_path / ".venv").exists()


def test_ci_runs_the_tests_and_hides_nothing() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    lines = [line for line in script.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    assert lines[0] == "set -euo pipefail"
    assert lines[-1] == "exec make --no-print-directory test"
    assert not [line for line in lines if "||" in line or "2>/dev/null" in line]


def test_the_last_thing_that_make_test_does_is_run_the_tests() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^test: check ", makefile, re.MULTILINE)
    assert re.search(r"^check: lint types imports verify ", makefile, re.MULTILINE)
