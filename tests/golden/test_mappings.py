"""Golden mappings: ``resource.json`` is what a record system sends; ``value.json`` is what is read from it, and under
``invalid/`` ``issues.json`` is what is told instead.

Cases are found by folder name. ``make approve`` (``REKO_APPROVE=1``) writes what the code says now, for review.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from contracts.errors import Invalid
from contracts.people import Party
from fhir_mappings import consent, people, r4
from fhir_mappings.registry import MAPPERS

CASES = Path(__file__).parent / "cases"
MAPPINGS = ("activity", "consent", "dialogue", "meeting", "plan")
READ = sorted(path.parent for mapping in MAPPINGS for path in (CASES / mapping).glob("*/resource.json"))
REFUSED = sorted(path.parent for mapping in MAPPINGS for path in (CASES / mapping).glob("invalid/*/resource.json"))


def name_of(case: Path) -> str:
    return case.relative_to(CASES).as_posix()


def stored_party(reference: str) -> Party | None:
    stored = orjson.loads((CASES / "consent" / "organizations.json").read_bytes())
    return people.organization(stored[reference], reference.partition("/")[2]) if reference in stored else None


def read(case: Path) -> Any:
    return value_of(r4.parse((case / "resource.json").read_bytes()), case)


def value_of(content: dict[str, Any], case: Path) -> Any:
    if content["resourceType"] == "Consent":
        return consent.from_fhir(content, case.name, 1, stored_party)
    return MAPPERS[content["resourceType"]](content)


def told(refusal: Invalid) -> list[dict[str, str]]:
    return [
        {"type": issue.type, "expression": issue.expression, "rule": issue.rule, "text": issue.text}
        for issue in refusal.issues
    ]


def as_json(value: Any) -> bytes:
    return orjson.dumps(value, default=sorted, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def approved(file: Path, said: bytes) -> bytes:
    if os.environ.get("REKO_APPROVE") == "1":
        file.write_bytes(said)
    return file.read_bytes()


@pytest.mark.parametrize("mapping", MAPPINGS)
def test_there_are_cases(mapping: str) -> None:
    assert any(case.parent.name == mapping for case in READ)
    assert any(case.parent.parent.name == mapping for case in REFUSED)


@pytest.mark.parametrize("case", READ, ids=name_of)
def test_what_is_read(case: Path) -> None:
    said = as_json(read(case))

    assert said == approved(case / "value.json", said)


@pytest.mark.parametrize("case", REFUSED, ids=name_of)
def test_what_is_refused(case: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        read(case)
    said = as_json(told(refusal.value))

    assert said == approved(case / "issues.json", said)


@pytest.mark.parametrize("case", REFUSED, ids=name_of)
def test_no_refusal_repeats_what_was_written(case: Path) -> None:
    with pytest.raises(Invalid) as refusal:
        read(case)
    written = {text for text in _texts(orjson.loads((case / "resource.json").read_bytes())) if not text.isalpha()}

    assert [text for text in written for issue in refusal.value.issues if f" {text} " in f" {issue.text} "] == []


@pytest.mark.parametrize("case", READ + REFUSED, ids=name_of)
def test_whatever_is_taken_away_it_is_read_or_refused(case: Path) -> None:
    whole = orjson.loads((case / "resource.json").read_bytes())

    for content in _poorer(whole):
        if not r4.check(content):
            with contextlib.suppress(Invalid):
                value_of(content, case)


def _poorer(element: Any) -> Iterator[Any]:
    """The element without each one of its parts, at any depth."""
    parts = list(element.items() if isinstance(element, dict) else enumerate(element))
    for name, part in parts:
        others = [each for each in parts if each[0] != name]
        shorter = [(name, poorer) for poorer in _poorer(part)] if isinstance(part, dict | list) else []
        for chosen in (others, *([*others, each] for each in shorter)):
            yield dict(chosen) if isinstance(element, dict) else [value for _, value in chosen]


def _texts(element: Any) -> list[str]:
    if isinstance(element, dict):
        return [text for part in element.values() for text in _texts(part)]
    if isinstance(element, list):
        return [text for part in element for text in _texts(part)]
    return [element] if isinstance(element, str) else []
