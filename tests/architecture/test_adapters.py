"""The folders of adapters, the registry and the import rules name the same systems."""

import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

from adapters.registry import ADAPTERS

ROOT: Final = Path(__file__).parents[2]
FILES: Final = {"__init__.py", "adapter.py", "wire.py", "settings.py", "mock.py", "README.md"}
SHARED: Final = "mocking"
"""What the mocks share: no outside system."""
FOLDERS: Final = sorted({file.parent.name for file in (ROOT / "adapters").glob("*/__init__.py")} - {SHARED})


def test_every_folder_is_in_the_registry_and_every_line_has_its_folder() -> None:
    assert sorted(ADAPTERS) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_has_its_six_files(folder: str) -> None:
    assert {file.name for file in (ROOT / "adapters" / folder).iterdir()} >= FILES


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_readme_is_short_and_tells_of_protocol_and_mock(folder: str) -> None:
    text = (ROOT / "adapters" / folder / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 20
    assert "Mock" in text or "mock" in text


@pytest.mark.parametrize(("rule", "key"), [("adapters-apart", "modules"), ("adapters-protected", "protected_modules")])
def test_the_import_rules_name_every_adapter(rule: str, key: str) -> None:
    configured: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = {contract["id"]: contract for contract in configured["tool"]["importlinter"]["contracts"]}
    assert sorted(contracts[rule][key]) == [f"adapters.{folder}" for folder in FOLDERS]
