"""How values stand in the database: JSON made from the contracts' own types, read back as the same types."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from contracts.dialogue import PartyMessage
from contracts.identity import PersonId
from contracts.outbox import Payload, RecordCopy, RecordEvent

T = TypeVar("T")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

PARTY_MESSAGE: Final = "party-message"

_PAYLOADS: Final[dict[str, type[Any]]] = {
    PARTY_MESSAGE: PartyMessage,
    "record-event": RecordEvent,
    "record-copy": RecordCopy,
}
_KINDS: Final = {payload: kind for kind, payload in _PAYLOADS.items()}


def encode(value: object) -> bytes:
    """A contracts value as JSON."""
    return _encoder.encode(value)


def decode(body: bytes, type: type[T]) -> T:
    """The value back. Raises ``msgspec.ValidationError`` when the bytes are no such value."""
    return msgspec.json.decode(body, type=type, dec_hook=_read_special)


def payload_kind(payload: Payload) -> str:
    """The name under which a payload's type is stored. What has been erased is stored no more."""
    return _KINDS[type(payload)]


def decode_payload(kind: str, body: bytes) -> Payload:
    """A payload back, by the stored name of its type."""
    payload: Payload = decode(body, _PAYLOADS[kind])
    return payload


def to_micros(at: datetime) -> int:
    """An aware instant as microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The instant back, in UTC."""
    return _EPOCH + timedelta(microseconds=micros)


def _write_special(value: object) -> object:
    if isinstance(value, PersonId):
        return value.digits
    raise NotImplementedError(type(value).__name__)


def _read_special(type: type, value: Any) -> object:
    if type is PersonId:
        return PersonId(value)
    raise NotImplementedError(type.__name__)


_encoder: Final = msgspec.json.Encoder(enc_hook=_write_special, order="deterministic")
