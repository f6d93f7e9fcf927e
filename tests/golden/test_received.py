"""What Försäkringskassan sends, and what is made of it: ``cases/received/<case>/``.

``request.xml`` is SendMessageToCare; ``received.json`` the message as it was read, ``communication.json`` the Communication that is
kept. Under ``invalid/`` ``answer.xml`` is what the sender is told instead. ``REKO_APPROVE=1`` writes what the code says now.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import orjson
import pytest

from adapters import soap
from adapters.forsakringskassan.inbound import ACTION, SCHEMA, SendMessageToCare
from contracts.dialogue import ReceivedMessage
from contracts.identity import HsaId, PersonId
from fhir_mappings import received
from fhir_mappings.registry import judge

CASES: Final = Path(__file__).parent / "cases" / "received"
READ: Final = sorted(path.parent for path in CASES.glob("*/request.xml"))
REFUSED: Final = sorted(path.parent for path in CASES.glob("invalid/*/request.xml"))


def read(case: Path) -> Any:
    return SendMessageToCare().read((case / "request.xml").read_bytes(), ACTION)


def approved(file: Path, said: bytes) -> bytes:
    if os.environ.get("REKO_APPROVE") == "1":
        file.write_bytes(said)
    return file.read_bytes()


def pretty(body: bytes) -> bytes:
    return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _special(value: object) -> object:
    assert isinstance(value, PersonId)
    return value.digits


def test_there_are_cases() -> None:
    assert READ
    assert REFUSED


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_what_is_read(case: Path) -> None:
    message = read(case)
    assert isinstance(message, ReceivedMessage)
    said = pretty(msgspec.json.encode(message, enc_hook=_special))
    assert said == approved(case / "received.json", said)


@pytest.mark.parametrize("case", READ, ids=lambda case: case.name)
def test_what_is_kept(case: Path) -> None:
    message = read(case)
    kept = received.communication(
        message,
        at=datetime(2026, 3, 4, 8, 12, 3, tzinfo=UTC),
        unit=HsaId("TSTNMT2321000156-E0001"),
        patient="p1",
        conversation="5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c40",
        answers="Communication/ours" if message.answers else "",
        about=["Communication/theirs"] if message.reminds_of else [],
    )
    assert judge(kept.content) == ()
    said = pretty(kept.body)
    assert said == approved(case / "communication.json", said)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_is_refused(case: Path) -> None:
    answer = read(case)
    assert isinstance(answer, tuple)
    status, body = answer
    assert status == 200
    assert soap.errors_in(SCHEMA, body) == ()
    assert body == approved(case / "answer.xml", body)


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_no_refusal_repeats_the_person(case: Path) -> None:
    _, body = read(case)
    assert not [number for number in (b"9817", b"9810", b"850721") if number in body]
