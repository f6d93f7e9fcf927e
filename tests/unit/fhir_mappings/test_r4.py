"""The judge of FHIR R4: what it lets in, what it refuses, and in which words.

Sources: http://hl7.org/fhir/R4/json.html, http://hl7.org/fhir/R4/datatypes.html; architecture.md D1, D10, D26. The table of
mutations is the one that fhir.resources was measured with: each row slipped through it, or through another validator.
"""

import calendar
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from functools import cache
from importlib.resources import files
from random import Random
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import IssueType, Malformed
from fhir_mappings import r4

Resource = dict[str, Any]
Path = tuple[str | int, ...]

# An official kind of test number (serial 980, right control digit): it stands wherever a caller could misplace one.
MARKER = "199001019802"


# ---- Valid examples ----------------------------------------------------------------------------------------------


def concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": "Ord på svenska"}], "text": "Ord"}


def ref(to: str) -> Resource:
    return {"reference": to}


KVA = "urn:oid:1.2.752.116.1.3.2.1.4"
HSA = "urn:oid:1.2.752.29.4.19"
OURS = "https://rekobryggan.example/fhir"

PATIENT: Resource = {
    "resourceType": "Patient",
    "id": "p-1",
    "meta": {
        "versionId": "1",
        "lastUpdated": "2026-05-07T10:15:30.123+02:00",
        "profile": [f"{OURS}/StructureDefinition/p"],
    },
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Å ä ö</div>'},
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Vårdcentralen"}],
    "active": True,
    "name": [{"use": "official", "family": "Ek", "given": ["Ann", "Eva"]}],
    "telecom": [{"system": "phone", "value": "070-1740605", "rank": 1}],
    "gender": "female",
    "_birthDate": {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
    },
    "deceasedBoolean": False,
    "address": [{"line": ["Gatan 1"], "city": "Umeå", "period": {"start": "2020", "end": "2024-02-29"}}],
    "contact": [{"relationship": [concept("urn:x", "N")], "name": {"text": "Bo Ek"}}],
    "generalPractitioner": [ref("#o")],
    "managingOrganization": ref("Organization/o-1/_history/2"),
    "link": [{"other": ref("Patient/p-2"), "type": "seealso"}],
}
PRACTITIONER: Resource = {
    "resourceType": "Practitioner",
    "identifier": [{"system": HSA, "value": "SE2321000131-P000000000001"}],
    "name": [{"text": "Karin Koordinator"}],
    "qualification": [{"code": concept("urn:x", "FT"), "period": {"start": "2010-06"}}],
}
PRACTITIONER_ROLE: Resource = {
    "resourceType": "PractitionerRole",
    "practitioner": ref("Practitioner/k-1"),
    "organization": ref("https://ehr.example/fhir/Organization/o-1"),
    "code": [concept("http://snomed.info/sct", "310190000")],
    "availableTime": [{"daysOfWeek": ["mon", "fri"], "availableStartTime": "08:00:00"}],
}
ORGANIZATION: Resource = {
    "resourceType": "Organization",
    "identifier": [{"system": HSA, "value": "SE2321000131-E000000000001"}],
    "active": True,
    "name": "Vårdcentralen",
    "partOf": {"type": "Organization", "identifier": {"system": HSA, "value": "SE2321000131-E000000000002"}},
}
PROCEDURE: Resource = {
    "resourceType": "Procedure",
    "extension": [
        {"url": f"{OURS}/StructureDefinition/contact-mode", "valueCode": "visit"},
        {"url": "urn:x", "extension": [{"url": "a", "valueQuantity": {"value": 1.50, "unit": "h"}}]},
    ],
    "status": "completed",
    "category": concept(f"{OURS}/CodeSystem/activity-kind", "trepartsmote"),
    "code": concept(KVA, "GC001"),
    "subject": ref("Patient/p-1"),
    "encounter": ref("urn:uuid:6f9619ff-8b86-4011-b42d-00cf4fc964ff"),
    "performedPeriod": {"start": "2026-05-07T09:00:00+02:00", "end": "2026-05-07T10:00:00.000Z"},
    "performer": [
        {"function": concept("urn:x", "1"), "actor": ref("PractitionerRole/r-1"), "onBehalfOf": ref("Organization/o-1")}
    ],
    "note": [
        {
            "authorReference": ref("Practitioner/k-1"),
            "time": "2026-05-07T10:10:00Z",
            "text": "Möte.\r\nNytt möte bokat.",
        }
    ],
}
CONSENT: Resource = {
    "resourceType": "Consent",
    "status": "active",
    "scope": concept("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
    "category": [concept("http://loinc.org", "59284-0")],
    "patient": ref("Patient/p-1"),
    "dateTime": "2026-05-01",
    "sourceAttachment": {"contentType": "application/pdf", "data": "QUJD", "size": 3},
    "verification": [{"verified": True, "verificationDate": "2026-05-01T08:00:00+02:00"}],
    "provision": {
        "type": "permit",
        "period": {"start": "2026-05-01", "end": "2026-11-01"},
        "actor": [{"role": concept("urn:x", "IRCP"), "reference": ref("Organization/fk")}],
        "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "COC"}],
        "data": [{"meaning": "related", "reference": ref("CarePlan/c-1")}],
        "provision": [{"type": "deny", "class": [{"code": "note"}]}],
    },
}
CARE_PLAN: Resource = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": ref("Patient/p-1"),
    "created": "2026-05-01",
    "goal": [ref("Goal/g-1")],
    "activity": [
        {"reference": ref("Task/t-1")},
        {"progress": [{"text": "Påbörjad"}], "outcomeReference": [ref("Observation/o-1")]},
        {
            "detail": {
                "kind": "Task",
                "code": concept(KVA, "AU124"),
                "status": "in-progress",
                "doNotPerform": False,
                "scheduledTiming": {"repeat": {"frequency": 1, "period": 2.5, "periodUnit": "wk", "when": ["MORN"]}},
                "dailyAmount": {"value": 25, "unit": "%"},
            }
        },
    ],
}
GOAL: Resource = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Åter i arbete"},
    "subject": ref("Patient/p-1"),
    "startDate": "2026-05-01",
    "target": [{"measure": concept("urn:x", "y"), "detailInteger": 50, "dueDate": "2026-09-01"}],
}
COMMUNICATION_REQUEST: Resource = {
    "resourceType": "CommunicationRequest",
    "status": "active",
    "priority": "routine",
    "subject": ref("Patient/p-1"),
    "payload": [{"contentString": "Möte med arbetsgivaren behövs."}],
    "occurrenceDateTime": "2026-05-08",
    "recipient": [ref("Organization/fk")],
}
DOCUMENT_REFERENCE: Resource = {
    "resourceType": "DocumentReference",
    "status": "current",
    "date": "2026-05-07T10:00:00Z",
    "relatesTo": [{"code": "replaces", "target": ref("DocumentReference/d-0")}],
    "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "url": "Binary/b-1", "hash": "QUI="}}],
}
OBSERVATION: Resource = {
    "resourceType": "Observation",
    "status": "final",
    "code": concept("urn:x", "y"),
    "subject": ref("Patient/p-1"),
    "effectiveDateTime": "2026-05",
    "valueQuantity": {"value": 75, "comparator": "<", "unit": "%"},
    "referenceRange": [{"low": {"value": 0.5}}],
    "component": [{"code": concept("urn:x", "z"), "valueTime": "10:00:00"}],
}
EPISODE_OF_CARE: Resource = {
    "resourceType": "EpisodeOfCare",
    "status": "active",
    "statusHistory": [{"status": "planned", "period": {"start": "2026-04-01", "end": "2026-05-01"}}],
    "diagnosis": [{"condition": ref("Condition/c-1"), "rank": 1}],
    "patient": ref("Patient/p-1"),
    "period": {"start": "2026-05-01"},
}
DEVICE_SOURCE: Resource = {"observer": ref("Device/d-1")}
SMALL: list[Resource] = [
    {"resourceType": "RelatedPerson", "patient": ref("Patient/p-1")},
    {"resourceType": "Location", "mode": "instance"},
    {"resourceType": "CareTeam", "status": "active"},
    {"resourceType": "Encounter", "status": "finished", "class": {"code": "AMB"}},
    {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "item": [{"linkId": "1", "answer": [{"valueDecimal": 1.0}]}],
    },
    {"resourceType": "Communication", "status": "completed", "payload": [{"contentReference": ref("Binary/b-1")}]},
    {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "input": [{"type": {"text": "x"}, "valueUrl": "urn:x"}],
    },
    {
        "resourceType": "Provenance",
        "target": [ref("Goal/g-1")],
        "recorded": "2026-05-07T10:00:00Z",
        "agent": [{"who": ref("Device/d-1")}],
    },
    {
        "resourceType": "AuditEvent",
        "type": {"code": "rest"},
        "recorded": "2026-05-07T10:00:00Z",
        "agent": [{"requestor": True}],
        "source": DEVICE_SOURCE,
    },
    {"resourceType": "List", "status": "current", "mode": "working", "entry": [{"item": ref("Slot/s-1")}]},
    {"resourceType": "Binary", "contentType": "application/pdf", "data": "QUJDRA==\r\n"},
    {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}}],
    },
    {
        "resourceType": "Parameters",
        "parameter": [{"name": "x", "part": [{"name": "y", "resource": PATIENT}, {"name": "z", "valueId": "a"}]}],
    },
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "code-invalid"}]},
    {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-28",
        "kind": "instance",
        "software": {"name": "a"},
        "implementation": {"description": "a"},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "resource": [{"type": "Patient", "interaction": [{"code": "read"}]}]}],
    },
]
MAIN = [
    PATIENT,
    PRACTITIONER,
    PRACTITIONER_ROLE,
    ORGANIZATION,
    PROCEDURE,
    CONSENT,
    CARE_PLAN,
    GOAL,
    COMMUNICATION_REQUEST,
    DOCUMENT_REFERENCE,
    OBSERVATION,
    EPISODE_OF_CARE,
]
EXAMPLES = {example["resourceType"]: example for example in [*MAIN, *SMALL]}


