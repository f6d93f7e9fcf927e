"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) on a resource's bytes.

Decimals keep the digits in which they came (decision D2). Nothing is judged here: the result is judged as a resource.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

import jsonpatch
import msgspec
from jsonpointer import JsonPointerException

from contracts.errors import Conflict, Invalid, Issue, IssueType, Malformed, TooLarge, WrongMedia

MEDIA: Final = "application/json-patch+json, application/merge-patch+json"
"""What ``Accept-Patch`` says."""

MOST_OPERATIONS: Final = 1000
MOST_COPIES: Final = 10
"""Each may double the document."""
LARGEST: Final = 5 * 1024 * 1024
"""Bytes of what a copy makes."""

_DECODER: Final = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Patch(Protocol):
    """A change of a resource."""

    def apply(self, body: bytes) -> bytes:
        """The changed JSON. Raises ``Invalid`` when it cannot be applied, ``Conflict`` when a test in it fails."""
        ...


def read(media: str, body: bytes) -> Patch:
    """The patch in a body of the media type; of plain JSON, a list is a JSON Patch and an object a Merge Patch. Raises
    ``WrongMedia`` for FHIRPath Patch and unknown types, ``Malformed`` for what is no patch."""
    if media not in _MEDIA:
        raise WrongMedia(f"a patch is {MEDIA}")
    try:
        content = _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise Malformed("this is not JSON in UTF-8") from None
    if isinstance(content, dict) and content.get("resourceType") == "Parameters":
        raise WrongMedia(f"FHIRPath Patch is not done here: send {MEDIA}")
    if _MEDIA[media] not in (None, type(content)) or not isinstance(content, dict | list):
        raise Malformed("a JSON Patch is a list of operations, a JSON Merge Patch an object")
    return JsonPatch.of(content) if isinstance(content, list) else MergePatch(content)


_MEDIA: Final[Mapping[str, type | None]] = {
    "application/json-patch+json": list,
    "application/merge-patch+json": dict,
    "application/json": None,
    "application/fhir+json": None,
}


@dataclass(frozen=True, slots=True)
class MergePatch:
    """What is named takes the value, what is null goes."""

    changes: Mapping[str, Any]

    def apply(self, body: bytes) -> bytes:
        """See ``Patch``."""
        return _ENCODER.encode(_merged(_DECODER.decode(body), self.changes))


def _merged(target: Any, changes: Any) -> Any:
    if not isinstance(changes, Mapping):
        return changes
    known = dict(target) if isinstance(target, Mapping) else {}
    for name, change in changes.items():
        if change is None:
            known.pop(name, None)
        else:
            known[name] = _merged(known.get(name), change)
    return known


@dataclass(frozen=True, slots=True)
class JsonPatch:
    """Operations, one after the other, all or none."""

    operations: Sequence[jsonpatch.JsonPatch]

    @classmethod
    def of(cls, operations: Sequence[Any]) -> "JsonPatch":
        """Raises ``Malformed`` with the first operation that is none."""
        if len(operations) > MOST_OPERATIONS:
            raise TooLarge(f"a patch has at most {MOST_OPERATIONS} operations")
        if sum(isinstance(each, dict) and each.get("op") == "copy" for each in operations) > MOST_COPIES:
            raise TooLarge(f"a patch has at most {MOST_COPIES} copies")
        return cls([_operation(index, each) for index, each in enumerate(operations)])

    def apply(self, body: bytes) -> bytes:
        """See ``Patch``."""
        content = _DECODER.decode(body)
        for index, operation in enumerate(self.operations):
            content = _applied(index, operation, content)
        return _ENCODER.encode(content)


def _operation(index: int, operation: Any) -> jsonpatch.JsonPatch:
    try:
        return jsonpatch.JsonPatch([operation])
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, ValueError, KeyError, AttributeError):
        raise Malformed(f"operation {index} is no operation of JSON Patch: op, path, and value or from") from None


def _applied(index: int, operation: jsonpatch.JsonPatch, content: Any) -> Any:
    """The library's words may quote values: none of them is told."""
    try:
        changed = operation.apply(content, in_place=True)
    except jsonpatch.JsonPatchTestFailed:
        raise Conflict(f"the test in operation {index} fails: read the resource again") from None
    except jsonpatch.InvalidJsonPatch:
        raise Malformed(f"operation {index} is no operation of JSON Patch: op, path, and value or from") from None
    except (jsonpatch.JsonPatchException, JsonPointerException, TypeError, ValueError, LookupError, AttributeError):
        text = f"operation {index} cannot be applied: what it points at is not there"
        raise Invalid(Issue(IssueType.VALUE, text)) from None
    if operation.patch[0]["op"] == "copy" and len(_ENCODER.encode(changed)) > LARGEST:
        raise TooLarge(f"operation {index} makes the resource larger than {LARGEST // 1024 // 1024} MiB")
    return changed
