"""Golden events: ``event.json`` is what was promised, ``structured.json`` and ``binary.http`` what goes over the wire.

Cases are found by folder name. ``make approve`` (``REKO_APPROVE=1``) writes what the code says now, for review.
"""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from adapters.regional_platform import schemas, wire
from adapters.regional_platform.settings import Mode, Settings
from contracts.outbox import EventType, RecordEvent

CASES = sorted(path.parent for path in (Path(__file__).parent / "cases" / "regional_platform").glob("*/event.json"))


class Promised(msgspec.Struct):
    """A case's ``event.json``; the data is taken as it is spaced."""

    id: str
    type: EventType
    subject: str
    time: datetime
    sequence: int
    data: msgspec.Raw


def event_of(case: Path) -> RecordEvent:
    promised = msgspec.json.decode((case / "event.json").read_bytes(), type=Promised)
    return RecordEvent(**msgspec.structs.asdict(promised) | {"data": bytes(promised.data).decode()})


def structured(event: RecordEvent) -> bytes:
    _, body = wire.request(event, Settings())
    return body + b"\n"


def binary(event: RecordEvent) -> bytes:
    headers, body = wire.request(event, Settings(mode=Mode.BINARY))
    head = "".join(f"{name}: {value}\n" for name, value in headers.items())
    return f"POST {Settings().path} HTTP/1.1\n{head}\n".encode() + body + b"\n"


def test_there_are_cases() -> None:
    assert {event_of(case).type for case in CASES} == set(EventType)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_data_keeps_to_its_schema(case: Path) -> None:
    event = event_of(case)
    assert schemas.broken_places(event.type, event.data.encode()) == ()


@pytest.mark.parametrize(("file", "write"), [("structured.json", structured), ("binary.http", binary)])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_goes_over_the_wire(case: Path, file: str, write: Callable[[RecordEvent], bytes]) -> None:
    written = write(event_of(case))
    if os.environ.get("REKO_APPROVE") == "1":
        (case / file).write_bytes(written)
    assert (case / file).read_bytes() == written
