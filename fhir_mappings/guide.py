"""Our implementation guide as it was compiled: ``contracts/wire/profiles`` (docs/guide.md tells how it is made).

Everything that enforces, serves or looks up the guide reads these files, so that none of it can say something else.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

import orjson

TYPES: Final = ("StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "SearchParameter", "OperationDefinition")
"""The conformance resources that are served."""


@cache
def bodies() -> Mapping[str, bytes]:
    """Each artefact as committed, by its reference (``ValueSet/activity-kind``)."""
    folder = files("contracts") / "wire/profiles/compiled"
    found = {file.name.removesuffix(".json").replace("-", "/", 1): file for file in folder.iterdir()}
    return MappingProxyType({reference: found[reference].read_bytes() for reference in sorted(found)})


@cache
def artefacts() -> Mapping[str, Mapping[str, Any]]:
    """Each artefact, parsed, by its reference."""
    return MappingProxyType({reference: orjson.loads(body) for reference, body in bodies().items()})


@cache
def _by_url() -> Mapping[tuple[str, str], Mapping[str, Any]]:
    return {(each["resourceType"], each["url"]): each for each in artefacts().values()}


def by_url(type: str, url: str) -> Mapping[str, Any] | None:
    """The artefact with a canonical address, also where a version is written behind it; ``None`` for another's."""
    name, _, version = url.partition("|")
    found = _by_url().get((type, name))
    return found if found is None or version in ("", found["version"]) else None


def compiled_on() -> date:
    """The day on which all of it was compiled last."""
    return date.fromisoformat(artefacts()["CapabilityStatement/reko-server"]["date"])


def of_type(type: str) -> list[Mapping[str, Any]]:
    """The artefacts of a type, by id."""
    return [each for each in artefacts().values() if each["resourceType"] == type]


def members(value_set: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """System and concept of every code in one of our value sets, in its order. A system of somebody else is listed."""
    for include in value_set["compose"]["include"]:
        system = by_url("CodeSystem", include["system"])
        listed = include.get("concept") or (system["concept"] if system else [])
        yield from ((include["system"], concept) for concept in listed)
