"""CloudEvents 1.0 over HTTP, structured and binary mode: bytes <-> events. Pure.

Sources: CloudEvents 1.0 core §§ 3.1-3.3, JSON format § 3, HTTP binding §§ 3.1-3.2; delivery_consent_security.md § 3.1.
Anyone on the way may log attributes, so nothing personal stands in them (decision D10).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, unquote_to_bytes

import msgspec

from adapters.regional_platform import schemas
from adapters.regional_platform.settings import Mode, Settings
from contracts.identity import BadIdentity, PersonId
from contracts.outbox import RecordEvent

SPEC_VERSION: Final = "1.0"
REQUIRED: Final = ("id", "source", "specversion", "type")
DATA_TYPE: Final = "application/fhir+json"
STRUCTURED_TYPE: Final = "application/cloudevents+json"
MAX_BYTES: Final = 64 * 1024
"""What everybody on the way must be able to forward (core § 4)."""

_SCHEMA_BASE: Final = "https://rekobryggan.example/events/"
_SEQUENCE_DIGITS: Final = 10
_BINARY_DATA_TYPES: Final = (DATA_TYPE, "application/json")
_HEADER_PREFIX: Final = "ce-"
_UNESCAPED: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')
"""Printable ASCII but for the two that carry meaning; the space is escaped too (HTTP binding § 3.1.3.2)."""
_DIGIT_RUN: Final = re.compile(r"[0-9-]{10,}")
"""Long enough for a personal number."""


class NotAnEvent(ValueError):
    """The request cannot be read as a CloudEvent. The message never repeats what it held."""


class OtherMedia(NotAnEvent):
    """The media type is not one of the two modes' (a batch, XML, ...)."""


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """An event as it arrived: attributes as text by their names, and the data byte for byte."""

    attributes: Mapping[str, str]
    data: bytes

    @property
    def key(self) -> tuple[str, str]:
        """Source and id: two events with the same pair are one (core § 3.1)."""
        return self.attributes.get("source", ""), self.attributes.get("id", "")


def request(event: RecordEvent, settings: Settings) -> tuple[dict[str, str], bytes]:
    """Headers and body of the request: the same bytes at each try (decision D18)."""
    if settings.mode is Mode.BINARY:
        return _binary(event, settings)
    return _structured(event, settings)


def read(headers: Mapping[str, str], body: bytes) -> ReceivedEvent:
    """The event in a request of either mode. Raises ``NotAnEvent`` or ``OtherMedia``."""
    known = {name.lower(): value for name, value in headers.items()}
    media = known.get("content-type", "").partition(";")[0].strip().lower()
    if media == STRUCTURED_TYPE:
        return _read_structured(body)
    if media in _BINARY_DATA_TYPES:
        return ReceivedEvent(dict(_read_headers(known)) | {"datacontenttype": media}, body)
    raise OtherMedia("the content type is neither that of a structured event nor FHIR JSON")


def personal_attributes(attributes: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the attributes in which a national personal number stands."""
    return tuple(name for name, value in attributes.items() if any(map(_is_person, _DIGIT_RUN.findall(value))))


def attributes(event: RecordEvent, settings: Settings) -> dict[str, str]:
    """The context attributes. ``sequence`` sorts as text: who has seen a higher one for the subject ignores this."""
    return {
        "specversion": SPEC_VERSION,
        "id": event.id,
        "source": settings.source,
        "type": event.type.value,
        "subject": event.subject,
        "time": _rfc_3339(event.time),
        "datacontenttype": DATA_TYPE,
        "dataschema": _SCHEMA_BASE + schemas.file_name(event.type),
        "sequence": f"{event.sequence:0{_SEQUENCE_DIGITS}d}",
    }


def _structured(event: RecordEvent, settings: Settings) -> tuple[dict[str, str], bytes]:
    # Raw: the data is embedded as it was promised; parsing and writing it anew would rewrite its decimals.
    document = {**attributes(event, settings), "data": msgspec.Raw(event.data.encode())}
    return {"Content-Type": f"{STRUCTURED_TYPE}; charset=utf-8"}, msgspec.json.encode(document)


def _binary(event: RecordEvent, settings: Settings) -> tuple[dict[str, str], bytes]:
    named = attributes(event, settings)
    media = named.pop("datacontenttype")
    headers = {_HEADER_PREFIX + name: quote(value, safe=_UNESCAPED) for name, value in named.items()}
    return {"Content-Type": media, **headers}, event.data.encode()


def _read_structured(body: bytes) -> ReceivedEvent:
    try:
        members = {name: bytes(raw) for name, raw in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}
        data = members.pop("data", b"")
        return ReceivedEvent({name: _text(raw) for name, raw in members.items() if raw != b"null"}, data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise NotAnEvent("the body is no JSON object of attributes and data") from None


def _text(raw: bytes) -> str:
    """An attribute's canonical text: integers and booleans read as JSON writes them (core § 2)."""
    value = msgspec.json.decode(raw, type=str | int | bool)
    return value if isinstance(value, str) else raw.decode()


def _read_headers(headers: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if name.startswith(_HEADER_PREFIX):
            yield name.removeprefix(_HEADER_PREFIX), _unescaped(value)


def _unescaped(value: str) -> str:
    if not value.isascii():
        raise NotAnEvent("a header holds what should be percent-encoded")
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise NotAnEvent("a header is not percent-encoded UTF-8") from None


def _rfc_3339(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _is_person(run: str) -> bool:
    try:
        PersonId(run)
    except BadIdentity:
        return False
    return True
