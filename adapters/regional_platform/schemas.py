"""What the data of each event type may hold: our JSON Schemas in ``contracts/wire/events``.

Both sides ask here: the adapter before anything leaves, the mock of what it gets. The schemas name every element that
may be sent (decision D17: no note, report or name), so a slip in a mapping stops here and not at the receiver.
"""

from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import orjson
from jsonschema_rs import ValidationErrorKind

import contracts
from contracts.outbox import EventType

_FOLDER: Final = Path(contracts.__file__).parent / "wire" / "events"
_TYPE_PREFIX: Final = "se.rekobryggan."


def file_name(event_type: str) -> str:
    """The schema's file: the event type without our reverse domain (``activity.coded.v1.schema.json``)."""
    return f"{event_type.removeprefix(_TYPE_PREFIX)}.schema.json"


def schema(event_type: EventType) -> dict[str, Any]:
    """What the type's data may hold, as JSON Schema."""
    found: dict[str, Any] = orjson.loads((_FOLDER / file_name(event_type)).read_bytes())
    return found


@cache
def validator(event_type: EventType) -> jsonschema_rs.Validator:
    """The compiled schema of the type's data."""
    return jsonschema_rs.validator_for(schema(event_type))


def broken_places(event_type: EventType, data: bytes) -> tuple[str, ...]:
    """Where the data breaks its schema, as ``/code/coding/0: required: system``: never a value. Empty when it is valid."""
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError:
        return ("/: not JSON",)
    return tuple(_place(error) for error in validator(event_type).iter_errors(content))


def _place(error: jsonschema_rs.ValidationError) -> str:
    # Every object of the schemas is closed, so a path is made of names that the schema itself knows.
    lacks = f": {error.kind.property}" if isinstance(error.kind, ValidationErrorKind.Required) else ""
    return "/" + "/".join(str(step) for step in error.instance_path) + f": {error.kind.name}{lacks}"