@pytest.mark.parametrize("name", r4.TYPES)
def test_an_example_of_each_served_type_is_accepted_whole(name: str) -> None:
    body = json.dumps(EXAMPLES[name]).encode()
    assert r4.parse(body) == EXAMPLES[name]
    assert (
        r4.parse(json.dumps(EXAMPLES[name], ensure_ascii=False, indent="\t").encode(), expected=name) == EXAMPLES[name]
    )
    assert r4.check(EXAMPLES[name]) == ()
    r4.model(name).model_validate(EXAMPLES[name])


# ---- The table of mutations --------------------------------------------------------------------------------------

Change = tuple[Resource, Path, Any]
ABSENT = object()

STRUCTURE, REQUIRED, VALUE, CODE = IssueType.STRUCTURE, IssueType.REQUIRED, IssueType.VALUE, IssueType.CODE_INVALID

MUTATIONS: dict[str, tuple[Resource, Path, Any, str, IssueType]] = {
    "unknown element": (PATIENT, ("nickname",), "x", "Patient.nickname", STRUCTURE),
    "unknown nested element": (CARE_PLAN, ("activity", 2, "detail", "note"), "x", "CarePlan.activity[2].detail.note", STRUCTURE),
    "unknown sibling": (PATIENT, ("_name",), {"id": "x"}, "Patient.name", STRUCTURE),
    "sibling of an id": (PATIENT, ("_id",), {"id": "x"}, "Patient.id", STRUCTURE),
    "an R5 element": (PROCEDURE, ("recorded",), "2026", "Procedure.recorded", STRUCTURE),
    "an R4B extension value": (PROCEDURE, ("extension", 0), {"url": "x", "valueRatioRange": {}}, "Procedure.extension[0].valueRatioRange", STRUCTURE),
    "fhir_comments": (PATIENT, ("fhir_comments",), "x", "Patient.fhir_comments", STRUCTURE),
    "fhir_comments deep": (PATIENT, ("name", 0, "fhir_comments"), ["x"], "Patient.name[0].fhir_comments", STRUCTURE),
    "a Python name": (EXAMPLES["Encounter"], ("class_fhir",), {"code": "AMB"}, "Encounter.class_fhir", STRUCTURE),
    "a Python sibling": (PATIENT, ("birthDate__ext",), {"id": "x"}, "Patient.birthDate__ext", STRUCTURE),
    "a name of the definitions' package": (PATIENT, ("meta", "project"), "x", "Patient.meta.project", STRUCTURE),
    "null for a primitive": (PATIENT, ("gender",), None, "Patient.gender", STRUCTURE),
    "null for an object": (PATIENT, ("maritalStatus",), None, "Patient.maritalStatus", STRUCTURE),
    "null for a list": (PATIENT, ("telecom",), None, "Patient.telecom", STRUCTURE),
    "null in a list of objects": (PATIENT, ("telecom", 0), None, "Patient.telecom[0]", STRUCTURE),
    "null in a list alone": (PATIENT, ("address", 0, "line"), [None], "Patient.address[0].line", STRUCTURE),
    "null in a sibling list alone": (PATIENT, ("name", 0, "_given"), [None], "Patient.name[0].given", STRUCTURE),
    "null for a number": (OBSERVATION, ("valueQuantity", "value"), None, "Observation.value.value", STRUCTURE),
    "empty string": (PATIENT, ("name", 0, "family"), "", "Patient.name[0].family", VALUE),
    "empty code": (PROCEDURE, ("code", "coding", 0, "code"), "", "Procedure.code.coding[0].code", VALUE),
    "empty status": (PROCEDURE, ("status",), "", "Procedure.status", CODE),
    "control character": (PATIENT, ("name", 0, "family"), "E\x00k", "Patient.name[0].family", VALUE),
    "number for string": (PATIENT, ("name", 0, "family"), 7, "Patient.name[0].family", VALUE),
    "number for code": (PATIENT, ("gender",), 7, "Patient.gender", CODE),
    "empty object": (PROCEDURE, ("performer", 0, "function"), {}, "Procedure.performer[0].function", STRUCTURE),
    "empty object in a list": (PATIENT, ("name", 0), {}, "Patient.name[0]", STRUCTURE),
    "empty sibling": (PATIENT, ("_birthDate",), {}, "Patient.birthDate", STRUCTURE),
    "empty list": (PATIENT, ("name",), [], "Patient.name", STRUCTURE),
    "empty list of primitives": (PATIENT, ("address", 0, "line"), [], "Patient.address[0].line", STRUCTURE),
    "list for object": (PROCEDURE, ("code",), [{"text": "x"}], "Procedure.code", STRUCTURE),
    "string for object": (PROCEDURE, ("code",), '{"text": "x"}', "Procedure.code", STRUCTURE),
    "string for object with a choice": (PROCEDURE, ("note", 0), "x", "Procedure.note[0]", STRUCTURE),
    "string for extension": (PROCEDURE, ("extension", 0), "x", "Procedure.extension[0]", STRUCTURE),
    "object for list": (PATIENT, ("name",), {"text": "x"}, "Patient.name", STRUCTURE),
    "string for list": (PATIENT, ("name", 0, "given"), "Ann", "Patient.name[0].given", STRUCTURE),
    "object for string": (PATIENT, ("name", 0, "family"), {"text": "x"}, "Patient.name[0].family", VALUE),
    "string for boolean": (PATIENT, ("active",), "true", "Patient.active", VALUE),
    "number for boolean": (PATIENT, ("active",), 1, "Patient.active", VALUE),
    "string for decimal": (OBSERVATION, ("valueQuantity", "value"), "75", "Observation.value.value", VALUE),
    "boolean for decimal": (OBSERVATION, ("valueQuantity", "value"), True, "Observation.value.value", VALUE),
    "fraction for integer": (GOAL, ("target", 0, "detailInteger"), 1.5, "Goal.target[0].detail", VALUE),
    "too large an integer": (GOAL, ("target", 0, "detailInteger"), 2**31, "Goal.target[0].detail", VALUE),
    "zero for a positive integer": (PATIENT, ("telecom", 0, "rank"), 0, "Patient.telecom[0].rank", VALUE),
    "negative for an unsigned integer": (CONSENT, ("sourceAttachment", "size"), -1, "Consent.source.size", VALUE),
    "impossible date": (GOAL, ("startDate",), "2026-02-30", "Goal.start", VALUE),
    "no leap year": (GOAL, ("startDate",), "2100-02-29", "Goal.start", VALUE),
    "date with a time": (GOAL, ("startDate",), "2026-05-01T10:00:00Z", "Goal.start", VALUE),
    "date the Swedish way": (GOAL, ("startDate",), "20260501", "Goal.start", VALUE),
    "date with a line break": (GOAL, ("startDate",), "2026-05-01\n", "Goal.start", VALUE),
    "month 13": (OBSERVATION, ("effectiveDateTime",), "2026-13", "Observation.effective", VALUE),
    "year 0": (OBSERVATION, ("effectiveDateTime",), "0000", "Observation.effective", VALUE),
    "time without an offset": (OBSERVATION, ("effectiveDateTime",), "2026-05-07T10:00:00", "Observation.effective", VALUE),
    "time without seconds": (OBSERVATION, ("effectiveDateTime",), "2026-05-07T10:00Z", "Observation.effective", VALUE),
    "hour 24": (OBSERVATION, ("effectiveDateTime",), "2026-05-07T24:00:00Z", "Observation.effective", VALUE),
    "second 60": (OBSERVATION, ("effectiveDateTime",), "2026-05-07T23:59:60Z", "Observation.effective", VALUE),
    "offset past 14:00": (OBSERVATION, ("effectiveDateTime",), "2026-05-07T10:00:00+14:01", "Observation.effective", VALUE),
    "instant without a time": (PATIENT, ("meta", "lastUpdated"), "2026-05-07", "Patient.meta.lastUpdated", VALUE),
    "time of day 25": (OBSERVATION, ("component", 0, "valueTime"), "25:00:00", "Observation.component[0].value", VALUE),
    "code outside its binding": (CARE_PLAN, ("activity", 2, "detail", "status"), "done", "CarePlan.activity[2].detail.status", CODE),
    "code in the wrong case": (PATIENT, ("gender",), "Female", "Patient.gender", CODE),
    "code outside a repeated binding": (PRACTITIONER_ROLE, ("availableTime", 0, "daysOfWeek", 1), "fre", "PractitionerRole.availableTime[0].daysOfWeek[1]", CODE),
    "code with a double space": (PROCEDURE, ("code", "coding", 0, "code"), "GC  001", "Procedure.code.coding[0].code", VALUE),
    "reference to a wrong type": (PROCEDURE, ("subject",), ref("Practitioner/1"), "Procedure.subject.reference", VALUE),
    "absolute reference to a wrong type": (PROCEDURE, ("subject",), ref("https://x.example/Location/1"), "Procedure.subject.reference", VALUE),
    "reference to no type": (CARE_PLAN, ("activity", 1, "outcomeReference", 0), ref("Pateint/1"), "CarePlan.activity[1].outcomeReference[0].reference", VALUE),
    "reference without an id": (PROCEDURE, ("subject",), ref("Patient/"), "Procedure.subject.reference", VALUE),
    "reference with a broken uuid": (PROCEDURE, ("subject",), ref("urn:uuid:1"), "Procedure.subject.reference", VALUE),
    "two choices": (PATIENT, ("deceasedDateTime",), "2026", "Patient.deceased", STRUCTURE),
    "two choices, one as a sibling": (PATIENT, ("_deceasedDateTime",), {"id": "x"}, "Patient.deceased", STRUCTURE),
    "two values of an extension": (PROCEDURE, ("extension", 0, "valueString"), "x", "Procedure.extension[0].value", STRUCTURE),
    "comparator in a SimpleQuantity": (OBSERVATION, ("referenceRange", 0, "low", "comparator"), "<", "Observation.referenceRange[0].low.comparator", STRUCTURE),
    "required object missing": (PROCEDURE, ("subject",), ABSENT, "Procedure.subject", REQUIRED),
    "required list missing": (CONSENT, ("category",), ABSENT, "Consent.category", REQUIRED),
    "required primitive missing": (PROCEDURE, ("status",), ABSENT, "Procedure.status", REQUIRED),
    "required nested primitive missing": (CARE_PLAN, ("activity", 2, "detail", "status"), ABSENT, "CarePlan.activity[2].detail.status", REQUIRED),
    "required choice missing": (COMMUNICATION_REQUEST, ("payload", 0), {"id": "x"}, "CommunicationRequest.payload[0].content", REQUIRED),
    "extension with neither": (PROCEDURE, ("extension", 0), {"url": "x"}, "Procedure.extension[0]", STRUCTURE),
    "extension with an id alone": (PROCEDURE, ("extension", 0), {"url": "x", "id": "x"}, "Procedure.extension[0]", STRUCTURE),
    "extension with both": (PROCEDURE, ("extension", 0, "extension"), [{"url": "y", "valueCode": "x"}], "Procedure.extension[0]", STRUCTURE),
    "extension without url": (PROCEDURE, ("extension", 0, "url"), ABSENT, "Procedure.extension[0].url", REQUIRED),
    "id of 65 characters": (PATIENT, ("id",), "x" * 65, "Patient.id", VALUE),
    "id with an underscore": (PATIENT, ("id",), "a_b", "Patient.id", VALUE),
    "uri with a space": (PATIENT, ("implicitRules",), "http://a b", "Patient.implicitRules", VALUE),
    "base64 without padding": (CONSENT, ("sourceAttachment", "data"), "QUI", "Consent.source.data", VALUE),
    "base64 in an extension": (PATIENT, ("extension",), [{"url": "x", "valueBase64Binary": "?"}], "Patient.extension[0].value", VALUE),
    "contained of an unknown type": (PATIENT, ("contained", 0), {"resourceType": "Nothing"}, "Patient.contained[0].resourceType", CODE),
    "contained of a type not served": (PATIENT, ("contained", 0), {"resourceType": "Device"}, "Patient.contained[0].resourceType", CODE),
    "contained without a type": (PATIENT, ("contained", 0), {"name": "x"}, "Patient.contained[0].resourceType", REQUIRED),
    "contained string": (PATIENT, ("contained", 0), "x", "Patient.contained[0]", STRUCTURE),
    "fault in a contained resource": (PATIENT, ("contained", 0, "active"), "x", "Patient.contained[0].active", VALUE),
    "fault in a bundle": (EXAMPLES["Bundle"], ("entry", 0, "resource", "gender"), "x", "Bundle.entry[0].resource.gender", CODE),
    "resourceType missing": (PATIENT, ("resourceType",), ABSENT, "resourceType", REQUIRED),
    "resourceType unknown": (PATIENT, ("resourceType",), "Nothing", "resourceType", CODE),
    "resourceType not served": (PATIENT, ("resourceType",), "Basic", "resourceType", CODE),
    "resourceType a list": (PATIENT, ("resourceType",), ["Patient"], "resourceType", CODE),
}  # fmt: skip


