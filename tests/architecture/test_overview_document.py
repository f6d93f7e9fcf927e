"""docs/overview.md says what the tables of the overview's rules say."""

import re
from pathlib import Path

import pytest

from service.rules.sick_leave import FILTERS
from service.rules.sick_leave.order import COLUMNS
from service.rules.sick_leave.question import MEMBERS, PARAMETERS, RANGES, SETTINGS, Question
from service.rules.sick_leave.reko_status import NAMES


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "overview.md").read_text(encoding="utf-8")


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_settings(page: str) -> None:
    parameters = {each.field: each.name for each in PARAMETERS}
    takes = {
        "mode": ", ".join(f"`{mode}`" for mode in MEMBERS["mode"]),
        **{name: "{} to {}".format(*RANGES[name]) for name in SETTINGS if name in RANGES},
    }
    defaults = {name: Question.__dataclass_fields__[name].default for name in SETTINGS}
    told = {cells[0].strip("`"): (cells[1], cells[2].strip("`")) for cells in rows(page, "Settings")}
    assert told == {parameters[name]: (takes[name], str(defaults[name])) for name in SETTINGS}


def test_the_filters_in_their_order(page: str) -> None:
    told = [(cells[0], tuple(re.findall(r"`(\w+)`", cells[1]))) for cells in rows(page, "Filters")]
    assert told == [(each.label, each.parameters) for each in FILTERS]
    unavailable = {cells[0] for cells in rows(page, "Filters") if cells[2].startswith("not available")}
    assert unavailable == {each.label for each in FILTERS if each.unavailable}


def test_the_columns_and_the_statuses(page: str) -> None:
    assert ", ".join(f"`{name}`" for name in COLUMNS) in page.replace("\n", " ")
    assert " · ".join(f"`{id}` {name}" for id, name in NAMES.items()) in page.replace("\n", " ")
