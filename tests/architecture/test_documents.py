"""The documents say what the code does: links lead somewhere, tables are complete, names are spelled as in the code."""

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
import typer

from contracts import errors
from contracts.consent import LegalBasis, Reason
from contracts.outbox import DeliveryState
from contracts.record import Right
from service import cli, telemetry
from service.fhir_api import router
from service.fhir_api.interactions import capabilities
from service.fhir_api.resources import ROWS
from service.http_edge import status_of
from service.outbox.backoff import SCHEDULE
from service.settings_page import page

ROOT: Final = Path(__file__).parents[2]
DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _named(document: Path) -> str:
    return str(document.relative_to(ROOT))


# Links


@pytest.mark.parametrize("document", DOCUMENTS, ids=_named)
def test_every_link_leads_somewhere(document: Path) -> None:
    prose = _FENCE.sub("", document.read_text(encoding="utf-8"))
    assert not [link for link in _LINK.findall(prose) if "://" not in link and not _leads(document, link)]


def _leads(document: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (document.parent / path).resolve() if path else document
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", document.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_document_can_be_reached_from_the_readme() -> None:
    found, waiting = {ROOT / "README.md"}, [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        for link in _LINK.findall(document.read_text(encoding="utf-8")):
            target = (document.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_file() and target not in found:
                found.add(target)
                waiting.append(target)
    assert not [_named(document) for document in DOCUMENTS if document not in found]


def test_every_decision_is_listed_and_says_where_it_stands() -> None:
    listed = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", _text("docs/adr/README.md"), re.MULTILINE)
    files = sorted(file.name for file in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert [name for _, name, _ in listed] == files
    for number, name, title in listed:
        text = _text(f"docs/adr/{name}")
        assert text.startswith(f"# {number}: {title}\n"), name
        assert re.search(r"^\d{4}-\d\d-\d\d, (in force|overtaken)", text, re.MULTILINE), name


# Commands


def test_the_readme_fits_a_sitting() -> None:
    assert len(_text("README.md").splitlines()) < 150


def test_every_make_command_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*##", _text("Makefile"), re.MULTILINE))
    named = {
        name for document in DOCUMENTS for name in re.findall(r"`make ([a-z]+)", document.read_text(encoding="utf-8"))
    }
    assert named <= targets
    assert {"run", "test"} <= named


def test_every_reko_command_that_is_named_exists() -> None:
    known = set(_commands(cli.app))
    groups = {name.partition(" ")[0] for name in known if " " in name}
    named = {
        words.split()[0] if words.split()[0] not in groups else words.strip()
        for document in DOCUMENTS
        for words in re.findall(_REKO, document.read_text(encoding="utf-8"), re.MULTILINE)
    }
    # What is not there yet is named by the README's list of what is not there yet alone.
    assert named - known <= {"sjukfall"}
    assert {"serve", "outbox replay"} <= named


_REKO: Final = r"(?:`|^|/bin/)reko ((?:[a-z]+ ?){1,2})"


def _commands(app: typer.Typer, prefix: str = "") -> Iterator[str]:
    for command in app.registered_commands:
        assert command.callback is not None
        yield f"{prefix}{command.name or command.callback.__name__}"
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield f"{prefix}{group.name}"
        yield from _commands(group.typer_instance, f"{prefix}{group.name} ")


def test_every_setting_that_is_named_exists() -> None:
    known = set(re.findall(r"REKO_[A-Z][A-Z0-9_]*", page()))
    named = {
        name
        for document in [
            *DOCUMENTS,
            ROOT / "docker/compose.yaml",
            ROOT / "docker/Dockerfile",
            ROOT / "docker/entrypoint.sh",
        ]
        for name in re.findall(r"REKO_[A-Z][A-Z0-9_]*", document.read_text(encoding="utf-8"))
    }
    assert named <= known


# Tables


def _rows(document: str) -> set[str]:
    """The first cells of every table, without their dress."""
    return {cell.strip(" `") for cell in re.findall(r"^\|([^|\n]+)\|", _text(document), re.MULTILINE)}


@pytest.mark.parametrize(
    ("document", "members"),
    [
        ("docs/consent.md", Reason),
        ("docs/outbox.md", DeliveryState),
        ("docs/operating.md", Right),
    ],
)
def test_every_member_has_its_row(document: str, members: type[Reason | DeliveryState | Right]) -> None:
    assert {str(member) for member in members} <= _rows(document)


def test_every_served_type_is_told_as_its_row_says() -> None:
    """Who writes and who deletes: in the table of docs/fhir.md as in the rows that make the routes."""
    stated = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", _text("docs/fhir.md"), re.MULTILINE)
    assert [type_ for type_, _, _ in stated] == list(ROWS)
    for type_, writing, deleting in stated:
        row = ROWS[type_]
        assert (deleting == "never") == (row.delete is None), type_
        assert (writing == "create only") == row.written_once, type_


def test_every_interaction_is_told() -> None:
    text = _text("docs/fhir.md")
    names = {interaction.__name__.partition("_")[0] for _, _, interaction in router.ROUTES}
    assert not [name for name in names - {"search", "transaction"} if name not in text]


def test_every_ground_is_explained() -> None:
    text = _text("docs/consent.md")
    assert not [basis for basis in LegalBasis if f"`{basis}`" not in text]


def test_the_timetable_is_the_relays_own() -> None:
    row = re.search(r"^\| Wait \|(.+)\| parked \|$", _text("docs/outbox.md"), re.MULTILINE)
    assert row is not None
    units = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
    stated = [timedelta(**{units[unit]: int(number)}) for number, unit in re.findall(r"(\d+) (s|min|h|d)\b", row[1])]
    assert tuple(stated) == SCHEDULE


def test_every_promise_of_the_outbox_names_a_test_that_is_there() -> None:
    stated = re.findall(r"^\| (\d+) \| .+ \| (`test_\w+`(?:, `test_\w+`)*) \|$", _text("docs/outbox.md"), re.MULTILINE)
    assert [int(number) for number, _ in stated] == list(range(1, 23))
    tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    assert not [name for _, names in stated for name in re.findall(r"\w+", names) if f"def {name}(" not in tests]


def test_every_error_stands_with_its_status() -> None:
    stated = dict(re.findall(r"^\| `(\w+)` \| (\d{3}) \|", _text("docs/architecture.md"), re.MULTILINE))
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RekoError)]
    leaves = {kind.__name__: str(status_of(kind("x"))) for kind in kinds if status_of(kind("x")) != 500}
    assert stated == leaves


def test_every_event_code_of_the_log_is_explained(code: Mapping[str, str]) -> None:
    written = {match for text in code.values() for match in re.findall(r'"event": "([a-z.\-]+)"', text)}
    explained = {name for name in _rows("docs/operating.md") if re.fullmatch(r"[a-z]+\.[a-z\-]+", name)}
    assert explained - {str(right) for right in Right} == written


def test_every_metric_is_explained() -> None:
    known = {metric.name for metric in telemetry.REGISTRY.collect()}
    explained = {
        name.partition("{")[0].removesuffix("_total") for name in _rows("docs/operating.md") if name.startswith("reko_")
    }
    assert explained == known


def test_every_import_rule_is_listed() -> None:
    configured = tomllib.loads(_text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    listed = re.search(r"^## Import rules\n(.+?)^## ", _text("docs/architecture.md"), re.MULTILINE | re.DOTALL)
    assert listed is not None
    assert re.findall(r"^- (.+)$", listed[1], re.MULTILINE) == [contract["name"] for contract in configured]


def test_the_glossary_names_what_the_code_names(code: Mapping[str, str]) -> None:
    known = {name for text in code.values() for node in ast.walk(ast.parse(text)) for name in _names(node)}
    cells = re.findall(r"^\|[^|]+\|([^|]+)\|[^|]+\|[^|]+\|$", _text("docs/glossary.md"), re.MULTILINE)
    named = {part for cell in cells for name in re.findall(r"`([\w.]+)`", cell) for part in name.split(".")}
    assert named - known == {"forsakringskassan", "sdk"}  # channels, by their folders


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg


def test_every_path_that_is_named_exists() -> None:
    """In backticks, with a folder of the house in front."""
    rooms = "contracts|fhir_mappings|adapters|service|generate|tests|docs|docker|bench"
    for document in DOCUMENTS:
        for path in re.findall(rf"`((?:{rooms})/[\w./\-]*)", document.read_text(encoding="utf-8")):
            assert (ROOT / path.rstrip(".")).exists(), f"{_named(document)}: {path}"


# Versions


@pytest.mark.parametrize(
    "stated",
    [
        lambda: capabilities.VERSION,
        lambda: re.search(r'"version": "([^"]+)"', _text("contracts/wire/openapi.json")),
        lambda: re.search(r"^What will be (\S+):", _text("CHANGELOG.md"), re.MULTILINE),
        lambda: re.search(r"image: rekobryggan:(\S+)", _text("docker/compose.yaml")),
        lambda: re.search(r"^Version (\S+) is unreleased", _text("README.md"), re.MULTILINE),
    ],
    ids=["CapabilityStatement", "OpenAPI", "changelog", "image", "README"],
)
def test_one_version_everywhere(stated: Callable[[], str | re.Match[str] | None]) -> None:
    found = stated()
    version = found[1] if isinstance(found, re.Match) else found
    assert version == tomllib.loads(_text("pyproject.toml"))["project"]["version"]
