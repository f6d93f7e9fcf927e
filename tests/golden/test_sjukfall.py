"""Golden sick leaves: ``question.json`` as `reko sjukfall` is asked, ``answer.json`` what it says in each mode.

Cases are found by folder name. ``make approve`` (``REKO_APPROVE=1``) writes what the code says now, for review.
"""

import os
from pathlib import Path

import orjson
import pytest

from service.rules.sick_leave import MODES
from service.sjukfall import answer

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases" / "sjukfall").glob("*/question.json"))


def answers(case: Path) -> bytes:
    line = orjson.dumps(orjson.loads((case / "question.json").read_bytes()))
    found = {mode.name: orjson.loads(answer(line, mode)) for mode in MODES.values()}
    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def test_there_are_cases() -> None:
    assert CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_answered(case: Path) -> None:
    written = answers(case)
    if os.environ.get("REKO_APPROVE") == "1":
        (case / "answer.json").write_bytes(written)
    assert (case / "answer.json").read_bytes() == written
