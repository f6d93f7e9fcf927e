"""The event schemas let the reduced Procedure through and nothing else.

Sources: contracts/wire/events/README.md, architecture.md D8, D10, D17 (the reduced record), domain_rules.md 25.
"""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

EVENTS = Path(__file__).parents[3] / "contracts" / "wire" / "events"
BASE = "https://rekobryggan.example"
KVA = "urn:oid:1.2.752.116.1.3.2.1.4"

CODED, RETRACTED = "activity.coded.v1", "activity.retracted.v1"
KINDS = [CODED, RETRACTED]

Document = dict[str, Any]
Change = Callable[[Document], None]


# --- Building, judging and changing documents -------------------------------------------------------------------------


def coding(system: str, code: str) -> Document:
    return {"system": system, "code": code, "display": "Ord"}


def coded() -> Document:
    """A coded activity with every allowed element but the other form of performed[x]."""
    unit = {"system": "urn:oid:1.2.752.29.4.19", "value": "SE2321000131-E000000000002"}
    accompanying = f"{BASE}/fhir/StructureDefinition/accompanying-code"
    return {
        "resourceType": "Procedure",
        "id": "a-1",
        "meta": {"versionId": "3", "lastUpdated": "2026-03-02T09:31:04.512+01:00"},
        "extension": [{"url": accompanying, "valueCoding": coding(KVA, "ZV506")}],
        "status": "completed",
        "category": {"coding": [coding(f"{BASE}/fhir/CodeSystem/activity-kind", "employer-contact")]},
        "code": {"coding": [coding(KVA, "GC001")]},
        "subject": {"reference": "Patient/p-1"},
        "performedPeriod": {"start": "2026-03-02T09:00:00+01:00", "end": "2026-03-02T09:45:00+01:00"},
        "performer": [
            {
                "function": {"coding": [coding("urn:oid:1.2.752.116.1.3.6", "1")]},
                "actor": {"identifier": unit},
            }
        ],
    }


def retracted() -> Document:
    kept = ("resourceType", "id", "meta", "subject")
    return {name: value for name, value in coded().items() if name in kept} | {"status": "entered-in-error"}


BUILD = {CODED: coded, RETRACTED: retracted}


def schema_of(kind: str) -> Document:
    loaded: Document = json.loads((EVENTS / f"{kind}.schema.json").read_text(encoding="utf-8"))
    return loaded


@cache
def validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema_of(kind))


def is_valid(kind: str, document: Document) -> bool:
    return validator(kind).is_valid(document)


def steps(path: str) -> list[str | int]:
    """``code.coding.0.code`` as keys and indexes."""
    return [int(step) if step.isdigit() else step for step in path.split(".") if step]


def at(document: Document, path: str) -> Any:
    found: Any = document
    for step in steps(path):
        found = found[step]
    return found


def put(path: str, value: object) -> Change:
    """Another value at the path."""
    above, _, last = path.rpartition(".")

    def change(document: Document) -> None:
        at(document, above)[steps(last)[0]] = value

    return change


def drop(path: str) -> Change:
    """Without what stands at the path."""
    above, _, last = path.rpartition(".")

    def change(document: Document) -> None:
        del at(document, above)[steps(last)[0]]

    return change


def every(*changes: Change) -> Change:
    def change(document: Document) -> None:
        for one in changes:
            one(document)

    return change


def objects(value: Any, path: str = "") -> Iterator[str]:
    """The paths of all objects in a document, itself first."""
    if isinstance(value, dict):
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield from objects(child, f"{path}.{step}".lstrip("."))


def members(document: Document) -> Iterator[str]:
    """The paths of all members of all objects."""
    for path in objects(document):
        yield from (f"{path}.{name}".lstrip(".") for name in at(document, path))


# --- The schemas themselves -------------------------------------------------------------------------------------------


