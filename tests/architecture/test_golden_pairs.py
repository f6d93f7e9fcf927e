"""A golden case is a folder with what goes in and what comes out, under the same names as its neighbours."""

from collections import defaultdict
from pathlib import Path
from typing import Final

import pytest

CASES: Final = Path(__file__).parents[1] / "golden" / "cases"
MAPPINGS: Final = sorted(folder.name for folder in CASES.iterdir() if folder.is_dir())


def _cases(mapping: str) -> dict[Path, frozenset[str]]:
    folders = [folder for folder in (CASES / mapping).rglob("*") if folder.is_dir()]
    return {
        folder: frozenset(file.name for file in folder.iterdir())
        for folder in folders
        if all(file.is_file() for file in folder.iterdir())
    }


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_every_case_has_both_sides(mapping: str) -> None:
    cases = _cases(mapping)
    assert cases
    assert not [str(folder.relative_to(CASES)) for folder, files in cases.items() if len(files) < 2]


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_cases_that_stand_together_are_named_alike(mapping: str) -> None:
    names: defaultdict[Path, set[frozenset[str]]] = defaultdict(set)
    for folder, files in _cases(mapping).items():
        names[folder.parent].add(files)
    assert not [str(parent.relative_to(CASES)) for parent, found in names.items() if len(found) > 1]


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_a_test_plays_the_cases(mapping: str) -> None:
    """Some golden test names the folder."""
    assert any(mapping in file.read_text(encoding="utf-8") for file in CASES.parent.glob("test_*.py"))
