"""The guide's examples, and for each demand of a profile the ways to break it in them.

The walk through the differential is this file's own: it shares nothing with ``profile_schema``, which it puts to the test.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from fhir_mappings import guide

Json = dict[str, Any]
Element = Mapping[str, Any]
"""An ElementDefinition."""
Elements = Mapping[str, Element]
"""Those of one differential, by id."""
Roots = Callable[[Json], list[tuple[Json, str]]]
"""Finds the objects in an example that a differential is about, each with its FHIRPath."""

FOLDER: Final = Path(__file__).parents[3] / "contracts/wire/profiles/examples"
PROFILES: Final = {
    each["url"]: each
    for each in guide.artefacts().values()
    if each["resourceType"] == "StructureDefinition" and each["kind"] == "resource"
}
_ONCE: Final = {
    "Consent.provision.action",
    "CommunicationRequest.recipient",
    "Observation.derivedFrom",
}
"""Elements that R4 lets stand several times, and a profile once."""
_OTHER_FORMS: Final = {"performed": "performedAge", "effective": "effectiveDateTime", "content": "contentReference"}


def examples() -> dict[str, Json]:
    """By file name. ``meta.profile`` names the profile that each was made by."""
    return {file.stem: orjson.loads(file.read_bytes()) for file in sorted(FOLDER.glob("*.json"))}


def examples_of(url: str) -> list[Json]:
    """The examples of a profile."""
    return [each for each in examples().values() if url in each["meta"]["profile"]]


class Demand(NamedTuple):
    """One thing that a profile demands: ``element`` is its id, ``what`` the kind of demand."""

    profile: str
    element: str
    what: str


class Mutant(NamedTuple):
    """An example broken in one way: where that must be told, and under which rule (empty: any)."""

    content: Json
    at: str
    rule: str


class Spot(NamedTuple):
    """An object that has an element, or may have it; the element's JSON name there; the element's FHIRPath."""

    holder: Json
    name: str
    at: str


def demands() -> Iterator[tuple[Demand, list[Mutant]]]:
    """Every structural demand of every profile and of the extensions in it, with the examples broken in that one way."""
    for url, profile in PROFILES.items():
        yield from _of(url, profile["id"], profile, lambda content: [(content, content["resourceType"])])


def _of(url: str, name: str, profile: Element, roots: Roots) -> Iterator[tuple[Demand, list[Mutant]]]:
    elements: Elements = {each["id"]: each for each in profile["differential"]["element"]}
    for id, element in elements.items():
        for what in _demanded(element, elements):
            yield Demand(name, id, what), list(_mutants(url, elements, element, what, roots))
        definition = guide.by_url("StructureDefinition", _address(element))
        if definition is not None:
            yield from _of(url, f"{name} {definition['id']}", definition, _inside(elements, element, roots))


def _inside(elements: Elements, element: Element, roots: Roots) -> Roots:
    """The extensions of one slice."""
    return lambda content: [
        (item, f"{spot.at}[{index}]")
        for spot in _spots(elements, element, roots(content))
        for index, item in enumerate(spot.holder.get(spot.name, []))
        if _is_of(elements, element, item)
    ]


def _mutants(url: str, elements: Elements, element: Element, what: str, roots: Roots) -> Iterator[Mutant]:
    for example in examples_of(url):
        for index in range(len(_spots(elements, element, roots(example)))):
            content = deepcopy(example)
            spot = _spots(elements, element, roots(content))[index]
            if _BREAKS[what](spot, element, elements):
                yield Mutant(content, spot.at, _rule(element, elements))


def _rule(element: Element, elements: Elements) -> str:
    sliced = elements.get(element["id"].rpartition(":")[0], {}) if "sliceName" in element else {}
    return str(next(iter(element.get("condition", sliced.get("condition", ()))), ""))


# ---- Walking -----------------------------------------------------------------------------------------------------


def _spots(elements: Elements, element: Element, roots: list[tuple[Json, str]]) -> list[Spot]:
    first, *steps, last = element["id"].split(".") if "." in element["id"] else [element["id"], element["id"]]
    found, walked = roots, first
    for step in steps:
        walked = f"{walked}.{step}"
        found = [below for holder, at in found for below in _below(elements, walked, step, holder, at)]
    name = last.partition(":")[0]
    plain = name.removesuffix("[x]")
    return [Spot(holder, _form(holder, name), f"{at}.{plain}") for holder, at in found]


def _form(holder: Json, name: str) -> str:
    plain = name.removesuffix("[x]")
    return next((key for key in holder if name != plain and key.startswith(plain)), plain)


def _below(elements: Elements, id: str, step: str, holder: Json, at: str) -> list[tuple[Json, str]]:
    name, _, slice_name = step.partition(":")
    plain, value = name.removesuffix("[x]"), holder.get(_form(holder, name))
    if not isinstance(value, list):
        return [] if value is None else [(value, f"{at}.{plain}")]
    items = [(item, f"{at}.{plain}[{index}]") for index, item in enumerate(value)]
    return [each for each in items if not slice_name or _is_of(elements, elements[id], each[0])]


def _is_of(elements: Elements, element: Element, item: Any) -> bool:
    """Whether an item is one of a slice, by the slice's address, its pattern, or the pattern of a part."""
    if _address(element):
        return bool(item["url"] == _address(element))
    if _pattern(element) is not None:
        return _holds(item, _pattern(element))
    patterns = {id.rpartition(".")[2]: _pattern(each) for id, each in elements.items() if _is_part(id, element)}
    return all(_holds(item.get(name), pattern) for name, pattern in patterns.items() if pattern is not None)


