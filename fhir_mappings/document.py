"""Resources as bytes and as parsed JSON, and the change of top-level elements that leaves all other bytes alone.

Decision D2: what an EHR posts is what it reads back. Parsing and writing anew would rewrite decimals (``100.0``),
escapes and key order; so the top level is taken apart, and elements that nobody touches travel as they came.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import orjson

from contracts.record import Document

_SPLIT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_JOIN: Final = msgspec.json.Encoder()
_HEAD: Final = ("resourceType", "id", "meta")
_MISSING: Final = object()


def decode(body: bytes) -> Document:
    """Stored bytes, which were judged when they were stored."""
    return Document(orjson.loads(body), body)


def from_content(content: Mapping[str, Any]) -> Document:
    """A resource that the service itself made."""
    return Document(content, orjson.dumps(content))


def with_elements(document: Document, changes: Mapping[str, Any | None]) -> Document:
    """The document with top-level elements set, or removed where the change is ``None``.

    An element that already has the value keeps its bytes; if none changes, the same document comes back.
    """
    news = {name: value for name, value in changes.items() if _differs(document.content, name, value)}
    if not news:
        return document
    content, raw = dict(document.content), _SPLIT.decode(document.body)
    for name, value in news.items():
        _set(content, name, value)
        _set(raw, name, None if value is None else msgspec.Raw(orjson.dumps(value)))
    return Document(content, _JOIN.encode(_head_first(raw)))


def same_content(one: Document, other: Document) -> bool:
    """Whether two documents say the same, whatever the server called them (``id``) and noted on them (``meta``)."""
    return _unnamed(one.content) == _unnamed(other.content)


def patient_of(type: str, id: str, content: Mapping[str, Any]) -> str:
    """The logical id of the patient that a resource is about; empty when it is about none."""
    if type == "Patient":
        return id
    about = content.get("subject") or content.get("patient") or {}
    type_, _, patient = about.get("reference", "").partition("/")
    return patient if type_ == "Patient" else ""


def _differs(content: Mapping[str, Any], name: str, value: Any | None) -> bool:
    return name in content if value is None else content.get(name, _MISSING) != value


def _set(elements: dict[str, Any], name: str, value: Any | None) -> None:
    if value is None:
        elements.pop(name, None)
    else:
        elements[name] = value


def _head_first(raw: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """People look for the type and the name first; JSON itself has no order."""
    return {name: raw[name] for name in _HEAD if name in raw} | raw


def _unnamed(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in ("id", "meta")}
