"""CloudEvents in both modes: what is written is what is read, whatever letters it holds."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.regional_platform import wire
from adapters.regional_platform.settings import Mode, Settings
from contracts.outbox import EventType, RecordEvent

STRUCTURED = MappingProxyType({"content-type": "application/cloudevents+json"})
texts = st.text(st.characters(codec="utf-8"), min_size=1)
swedish = st.text("abcåäöÅÄÖéü §–\"%'\\ ", min_size=1)
events = st.builds(
    RecordEvent,
    id=texts | swedish,
    type=st.sampled_from(EventType),
    subject=texts | swedish,
    time=st.datetimes(timezones=st.just(UTC)),
    sequence=st.integers(1, 10**10 - 1),
    data=st.dictionaries(texts | swedish, texts | swedish | st.integers(0, 9)).map(
        lambda one: orjson.dumps(one).decode()
    ),
)


@given(event=events, mode=st.sampled_from(Mode))
def test_what_is_written_is_what_is_read(event: RecordEvent, mode: Mode) -> None:
    settings = Settings(mode=mode)
    received = wire.read(*wire.request(event, settings))
    assert received.attributes == wire.attributes(event, settings)
    assert received.data == event.data.encode()


@given(event=events)
def test_headers_are_printable_ascii(event: RecordEvent) -> None:
    headers, _ = wire.request(event, Settings(mode=Mode.BINARY))
    assert all(value.isascii() and value.isprintable() and " " not in value for value in headers.values())


@given(event=events, mode=st.sampled_from(Mode))
def test_each_try_sends_the_same_bytes(event: RecordEvent, mode: Mode) -> None:
    assert wire.request(event, Settings(mode=mode)) == wire.request(event, Settings(mode=mode))


def test_data_is_embedded_as_json_byte_for_byte(event: RecordEvent) -> None:
    _, body = wire.request(event, Settings())
    assert b'"data":' + event.data.encode() + b"}" in body
    assert orjson.loads(body)["data"]["resourceType"] == "Procedure"


def test_a_decimal_keeps_its_zeros() -> None:
    event = RecordEvent(
        "1", EventType.ACTIVITY_CODED, "Procedure/1", datetime(2026, 1, 1, tzinfo=UTC), 1, '{"a": 1.50}'
    )
    assert b'{"a": 1.50}' in wire.request(event, Settings())[1]


def test_attributes(event: RecordEvent) -> None:
    assert wire.attributes(event, Settings(source="urn:rekobryggan:test")) == {
        "specversion": "1.0",
        "id": "e-1",
        "source": "urn:rekobryggan:test",
        "type": "se.rekobryggan.activity.coded.v1",
        "subject": "Procedure/0a1b",
        "time": "2026-05-04T08:30:00Z",
        "datacontenttype": "application/fhir+json",
        "dataschema": "https://rekobryggan.example/events/activity.coded.v1.schema.json",
        "sequence": "0000000001",
    }


def test_time_is_utc() -> None:
    summer = datetime(2026, 6, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    event = RecordEvent("1", EventType.ACTIVITY_RETRACTED, "Procedure/1", summer, 2, "{}")
    assert wire.attributes(event, Settings())["time"] == "2026-05-31T23:00:00Z"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"id": {"a": 1}}',
        b'{"id": 1.5}',
        b'{"id": "\xff"}',
        b'"an event"',
        b"\xff\xfe",
    ],
)
def test_what_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(wire.NotAnEvent):
        wire.read(STRUCTURED, body)


@given(body=st.binary())
def test_reading_never_breaks(body: bytes) -> None:
    with suppress(wire.NotAnEvent):
        wire.read(STRUCTURED, body)


def test_null_is_absent_and_other_kinds_are_text() -> None:
    received = wire.read(STRUCTURED, b'{"id": "1", "subject": null, "sequence": 7, "sampled": true, "data": null}')
    assert received.attributes == {"id": "1", "sequence": "7", "sampled": "true"}
    assert received.data == b"null"


@pytest.mark.parametrize("value", ["%ff", "å"])
def test_headers_that_cannot_be_read_are_refused(value: str) -> None:
    with pytest.raises(wire.NotAnEvent):
        wire.read({"Content-Type": "application/fhir+json", "ce-id": value}, b"{}")


@pytest.mark.parametrize("media", ["", "text/plain", "application/xml", "application/cloudevents-batch+json"])
def test_other_media(media: str) -> None:
    with pytest.raises(wire.OtherMedia):
        wire.read({"content-type": media}, b"{}")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("Procedure/198001019802", ()),  # wrong control digit
        ("Procedure/{person}", ("subject",)),
        ("Patient/{hyphened}/x", ("subject",)),
        ("urn:person:{person}", ("subject",)),
        ("Procedure/0197f3a1-1234-7abc-89ab-{person}", ()),  # the last group of a UUID
    ],
)
def test_personal_numbers_are_found_in_attributes(value: str, found: tuple[str, ...]) -> None:
    written = value.format(person="198001019804", hyphened="19800101-9804")
    assert wire.personal_attributes({"id": "1", "subject": written}) == found
