"""Makes contracts/wire/fhir/r4.search-parameters.json, the search parameters of the served types, from HL7's FHIR 4.0.1.

Run by hand, with two packages unpacked outside the repository (contracts/wire/PROVENANCE.md tells the rest):

    python generate/search_parameters.py package/dist/fhir/r4 org/hl7/fhir/r4/model/sp/search-parameters.json

The first is the folder that ``r4_schema.py`` reads, the second HL7's list as HAPI carries it: two witnesses. A difference
that ``KNOWN`` does not name stops the script, and so does an expression that it cannot reduce.

FHIRPath is reduced here to paths that need no engine: element names as they stand in JSON, with the data type at the end
(``performedPeriod`` of ``Procedure.performed``), and ``[name=value]`` behind an element of which only some are meant.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from r4_schema import Definitions, Element

from fhir_mappings.r4 import TYPES

Json = dict[str, Any]

TARGET = Path(__file__).parents[1] / "contracts/wire/fhir/r4.search-parameters.json"

CONFORMANCE = ("StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "SearchParameter", "OperationDefinition")
UNSEARCHED = ("Bundle", "Parameters", "OperationOutcome", "CapabilityStatement")
SEARCHED = tuple(type_ for type_ in TYPES if type_ not in UNSEARCHED) + CONFORMANCE

UNSERVED = {
    "_text": "narratives are not searched: what they say stands in the elements",
    "_content": "the whole text of a resource is not searched",
    "_query": "there are no named queries",
}
"""By code: parameters that are refused, and why."""

BY_SOUND = {"phonetic"}
"""Parameters that compare names by how they sound, whatever data type they stand in."""

KNOWN = {
    "ServiceRequest-order-detail: only in the first",
    "DetectedIssue-status: only in the first",
    "DeviceDefinition-classification: only in the first",
    "clinical-patient: target",
    "MeasureReport-subject: target",
}
"""Where the two witnesses differ. ``patient`` never points at a Group: its expression says so."""

SWAPPED = "DocumentReference-relationship"
"""R4 gives its two components each other's expression; R5 put it right."""


# ---- From FHIRPath to paths --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """Where a path has led: ``json`` as in JSON, ``fhir`` as in the definitions, the type and the element there."""

    json: str
    fhir: str
    type: str
    element: Element | None = None
    of: str = ""


class Reducer:
    """Reduces expressions over one set of definitions."""

    def __init__(self, source: Definitions) -> None:
        self._source = source

    def reduce(self, expression: str, start: str) -> list[Found]:
        """What each alternative of the expression reaches, from the type or element ``start`` on."""
        return [each for part in expression.split("|") for each in self._one(part.strip(), start)]

    def _one(self, expression: str, start: str) -> list[Found]:
        cast = re.sub(r"\((\S+) as (\w+)\)", r"\1.as(\2)", expression).strip("()" if " " not in expression else "")
        plain = cast if cast.count("(") == cast.count(")") else cast + ")"
        found = [Found("", start, start)]
        for step in re.findall(r"\w+\([^()]*(?:\(\)[^()]*)?\)|[^.()]+", plain):
            found = [after for each in found for after in self._step(each, step)]
        return found

    def _step(self, found: Found, step: str) -> Iterator[Found]:
        if step == found.fhir and not found.json:
            yield found
        elif match := re.fullmatch(r"as\((\w+)\)", step):
            if found.type.lower() == match[1].lower():
                yield found
        elif match := re.fullmatch(r"where\(resolve\(\) is (\w+)\)", step):
            yield replace(found, of=match[1])
        elif match := re.fullmatch(r"where\((\w+)='(\w+)'\)", step):
            yield replace(found, json=f"{found.json}[{match[1]}={match[2]}]")
        elif re.fullmatch(r"\w+", step):
            yield from self._children(found, step)
        else:
            sys.exit(f"not reduced: {step}")

    def _children(self, found: Found, name: str) -> Iterator[Found]:
        elements = [each for each in self._source.elements(found.fhir) if each.name == name]
        if not elements:
            sys.exit(f"{found.fhir} has no {name}")
        for json_name, type_ in elements[0].members.items():
            yield Found(f"{found.json}.{json_name}".lstrip("."), type_, type_, elements[0], found.of)


# ---- One parameter of one type -----------------------------------------------------------------------------------

INDEXED = {
    "token": "CodeableConcept Coding Identifier ContactPoint code boolean string uri id",
    "reference": "Reference canonical uri",
    "date": "date dateTime instant Period Timing",
    "string": "string markdown HumanName Address",
    "quantity": "Quantity Duration Range SampledData",
    "uri": "uri url canonical oid",
}
"""The data types that each kind of parameter is read from. A choice may have others: they are not searched."""