def changed(resource: Resource, path: Path, value: Any) -> Resource:
    """A copy with another value at ``path``."""
    copy = deepcopy(resource)
    *parents, last = path
    node: Any = copy
    for step in parents:
        node = node[step]
    if value is ABSENT:
        del node[last]
    else:
        node[last] = value
    return copy


def refusal(body: bytes | Resource, expected: str | None = None) -> Malformed:
    with pytest.raises(Malformed) as caught:
        r4.parse(body if isinstance(body, bytes) else json.dumps(body).encode(), expected=expected)
    return caught.value


@pytest.mark.parametrize("name", MUTATIONS)
def test_each_mutation_is_refused_where_it_is(name: str) -> None:
    resource, path, value, expression, type_ = MUTATIONS[name]
    mutated = changed(resource, path, value)
    assert [(issue.expression, issue.type) for issue in r4.check(mutated)] == [(expression, type_)]
    assert refusal(mutated).issues == r4.check(mutated)


def places(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place in a resource but resourceType, with what stands there."""
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, below in members:
        if step != "resourceType":
            yield (*path, step), below
            yield from places(below, (*path, step))


# What can stand nowhere in the examples, by the kind of the place: one row each of the measured table.
EVERYWHERE: list[tuple[str, type, Callable[[Any], Any]]] = [
    ("empty string", str, lambda _: ""),
    ("number for string", str, lambda _: 7),
    ("object for string", str, lambda _: {"id": "x"}),
    ("null", str, lambda _: None),
    ("null", bool, lambda _: None),
    ("string for boolean", bool, lambda value: str(value).lower()),
    ("string for number", float, str),
    ("empty object", dict, lambda _: {}),
    ("unknown element", dict, lambda value: value | {"nickname": "x"}),
    ("list for object", dict, lambda value: [value]),
    ("string for object", dict, json.dumps),
    ("null", dict, lambda _: None),
    ("empty list", list, lambda _: []),
    ("object for list", list, lambda value: value[0]),
    ("null", list, lambda _: None),
]


@pytest.mark.parametrize("name", [each["resourceType"] for each in MAIN])
def test_each_mutation_is_refused_everywhere(name: str) -> None:
    resource = EXAMPLES[name]
    for path, here in places(resource):
        for label, kind, change in EVERYWHERE:
            if type(here) is kind:
                mutated = changed(resource, path, change(here))
                assert r4.check(mutated), (label, path)


# ---- What is right and looks wrong -------------------------------------------------------------------------------

RIGHT: dict[str, Change] = {
    "a reason in place of a required value": (
        changed(PROCEDURE, ("status",), ABSENT),
        ("_status",),
        {"extension": [{"url": "urn:x", "valueCode": "unknown"}]},
    ),
    "a value with an id of its own": (PROCEDURE, ("_status",), {"id": "x"}),
    "null that keeps pace": (PATIENT, ("name", 0), {"given": [None, "Eva"], "_given": [{"extension": [{"url": "x", "valueCode": "y"}]}, None]}),
    "a non-breaking space": (PATIENT, ("name", 0, "family"), "von\u00a0Ek"),
    "a reference to the container": (PATIENT, ("generalPractitioner", 0), ref("#")),
    "an oid": (PROCEDURE, ("subject",), ref("urn:oid:1.2.752.1")),
    "an identifier for a reference": (PROCEDURE, ("subject",), {"identifier": {"value": "1"}}),
    "any version of UUID": (PATIENT, ("extension",), [{"url": "x", "valueUuid": "urn:uuid:0190f1a2-7d3c-7c11-9d22-0c0d0e0f1011"}]),
    "R4's Meta in an extension": (PATIENT, ("extension",), [{"url": "x", "valueMeta": {"versionId": "1"}}]),
    "a sibling of a canonical": (PATIENT, ("meta", "_profile"), [{"id": "x"}]),
    "an extension with an id": (PATIENT, ("extension",), [{"url": "x", "id": "1", "valueCode": "y", "_valueCode": {"id": "2"}}]),
    "base64 in lines": (CONSENT, ("sourceAttachment", "data"), "QUJD\r\nQUI=\n"),
    "many decimals": (OBSERVATION, ("valueQuantity", "value"), 1e-300),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_what_r4_allows_is_accepted(name: str) -> None:
    resource, path, value = RIGHT[name]
    assert r4.check(changed(resource, path, value)) == ()


@pytest.mark.parametrize("year", [1900, 2000, 2023, 2024, 2100])
def test_dates_are_those_of_the_calendar(year: int) -> None:
    for month in range(1, 13):
        for day in range(28, 32):
            accepted = not r4.check({"resourceType": "Patient", "birthDate": f"{year}-{month:02}-{day:02}"})
            assert accepted == (day <= calendar.monthrange(year, month)[1]), (year, month, day)


# ---- Bodies that are no resource ---------------------------------------------------------------------------------


def nested(levels: int) -> bytes:
    """A valid Patient with extensions, ``levels`` objects and lists deep (odd numbers only)."""
    lists = (levels - 3) // 2
    extension = '{"url":"x","extension":[' * lists + '{"url":"x","valueCode":"y"}' + "]}" * lists
    return f'{{"resourceType":"Patient","extension":[{extension}]}}'.encode()


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"<Patient/>",
    "not UTF-8": '{"resourceType":"Patient","id":"å"}'.encode("latin-1"),
    "UTF-16": '{"resourceType":"Patient"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"resourceType":"Patient"}',
    "cut off": b'{"resourceType":"Patient"',
    "two documents": b'{"resourceType":"Patient"}{"resourceType":"Patient"}',
    "a list": b'[{"resourceType":"Patient"}]',
    "null": b"null",
    "a string": b'"Patient"',
    "NaN": b'{"resourceType":"Observation","valueQuantity":{"value":NaN}}',
    "Infinity": b'{"resourceType":"Observation","valueQuantity":{"value":-Infinity}}',
    "a number past every float": b'{"resourceType":"Observation","valueQuantity":{"value":1e999}}',
    "a number of 5,000 digits": b'{"resourceType":"Observation","valueQuantity":{"value":' + b"1" * 5000 + b"}}",
    "a lone surrogate": rb'{"resourceType":"Patient","id":"\ud800"}',
    "a surrogate in bytes": b'{"resourceType":"Patient","id":"\xed\xa0\x80"}',
    "a raw control character": b'{"resourceType":"Patient","id":"\x01"}',
    "65 deep": nested(65),
    "1,000 deep": nested(1001),
    "100,000 deep": nested(100_001),
    "100,000 lists": b"[" * 100_000,
    "1,000 deep in a value that is named again": b'{"resourceType":"Patient","x":'
    + b"[" * 1000
    + b"]" * 1000
    + b',"x":1}',
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_malformed(name: str) -> None:
    refused = refusal(BROKEN[name])
    assert [issue.type for issue in refused.issues] == [IssueType.STRUCTURE]
    assert refused.__cause__ is None
    assert refused.__suppress_context__ or refused.__context__ is None


def test_63_levels_are_accepted() -> None:
    r4.parse(nested(63))
    assert r4.check(json.loads(nested(65)))[0].type is IssueType.STRUCTURE


def test_what_is_no_json_at_all_is_told_by_check() -> None:
    assert r4.check({"resourceType": "Patient", "id": b"x"})


REPEATED: dict[bytes, list[str]] = {
    b'{"resourceType":"Patient","gender":"male","gender":"female"}': ["Patient.gender"],
    b'{"resourceType":"Patient","gender":"male","gender":"male"}': ["Patient.gender"],
    b'{"resourceType":"Patient","resourceType":"Procedure"}': ["resourceType"],
    b'{"resourceType":"Patient","name":[{"text":"a"},{"text":"b" , "text" :"c","use":"old","use":"old"}]}': [
        "Patient.name[1].text",
        "Patient.name[1].use",
    ],
    rb'{"resourceType":"Patient","gender":"male","\u0067ender":"female"}': ["Patient.gender"],
    # One colon lost with the repeated name, one gained where it was written as an escape.
    rb'{"resourceType":"Patient","name":[{"text":"\u003a"}],"id":"1","id":"2"}': ["Patient.id"],
    rb'{"resourceType":"Patient","name":[{"text":"\u003A"}],"id":"1","id":"2"}': ["Patient.id"],
    b'{"resourceType":"Patient","id":"1","id":"2","%b":{"id":"1","id":"2"}}' % MARKER.encode(): [
        "Patient.id",
        "Patient",
    ],
}


@pytest.mark.parametrize("body", REPEATED)
def test_a_name_may_stand_once(body: bytes) -> None:
    refused = refusal(body)
    assert [issue.expression for issue in refused.issues] == REPEATED[body]
    assert all("twice" in issue.text for issue in refused.issues)


@pytest.mark.parametrize("text", ['"', ":", '": "', "\\", "\\u003a", '{"a":', "\\u003A"])
def test_texts_that_look_like_json_are_texts(text: str) -> None:
    escaped = "".join(f"\\u{ord(each):04x}" for each in text)
    for written in (json.dumps(text), f'"{escaped}"', f'"{escaped.upper().replace("U", "u")}"'):
        for colon in (":", " : ", "\n:\t"):
            body = f'{{"resourceType"{colon}"Patient","name"{colon}[{{"text"{colon}{written}}}]}}'
            assert r4.parse(body.encode())["name"] == [{"text": text}]


def test_another_type_than_expected_is_refused() -> None:
    (issue,) = refusal({"resourceType": "Patient"}, expected="Procedure").issues
    assert (issue.expression, issue.text) == ("resourceType", "resourceType must be Procedure here")
    (missing,) = refusal({"id": "1"}, expected="Procedure").issues
    assert missing.type is IssueType.REQUIRED


# ---- What is told ------------------------------------------------------------------------------------------------


def test_all_faults_are_told_at_once() -> None:
    faulty = CARE_PLAN | {"status": "x", "title": "", "nickname": 1, "activity": [{"detail": {}}]}
    assert {(issue.expression, issue.type) for issue in refusal(faulty).issues} == {
        ("CarePlan.status", CODE),
        ("CarePlan.title", VALUE),
        ("CarePlan.nickname", STRUCTURE),
        ("CarePlan.activity[0].detail", STRUCTURE),
        ("CarePlan.activity[0].detail.status", REQUIRED),
    }


def test_no_more_than_20_are_told_and_one_of_a_huge_resource() -> None:
    assert len(refusal({"resourceType": "Patient", "name": [{"family": 1}] * 100}).issues) == r4.MOST_ISSUES
    assert len(refusal({"resourceType": "Patient"} | {"x" * i: 1 for i in range(1, 60)}).issues) == r4.MOST_ISSUES
    assert len(refusal({"resourceType": "Patient", "name": [{"family": 1}] * r4.MOST_LINES}).issues) == 1


TOLD: dict[str, str] = {
    "reference to a wrong type": "reference must refer to Group or Patient: as Type/id, an absolute URL that ends so, urn:uuid:, urn:oid: or #id",
    "code in the wrong case": "gender must be male, female, other or unknown",
    "unknown element": "nickname is unknown to FHIR R4 here",
    "string for boolean": "active must be true or false, without quotes",
    "impossible date": "startDate must be a date that exists: 2026, 2026-05 or 2026-05-07",
    "month 13": "effectiveDateTime must be a date that exists, or such a date with a time to the second and an offset: 2026-05-07T10:00:00+02:00",
    "null for a list": "telecom must not be null: leave it out",
    "null in a list alone": "line may hold null only next to _line",
    "two choices": "deceased[x] must be given in one form only",
    "required choice missing": "content[x] is required",
    "extension with both": "extension must have either a value or extensions of its own",
    "empty list": "name must not be an empty list: leave it out",
    "resourceType not served": "resourceType is not a type that is served here",
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_the_words_are_plain(name: str) -> None:
    resource, path, value, *_ = MUTATIONS[name]
    assert [issue.text for issue in r4.check(changed(resource, path, value))] == [TOLD[name]]


@pytest.mark.parametrize("name", ["x" * 64, "x" * 70, "namn2", "a b", "födelse", MARKER, f"personnummer{MARKER}", ""])
def test_a_name_that_could_hold_anything_is_not_repeated(name: str) -> None:
    (issue,) = refusal(changed(PATIENT, ("contact", 0, name), 1)).issues
    assert (issue.expression, issue.text) == ("Patient.contact[0]", "an element is unknown to FHIR R4 here")


MISPLACED: list[Callable[[Any], Any]] = [
    lambda _: MARKER,
    lambda _: int(MARKER),
    lambda _: [MARKER],
    lambda _: {MARKER: MARKER},
    lambda _: {"resourceType": MARKER},
    lambda _: {"extension": [{"url": MARKER, MARKER: MARKER}], "reference": MARKER, "id": f"{MARKER} {MARKER}"},
]


@pytest.mark.parametrize("name", [each["resourceType"] for each in MAIN])
def test_no_value_stands_in_an_issue(name: str) -> None:
    resource = EXAMPLES[name]
    for path, here in places(resource):
        for misplace in MISPLACED:
            told = repr(r4.check(changed(resource, path, misplace(here))))
            assert MARKER not in told, path


@pytest.mark.parametrize(
    "body",
    [
        MARKER.encode(),
        f'{{"resourceType":"{MARKER}"}}'.encode(),
        f'{{"resourceType":"Patient","id":"{MARKER}'.encode(),
        f'{{"resourceType":"Patient","{MARKER}":1,"{MARKER}":2}}'.encode(),
        f'{{"{MARKER}":{{"id":"{MARKER}","id":"{MARKER}"}}}}'.encode(),
        f'{{"resourceType":"Patient","id":\ud800"{MARKER}"}}'.encode("utf-8", "surrogatepass"),
    ],
)
def test_no_value_stands_in_the_refusal_of_a_broken_body(body: bytes) -> None:
    refused = refusal(body)
    assert MARKER not in f"{refused} {refused.issues!r} {refused.__cause__!r}"


# ---- Building ----------------------------------------------------------------------------------------------------


def test_what_we_originate_is_judged_as_if_it_had_arrived() -> None:
    body = r4.build(
        "Goal", {name: each for name, each in GOAL.items() if name != "resourceType"} | {"startDate": date(2026, 5, 1)}
    )
    assert r4.parse(body, expected="Goal") == GOAL
    assert r4.model("Goal").model_validate_json(body)


@pytest.mark.parametrize(
    ("content", "expression"),
    [
        ({"status": "completed"}, "Procedure.subject"),
        ({"status": "done", "subject": ref("Patient/1")}, "Procedure.status"),
        (PROCEDURE | {"extension": [{"url": "x", "valueCodeableReference": {"reference": ref("Goal/1")}}]}, "Procedure.extension[0].valueCodeableReference"),
        (PROCEDURE | {"extension": [{"url": "x", "valueRatioRange": {"denominator": {"value": 1}}}]}, "Procedure.extension[0].valueRatioRange"),
        (PROCEDURE | {"performedPeriod": {"start": MARKER}}, "Procedure.performed.start"),
        (PROCEDURE | {MARKER: 1}, "Procedure"),
    ],
)  # fmt: skip
def test_what_we_originate_wrongly_is_refused_without_its_values(content: Resource, expression: str) -> None:
    with pytest.raises(Malformed) as caught:
        r4.build("Procedure", content)
    assert [issue.expression for issue in caught.value.issues] == [expression]
    assert MARKER not in repr(caught.value.issues)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


# ---- The schema --------------------------------------------------------------------------------------------------


@cache
def schema() -> Resource:
    loaded: Resource = json.loads((files("contracts") / "wire/fhir/r4.schema.json").read_text("utf-8"))
    return loaded


def test_the_schema_is_draft_7_and_names_no_type_that_is_not_served() -> None:
    jsonschema_rs.meta.validate(schema())
    resources = {
        definition["properties"]["resourceType"]["const"]
        for definition in schema()["definitions"].values()
        if "resourceType" in definition.get("properties", {}) and "$ref" not in definition
    }
    assert resources == set(r4.TYPES)


def test_a_form_of_a_choice_has_one_name_in_fhirpath() -> None:
    titles: dict[str, set[str | None]] = {}
    for definition in schema()["definitions"].values():
        for name, each in definition.get("properties", {}).items():
            titles.setdefault(name, set()).add(each.get("title"))
    assert {name: found for name, found in titles.items() if len(found) > 1} == {}


# ---- Two witnesses -----------------------------------------------------------------------------------------------

TEXTS = ["Möte", "a\u00a0b", " x ", "två\nrader", "\U0001f600", "<b>"]
URIS = ["urn:x", "http://x.example/å", "x", "urn:oid:1.2.752.1", "http://x.example/a?b=c#d"]
TIMES = ["2024-02-29T23:59:59Z", "2000-02-29T00:00:00.123456789+14:00", "1999-12-31T10:00:00.0-00:30"]
POOL: dict[str, list[Any]] = {
    "base64Binary": ["QUJD", "QUI=", "QQ==", " QUJD\r\nQUJD\n"],
    "canonical": [*URIS, "http://x.example/a|1.0"],
    "code": ["a", "a b", "å-1", "text/plain"],
    "code(currencies)": ["SEK"],
    "code(mimetypes)": ["text/plain", "text/plain; charset=utf-8"],
    "date": ["2024-02-29", "1900-02-28", "2026-12", "0001", "9999-12-31"],
    "dateTime": [*TIMES, "2024-02-29", "2026-12", "2026"],
    "decimal": [0, -1, 1.5, 1e22, 1e-300, 123456789.123456789],
    "id": ["a", "A.b-1", "x" * 64],
    "instant": TIMES,
    "markdown": TEXTS,
    "oid": ["urn:oid:1.2.752.1", "urn:oid:2.0"],
    "string": TEXTS,
    "time": ["00:00:00", "23:59:59.999"],
    "uri": URIS,
    "url": URIS,
    # R4 takes any version of UUID, fhir.resources the fourth.
    "uuid": ["urn:uuid:6f9619ff-8b86-4011-b42d-00cf4fc964ff"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml">å &amp; ä</div>'],
}


def grown(random: Random, name: str, depth: int) -> Any:
    """A value of one definition of the schema, by chance; deeper down only what is required."""
    definition = schema()["definitions"][name]
    if name in POOL:
        return random.choice(POOL[name])
    if "enum" in definition:
        return random.choice(definition["enum"])
    if definition["type"] == "boolean":
        return random.random() < 0.5
    if definition["type"] == "integer":
        return random.choice([definition["minimum"], 1, definition["maximum"]])
    if name == "Resource":
        return grown(random, random.choice(r4.TYPES), depth)
    return grown_object(random, name, definition, depth)


def grown_object(random: Random, name: str, definition: Resource, depth: int) -> Resource:
    properties, known = definition["properties"], in_both(name)
    wanted = [each for rule in definition.get("allOf", []) for each in rule.get("else", {}).get("required", [])]
    wanted += definition.get("required", []) + random.sample(known, min(len(known), 1 + 2 * (depth > 0)))
    if name == "Extension":
        wanted = ["url", "extension" if depth > 0 and random.random() < 0.2 else "value[x]"]
    chosen: dict[str, str] = {}  # one form of each choice
    for each in wanted:
        forms = [form for form in known if properties[form].get("title") == each and form[0] != "_"]
        form = random.choice(forms) if forms else each
        chosen.setdefault(properties[form].get("title", form), form)
    found = {form: grown_property(random, name, form, properties[form], depth - 1) for form in chosen.values()}
    return {"resourceType": name} | found if "resourceType" in properties else found


def grown_property(random: Random, name: str, form: str, each: Resource, depth: int) -> Any:
    if each.get("type") == "array":
        one = {"$ref": each["items"]["$ref"].removesuffix("-or-null")}
        return [grown_property(random, name, form, one, depth) for _ in range(random.choice([1, 1, 2]))]
    if form == "reference" and name.startswith("Reference"):
        targets = name.removeprefix("Reference").strip("()") or "Slot,Patient"
        return random.choice(["#a", "urn:oid:1.2", *(f"{target}/1" for target in targets.split(","))])
    return grown(random, each["$ref"].rpartition("/")[2], depth)


@cache
def in_both(name: str) -> list[str]:
    """The properties that fhir.resources has as R4 has them: it lacks valueMeta and the siblings of canonicals."""
    properties = schema()["definitions"][name]["properties"]
    canonical = {f"_{form}" for form, each in properties.items() if "canonical" in json.dumps(each)}
    return [form for form in properties if form not in canonical | {"resourceType", "valueMeta"}]


JUNK: list[Any] = [
    None,
    "",
    "x",
    "true",
    "2026-02-30",
    7,
    -1,
    1.5,
    True,
    [],
    {},
    ["x"],
    [{}],
    [None],
    {"id": "x"},
    {"text": "x"},
]


@settings(max_examples=150, deadline=None)
@given(st.builds(Random, st.integers(0, 2**32)), st.sampled_from(r4.TYPES))
def test_what_the_schema_can_mean_both_accept(random: Random, name: str) -> None:
    resource = grown(random, name, 4)
    assert r4.check(resource) == ()
    r4.model(name).model_validate(resource)


@settings(max_examples=400, deadline=None)
@given(st.builds(Random, st.integers(0, 2**32)), st.sampled_from([each["resourceType"] for each in MAIN]))
def test_what_the_judge_accepts_fhir_resources_accepts(random: Random, name: str) -> None:
    resource = grown(random, name, 3) if random.random() < 0.5 else EXAMPLES[name]
    path, _ = random.choice(list(places(resource)))
    mutated = changed(resource, path, random.choice([*JUNK, ABSENT, *POOL["dateTime"]]))
    if not r4.check(mutated):
        r4.model(name).model_validate(mutated)
