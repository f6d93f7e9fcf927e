"""What is in the repository."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def committed() -> Mapping[str, str]:
    """The text of every file that git knows, by its path below the root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return {
        str(file.relative_to(ROOT)): file.read_text(encoding="utf-8", errors="replace")
        for file in files
        if file.is_file()
    }


@pytest.fixture(scope="session")
def code(committed: Mapping[str, str]) -> Mapping[str, str]:
    """The Python of the service itself."""
    rooms = ("contracts/", "fhir_mappings/", "adapters/", "service/", "generate/", "bench/")
    return {name: text for name, text in committed.items() if name.startswith(rooms) and name.endswith(".py")}
