"""Messages to Försäkringskassan as they leave, byte for byte: ``cases/forsakringskassan/<case>/``.

A case is a folder: ``message.json`` is the promised message, ``request.xml`` what it becomes. ``REKO_APPROVE=1`` writes
the latter anew; look at the difference before you keep it.
"""

import os
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from adapters.forsakringskassan import wire
from contracts.dialogue import PartyMessage
from contracts.identity import PersonId

CASES: Final = sorted(path.parent for path in Path(__file__).parent.glob("cases/forsakringskassan/*/message.json"))
LOGICAL_ADDRESS: Final = "2021005521"


def read(case: Path) -> PartyMessage:
    return msgspec.json.decode((case / "message.json").read_bytes(), type=PartyMessage, dec_hook=_identity)


def _identity(kind: type, written: Any) -> Any:
    assert kind is PersonId
    return PersonId(written)


def test_there_are_cases() -> None:
    assert CASES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_request(case: Path) -> None:
    made = wire.request(read(case), LOGICAL_ADDRESS)
    assert wire.schema_errors(made) == ()
    if os.environ.get("REKO_APPROVE"):
        (case / "request.xml").write_bytes(made)
    assert made == (case / "request.xml").read_bytes()
