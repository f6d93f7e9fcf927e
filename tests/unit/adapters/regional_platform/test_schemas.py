"""The data is judged by our schemas, and a fault names the place, never the value."""

import orjson
import pytest

from adapters.regional_platform import schemas
from contracts.outbox import EventType, RecordEvent


@pytest.mark.parametrize("event_type", EventType)
def test_each_event_type_has_a_schema(event_type: EventType) -> None:
    assert not schemas.validator(event_type).is_valid({})


def test_the_sample_is_valid(event: RecordEvent) -> None:
    assert schemas.broken_places(event.type, event.data.encode()) == ()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"note": [{"text": "en hemlighet"}]}, "/: additionalProperties"),
        ({"status": "en hemlighet"}, "/status: const"),
        ({"subject": {"reference": "en hemlighet"}}, "/subject/reference: pattern"),
        ({"performedPeriod": {"start": "2026"}}, "/: oneOf"),
        ({"code": {}}, "/code: required: coding"),
    ],
)
def test_places_not_values(event: RecordEvent, change: dict[str, object], place: str) -> None:
    data = orjson.dumps(orjson.loads(event.data) | change)
    assert schemas.broken_places(event.type, data) == (place,)


def test_what_is_not_json() -> None:
    assert schemas.broken_places(EventType.ACTIVITY_CODED, b"{") == ("/: not JSON",)
