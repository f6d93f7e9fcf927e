"""What a record system posts is what it reads back, element by element (decision D2)."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mappings.identifiers import (
    ACT_CODE,
    CONSENT_KIND,
    EXT_ACCOMPANYING_CODE,
    EXT_CODING_RULE,
    EXT_INFORMATION_CATEGORY,
    HSA_ID,
    INFORMATION_CATEGORY,
    KVA,
    PERSONNUMMER,
    PLAN_KIND,
    SNOMED_CT,
    UCUM,
)

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]
FHIR: Final = {"Content-Type": "application/fhir+json"}

ODD: Final = 'Å "citat" \\ / \t\n 😀 e\u0301 \u2028 <b>&amp;</b> ½'
"""Characters that are easily rewritten: escapes, an emoji, a combining accent, a line separator, markup."""

TEXT: Final = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Åtgärd &lt;1&gt;</div>'}
THEIRS: Final = {"system": "urn:example:ehr:code", "code": "A-1", "display": "Egen åtgärd", "userSelected": True}
HIDDEN: Final = {"extension": [{"url": "urn:example:hidden", "valueCode": "masked"}]}


def concept(system: str, code: str, **more: Any) -> Json:
    return {"coding": [{"system": system, "code": code}], **more}


# Rich resources of every type that can be written


def patient(flow: "Flow", _: "Person") -> Json:
    number = next(flow.people).number
    return {
        "resourceType": "Patient",
        "id": "their-own-id",
        "meta": {"profile": ["urn:example:profile"], "source": "urn:example:ehr", "tag": [THEIRS]},
        "language": "sv",
        "text": TEXT,
        "extension": [{"url": "urn:example:nested", "extension": [{"url": "a", "valueDecimal": 1.5}]}],
        "identifier": [
            {"use": "official", "system": PERSONNUMMER.fhir, "value": number, "period": {"start": "1990"}},
            {"use": "old", "system": "urn:example:ehr", "value": "gammalt"},
        ],
        "active": True,
        "name": [
            {"use": "official", "family": "Exempelström", "given": ["Åsa", "Märta"], "_given": [None, HIDDEN]},
            {"use": "maiden", "text": ODD},
        ],
        "telecom": [{"system": "phone", "value": "010-000 00 00", "rank": 1}],
        "gender": "female",
        "_gender": HIDDEN,
        "birthDate": "1990-02-28",
        "_birthDate": {"extension": [{"url": "urn:example:time", "valueDateTime": "1990-02-28T04:05:06.789+01:00"}]},
        "deceasedBoolean": False,
        "address": [{"line": ["Gatan 1", "c/o Prov"], "city": "Göteborg", "postalCode": "400 00"}],
        "multipleBirthInteger": 2,
        "contact": [{"relationship": [concept("urn:example:relation", "partner")], "name": {"text": "Prov"}}],
        "communication": [{"language": concept("urn:ietf:bcp:47", "sv"), "preferred": True}],
        "managingOrganization": {"reference": flow.forms.refs["unit"], "display": "Vårdcentralen"},
        "link": [{"other": {"reference": "https://elsewhere.example/fhir/Patient/1"}, "type": "seealso"}],
    }


def practitioner(_: "Flow", __: "Person") -> Json:
    return {
        "resourceType": "Practitioner",
        "identifier": [{"system": "urn:oid:1.2.752.129.2.1.4.1", "value": "TSTNMT2321000156-P0077"}],
        "name": [{"family": "Prov", "given": ["Pia"], "prefix": ["dr"]}],
        "qualification": [{"code": {"text": "Leg. arbetsterapeut"}, "period": {"start": "2011-09"}}],
    }


def practitioner_role(flow: "Flow", _: "Person") -> Json:
    return {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"type": "Practitioner", "identifier": {"system": HSA_ID.fhir, "value": flow.COORDINATOR}},
        "organization": {"reference": flow.forms.refs["unit"]},
        "code": [concept("urn:oid:1.2.752.116.1.3.6", "203090")],
        "availableTime": [{"daysOfWeek": ["mon", "tue"], "availableStartTime": "08:00:00"}],
    }


def organization(flow: "Flow", _: "Person") -> Json:
    return {
        "resourceType": "Organization",
        "identifier": [{"system": HSA_ID.fhir, "value": "TSTNMT2321000156-E0099"}],
        "name": ODD,
        "alias": ["VC", "Centralen"],
        "telecom": [{"system": "url", "value": "https://example.org/?a=1&b=2"}],
        "partOf": {"reference": flow.forms.refs["unit"]},
        "contact": [{"purpose": {"text": "Rehabkoordinator"}, "name": {"text": "Karin"}}],
    }


def consent(flow: "Flow", person: "Person") -> Json:
    form = flow.forms.disclosure(person)
    form["provision"]["action"][0]["coding"].append(THEIRS)
    form["provision"]["action"][0]["text"] = "Berätta"
    return form | {
        "identifier": [{"system": "urn:example:ehr:consent", "value": "s-1"}],
        "text": TEXT,
        "sourceReference": {"reference": "https://ehr.example/fhir/QuestionnaireResponse/1", "display": "Blankett"},
        "policyRule": concept(ACT_CODE, "OPTIN"),
        "category": [*form["category"], concept("http://loinc.org", "59284-0")],
    }


def coordination(flow: "Flow", person: "Person") -> Json:
    return flow.forms.coordination(person) | {"category": [concept(CONSENT_KIND, "coordination", text="Koordinering")]}


def goal(flow: "Flow", person: "Person") -> Json:
    form = flow.forms.goal(person)
    pain = {"measure": concept("http://loinc.org", "72514-3"), "detailRange": {"low": {"value": 2.50, "code": "1"}}}
    return form | {
        "identifier": [{"system": "urn:example:ehr:goal", "value": "m-1"}],
        "achievementStatus": concept("http://terminology.hl7.org/CodeSystem/goal-achievement", "in-progress"),
        "priority": {"text": "Hög"},
        "startDate": "2026-11-01",
        "target": [*form["target"], pain],
        "statusDate": "2026-11-02",
        "note": [{"text": ODD, "time": "2026-11-02T10:00:00.123Z", "authorString": "Karin"}],
        "outcomeReference": [{"reference": "https://elsewhere.example/fhir/Observation/1"}],
    }


def care_plan(flow: "Flow", person: "Person") -> Json:
    detail = {
        "kind": "ServiceRequest",
        "code": concept(SNOMED_CT.fhir, "229070002", text="Arbetsträning"),
        "status": "in-progress",
        "scheduledTiming": {"repeat": {"boundsDuration": {"value": 6.0, "system": UCUM, "code": "wk"}, "frequency": 3}},
        "performer": [{"display": "Exempelbolaget AB"}],
        "quantity": {"value": 0.50, "unit": "tjänst"},
        "description": ODD,
    }
    return {
        "resourceType": "CarePlan",
        "identifier": [{"system": "urn:example:ehr:plan", "value": "p-1"}],
        "instantiatesUri": ["urn:example:guideline"],
        "status": "active",
        "intent": "plan",
        "category": [concept(PLAN_KIND, "rehabiliteringsplan"), concept(SNOMED_CT.fhir, "734163000")],
        "title": "Rehabiliteringsplan",
        "description": ODD,
        "subject": {"reference": person.reference, "display": person.name},
        "period": {"start": "2026-11-01T08:00:00+01:00", "end": "2027-03-31"},
        "created": "2026-11-01",
        "author": {"reference": flow.forms.refs["unit"]},
        "contributor": [{"reference": flow.forms.refs["role"]}],
        "activity": [{"detail": detail, "progress": [{"text": "Påbörjad"}]}],
        "note": [{"text": "a"}, {"text": "b"}],
    }


def procedure(flow: "Flow", person: "Person") -> Json:
    form = flow.forms.activity(person)
    form["category"]["coding"].append(THEIRS)
    return form | {
        "identifier": [
            {"system": "urn:example:ehr:activity", "value": f"å-{person.id}", "assigner": {"display": "EHR"}}
        ],
        "text": TEXT,
        "extension": [*form["extension"], {"url": "urn:example:minutes", "valueDecimal": 45.0}],
        "code": {"coding": [THEIRS], "text": ODD},
        "encounter": {"reference": "https://ehr.example/fhir/Encounter/1"},
        "performedDateTime": "2026-11-02T10:00:00.50+01:00",
        "recorder": {"reference": flow.forms.refs["role"]},
        "location": {"reference": "https://ehr.example/fhir/Location/1", "display": "Arbetsplatsen"},
        "outcome": {"text": "Överens"},
        "report": [{"reference": "https://ehr.example/fhir/DocumentReference/1"}],
        "followUp": [{"text": "Nytt möte"}],
        "note": [{"text": ODD, "authorReference": {"reference": flow.forms.refs["unit"]}}],
    }


def communication_request(flow: "Flow", person: "Person") -> Json:
    form = flow.forms.request(person, "intyg-1")
    form["payload"][0]["extension"].append({"url": "urn:example:number", "valueDecimal": 1.50})
    extra = {"extension": [{"url": EXT_INFORMATION_CATEGORY, "valueCode": "care_measures"}], "contentString": ODD}
    return form | {
        "identifier": [{"system": "urn:example:ehr:request", "value": f"b-{person.id}"}],
        "groupIdentifier": {"value": "g-1"},
        "priority": "urgent",
        "payload": [*form["payload"], extra],
        "occurrencePeriod": {"start": "2026-11-02"},
        "sender": {"reference": flow.forms.refs["unit"]},
        "note": [{"text": "Till handläggaren"}],
    }


RICH: Final[list[Callable[["Flow", "Person"], Json]]] = [
    patient,
    practitioner,
    practitioner_role,
    organization,
    consent,
    coordination,
    goal,
    care_plan,
    procedure,
    communication_request,
]


def as_sent(resource: Json) -> Json:
    """A stored resource without what the server calls it and what the service added: our codings."""
    ours = {"id", "meta"}
    kept = {name: value for name, value in resource.items() if name not in ours}
    if 'class="rekobryggan"' in kept.get("text", {}).get("div", ""):
        del kept["text"]
    if resource["resourceType"] == "Procedure":
        code = dict(kept.get("code", {}))
        code["coding"] = [each for each in code.get("coding", []) if not is_ours(each)]
        kept["code"] = {name: value for name, value in code.items() if value}
        kept["extension"] = [each for each in kept.get("extension", []) if each["url"] != EXT_ACCOMPANYING_CODE]
    return {name: value for name, value in kept.items() if value != {} and value != []}


def is_ours(coding: Json) -> bool:
    rules = [each["url"] for each in coding.get("extension", [])]
    return coding.get("system") == KVA.fhir and EXT_CODING_RULE in rules


async def create(flow: "Flow", body: bytes, type: str) -> "tuple[Json, bytes]":
    """What is stored, and the bytes that a read returns."""
    response = await flow.coordinator.post(f"/fhir/{type}", content=body, headers=FHIR)
    assert response.status_code == 201, response.text
    read = await flow.coordinator.get(f"/fhir/{type}/{response.json()['id']}")
    assert read.content == response.content
    stored: Json = read.json()
    return stored, read.content


@pytest.mark.parametrize("make", RICH)
async def test_every_element_is_read_back(flow: "Flow", make: "Callable[[Flow, Person], Json]") -> None:
    form = make(flow, await flow.consenting("fk"))
    stored, _ = await create(flow, json.dumps(form).encode(), form["resourceType"])
    assert as_sent(stored) == {name: value for name, value in form.items() if name not in ("id", "meta")}
    for name, value in form.get("meta", {}).items():
        assert stored["meta"][name] == value
    assert stored["id"] != "their-own-id"


@pytest.mark.parametrize("make", RICH)
async def test_and_after_an_update_and_in_a_bundle(flow: "Flow", make: "Callable[[Flow, Person], Json]") -> None:
    form = make(flow, await flow.consenting("fk"))
    stored, _ = await create(flow, json.dumps(form).encode(), form["resourceType"])
    changed = {**form, "id": stored["id"], "language": "en"}
    updated = await flow.put(changed)
    assert updated["meta"]["versionId"] == "2"
    assert as_sent(updated) == {name: value for name, value in changed.items() if name not in ("id", "meta")}
    bundle = (await flow.coordinator.get(f"/fhir/{form['resourceType']}?_id={stored['id']}")).json()
    assert bundle["entry"][0]["resource"] == updated
    history = (await flow.coordinator.get(f"/fhir/{form['resourceType']}/{stored['id']}/_history")).json()
    assert [entry["resource"] for entry in history["entry"]] == [updated, stored]


async def test_a_text_is_added_where_none_was_sent_and_follows_the_resource(flow: "Flow") -> None:
    person = await flow.patient()
    first = await flow.post(flow.forms.coordination(person))
    assert "Samtycke till koordineringsinsatser" in first["text"]["div"]
    ended = await flow.put({**first, "status": "inactive"})
    assert "gäller inte längre" in ended["text"]["div"]
    own = await flow.put({**ended, "text": TEXT})
    assert own["text"] == TEXT
    assert (await flow.put({**own, "status": "entered-in-error"}))["text"] == TEXT


NUMBERS: Final = ("1.50", "100.0", "0.00", "-0.0", "1e2", "1.0E-10", "0.1234567890123456789", "12345678901234567890")


@pytest.mark.parametrize("make", [procedure, care_plan, goal, patient, consent])
async def test_numbers_keep_their_digits(flow: "Flow", make: "Callable[[Flow, Person], Json]") -> None:
    """A decimal's digits say its precision: they are no rounding error to be mended."""
    form = make(flow, await flow.patient())
    marks = [{"url": f"urn:example:{place}", "valueDecimal": 424200 + place} for place, _ in enumerate(NUMBERS)]
    body = json.dumps({**form, "extension": [*form.get("extension", []), *marks]})
    for place, number in enumerate(NUMBERS):
        body = body.replace(str(424200 + place), number)
    _, content = await create(flow, body.encode(), form["resourceType"])
    for number in NUMBERS:
        assert f'"valueDecimal":{number}' in content.decode().replace('": ', '":')


