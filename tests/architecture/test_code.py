"""What the words of the code owe their readers, and what contracts may import."""

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

_EXPLAINED: Final = ("contracts/", "service/rules/")
"""Rooms whose every public class, function and method says what it is. The ports are in the first."""


def _modules(code: Mapping[str, str], *rooms: str) -> Iterator[tuple[str, ast.Module]]:
    return ((name, ast.parse(text)) for name, text in code.items() if name.startswith(rooms))


def test_everything_public_in_contracts_and_rules_explains_itself(code: Mapping[str, str]) -> None:
    """Leaves of the error tree are explained together: in their module's words and in docs/architecture.md."""
    assert not [f"{name}: {found}" for name, module in _modules(code, *_EXPLAINED) for found in _silent(module)]


def _silent(scope: ast.Module | ast.ClassDef, path: str = "") -> Iterator[str]:
    for node in scope.body:
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None and not _is_leaf_error(node):
            yield f"{path}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _silent(node, f"{path}{node.name}.")


def _is_leaf_error(node: ast.AST) -> bool:
    """A class that says nothing but its default issue type."""
    return isinstance(node, ast.ClassDef) and [type(each) for each in node.body] == [ast.Assign]


def test_every_module_explains_itself(code: Mapping[str, str]) -> None:
    assert not [name for name, module in _modules(code, "") if module.body and ast.get_docstring(module) is None]


def test_contracts_import_the_standard_library_only(code: Mapping[str, str]) -> None:
    """The import rule knows the libraries that are installed today; this knows all others too."""
    found = {
        f"{name}: {imported}"
        for name, module in _modules(code, "contracts/")
        for imported in _imported(module)
        if imported not in sys.stdlib_module_names and imported != "contracts"
    }
    assert not found


def _imported(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("room", ["utils", "helpers", "common", "managers", "misc"])
def test_no_room_without_a_subject(code: Mapping[str, str], room: str) -> None:
    assert not [name for name in code if room in name.removesuffix(".py").split("/")]


def test_starting_does_not_wait_for_what_sets_paper() -> None:
    """The typesetter is imported when somebody asks for a PDF."""
    asked = "import sys, service.main, service.wiring; sys.exit('typst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
