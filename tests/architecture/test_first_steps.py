"""The README's first steps, taken as they stand there, against `reko up`."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 90.0
"""Seconds for the sample scenario."""


@dataclass(frozen=True)
class Shown:
    """What `reko up` printed when it had played its scenario."""

    text: str

    def address(self, heading: str) -> str:
        """The scheme, host and port behind a heading."""
        found = re.search(rf"^{heading} +(http://[\d.:]+)", self.text, re.MULTILINE)
        assert found is not None, self.text
        return found[1]

    @property
    def token(self) -> str:
        """The token that lets callers in."""
        return str(re.findall(r"^Token +(\S+)$", self.text, re.MULTILINE)[0])


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A running service, on ports of its own."""
    told = tmp_path_factory.mktemp("up") / "told"
    reko = Path(sys.executable).parent / "reko"
    with told.open("wb") as output:
        process = subprocess.Popen([reko, "up", "--port", "0", "--mock-port", "0"], stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + PATIENCE
        while "Ctrl-C stops." not in told.read_text(encoding="utf-8"):
            assert process.poll() is None, told.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, told.read_text(encoding="utf-8")
            time.sleep(0.1)
        yield Shown(told.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        process.wait(timeout=30)


def _steps() -> str:
    (block,) = re.findall(
        r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(block)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the steps are written for curl")
def test_the_first_steps_lead_where_they_say(shown: Shown) -> None:
    steps = _steps()
    for here, there in (
        ("TOKEN=...", f"TOKEN={shown.token}"),
        ("http://127.0.0.1:8080", shown.address("FHIR")),
        ("http://127.0.0.1:8090", shown.address("Mock world")),
    ):
        assert here in steps
        steps = steps.replace(here, there)
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", steps], capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("HTTP/1.1 201 Created")
    for expected in (
        '"code":"GC001"',
        '"code":"ZV506"',
        '"rule": "kva-employer-contact"',
        '"state":"withheld"',
        '"accepted"',
    ):
        assert expected in told.stdout


def test_what_the_readme_shows_of_make_run_is_what_is_printed(shown: Shown) -> None:
    """Shortened, but not invented: the lines that end in no dots stand there word for word."""
    (sample,) = re.findall(
        r"\n```text\n(sick leaves.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    wanted = [line.strip() for line in sample.splitlines() if line.strip().startswith(("sick", "[", "in:", "Ctrl-C"))]
    assert len(wanted) >= 7
    assert not [line for line in wanted if line not in shown.text]