async def test_spelling_survives_byte_for_byte(flow: "Flow") -> None:
    """Escapes, order and white space inside an element stay as they were sent."""
    person = await flow.patient()
    note = rb'[ {"text" : "\u00e5 \/ \u0022", "time":"2026-11-02T10:00:00.10Z"} ]'
    body = json.dumps(flow.forms.activity(person)).encode()[:-1] + b', "note": ' + note + b"}"
    _, content = await create(flow, body, "Procedure")
    assert note in content


ANY_TEXT: Final = st.text(st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), min_size=1)
ANY_VALUE: Final = st.one_of(
    st.builds(lambda value: {"valueString": value}, ANY_TEXT),
    st.builds(lambda value: {"valueBoolean": value}, st.booleans()),
    st.builds(lambda value: {"valueInteger": value}, st.integers(-(2**31), 2**31 - 1)),
    st.builds(lambda value: {"valueDecimal": value}, st.decimals(-1000, 1000, places=3).map(float)),
    st.builds(lambda value: {"valueDate": f"{value}"}, st.dates()),
    st.builds(lambda text: {"valueAnnotation": {"text": text, "authorString": text}}, ANY_TEXT),
)
EXTENSIONS: Final = st.lists(
    st.builds(lambda value, n: {"url": f"urn:example:{n}", **value}, ANY_VALUE, st.integers(0, 9)),
    min_size=1,
    max_size=8,
)


@given(extension=EXTENSIONS)
@settings(max_examples=20, deadline=None)
async def test_whatever_is_in_an_extension_is_read_back(service: "Flow", extension: list[Json]) -> None:
    person = await service.patient()
    form = service.forms.activity(person, "personal-support", extension=extension)
    stored, _ = await create(service, json.dumps(form).encode(), "Procedure")
    assert stored["extension"] == extension


async def test_the_same_categories_stay_in_their_order(flow: "Flow") -> None:
    person = await flow.patient()
    codes = ["contact_details", "assumed_rehab_need", "care_measures"]
    form = flow.forms.disclosure(person, "fk", codes)
    stored, _ = await create(flow, json.dumps(form).encode(), "Consent")
    assert stored["provision"]["code"] == [concept(INFORMATION_CATEGORY, code) for code in codes]
