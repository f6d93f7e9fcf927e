"""A coordination activity goes in; a coded record, an event and a write-back come out."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

import orjson
import pytest

from fhir_mappings.identifiers import (
    ACTIVITY_KIND,
    EXT_ACCOMPANYING_CODE,
    EXT_CODING_RULE,
    EXT_WITH_SICK_LEAVE,
    ICD_10_SE,
    KVA,
    NOT_DONE_REASON,
    RECORD_FLAG,
)

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]

EHR_ID: Final = "urn:example:ehr:activity"


def concept(system: str, *codes: str) -> Json:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def codes(procedure: Json) -> list[str]:
    """The KVÅ codes, the main one first."""
    main = [coding["code"] for coding in procedure.get("code", {}).get("coding", []) if coding["system"] == KVA.fhir]
    extensions = procedure.get("extension", [])
    return main + [each["valueCoding"]["code"] for each in extensions if each["url"] == EXT_ACCOMPANYING_CODE]


async def test_an_employer_meeting_comes_out_as_record_event_and_write_back(flow: "Flow") -> None:
    person = await flow.consenting()
    identifier = {"system": EHR_ID, "value": "möte, 1|a"}
    response = await flow.coordinator.post("/fhir/Procedure", json=flow.forms.activity(person, identifier=[identifier]))
    stored = response.json()
    assert response.status_code == 201
    assert response.headers["Location"] == f"http://reko/fhir/Procedure/{stored['id']}/_history/1"
    assert response.headers["ETag"] == 'W/"1"'
    assert codes(stored) == ["GC001", "ZV506"]

    about = f"Procedure/{stored['id']}"
    await flow.until(about, "delivered", "regional_platform")
    written = await flow.until(about, "delivered", "ehr")
    (event,) = flow.events(about)
    assert event["type"] == "se.rekobryggan.activity.coded.v1"
    assert codes(event["data"]) == ["GC001", "ZV506"]
    (copy,) = [entry for entry in flow.ledger("ehr") if "möte, 1|a" in entry.request]
    assert copy.accepted
    assert codes(orjson.loads(copy.request)) == ["GC001", "ZV506"]
    assert written.attempts == 1
    assert flow.promised(about) == []  # an employer meeting never tells Försäkringskassan (decision D20)


@pytest.mark.parametrize(
    ("kind", "mode", "accompanying"),
    [
        ("personal-support", "visit", []),
        ("internal-coordination", "none", []),
        ("kartlaggning", "visit", []),
        ("plan", "visit", ["DV077"]),
        ("plan-followup", "telephone", ["AW026"]),
        ("employer-contact", "visit", ["ZV506"]),
        ("employer-contact", "telephone", ["ZV506"]),
        ("employer-contact", "video", []),
        ("employer-contact", "letter", []),
        ("employer-contact", "message", []),
        ("employment-service-contact", "telephone", ["ZV502"]),
        ("employment-service-contact", "message", []),
        ("fk-contact", "telephone", []),
        ("social-services-contact", "visit", []),
        ("occupational-health-contact", "visit", []),
        ("trepartsmote", "visit", ["ZV506"]),
        ("avstamningsmote", "visit", []),
        ("sip", "visit", ["AU124"]),
        ("sip-followup", "visit", ["UX301"]),
    ],
)
async def test_what_each_kind_is_coded(flow: "Flow", kind: str, mode: str, accompanying: list[str]) -> None:
    person = await flow.patient()
    stored = await flow.post(flow.forms.activity(person, kind, mode))
    assert codes(stored) == ["GC001", *accompanying]


async def test_several_kinds_are_one_occasion(flow: "Flow") -> None:
    person = await flow.patient()
    kinds = concept(ACTIVITY_KIND, "employer-contact", "plan", "employment-service-contact")
    stored = await flow.post(flow.forms.activity(person, category=kinds))
    assert codes(stored)[0] == "GC001"
    assert sorted(codes(stored)[1:]) == ["DV077", "ZV502", "ZV506"]


async def test_a_part_of_an_occasion_has_no_second_main_code(flow: "Flow") -> None:
    person = await flow.patient()
    whole = await flow.post(flow.forms.activity(person, "personal-support"))
    part_of = [{"reference": f"Procedure/{whole['id']}"}]
    part = await flow.post(flow.forms.activity(person, partOf=part_of))
    assert codes(whole) == ["GC001"]
    assert codes(part) == ["ZV506"]


async def test_a_plan_before_any_sick_leave_is_a_rehab_plan(flow: "Flow") -> None:
    person = await flow.patient()
    preventive = [{"url": EXT_WITH_SICK_LEAVE, "valueBoolean": False}]
    stored = await flow.post(flow.forms.activity(person, "plan", extension=preventive))
    assert codes(stored) == ["GC001", "AW020"]


@pytest.mark.parametrize(
    ("day", "display"),
    [
        ("2023-05-04T10:00:00+02:00", "Rehabiliteringskoordinering för sjukskrivna"),
        ("2026-05-04T10:00:00+02:00", "Koordineringsinsatser för att främja återgång eller inträde i arbetslivet"),
    ],
)
async def test_displays_are_those_of_the_day(flow: "Flow", day: str, display: str) -> None:
    person = await flow.patient()
    stored = await flow.post(flow.forms.activity(person, performedDateTime=day))
    (main,) = stored["code"]["coding"]
    assert main["display"] == display
    assert main["extension"] == [{"url": EXT_CODING_RULE, "valueString": "kva-coordination"}]


@pytest.mark.parametrize("reason", ["no-answer", "declined", "no-activity"])
async def test_what_did_not_come_about_is_documented_uncoded(flow: "Flow", reason: str) -> None:
    person = await flow.consenting()
    tried: Json = {
        "status": "not-done",
        "statusReason": concept(NOT_DONE_REASON, reason),
        "code": {"text": "Ringt, inget svar"},
    }
    form = flow.forms.activity(person, identifier=[{"system": EHR_ID, "value": f"försök-{reason}"}], **tried)
    del form["performedDateTime"]
    wish = {"Prefer": "return=OperationOutcome"}
    response = await flow.coordinator.post("/fhir/Procedure", json=form, headers=wish)
    assert response.status_code == 201
    rules = [issue["details"]["coding"][0]["code"] for issue in response.json()["issue"] if "details" in issue]
    assert f"kva-{reason}" in rules
    id = response.headers["Location"].split("/")[-3]
    stored = (await flow.coordinator.get(f"/fhir/Procedure/{id}")).json()
    assert codes(stored) == []
    assert stored["code"] == {"text": "Ringt, inget svar"}
    assert flow.rows("SELECT 1 FROM outbox WHERE about = ?", f"Procedure/{id}") == []


async def test_what_is_planned_is_coded_when_it_has_been_done(flow: "Flow") -> None:
    person = await flow.consenting()
    planned = await flow.post(flow.forms.activity(person, status="preparation"))
    assert codes(planned) == []
    done = await flow.put({**planned, "status": "completed"})
    assert codes(done) == ["GC001", "ZV506"]
    await flow.until(f"Procedure/{done['id']}", "delivered", "regional_platform")


async def test_the_answer_says_which_rule_gave_which_code(flow: "Flow") -> None:
    person = await flow.patient()
    wish = {"Prefer": "return=OperationOutcome"}
    response = await flow.coordinator.post("/fhir/Procedure", json=flow.forms.activity(person), headers=wish)
    told = {issue["diagnostics"] for issue in response.json()["issue"]}
    assert {
        "GC001 by kva-coordination",
        "ZV506 by kva-employer-contact",
        "coordination is free of charge",
    } <= told


async def test_coding_again_changes_nothing(flow: "Flow") -> None:
    person = await flow.patient()
    form = flow.forms.activity(person, identifier=[{"system": EHR_ID, "value": "igen-1"}])
    stored = await flow.post(form)
    again = await flow.coordinator.post("/fhir/Procedure", json=form)
    assert (again.status_code, again.json()["meta"]["versionId"]) == (200, "1")
    assert (await flow.put(stored))["meta"]["versionId"] == "1"
    assert (await flow.put({**form, "id": stored["id"]}))["meta"]["versionId"] == "1"
    assert len(flow.promised(f"Procedure/{stored['id']}", "regional_platform")) == 1


async def test_our_own_write_back_coming_in_again_is_no_new_version(flow: "Flow") -> None:
    person = await flow.patient()
    stored = await flow.post(flow.forms.activity(person, identifier=[{"system": EHR_ID, "value": "åter-1"}]))
    await flow.until(f"Procedure/{stored['id']}", "delivered", "ehr")
    (copy,) = [entry for entry in flow.ledger("ehr") if "åter-1" in entry.request]
    again = await flow.coordinator.post("/fhir/Procedure", content=copy.request, headers=JSON)
    assert (again.status_code, again.json()["id"], again.json()["meta"]["versionId"]) == (200, stored["id"], "1")


JSON: Final = {"Content-Type": "application/fhir+json"}


async def test_the_same_identifier_with_other_content_is_a_conflict(flow: "Flow") -> None:
    person = await flow.patient()
    identifier = [{"system": EHR_ID, "value": "krock-1"}]
    stored = await flow.post(flow.forms.activity(person, identifier=identifier))
    (issue,) = await flow.refused(flow.forms.activity(person, "plan", identifier=identifier), 409)
    assert issue["code"] == "duplicate"
    assert issue["expression"] == ["Procedure.identifier"]
    assert stored["id"] in issue["diagnostics"]


async def test_without_an_identifier_of_its_own_nothing_is_written_back(flow: "Flow") -> None:
    person = await flow.patient()
    stored = await flow.post(flow.forms.activity(person))
    assert codes(stored) == ["GC001", "ZV506"]
    assert flow.promised(f"Procedure/{stored['id']}", "ehr") == []


async def test_codes_that_the_client_knows_itself_are_compared(flow: "Flow") -> None:
    person = await flow.patient()
    right = concept(KVA.fhir, "GC001")
    old_spelling = concept("urn:oid:1.2.752.116.1.1.1.1.1", "GC001")
    assert codes(await flow.post(flow.forms.activity(person, code=right))) == ["GC001", "ZV506"]
    assert codes(await flow.post(flow.forms.activity(person, code=old_spelling))) == ["GC001", "ZV506"]
    (issue,) = await flow.refused(flow.forms.activity(person, code=concept(KVA.fhir, "AU124")))
    assert issue["expression"] == ["Procedure.code"]
    assert issue["details"]["coding"][0]["code"] == "kva-coordination"
    assert "GC001" in issue["diagnostics"]
    wrong = [{"url": EXT_ACCOMPANYING_CODE, "valueCoding": {"system": KVA.fhir, "code": "ZV502"}}]
    form = flow.forms.activity(person)
    (issue,) = await flow.refused({**form, "extension": form["extension"] + wrong})
    assert issue["expression"] == ["Procedure.extension"]
    assert "ZV506" in issue["diagnostics"]


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ("reasonCode", [concept(ICD_10_SE.fhir, "F438A")]),
        ("reasonReference", [{"reference": "Condition/1"}]),
        ("complication", [{"text": "Trötthet"}]),
        ("complicationDetail", [{"reference": "Condition/1"}]),
        ("bodySite", [{"text": "Rygg"}]),
        ("code", concept(ICD_10_SE.fhir, "F438A")),
    ],
)
async def test_a_diagnosis_is_refused_with_the_rule(flow: "Flow", element: str, value: Any) -> None:
    person = await flow.patient()
    before = await flow.stored()
    (issue,) = await flow.refused(flow.forms.activity(person, **{element: value}))
    assert issue["expression"][0].startswith(f"Procedure.{element}")
    assert issue["details"]["coding"][0]["code"] == "kva-no-diagnosis"
    assert "F438A" not in str(issue)
    assert await flow.stored() == before


async def test_a_reason_that_is_no_diagnosis_may_stand(flow: "Flow") -> None:
    person = await flow.patient()
    earlier = await flow.post(flow.forms.activity(person, "kartlaggning"))
    reason = [{"reference": f"Procedure/{earlier['id']}"}]
    stored = await flow.post(flow.forms.activity(person, reasonReference=reason))
    assert stored["reasonReference"] == reason


async def test_an_unknown_kind_is_refused_never_guessed(flow: "Flow") -> None:
    person = await flow.patient()
    (issue,) = await flow.refused(flow.forms.activity(person, "coffee"))
    assert (issue["code"], issue["expression"]) == ("code-invalid", ["Procedure.category.coding[0].code"])
    (issue,) = await flow.refused(flow.forms.activity(person, category={"text": "Kaffe"}))
    assert (issue["code"], issue["expression"]) == ("required", ["Procedure.category.coding"])


async def test_without_a_consent_to_coordination_it_is_recorded_and_flagged(flow: "Flow") -> None:
    flag = {"system": RECORD_FLAG, "code": "no-coordination-consent"}
    person = await flow.patient()
    flagged = await flow.post(flow.forms.activity(person))
    assert flagged["meta"]["tag"] == [flag]
    assert codes(flagged) == ["GC001", "ZV506"]
    plain = await flow.post(flow.forms.activity(await flow.consenting()))
    assert "tag" not in plain["meta"]


async def test_the_event_tells_no_text_and_no_name(flow: "Flow") -> None:
    person = await flow.consenting()
    told: Json = {"note": [{"text": "Hemligt samtal"}], "outcome": {"text": "Hemligt utfall"}}
    stored = await flow.post(flow.forms.activity(person, **told))
    await flow.until(f"Procedure/{stored['id']}", "delivered", "regional_platform")
    (event,) = flow.events(f"Procedure/{stored['id']}")
    for secret in ("Hemligt", person.number, person.name, "Karin"):
        assert secret not in str(event)


async def test_what_was_entered_in_error_is_retracted(flow: "Flow") -> None:
    person = await flow.consenting()
    stored = await flow.post(flow.forms.activity(person))
    about = f"Procedure/{stored['id']}"
    await flow.until(about, "delivered", "regional_platform")
    await flow.put({**stored, "status": "entered-in-error"})
    await flow.quiet()
    assert [event["type"] for event in flow.events(about)] == [
        "se.rekobryggan.activity.coded.v1",
        "se.rekobryggan.activity.retracted.v1",
    ]


async def test_versions_and_if_match(flow: "Flow") -> None:
    person = await flow.patient()
    stored = await flow.post(flow.forms.activity(person))
    address = f"/fhir/Procedure/{stored['id']}"
    changed = {**stored, "note": [{"text": "Tillägg"}]}
    right = await flow.coordinator.put(address, json=changed, headers={"If-Match": 'W/"1"'})
    assert (right.status_code, right.headers["ETag"]) == (200, 'W/"2"')
    late = await flow.coordinator.put(address, json=stored, headers={"If-Match": 'W/"1"'})
    assert late.status_code == 412
    assert "note" not in (await flow.coordinator.get(f"{address}/_history/1")).json()
    assert (await flow.coordinator.get(f"{address}/_history/2")).json() == right.json()
    history = (await flow.coordinator.get(f"{address}/_history")).json()
    assert [entry["resource"]["meta"]["versionId"] for entry in history["entry"]] == ["2", "1"]
    assert history["total"] == 2


async def test_of_writers_who_read_the_same_version_one_wins(flow: "Flow") -> None:
    person = await flow.patient()
    stored = await flow.post(flow.forms.activity(person))

    async def write(number: int) -> int:
        body = {**stored, "note": [{"text": f"Tillägg {number}"}]}
        address = f"/fhir/Procedure/{stored['id']}"
        return (await flow.coordinator.put(address, json=body, headers={"If-Match": 'W/"1"'})).status_code

    statuses = await asyncio.gather(*(write(number) for number in range(8)))
    assert sorted(statuses) == [200] + [412] * 7
    assert (await flow.coordinator.get(f"/fhir/Procedure/{stored['id']}")).json()["meta"]["versionId"] == "2"


async def test_the_same_occasion_reported_at_once_is_recorded_once(flow: "Flow") -> None:
    person = await flow.patient()
    form = flow.forms.activity(person, identifier=[{"system": EHR_ID, "value": f"samtidigt-{person.id}"}])
    answers = await asyncio.gather(*(flow.coordinator.post("/fhir/Procedure", json=form) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_record_stays_with_its_patient(flow: "Flow") -> None:
    person, other = await flow.patient(), await flow.patient()
    stored = await flow.post(flow.forms.activity(person))
    moved = {**stored, "subject": {"reference": other.reference}}
    response = await flow.coordinator.put(f"/fhir/Procedure/{stored['id']}", json=moved)
    assert response.status_code == 422
    assert response.json()["issue"][0]["expression"] == ["Procedure.subject"]


async def test_all_of_it_is_one_transaction(flow: "Flow") -> None:
    """If a promise cannot be written, nothing has happened (decision D4)."""
    person = await flow.patient()
    before = await flow.stored()
    with flow.no_room("outbox"):
        response = await flow.coordinator.post("/fhir/Procedure", json=flow.forms.activity(person))
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert await flow.stored() == before
