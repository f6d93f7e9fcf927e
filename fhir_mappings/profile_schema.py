"""A profile as a JSON Schema: what a StructureDefinition of the guide demands of structure, codes and targets.

Read are the differential's elements: cardinality, types, targets, fixed values and patterns, required bindings, slices, and
the profiles of extensions. Invariants are not: what they mean is judged by the readers. Where an element names the invariant
that it serves (``condition``), that one gives the rule's name and the words.

FHIR: http://hl7.org/fhir/R4/profiling.html, http://hl7.org/fhir/R4/elementdefinition.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from contracts.errors import IssueType
from fhir_mappings import guide
from fhir_mappings.identifiers import spellings_of

Schema = dict[str, Any]

HL7: Final = "http://hl7.org/fhir/StructureDefinition/"
_MANY: Final = "*"


@dataclass(slots=True)
class Element:
    """One element of a profile with what stands below it: children by name, slices by theirs."""

    definition: Mapping[str, Any] = field(default_factory=dict)
    children: dict[str, "Element"] = field(default_factory=dict)
    slices: dict[str, "Element"] = field(default_factory=dict)

    @property
    def pattern(self) -> Any | None:
        """The fixed value or pattern. A pattern of a text is the text, so that both are one."""
        return next((value for name, value in self.definition.items() if name.startswith(("pattern", "fixed"))), None)

    @property
    def types(self) -> tuple[str, ...]:
        """The types that the profile leaves, empty when it leaves all."""
        return tuple(dict.fromkeys(each["code"] for each in self.definition.get("type", ())))


def tree(profile: Mapping[str, Any]) -> Element:
    """The elements of a differential, by their ids (``Consent.provision.actor:recipient.role``)."""
    root = Element()
    for definition in profile["differential"]["element"]:
        element, sliced = root, root
        for step in definition["id"].split(".")[1:]:
            name, _, slice_name = step.partition(":")
            element = sliced = element.children.setdefault(name, Element())
            element = element.slices.setdefault(slice_name, Element()) if slice_name else element
        # A slice inherits the rule of what is sliced: a differential does not repeat it.
        inherited = {"condition": sliced.definition["condition"]} if "condition" in sliced.definition else {}
        element.definition = inherited | definition
    return root


class ProfileSchema:
    """Writes the schema of one profile. ``r4`` are the definitions of the schema that judges R4 itself: they know which
    elements repeat, and what a choice is called."""

    def __init__(self, profile: Mapping[str, Any], r4: Mapping[str, Any]) -> None:
        self._profile = profile
        self._r4 = r4
        self._words = {
            rule["key"]: rule["human"] for rule in profile["differential"]["element"][0].get("constraint", ())
        }

    def schema(self) -> Schema:
        """Everything that the profile demands of a resource of its type."""
        return {"type": "object", "allOf": list(self._below(tree(self._profile), self._profile["type"]))}

    def _rule(self, element: Element, demand: Schema, words: str, issue: IssueType = IssueType.BUSINESS_RULE) -> Schema:
        """A demand with the name of its rule, its words, and what kind of fault it is not to meet it."""
        key = next(iter(element.definition.get("condition", ())), "")
        whole = key in self._words
        told = {"$comment": self._words.get(key, words), "rule": key or self._profile["id"], "whole": whole}
        return demand | told | {"issue": issue}

    # ---- Elements ------------------------------------------------------------------------------------------------

    def _below(self, element: Element, type: str) -> Iterator[Schema]:
        for name, child in element.children.items():
            yield from self._child(name, child, self._r4[type]["properties"])

    def _child(self, name: str, child: Element, siblings: Mapping[str, Any]) -> Iterator[Schema]:
        known = _forms(name, siblings)
        allowed = {form: type for form, type in known.items() if not child.types or _is_left(form, name, child)}
        plain = name.removesuffix("[x]")
        if child.definition.get("max") == "0":
            yield from self._forbidden(child, known, "has no place here")
            return
        yield from self._forbidden(child, {form: "" for form in known if form not in allowed}, "has another type here")
        if child.definition.get("min", 0) > 0:
            present = {"anyOf": [{"required": [form]} for form in known]}
            yield self._rule(child, present, "is required here", IssueType.REQUIRED) | {"title": plain}
        for form, type in allowed.items():
            repeats = "items" in siblings[form]
            if repeats:
                yield from ({"properties": {form: each}} for each in self._list(child, type))
            yield from (_at(form, repeats, each) for each in self._value(child, type))

    def _forbidden(self, element: Element, forms: Iterable[str], words: str) -> Iterator[Schema]:
        for form in forms:
            for name in (form, f"_{form}"):
                yield {"properties": {name: self._rule(element, {"not": {}}, words)}}

    def _value(self, element: Element, type: str) -> Iterator[Schema]:
        """What each value of an element owes."""
        if element.pattern is not None:
            yield self._rule(element, {"anyOf": [pattern(element.pattern)]}, f"must be {_shown(element.pattern)} here")
        if element.definition.get("binding", {}).get("strength") == "required":
            yield self._bound(element, type)
        if targets := _targets(element):
            words = f"must refer to {' or '.join(targets)} here"
            yield self._rule(element, {"anyOf": [_reference(targets)]}, words)
        if element.children:
            yield from self._below(element, type)

    def _bound(self, element: Element, type: str) -> Schema:
        address = element.definition["binding"]["valueSet"]
        value_set = guide.by_url("ValueSet", address)
        assert value_set is not None, address  # noqa: S101 - the guide is whole: a test holds it to that
        return self._rule(
            element, {"anyOf": [_of(value_set, type)]}, f"must be a code of {address}", IssueType.CODE_INVALID
        )

    # ---- Lists ---------------------------------------------------------------------------------------------------

    def _list(self, element: Element, type: str) -> Iterator[Schema]:
        """What an element owes that may stand several times: how often at most, and its slices."""
        most = element.definition.get("max", _MANY)
        if most != _MANY:
            yield self._rule(element, {"maxItems": int(most)}, f"stands {most} times at most here")
        slices = {name: (each, self._match(element, each)) for name, each in element.slices.items()}
        for each, match in slices.values():
            yield from self._slice(each, match, type)
        if element.definition.get("slicing", {}).get("rules") == "closed":
            known = {"anyOf": [match for _, match in slices.values()]}
            yield {"items": self._rule(element, known, "is none of those that have a place here")}

    def _slice(self, each: Element, match: Schema, type: str) -> Iterator[Schema]:
        name, most = each.definition["sliceName"], each.definition["max"]
        if each.definition["min"] > 0:
            yield self._rule(each, {"contains": match}, f"must hold the slice {name}", IssueType.REQUIRED)
        if most != _MANY:
            counted = {"contains": match, "minContains": 0, "maxContains": int(most)}
            yield self._rule(each, counted, f"holds the slice {name} {most} times at most")
        inside = [*self._value(each, type), *self._extension(each)]
        if inside:
            yield {"items": {"if": match, "then": {"allOf": inside}}}

    def _extension(self, each: Element) -> Iterator[Schema]:
        """What the definition of an extension demands, where it is ours."""
        definition = guide.by_url("StructureDefinition", _profile_of(each))
        if definition is not None:
            yield from ProfileSchema(definition, self._r4)._below(tree(definition), "Extension")

    def _match(self, sliced: Element, each: Element) -> Schema:
        """What makes a value one of a slice (http://hl7.org/fhir/R4/profiling.html#discriminator)."""
        path = sliced.definition["slicing"]["discriminator"][0]["path"]
        if path == "url":
            return _having("url", {"const": _profile_of(each)})
        return pattern(each.pattern) if path == "$this" else _having(path, pattern(each.children[path].pattern))


# ---- Values ------------------------------------------------------------------------------------------------------


def pattern(value: Any, name: str = "") -> Schema:
    """A value that holds at least what the pattern holds. A system may be written in each way that is known."""
    if isinstance(value, Mapping):
        return {"required": list(value), "properties": {key: pattern(each, key) for key, each in value.items()}}
    if isinstance(value, list):
        return {"allOf": [{"contains": pattern(each)} for each in value]}
    return {"enum": list(spellings_of(value))} if isinstance(value, str) else {"const": value}


def _of(value_set: Mapping[str, Any], type: str) -> Schema:
    members = [(system, concept["code"]) for system, concept in guide.members(value_set)]
    if type == "CodeableConcept":
        return _having("coding", {"contains": _coding(members)})
    return _coding(members) if type == "Coding" else {"enum": [code for _, code in members]}


def _coding(members: list[tuple[str, str]]) -> Schema:
    systems = {system: [code for _, code in found] for system, found in groupby(members, lambda member: member[0])}
    listed = {
        system: {"properties": {"system": {"enum": list(spellings_of(system))}, "code": {"enum": codes}}}
        for system, codes in systems.items()
    }
    return {"required": ["system", "code"], "anyOf": list(listed.values())}


def _having(name: str, value: Schema) -> Schema:
    return {"required": [name], "properties": {name: value}}


def _reference(targets: tuple[str, ...]) -> Schema:
    """A literal reference says its type; one by number may; a contained one is known by nobody but its reader."""
    literal = f"^(#.*|urn:.*|(.*/)?({'|'.join(targets)})/[A-Za-z0-9.-]+(/_history/[A-Za-z0-9.-]+)?)$"
    return {"properties": {"reference": {"pattern": literal}, "type": {"enum": list(targets)}}}


# ---- Names -------------------------------------------------------------------------------------------------------


def _forms(name: str, siblings: Mapping[str, Any]) -> dict[str, str]:
    """The JSON names that carry an element, each with its type."""
    named = [form for form, each in siblings.items() if not form.startswith("_") and each.get("title") == name]
    return {form: _type(siblings[form]) for form in (named if name.endswith("[x]") else [name])}


def _type(property: Mapping[str, Any]) -> str:
    reference = property.get("items", property).get("$ref", "")
    return re.sub(r"-or-null$", "", reference.rpartition("/")[2])


def _is_left(form: str, name: str, element: Element) -> bool:
    plain = name.removesuffix("[x]")
    return not name.endswith("[x]") or form in {plain + each[0].upper() + each[1:] for each in element.types}


def _at(form: str, repeats: bool, demand: Schema) -> Schema:
    return {"properties": {form: {"items": demand} if repeats else demand}}


def _targets(element: Element) -> tuple[str, ...]:
    types = (each for each in element.definition.get("type", ()) if each["code"] == "Reference")
    return tuple(target.removeprefix(HL7) for each in types for target in each.get("targetProfile", ()))


def _profile_of(each: Element) -> str:
    return next((str(profile) for type in each.definition.get("type", ()) for profile in type.get("profile", ())), "")


def _shown(value: Any) -> str:
    """A pattern in words: the guide's own, never what was sent."""
    if isinstance(value, Mapping):
        return ", ".join(_shown(each) for each in value.values())
    return (
        ", ".join(map(_shown, value))
        if isinstance(value, list)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
