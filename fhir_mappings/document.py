"""Resources as bytes and as parsed JSON, and the change of top-level elements that leaves all other bytes alone.

Decision D2: what an EHR posts is what it reads back. Parsing and writing anew would rewrite decimals (``100.0``),
escapes and key order; so the top level is taken apart, and elements that nobody touches travel as they came.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from contracts.activity import Identifier
from contracts.record import Document
from fhir_mappings.primitives import contained, identifiers, literal, points_at

_SPLIT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PIECES: Final = msgspec.json.Decoder(list[msgspec.Raw])
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

    What already has the value keeps its bytes, also inside an element; if nothing changes, the same document comes back.
    """
    news = {name: value for name, value in changes.items() if _differs(document.content, name, value)}
    if not news:
        return document
    content, raw = dict(document.content), _SPLIT.decode(document.body)
    for name, value in news.items():
        if value is None:
            del content[name], raw[name]
        else:
            raw[name] = _as_it_came(value, content.get(name), raw.get(name))
            content[name] = value
    return Document(content, _JOIN.encode(_head_first(raw)))


def same_content(one: Document, other: Document) -> bool:
    """Whether two documents say the same, whatever the server called them (``id``) and noted on them (``meta``)."""
    return _unnamed(one.content) == _unnamed(other.content)


def patient_of(type: str, id: str, content: Mapping[str, Any]) -> str:
    """The logical id of the patient that a resource is about; empty when it does not name one."""
    if type == "Patient":
        return id
    return next((id_ for type_, id_ in subjects(type, content) if type_ == "Patient"), "")


def subjects(type: str, content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(type, id) of what a resource is about, where it is kept here: mostly a patient."""
    return [target for each in _stated(type, content) if (target := literal(each)) is not None]


def _stated(type: str, content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Any] = [content.get(name) for name in _ABOUT.get(type, _MOSTLY)]
    return [each for one in found if one for each in (one if isinstance(one, list) else [one])]


def patients_elsewhere(type: str, content: Mapping[str, Any]) -> list[Sequence[Identifier]]:
    """The patients that a resource is about by no address of ours, each by the identifiers that it names: in the reference, or
    in a Patient that the resource contains. An identifier of which no type is said means a patient, but as the target of a
    Provenance, which is mostly a record."""
    found: list[Sequence[Identifier]] = []
    for reference in _stated(type, content):
        inside = contained(content, reference) or {}
        is_said = points_at(reference, "Patient") or inside.get("resourceType") == "Patient"
        says_none = not inside and "type" not in reference and "/" not in reference.get("reference", "")
        is_meant = says_none and "identifier" in reference and type != "Provenance"
        if literal(reference) is None and (is_said or is_meant):
            found.append((*identifiers(reference), *identifiers(inside)))
    return found


def subject_element(type: str, content: Mapping[str, Any]) -> str:
    """The element of a resource that says what it is about; where none does, the one that would."""
    names = _ABOUT.get(type, _MOSTLY)
    return next((name for name in names if name in content), next(iter(names), "subject"))


_MOSTLY: Final = ("subject", "patient")
_ABOUT: Final[Mapping[str, tuple[str, ...]]] = {
    "Task": ("for",),
    "Provenance": ("target",),
    "Binary": ("securityContext",),
    "AuditEvent": (),
}
"""Elements that say what a resource is about, where they are called neither subject nor patient."""


def _differs(content: Mapping[str, Any], name: str, value: Any | None) -> bool:
    return name in content if value is None else content.get(name, _MISSING) != value


def _as_it_came(value: Any, earlier: Any, raw: msgspec.Raw | None) -> msgspec.Raw:
    """The value as bytes. What stood in the earlier value already keeps the bytes in which it came: a decimal beside a
    coding that the service adds is not to be rewritten."""
    if raw is not None and value == earlier:
        return raw
    if raw is not None and isinstance(value, dict) and isinstance(earlier, dict):
        members = _SPLIT.decode(raw)
        kept = {name: _as_it_came(each, earlier.get(name), members.get(name)) for name, each in value.items()}
        return msgspec.Raw(_JOIN.encode(kept))
    if raw is not None and isinstance(value, list) and isinstance(earlier, list):
        came = list(zip(earlier, _PIECES.decode(raw), strict=True))
        return msgspec.Raw(_JOIN.encode([_piece(each, came) for each in value]))
    return msgspec.Raw(orjson.dumps(value))


def _piece(value: Any, came: list[tuple[Any, msgspec.Raw]]) -> msgspec.Raw:
    """The very same piece, not one that equals it: 1.5 and 1.50 are equal, and are not written alike."""
    return next((raw for each, raw in came if each is value), None) or msgspec.Raw(orjson.dumps(value))


def _head_first(raw: dict[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """People look for the type and the name first; JSON itself has no order."""
    return {name: raw[name] for name in _HEAD if name in raw} | raw


def _unnamed(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if name not in ("id", "meta")}
