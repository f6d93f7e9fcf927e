"""The registry names every folder, and loads what it names only when asked."""

import subprocess
import sys
from pathlib import Path

import pytest

import adapters
from adapters.http import Destination
from adapters.registry import ADAPTERS

FOLDER = Path(adapters.__file__ or "").parent


def test_every_folder_is_registered() -> None:
    assert set(ADAPTERS) == {path.parent.name for path in FOLDER.glob("*/__init__.py")} - {"mocking"}


@pytest.mark.parametrize("name", ADAPTERS)
def test_settings_are_found_and_off_by_default(name: str) -> None:
    settings = ADAPTERS[name].settings()
    assert issubclass(settings, Destination)
    assert not settings().enabled


def test_importing_the_registry_loads_no_adapter_and_no_mock() -> None:
    asked = "import sys, adapters.registry; print(sorted(n for n in sys.modules if n.startswith(('adapters.', 'starlette'))))"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=FOLDER.parent)
    assert told.stdout.strip() == "['adapters.http', 'adapters.reach', 'adapters.registry']"