class Writer:
    """Writes the table."""

    def __init__(self, source: Definitions, parameters: list[Json]) -> None:
        self._source = source
        self._reducer = Reducer(source)
        self._parameters = parameters
        self._by_url = {each["url"]: each for each in parameters}

    def of_type(self, type_: str) -> dict[str, Json]:
        """The parameters of a type by code; what every resource has comes under ``Resource``."""
        found = (each for each in self._parameters if type_ in each["base"])
        return {each["code"]: self._row(type_, each) for each in sorted(found, key=lambda each: each["code"])}

    def _row(self, type_: str, parameter: Json) -> Json:
        if parameter["code"] in UNSERVED:
            return {"id": parameter["id"], "kind": parameter["type"], "unserved": UNSERVED[parameter["code"]]}
        head = {"id": parameter["id"], "kind": parameter["type"]}
        if parameter["type"] == "special":  # near, the only one
            return head | {"at": {each.json: "position" for each in self._mine(type_, parameter)}}
        if parameter["type"] == "composite":
            return head | self._composite(type_, parameter)
        if "exists()" in parameter["expression"]:
            return head | {"at": self._existing(type_, parameter["expression"])}
        return head | self._simple(type_, parameter)

    def _simple(self, type_: str, parameter: Json) -> Json:
        found = [each for each in self._mine(type_, parameter) if each.type in INDEXED[parameter["type"]].split()]
        if not found:
            sys.exit(f"{type_}.{parameter['code']}: nothing to index")
        by_sound = parameter["code"] in BY_SOUND
        row: Json = {"at": {each.json: "sound" if by_sound else each.type for each in found}}
        if parameter["type"] == "reference":
            row |= self._targets(parameter, found)
        if parameter["type"] == "token" and (system := self._system(found)):
            row["system"] = system
        return row

    def _mine(self, type_: str, parameter: Json) -> list[Found]:
        """The alternatives of the expression that begin at the type."""
        begins = re.compile(rf"\(*{type_}\b")
        parts = [part.strip() for part in parameter["expression"].split("|") if begins.match(part.strip())]
        return self._reducer.reduce(" | ".join(parts), type_)

    def _existing(self, type_: str, expression: str) -> Json:
        """``Patient.deceased.exists() and Patient.deceased != false``: true or false of every resource."""
        match = re.fullmatch(rf"({type_}\.\w+)\.exists\(\) and \1 != false", expression)
        if match is None:
            sys.exit(f"not reduced: {expression}")
        return {each.json: "existence" for each in self._reducer.reduce(match[1], type_)}

    def _targets(self, parameter: Json, found: list[Found]) -> Json:
        """The types that the elements may point at, as far as the parameter says so. All of R4's are ``any``."""
        if of := {each.of for each in found if each.of}:
            return {"of": of.pop()}
        allowed = {target for each in found if each.element for target in each.element.targets}
        if not allowed or "Resource" in allowed:
            allowed = set(parameter["target"])
        targets = sorted(allowed & set(parameter["target"]))
        return {"targets": "any" if len(targets) > 100 else targets}

    def _system(self, found: list[Found]) -> str:
        """The one system of a code whose value set is required."""
        systems = {
            self._source.system(each.element.value_set) for each in found if each.element and each.type == "code"
        }
        return systems.pop() if len(systems) == 1 and all(each.type == "code" for each in found) else ""

    def _composite(self, type_: str, parameter: Json) -> Json:
        bases = self._mine(type_, parameter)
        expressions = [each["expression"] for each in parameter["component"]]
        if parameter["id"] == SWAPPED:
            expressions.reverse()
        parts = [
            self._part(bases[0], self._by_url[each["definition"]], expression)
            for each, expression in zip(parameter["component"], expressions, strict=True)
        ]
        return {"at": {each.json: "composite" for each in bases}, "parts": parts}

    def _part(self, base: Found, definition: Json, expression: str) -> Json:
        found = self._reducer.reduce(expression, base.fhir)
        row: Json = {"kind": definition["type"], "at": {each.json: each.type for each in found}}
        return row | (self._targets(definition, found) if definition["type"] == "reference" else {})


# ---- The file ----------------------------------------------------------------------------------------------------


def differences(ours: dict[str, Json], theirs: dict[str, Json]) -> Iterator[str]:
    """Every disagreement of the two witnesses."""
    for url in ours.keys() ^ theirs.keys():
        yield f"{url.rpartition('/')[2]}: only in the {'first' if url in ours else 'second'}"
    for url in ours.keys() & theirs.keys():
        for name in ("code", "type", "base", "expression", "target", "component"):
            if ours[url].get(name) != theirs[url].get(name):
                yield f"{url.rpartition('/')[2]}: {name}"


def _parameters(file: Path) -> dict[str, Json]:
    bundle = json.loads(file.read_text("utf-8"))
    return {each["url"]: each for each in (entry["resource"] for entry in bundle["entry"])}


def _text(table: dict[str, dict[str, Json]]) -> str:
    """One parameter per line, so that a difference can be read."""
    types = (
        f'"{type_}": {{\n' + ",\n".join(f"{json.dumps(code)}: {json.dumps(row)}" for code, row in rows.items()) + "\n}"
        for type_, rows in table.items()
    )
    return "{\n" + ",\n".join(types) + "\n}\n"


def main(folder: Path, witness: Path) -> None:
    ours, theirs = _parameters(folder / "search-parameters.json"), _parameters(witness)
    found = set(differences(ours, theirs))
    if found != KNOWN:
        sys.exit("\n".join(["Not as known:", *sorted(found ^ KNOWN)]))
    writer = Writer(Definitions(folder), [ours[url] for url in sorted(ours.keys() & theirs.keys())])
    everywhere = writer.of_type("Resource") | writer.of_type("DomainResource")
    everywhere = {code: row for code, row in everywhere.items() if code not in ("_id", "_lastUpdated")}
    TARGET.write_text(_text({"Resource": everywhere} | {type_: writer.of_type(type_) for type_ in SEARCHED}), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
