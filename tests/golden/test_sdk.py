"""SDK messages as they leave, byte for byte, and what those that come are read as: ``cases/sdk/out``, ``cases/sdk/in``.

A case is a folder: ``message.json`` is the promised message and ``body.json`` what it becomes; or ``shown.json`` is what the
message service shows and ``received.json`` what it is read as. ``REKO_APPROVE=1`` writes the second anew; look at the
difference before you keep it.
"""

import os
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from adapters.mocking.validation import wrong
from adapters.sdk import reading, wire
from adapters.sdk.addresses import from_file
from adapters.sdk.mock_model import Body, One
from contracts.dialogue import PartyMessage
from contracts.identity import PersonId

HERE: Final = Path(__file__).parent / "cases/sdk"
OUT: Final = sorted(path.parent for path in HERE.glob("out/*/message.json"))
IN: Final = sorted(path.parent for path in HERE.glob("in/*/shown.json"))
BOOK: Final = from_file(HERE / "addresses.toml")


def promised(case: Path) -> PartyMessage:
    return msgspec.json.decode((case / "message.json").read_bytes(), type=PartyMessage, dec_hook=_identity)


def _identity(kind: type, written: Any) -> Any:
    assert kind is PersonId
    return PersonId(written)


def _digits(value: Any) -> str:
    assert isinstance(value, PersonId)
    return value.digits


def compared(file: Path, made: bytes) -> None:
    if os.environ.get("REKO_APPROVE"):
        file.write_bytes(made + b"\n")
    assert made + b"\n" == file.read_bytes()


def test_there_are_cases() -> None:
    assert OUT
    assert IN


@pytest.mark.parametrize("case", OUT, ids=lambda case: case.name)
def test_out(case: Path) -> None:
    made = wire.request(promised(case), BOOK)
    assert wrong(Body, made) == ()
    compared(case / "body.json", msgspec.json.format(made))


@pytest.mark.parametrize("case", IN, ids=lambda case: case.name)
def test_in(case: Path) -> None:
    shown = (case / "shown.json").read_bytes()
    if "as-real" not in case.name:
        assert wrong(One, shown) == ()
    read = reading.message(shown, msgspec.json.decode(shown)["data"]["id"], BOOK)
    compared(case / "received.json", msgspec.json.format(msgspec.json.encode(read, enc_hook=_digits)))
