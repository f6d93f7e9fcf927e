"""What is made from the code is committed as the code makes it now. ``make generate`` writes it."""

import importlib.util
import logging
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def generator(root: Path) -> ModuleType:
    """``generate/pages.py``, which is a script and no package."""
    spec = importlib.util.spec_from_file_location("pages", root / "generate" / "pages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_up_to_date(generator: ModuleType, root: Path) -> None:
    made = generator.pages()
    assert set(made) == {
        "docs/settings.md",
        "contracts/wire/openapi.json",
        "contracts/wire/capability-statement.json",
    }
    stale = [name for name, text in made.items() if (root / name).read_text(encoding="utf-8") != text]
    assert not stale, "run make generate"


def test_generating_leaves_the_log_as_it_was(generator: ModuleType) -> None:
    assert logging.root.manager.disable == logging.NOTSET
    assert generator.ROOT.is_dir()