def test_the_room_holds_one_schema_per_event_type() -> None:
    assert {path.name for path in EVENTS.iterdir()} == {f"{kind}.schema.json" for kind in KINDS} | {"README.md"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_right_by_its_own_draft_and_names_itself(kind: str) -> None:
    schema = schema_of(kind)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{BASE}/events/{kind}.schema.json"
    assert jsonschema_rs.meta.is_valid(schema)


@pytest.mark.parametrize("kind", KINDS)
def test_every_object_is_closed(kind: str) -> None:
    schema = schema_of(kind)
    typed = [path for path in objects(schema) if at(schema, path).get("type") == "object"]
    assert typed
    assert [path for path in typed if at(schema, path).get("additionalProperties") is not False] == []


def test_what_the_two_schemas_share_is_the_same() -> None:
    coded_parts, retracted_parts = schema_of(CODED)["$defs"], schema_of(RETRACTED)["$defs"]
    assert {name: coded_parts[name] for name in retracted_parts} == retracted_parts


# --- What passes ------------------------------------------------------------------------------------------------------

OPTIONAL = {
    CODED: {
        "extension",
        "extension.0.valueCoding.display",
        "category",
        "category.coding.0.display",
        "code.coding.0.display",
        "performedPeriod.start",
        "performedPeriod.end",
        "performer",
        "performer.0.function",
        "performer.0.function.coding.0.display",
    },
    RETRACTED: set[str](),
}

PASSES: list[tuple[str, Change]] = [
    ("a point in time", every(drop("performedPeriod"), put("performedDateTime", "2026-03-02T09:00:00Z"))),
    ("a day", every(drop("performedPeriod"), put("performedDateTime", "2026-03-02"))),
    ("a month", every(drop("performedPeriod"), put("performedDateTime", "2026-03"))),
    ("a year", every(drop("performedPeriod"), put("performedDateTime", "2026"))),
    ("two kinds", put("category.coding", [coding("urn:a", "employer-contact"), coding("urn:a", "trepartsmote")])),
    ("two accompanying codes", put("extension", coded()["extension"] * 2)),
    ("two performers", put("performer", coded()["performer"] * 2)),
]


@pytest.mark.parametrize("kind", KINDS)
def test_the_whole_document_is_valid(kind: str) -> None:
    assert [error.message for error in validator(kind).iter_errors(BUILD[kind]())] == []


@pytest.mark.parametrize("kind", KINDS)
def test_exactly_the_optional_members_may_be_left_out(kind: str) -> None:
    def survives(path: str) -> bool:
        document = BUILD[kind]()
        drop(path)(document)
        return is_valid(kind, document)

    assert {path for path in members(BUILD[kind]()) if survives(path)} == OPTIONAL[kind]


@pytest.mark.parametrize(("case", "change"), PASSES)
def test_what_passes(case: str, change: Change) -> None:
    document = coded()
    change(document)
    assert is_valid(CODED, document), case


# --- What never leaves ------------------------------------------------------------------------------------------------

FORBIDDEN = [
    "note",
    "report",
    "text",
    "contained",
    "reasonCode",
    "reasonReference",
    "identifier",
    "display",
    "actor",
    "recorder",
    "asserter",
    "encounter",
    "partOf",
    "basedOn",
    "outcome",
    "followUp",
    "location",
    "statusReason",
    "modifierExtension",
    "implicitRules",
    "language",
    "name",
    "_status",
    "tag",
    "security",
    "profile",
    "source",
    "version",
    "userSelected",
    "type",
    "assigner",
    "valueString",
]


@pytest.mark.parametrize("name", FORBIDDEN)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_else_stands_in_any_object(kind: str, name: str) -> None:
    whole = BUILD[kind]()
    for path in objects(whole):
        if name not in at(whole, path):
            document = deepcopy(whole)
            at(document, path)[name] = "Ord"
            allowed = name == "display" and {"system", "code"} <= at(whole, path).keys()
            assert not is_valid(kind, document) or allowed, path


@pytest.mark.parametrize("name", ["code", "category", "performer", "extension", "performedPeriod"])
def test_a_retraction_says_nothing_of_the_activity(name: str) -> None:
    assert not is_valid(RETRACTED, retracted() | {name: coded()[name]})


REFUSED: list[tuple[str, Change]] = [
    ("another resource type", put("resourceType", "Observation")),
    ("not done", put("status", "not-done")),
    ("in progress", put("status", "in-progress")),
    ("both forms of performed", put("performedDateTime", "2026-03-02")),
    ("neither form of performed", drop("performedPeriod")),
    ("an empty period", put("performedPeriod", {})),
    ("a time without zone", put("performedPeriod.start", "2026-03-02T09:00:00")),
    ("a time without seconds", put("performedPeriod.start", "2026-03-02T09:00Z")),
    ("a stored time without zone", put("meta.lastUpdated", "2026-03-02T09:00:00")),
    ("a stored day", put("meta.lastUpdated", "2026-03-02")),
    ("version zero", put("meta.versionId", "0")),
    ("a version with leading zeros", put("meta.versionId", "0000000003")),
    ("a version that is a number", put("meta.versionId", 3)),
    ("an id with a slash", put("id", "Procedure/a-1")),
    ("an empty id", put("id", "")),
    ("an id with a line break", put("id", "a-1\n")),
    ("a subject at another address", put("subject.reference", "https://ehr.example/Patient/p-1")),
    ("a subject that is no patient", put("subject.reference", "Group/p-1")),
    ("a version of a subject", put("subject.reference", "Patient/p-1/_history/1")),
    ("a contained subject", put("subject.reference", "#p-1")),
    ("two main codes", put("code.coding", [coding(KVA, "GC001"), coding(KVA, "DV077")])),
    ("no main code", put("code.coding", [])),
    ("a main code of another system", put("code.coding.0.system", "urn:oid:1.2.752.116.1.1.1.1.1")),
    ("a main code in lower case", put("code.coding.0.code", "gc001")),
    ("a main code of seven characters", put("code.coding.0.code", "GC00100")),
    ("a diagnosis as main code", put("code.coding.0.code", "F438A")),
    ("digits of another script", put("code.coding.0.code", "GC٠٠١")),
    ("several categories, as in R5", put("category", [coded()["category"]])),
    ("a category without codings", put("category", {"coding": []})),
    ("a category in words", put("category", {"text": "Ord"})),
    ("a function in words", put("performer.0.function", {"text": "Ord"})),
    ("no performers in a list", put("performer", [])),
    ("a performer without content", put("performer", [{}])),
    ("a coded one that was entered in error", put("status", "entered-in-error")),
    ("a unit by reference", put("performer.0.actor", {"reference": "Organization/1"})),
    (
        "a unit under the HSA root of the SOAP world",
        put("performer.0.actor.identifier.system", "urn:oid:1.2.752.129.2.1.4.1"),
    ),
    ("a unit that is no HSA-id", put("performer.0.actor.identifier.value", "Vårdcentralen")),
    ("a unit's HSA-id of 32 characters", put("performer.0.actor.identifier.value", "SE2321000131-" + "E" * 19)),
    ("another extension", put("extension.0.url", f"{BASE}/fhir/StructureDefinition/contact-mode")),
    ("an extension with a code", put("extension.0", {"url": coded()["extension"][0]["url"], "valueCode": "ZV506"})),
    ("no extensions in a list", put("extension", [])),
    ("an empty display", put("code.coding.0.display", " ")),
    ("a code with blanks around", put("extension.0.valueCoding.code", " ZV506")),
    ("null", put("category", None)),
]


@pytest.mark.parametrize(("case", "change"), REFUSED)
def test_what_is_refused(case: str, change: Change) -> None:
    document = coded()
    change(document)
    assert not is_valid(CODED, document), case


@pytest.mark.parametrize("status", ["completed", "not-done"])
def test_a_retraction_is_entered_in_error(status: str) -> None:
    assert not is_valid(RETRACTED, retracted() | {"status": status})


# --- The examples of the README ---------------------------------------------------------------------------------------

ATTRIBUTES = {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "dataschema", "sequence"}


def examples() -> list[Document]:
    readme = (EVENTS / "README.md").read_text(encoding="utf-8")
    return [json.loads(block) for block in re.findall(r"```json\n(.*?)```", readme, re.DOTALL)]


@pytest.mark.parametrize(("event", "kind"), [*zip(examples(), KINDS, strict=True)], ids=KINDS)
def test_an_example_of_the_readme_keeps_its_own_rules(event: Document, kind: str) -> None:
    data = event["data"]
    assert event.keys() == ATTRIBUTES | {"data"}
    assert [error.message for error in validator(kind).iter_errors(data)] == []
    assert event["type"] == f"se.rekobryggan.{kind}"
    assert event["dataschema"] == schema_of(kind)["$id"]
    assert event["datacontenttype"] == "application/fhir+json"
    assert event["subject"] == f"Procedure/{data['id']}"
    assert event["time"] == data["meta"]["lastUpdated"]
    assert event["sequence"] == data["meta"]["versionId"].zfill(10)
    assert data["subject"]["reference"] not in json.dumps({name: event[name] for name in ATTRIBUTES})
