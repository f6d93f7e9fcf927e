"""Parts of resources: ``_summary`` and ``_elements``. https://hl7.org/fhir/R4/search.html#summary

A stored resource is taken apart at its top level and put together again; what stays keeps its bytes. What R4 marks as
summary stands in ``contracts/wire/fhir/r4.summaries.json``, made by ``generate/summaries.py``.
"""

from collections.abc import Callable, Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec
import orjson

SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "Resource encoded in summary mode",
}

_SPLIT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_PIECES: Final = msgspec.json.Decoder(list[msgspec.Raw])
_JOIN: Final = msgspec.json.Encoder()
_HEAD: Final = frozenset({"resourceType", "id", "meta"})

Raw = Mapping[str, msgspec.Raw]
Reduce = Callable[[str, Raw], Raw]


def subset(type_: str, body: bytes, summary: str, elements: Collection[str]) -> bytes:
    """The part that was asked for, tagged as a part; the whole, untouched, when none was."""
    if elements:
        kept = _elements(type_, _SPLIT.decode(body), elements)
    elif summary in _SUMMARIES:
        kept = _SUMMARIES[summary](type_, _SPLIT.decode(body))
    else:
        return body
    return _JOIN.encode({**kept, "meta": _tagged(kept.get("meta"))})


def element_names(type_: str) -> frozenset[str]:
    """What ``_elements`` can name: the elements of the type as FHIRPath and as JSON has them."""
    return frozenset(_table()[type_]["every"]) | frozenset(_table()[type_]["choices"])


@cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = orjson.loads((files("contracts") / "wire/fhir/r4.summaries.json").read_bytes())
    return table


def _elements(type_: str, raw: Raw, wanted: Collection[str]) -> Raw:
    row = _table()[type_]
    names = {name for each in wanted for name in row["choices"].get(each, (each,))}
    return _only(raw, names.union(row["always"]))


def _true(type_: str, raw: Raw) -> Raw:
    row = _table()[type_]
    kept = _only(raw, {*row["summary"], *row["always"]})
    return {name: _without(each, row["within"][name]) if name in row["within"] else each for name, each in kept.items()}


def _without(raw: msgspec.Raw, lost: Collection[str]) -> msgspec.Raw:
    """A backbone element, or each of a list, without what is no summary."""
    if bytes(raw).lstrip().startswith(b"["):
        return msgspec.Raw(_JOIN.encode([_without(each, lost) for each in _PIECES.decode(raw)]))
    members = _SPLIT.decode(raw)
    return msgspec.Raw(_JOIN.encode({name: each for name, each in members.items() if name.lstrip("_") not in lost}))


def _only(raw: Raw, names: Collection[str]) -> Raw:
    return {name: each for name, each in raw.items() if name in _HEAD or name.lstrip("_") in names}


_SUMMARIES: Final[Mapping[str, Reduce]] = {
    "true": _true,
    "text": lambda type_, raw: _only(raw, {"text", *_table()[type_]["always"]}),
    "data": lambda _, raw: {name: each for name, each in raw.items() if name != "text"},
}


def _tagged(meta: msgspec.Raw | None) -> dict[str, Any]:
    """What is stored has ``meta``; what comes with the service may have none."""
    members = {} if meta is None else orjson.loads(bytes(meta))
    return {**members, "tag": [*members.get("tag", ()), SUBSETTED]}