def _is_part(id: str, element: Element) -> bool:
    return bool(id.rpartition(".")[0] == element["id"])


def _address(element: Element) -> str:
    extensions = [each for each in element.get("type", ()) if each["code"] == "Extension"]
    return str(extensions[0]["profile"][0]) if extensions else ""


def _pattern(element: Element) -> Any:
    return next((value for name, value in element.items() if name.startswith(("pattern", "fixed"))), None)


def _holds(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_holds(value.get(name), each) for name, each in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_holds(each, wanted) for each in value) for wanted in pattern)
    return bool(value == pattern)


# ---- Demanding ---------------------------------------------------------------------------------------------------


def _demanded(element: Element, elements: Elements) -> list[str]:
    """What an element demands. What makes an item one of a slice is not demanded of it: without that it is none."""
    is_slice = "sliceName" in element
    is_mark = _pattern(element) is not None and (is_slice or "sliceName" in elements.get(_parent(element), {}))
    made = {
        "missing": element.get("min", 0) > 0 and not is_slice and not is_mark,
        "forbidden": element.get("max") == "0",
        "too many": element["id"] in _ONCE and element.get("max") == "1",
        "slice missing": is_slice and element["min"] > 0,
        "slice too often": is_slice and element["max"] != "*",
        "stranger": element.get("slicing", {}).get("rules") == "closed",
        "other value": _pattern(element) is not None and not is_mark and element["id"] != "Extension.url",
        "other code": element.get("binding", {}).get("strength") == "required",
        "other type": element["id"].endswith("[x]") and "type" in element,
        "other target": any("targetProfile" in each for each in element.get("type", ())),
    }
    return [what for what, is_made in made.items() if is_made]


def _parent(element: Element) -> str:
    return str(element["id"]).rpartition(".")[0]


# ---- Breaking ----------------------------------------------------------------------------------------------------


def _missing(spot: Spot, *_: Any) -> bool:
    return spot.holder.pop(spot.name, None) is not None


def _forbidden(spot: Spot, *_: Any) -> bool:
    spot.holder[spot.name] = [{"text": "x"}]
    return True


def _too_many(spot: Spot, *_: Any) -> bool:
    spot.holder[spot.name] = [*spot.holder.get(spot.name, []), *deepcopy(spot.holder.get(spot.name, []))]
    return bool(spot.holder[spot.name])


def _members(spot: Spot, element: Element, elements: Elements) -> list[Any]:
    return [each for each in spot.holder.get(spot.name, ()) if _is_of(elements, element, each)]


def _slice_missing(spot: Spot, element: Element, elements: Elements) -> bool:
    members = _members(spot, element, elements)
    spot.holder[spot.name] = [each for each in spot.holder[spot.name] if each not in members] or [{"text": "x"}]
    return True


def _slice_too_often(spot: Spot, element: Element, elements: Elements) -> bool:
    members = _members(spot, element, elements)
    if members:
        spot.holder[spot.name] = [*spot.holder[spot.name], *deepcopy(members)]
    return bool(members)


def _stranger(spot: Spot, *_: Any) -> bool:
    spot.holder[spot.name] = [*spot.holder.get(spot.name, []), {"role": {"text": "x"}}]
    return True


def _other_value(spot: Spot, element: Element, _: Elements) -> bool:
    pattern = _pattern(element)
    spot.holder[spot.name] = {"text": "other"} if isinstance(pattern, dict) else "other" if pattern else True
    return True


def _other_code(spot: Spot, element: Element, elements: Elements) -> bool:
    if spot.name not in spot.holder:
        return False
    if "sliceName" in element:
        _members(spot, element, elements)[0]["code"] = "unheard-of"
    else:
        spot.holder[spot.name] = _recoded(spot.holder[spot.name])
    return True


def _recoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_recoded(each) for each in value]
    if isinstance(value, dict):
        return {name: each if name == "system" else _recoded(each) for name, each in value.items()}
    return "unheard-of"


def _other_type(spot: Spot, element: Element, _: Elements) -> bool:
    plain = element["id"].rpartition(".")[2].removesuffix("[x]")
    spot.holder.pop(spot.name, None)
    spot.holder[_OTHER_FORMS.get(plain, f"{plain}Integer")] = 1
    return True


def _other_target(spot: Spot, *_: Any) -> bool:
    repeats = isinstance(spot.holder.get(spot.name), list) or spot.name == "reasonReference"
    other = {"reference": "Device/1"}
    spot.holder[spot.name] = [other] if repeats else other
    return True


_BREAKS: Final[Mapping[str, Callable[[Spot, Element, Elements], bool]]] = {
    "missing": _missing,
    "forbidden": _forbidden,
    "too many": _too_many,
    "slice missing": _slice_missing,
    "slice too often": _slice_too_often,
    "stranger": _stranger,
    "other value": _other_value,
    "other code": _other_code,
    "other type": _other_type,
    "other target": _other_target,
}
