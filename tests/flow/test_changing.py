"""Changes as R4 says them: under the client's id, on conditions, deleted and made anew; and what every version tells."""

import asyncio
import os
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from fhir_mappings import r4
from fhir_mappings.identifiers import BASE, CERTIFICATE_ID, EPISODE_TYPE, HSA_ID, PERSONNUMMER
from fhir_mappings.sick_leave import EPISODE
from service.fhir_api.resources import ROWS

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]
pytestmark = pytest.mark.anyio

EHR: Final = "urn:example:ehr"


def named(value: str) -> list[Json]:
    return [{"system": EHR, "value": value}]


def organization(value: str, **more: Any) -> Json:
    """What nothing follows from: it belongs to the care provider, and needs nothing else."""
    return {"resourceType": "Organization", "identifier": named(value), "name": f"Rum {value}", **more}


# Types


def every_type(flow: "Flow", person: "Person", activity: str) -> dict[str, Json]:
    """A resource of each type that a client may write, beside those of the other tests."""
    subject = {"subject": {"reference": person.reference}}
    concept = {"text": "något"}
    return {
        "RelatedPerson": {"patient": {"reference": person.reference}},
        "Location": {"name": "Rum 1"},
        "CareTeam": subject,
        "Encounter": {"status": "finished", "class": {"system": EHR, "code": "AMB"}, **subject},
        "EpisodeOfCare": {"status": "active", "patient": {"reference": person.reference}},
        "Observation": {"status": "final", "code": concept, "valueString": "god", **subject},
        "DocumentReference": {"status": "current", "content": [{"attachment": {"title": "Anteckning"}}], **subject},
        "QuestionnaireResponse": {"status": "completed", **subject},
        "Communication": {"status": "completed", **subject},
        "Task": {"status": "requested", "intent": "order", "for": {"reference": person.reference}},
        "Provenance": {
            "target": [{"reference": activity}],
            "recorded": flow.forms.time(),
            "agent": [{"who": {"reference": flow.forms.refs["role"]}}],
        },
        "List": {"status": "current", "mode": "working", **subject},
        "Binary": {"contentType": "text/plain", "securityContext": {"reference": activity}, "data": "aGVq"},
    }


async def test_every_type_is_written_read_and_told_of_whom_it_is(flow: "Flow") -> None:
    person = await flow.patient()
    activity = await flow.post(flow.forms.activity(person))
    forms = every_type(flow, person, f"Procedure/{activity['id']}")
    others = {"Patient", "Practitioner", "PractitionerRole", "Organization", "Consent", "CarePlan", "Goal", "Procedure"}
    assert set(forms) | others | {"CommunicationRequest"} == set(ROWS)
    for type, form in forms.items():
        stored = await flow.post({"resourceType": type, **form})
        read = await flow.reader.get(f"/fhir/{type}/{stored['id']}", headers={"Accept": "application/fhir+json"})
        assert read.json() == stored, type
        logged = flow.accesses(person, read.headers["X-Request-Id"])
        assert len(logged) == (type != "Location"), type


async def test_a_type_that_the_service_writes_is_read_alone(flow: "Flow") -> None:
    form = {"resourceType": "AuditEvent"}
    for method, path in (("POST", "/fhir/AuditEvent"), ("PUT", "/fhir/AuditEvent/1"), ("DELETE", "/fhir/AuditEvent/1")):
        assert (await flow.coordinator.request(method, path, json=form)).status_code == 405
    assert (await flow.coordinator.get("/fhir/AuditEvent/1")).status_code == 404


async def test_a_type_that_the_feed_writes_is_judged_by_our_profile(flow: "Flow") -> None:
    """A client's own is held to what the guide says of everybody's, by the write and by ``$validate`` alike."""
    person = await flow.patient()
    sick_leave = {"coding": [{"system": EPISODE_TYPE, "code": EPISODE}]}
    subject = {"reference": person.reference}
    capacity = f"{BASE}/StructureDefinition/reko-work-capacity"
    for form in (
        {"resourceType": "EpisodeOfCare", "status": "active", "type": [sick_leave], "patient": subject},
        {
            "resourceType": "Observation",
            "meta": {"profile": [capacity]},
            "status": "final",
            "code": {"text": "a"},
            "subject": subject,
        },
    ):
        written = await flow.coordinator.post(f"/fhir/{form['resourceType']}", json=form)
        judged = await flow.coordinator.post(f"/fhir/{form['resourceType']}/$validate", json=form)
        assert written.status_code == 422, written.text
        assert judged.json()["issue"] == written.json()["issue"]


async def test_a_coordination_case_changes_with_the_consent_alone(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    found = await flow.coordinator.get("/fhir/EpisodeOfCare", params={"patient": person.id})
    (case,) = [entry["resource"] for entry in found.json()["entry"]]
    path = f"/fhir/EpisodeOfCare/{case['id']}"
    another = {name: value for name, value in case.items() if name not in ("id", "meta")}
    for method, address, form in (
        ("DELETE", path, None),
        ("PUT", path, {**case, "status": "finished"}),
        ("PUT", path, {**case, "type": [{"text": "något"}]}),
        ("POST", "/fhir/EpisodeOfCare", another),
    ):
        assert (await flow.coordinator.request(method, address, json=form)).status_code == 409, method


async def test_a_create_with_a_search_in_its_address_makes_nothing(flow: "Flow") -> None:
    person = await flow.patient()
    before = await flow.stored()
    address = "/fhir/Procedure?identifier=urn:example:ehr|1"
    assert (await flow.coordinator.post(address, json=flow.forms.activity(person))).status_code == 400
    assert await flow.stored() == before


async def test_a_condition_is_a_search_on_the_type_that_is_created(flow: "Flow") -> None:
    person = await flow.patient()
    condition = {"If-None-Exist": "http://elsewhere.example/fhir/Goal?identifier=urn:example:ehr|1"}
    answer = await flow.coordinator.post("/fhir/Procedure", json=flow.forms.activity(person), headers=condition)
    assert answer.status_code == 400


async def test_a_write_says_which_version_it_made(flow: "Flow") -> None:
    person = await flow.patient()
    created = await flow.coordinator.post("/fhir/Goal", json=flow.forms.goal(person))
    assert created.headers["Content-Location"] == created.headers["Location"]
    goal = created.json()
    updated = await flow.coordinator.put(f"/fhir/Goal/{goal['id']}", json={**goal, "lifecycleStatus": "on-hold"})
    assert updated.headers["Content-Location"].endswith(f"/fhir/Goal/{goal['id']}/_history/2")


async def test_what_is_written_once_is_not_changed(flow: "Flow") -> None:
    person = await flow.patient()
    activity = await flow.post(flow.forms.activity(person))
    form = every_type(flow, person, f"Procedure/{activity['id']}")["Provenance"]
    stored = await flow.post({"resourceType": "Provenance", **form})
    path = f"/fhir/Provenance/{stored['id']}"
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await flow.coordinator.request(method, path, json=stored)).status_code == 405


async def test_nobody_writes_over_what_the_service_made(flow: "Flow") -> None:
    person = await flow.patient()
    certificate = flow.certify(person)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 200
    subject = {"subject": {"reference": person.reference}}
    made = {}
    for type in ("DocumentReference", "Observation", "EpisodeOfCare"):
        bundle = (await flow.coordinator.get(f"/fhir/{type}?patient={person.id}")).json()
        made[type] = bundle["entry"][0]["resource"]
    before = await flow.stored()
    for type, resource in made.items():
        path = f"/fhir/{type}/{resource['id']}"
        assert (await flow.coordinator.put(path, json={**resource, "language": "sv"})).status_code == 409
        change = [{"op": "add", "path": "/language", "value": "sv"}]
        assert (await flow.coordinator.patch(path, json=change)).status_code == 409
        assert (await flow.coordinator.delete(path)).status_code == 409
        assert (await flow.neighbour.delete(path)).status_code == 404
    document = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {"title": "x"}}]}
    claim = {**document, **subject, "masterIdentifier": {"system": CERTIFICATE_ID, "value": certificate}}
    assert (await flow.refused(claim, 409))[0]["details"]["coding"][0]["code"] == "made-by-the-service"
    derived = [{"reference": f"DocumentReference/{made['DocumentReference']['id']}"}]
    addition = {"resourceType": "Observation", "status": "final", "code": {"text": "a"}, "derivedFrom": derived}
    await flow.refused({**addition, **subject}, 409)
    assert await flow.stored() == before


# Under the client's id


async def test_an_update_makes_what_is_not_there(flow: "Flow") -> None:
    first = await flow.coordinator.put("/fhir/Organization/room-1", json=organization("1", id="room-1"))
    assert first.status_code == 201
    assert first.headers["Location"] == "http://reko/fhir/Organization/room-1/_history/1"
    again = await flow.coordinator.put("/fhir/Organization/room-1", json=organization("1", id="room-1"))
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"1"')
    changed = await flow.coordinator.put("/fhir/Organization/room-1", json=organization("1", id="room-1", name="Annat"))
    assert (changed.status_code, changed.headers["ETag"]) == (200, 'W/"2"')
    entries = (await flow.coordinator.get("/fhir/Organization/room-1/_history")).json()["entry"]
    assert [entry["request"]["method"] for entry in entries] == ["PUT", "PUT"]
    assert [entry["response"]["status"] for entry in entries] == ["200", "201"]


async def test_an_update_that_must_be_the_first(flow: "Flow") -> None:
    headers = {"If-None-Match": "*"}
    form = organization("first", id="first")
    assert (await flow.coordinator.put("/fhir/Organization/first", json=form, headers=headers)).status_code == 201
    assert (await flow.coordinator.put("/fhir/Organization/first", json=form, headers=headers)).status_code == 412
    both = headers | {"If-Match": 'W/"1"'}
    assert (await flow.coordinator.put("/fhir/Organization/first", json=form, headers=both)).status_code == 400


async def test_an_update_of_whatever_version_is_there(flow: "Flow") -> None:
    """RFC 9110 § 13.1.1: what is not there is no version."""
    path, headers = "/fhir/Organization/any", {"If-Match": "*"}
    form = organization("any", id="any")
    for known in ("*", 'W/"1"'):
        assert (await flow.coordinator.put(path, json=form, headers={"If-Match": known})).status_code == 412
    by_condition = f"/fhir/Organization?identifier={EHR}|any"
    assert (await flow.coordinator.put(by_condition, json=form, headers=headers)).status_code == 412
    assert (await flow.coordinator.put(path, json=form)).status_code == 201
    changed = await flow.coordinator.put(path, json={**form, "name": "Nytt"}, headers=headers)
    assert (changed.status_code, changed.headers["ETag"]) == (200, 'W/"2"')
    change = [{"op": "replace", "path": "/name", "value": "Nyare"}]
    patched = await flow.coordinator.patch(path, json=change, headers=headers)
    assert (patched.status_code, patched.headers["ETag"]) == (200, 'W/"3"')
    assert (await flow.coordinator.delete(path, headers=headers)).status_code == 204
    assert (await flow.coordinator.delete(path, headers=headers)).status_code == 412
    assert (await flow.coordinator.put(path, json=form, headers=headers)).status_code == 412


async def test_another_units_id_is_not_taken_over(flow: "Flow") -> None:
    person = await flow.patient()
    form = {"resourceType": "Patient", "id": person.id, "name": [{"text": "Ny"}]}
    assert (await flow.neighbour.put(f"/fhir/Patient/{person.id}", json=form)).status_code == 404
    other = flow.forms.activity(await flow.patient(), id="theirs-1")
    assert (await flow.coordinator.put("/fhir/Procedure/theirs-1", json=other)).status_code == 201
    theirs = flow.forms.activity(await flow.patient(flow.neighbour), id="theirs-1", performer=[])
    theirs.pop("performer")
    assert (await flow.neighbour.put("/fhir/Procedure/theirs-1", json=theirs)).status_code == 404


# Conditions


async def test_a_conditional_create_takes_any_search(flow: "Flow") -> None:
    person = await flow.patient()
    form = flow.forms.goal(person)
    condition = {"If-None-Exist": f"patient={person.id}&lifecycle-status=active"}
    first = await flow.coordinator.post("/fhir/Goal", json=form, headers=condition)
    again = await flow.coordinator.post("/fhir/Goal", json=form, headers=condition)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert flow.accesses(person, again.headers["X-Request-Id"])[0][1] == "Läsa"
    await flow.post(form)
    assert (await flow.coordinator.post("/fhir/Goal", json=form, headers=condition)).status_code == 412
    nothing = {"If-None-Exist": "_format=json"}
    assert (await flow.coordinator.post("/fhir/Goal", json=form, headers=nothing)).status_code == 412


@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])
async def test_a_condition_in_a_header_may_be_in_any_script(flow: "Flow", coding: str) -> None:
    """A header is bytes. Those that are UTF-8 mean that; others are Latin-1, as of old."""
    value = f"中-{coding}" if coding == "utf-8" else "ödman"
    condition = {b"If-None-Exist": f"identifier={EHR}|{value}".encode(coding)}
    made = [
        await flow.coordinator.post("/fhir/Organization", json=organization(value), headers=condition) for _ in range(2)
    ]
    assert [each.status_code for each in made] == [201, 200]


async def test_a_conditional_update(flow: "Flow") -> None:
    query = f"identifier={EHR}|cu-1"
    made = await flow.coordinator.put(f"/fhir/Organization?{query}", json=organization("cu-1"))
    assert made.status_code == 201
    id = made.json()["id"]
    changed = await flow.coordinator.put(f"/fhir/Organization?{query}", json=organization("cu-1", name="Nytt"))
    assert (changed.status_code, changed.json()["id"], changed.json()["meta"]["versionId"]) == (200, id, "2")
    same = await flow.coordinator.put(f"/fhir/Organization?{query}", json=organization("cu-1", name="Nytt", id=id))
    assert (same.status_code, same.headers["ETag"]) == (200, 'W/"2"')
    other = await flow.coordinator.put(f"/fhir/Organization?{query}", json=organization("cu-1", id="other"))
    assert (other.status_code, other.json()["issue"][0]["expression"]) == (400, ["Organization.id"])
    nothing = f"/fhir/Organization?identifier={EHR}|cu-none"
    known = {"If-Match": 'W/"1"'}
    assert (await flow.coordinator.put(nothing, json=organization("cu-none"), headers=known)).status_code == 412
    await flow.post(organization("cu-1"))
    assert (await flow.coordinator.put(f"/fhir/Organization?{query}", json=organization("cu-1"))).status_code == 412
    chosen = await flow.coordinator.put(
        f"/fhir/Organization?identifier={EHR}|cu-2", json=organization("cu-2", id="chosen")
    )
    assert (chosen.status_code, chosen.json()["id"]) == (201, "chosen")


async def test_a_conditional_delete_and_a_conditional_patch(flow: "Flow") -> None:
    query = f"identifier={EHR}|cd-1"
    stored = await flow.post(organization("cd-1"))
    change = [{"op": "replace", "path": "/name", "value": "Nytt"}]
    patched = await flow.coordinator.patch(f"/fhir/Organization?{query}", json=change)
    assert (patched.status_code, patched.json()["name"]) == (200, "Nytt")
    assert (await flow.coordinator.patch(f"/fhir/Organization?identifier={EHR}|none", json=change)).status_code == 404
    assert (await flow.neighbour.delete(f"/fhir/Goal?patient={stored['id']}")).status_code == 204
    assert (await flow.coordinator.delete(f"/fhir/Organization?{query}")).status_code == 204
    assert (await flow.coordinator.get(f"/fhir/Organization/{stored['id']}")).status_code == 410
    assert (await flow.coordinator.delete(f"/fhir/Organization?{query}")).status_code == 204
    for _ in range(2):
        await flow.post(organization("cd-1"))
    assert (await flow.coordinator.delete(f"/fhir/Organization?{query}")).status_code == 412


async def test_a_condition_finds_what_the_caller_may_see_alone(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.goal(person))
    query = f"patient={person.id}"
    assert (await flow.neighbour.delete(f"/fhir/Goal?{query}")).status_code == 204
    assert (await flow.coordinator.get(f"/fhir/Goal?{query}&_total=accurate")).json()["total"] == 1


async def test_a_national_number_never_stands_in_a_conditions_address(flow: "Flow") -> None:
    person = await flow.patient()
    national = f"{PERSONNUMMER.fhir}|"
    for value, asked in (
        (person.number, national),
        ("tolvsiffror", national),
        ("efter-komma", f"a,{national}"),
        ("efter-typ", f"http://terminology.hl7.org/CodeSystem/v2-0203|NI|a,{national}"),
    ):
        path = f"/fhir/Patient?identifier={asked}{value}"
        for method in ("PUT", "PATCH", "DELETE"):
            response = await flow.coordinator.request(method, path, json={"resourceType": "Patient"})
            assert response.status_code == 400
            assert value not in response.text


async def test_a_personal_number_is_nobodys_id(flow: "Flow") -> None:
    number = next(flow.people).number
    address = f"/fhir/Organization?identifier={EHR}|nobody"
    response = await flow.coordinator.put(address, json=organization("nobody", id=number))
    assert (response.status_code, response.json()["issue"][0]["expression"]) == (400, ["Organization.id"])
    assert number not in response.text


async def test_a_read_that_is_not_needed(flow: "Flow") -> None:
    person = await flow.patient()
    path = f"/fhir/{person.reference}"
    read = await flow.reader.get(path)
    for headers in (
        {"If-None-Match": read.headers["ETag"]},
        {"If-None-Match": 'W/"7", W/"1"'},
        {"If-Modified-Since": read.headers["Last-Modified"]},
        {"If-Modified-Since": "Fri, 31 Dec 9999 23:59:59 GMT"},
    ):
        again = await flow.reader.get(path, headers=headers)
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", 'W/"1"')
        assert len(flow.accesses(person, again.headers["X-Request-Id"])) == 1
    for headers in (
        {"If-None-Match": 'W/"2"'},
        {"If-None-Match": "nonsense"},
        {"If-Modified-Since": "nonsense"},
        {"If-Modified-Since": "Fri, 31 Dec 99999999999999999999 23:59:59 GMT"},
        {"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
        {"If-None-Match": 'W/"2"', "If-Modified-Since": read.headers["Last-Modified"]},
    ):
        assert (await flow.reader.get(path, headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("_elements=birthDate", {"birthDate"}),
        ("_elements=birthDate&_elements=name", {"birthDate", "name"}),
        ("_summary=text", {"text"}),
        ("_summary=data", {"name", "birthDate", "gender", "identifier"}),
        ("_summary=true", {"name", "birthDate", "gender", "identifier"}),
    ],
)
async def test_a_part_of_what_is_read_says_that_it_is_one(flow: "Flow", query: str, kept: set[str]) -> None:
    """As a search has it, of the resource and of a version."""
    person = await flow.patient()
    path = f"/fhir/{person.reference}"
    whole = (await flow.reader.get(path)).json()
    (entry,) = (await flow.reader.get(f"/fhir/Patient?_id={person.id}&{query}")).json()["entry"]
    for address in (path, f"{path}/_history/1"):
        read = await flow.reader.get(f"{address}?{query}")
        assert read.json() == entry["resource"]
        assert read.json()["meta"]["tag"][-1]["code"] == "SUBSETTED"
        assert set(read.json()) == {"resourceType", "id", "meta"} | (kept & set(whole))
        assert read.headers["ETag"] == 'W/"1"'
        assert (await flow.reader.get(f"{address}?_summary=false")).json() == whole
        for wrong in ("_summary=count", "_summary=some", "_elements=colour", "_summary=true&_summary=data"):
            assert (await flow.reader.get(f"{address}?{wrong}")).status_code == 400


# Deletion


async def test_what_is_deleted_is_gone_and_its_versions_stay(flow: "Flow") -> None:
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    path = f"/fhir/Goal/{goal['id']}"
    deleted = await flow.coordinator.delete(path, headers={"If-Match": 'W/"1"'})
    assert (deleted.status_code, deleted.content, deleted.headers["ETag"]) == (204, b"", 'W/"2"')
    assert flow.accesses(person, deleted.headers["X-Request-Id"])[0][1:] == ("Skriva", f"Goal/{goal['id']}", "delete")
    gone = await flow.coordinator.get(path)
    assert (gone.status_code, gone.json()["issue"][0]["code"]) == (410, "deleted")
    assert (await flow.coordinator.get(f"{path}/_history/1")).json() == goal
    assert (await flow.coordinator.get(f"{path}/_history/2")).status_code == 410
    history = await flow.coordinator.get(f"{path}/_history")
    newest, first = r4.parse(history.content, expected="Bundle")["entry"]
    assert (newest["request"]["method"], newest["response"]["status"]) == ("DELETE", "204")
    assert "resource" not in newest
    assert first["resource"] == goal
    found = (await flow.coordinator.get(f"/fhir/Goal?patient={person.id}&_total=accurate")).json()
    assert (found["total"], found.get("entry")) == (0, None)
    assert (await flow.coordinator.delete(path)).status_code == 204
    assert (await flow.coordinator.patch(path, json={})).status_code == 410
    for other in (flow.neighbour, flow.stranger):
        assert (await other.get(path)).status_code == 404
        assert (await other.get(f"{path}/_history")).status_code == 404
        assert (await other.get(f"{path}/_history/1")).status_code == 404
        assert (await other.delete(path)).status_code == 404


async def test_what_is_deleted_can_be_made_anew(flow: "Flow") -> None:
    goal = await flow.post(flow.forms.goal(await flow.patient()))
    path = f"/fhir/Goal/{goal['id']}"
    await flow.coordinator.delete(path)
    wrong = await flow.coordinator.put(path, json=goal, headers={"If-Match": 'W/"1"'})
    assert wrong.status_code == 412
    anew = await flow.coordinator.put(path, json=goal, headers={"If-None-Match": "*"})
    assert (anew.status_code, anew.json()["meta"]["versionId"]) == (201, "3")
    assert (await flow.coordinator.get(path)).json() == anew.json()
    found = (await flow.coordinator.get(f"/fhir/Goal?_id={goal['id']}")).json()
    assert [entry["resource"] for entry in found["entry"]] == [anew.json()]
    other = flow.forms.goal(await flow.patient())
    await flow.coordinator.delete(path)
    stolen = await flow.coordinator.put(path, json={**other, "id": goal["id"]})
    assert (stolen.status_code, stolen.json()["issue"][0]["expression"]) == (422, ["Goal.subject"])


async def test_nothing_points_at_what_is_deleted(flow: "Flow") -> None:
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    before = await flow.stored()
    assert (await flow.coordinator.delete(f"/fhir/Goal/{goal['id']}")).status_code == 409
    assert (await flow.coordinator.delete(f"/fhir/{person.reference}")).status_code == 409
    assert await flow.stored() == before
    for path in (f"/fhir/CarePlan/{plan['id']}", f"/fhir/Goal/{goal['id']}"):
        assert (await flow.coordinator.delete(path)).status_code == 204
    issues = await flow.refused(flow.forms.plan(person, f"Goal/{goal['id']}"))
    assert issues[0]["expression"] == ["CarePlan.goal[0].reference"]
    assert (await flow.coordinator.delete(f"/fhir/{person.reference}")).status_code == 204
    issues = await flow.refused(flow.forms.goal(person))
    assert issues[0]["expression"] == ["Goal.subject.reference"]


@pytest.mark.parametrize(("method", "change", "status"), [("PUT", {}, 412), ("PATCH", [], 404), ("DELETE", None, 404)])
async def test_a_version_of_what_was_never_there(flow: "Flow", method: str, change: Any, status: int) -> None:
    """RFC 9110 § 13.2.1: a condition is asked only of what would go well without it, as an update alone would."""
    form = organization("nowhere", id="nowhere") if method == "PUT" else change
    for known in ("*", 'W/"1"'):
        headers = {"If-Match": known, "Content-Type": "application/json"}
        answer = await flow.coordinator.request(method, "/fhir/Organization/nowhere", json=form, headers=headers)
        assert answer.status_code == status, answer.text


async def test_a_wrong_version_is_not_deleted(flow: "Flow") -> None:
    stored = await flow.post(organization("wrong-version"))
    path = f"/fhir/Organization/{stored['id']}"
    assert (await flow.coordinator.delete(path, headers={"If-Match": 'W/"2"'})).status_code == 412
    assert (await flow.coordinator.get(path)).status_code == 200
    told = await flow.coordinator.delete(path, headers={"Prefer": "return=OperationOutcome"})
    assert (told.status_code, told.json()["resourceType"]) == (200, "OperationOutcome")


async def test_the_right_to_write_is_needed(flow: "Flow") -> None:
    stored = await flow.post(organization("right"))
    path = f"/fhir/Organization/{stored['id']}"
    for method, body in (("DELETE", None), ("PATCH", {}), ("PUT", stored)):
        assert (await flow.reader.request(method, path, json=body)).status_code == 403


async def test_a_deleted_activity_is_retracted(flow: "Flow") -> None:
    """As one that is entered in error: the platform learns that it no longer stands."""
    person = await flow.consenting()
    stored = await flow.post(flow.forms.activity(person, identifier=named("gone-1")))
    about = f"Procedure/{stored['id']}"
    await flow.until(about, "delivered", "regional_platform")
    assert (await flow.coordinator.delete(f"/fhir/{about}")).status_code == 204
    await flow.quiet()
    assert [event["type"].split(".")[-2] for event in flow.events(about)] == ["coded", "retracted"]
    trace = (await flow.coordinator.get(f"/api/trace/{stored['id']}")).json()
    assert (trace["resource"], trace["versions"]) == (about, [1, 2])


async def test_a_deleted_request_is_taken_back(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    async with flow.paused():
        about = await flow.request(person)
        told = await flow.coordinator.delete(f"/fhir/{about}", headers={"Prefer": "return=OperationOutcome"})
        assert told.json()["issue"][0]["details"]["coding"][0]["code"] == "request-taken-back"
    assert [each.state for each in flow.promised(about)] == ["cancelled"]


async def test_what_was_told_keeps_its_request_and_its_consent(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.coordination(person))
    consent = await flow.post(flow.forms.disclosure(person))
    about = await flow.request(person)
    await flow.until(about, "delivered")
    assert (await flow.coordinator.delete(f"/fhir/{about}")).status_code == 409
    assert (await flow.coordinator.delete(f"/fhir/Consent/{consent['id']}")).status_code == 409
    await flow.put({**consent, "status": "inactive"})
    kept = await flow.coordinator.delete(f"/fhir/Consent/{consent['id']}")
    assert (kept.status_code, kept.json()["issue"][0]["expression"]) == (409, ["Consent.status"])


async def test_a_refusal_is_not_deleted_away(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    refusal = await flow.post(flow.forms.disclosure(person, effect="deny"))
    path = f"/fhir/Consent/{refusal['id']}"
    assert (await flow.coordinator.delete(path)).status_code == 409
    assert (await flow.neighbour.delete(path)).status_code == 404
    await flow.until(await flow.request(person), "withheld")
    await flow.put({**refusal, "status": "entered-in-error"})
    assert (await flow.coordinator.delete(path)).status_code == 204


# Histories


async def test_histories_of_a_type_and_of_everything(flow: "Flow") -> None:
    person = await flow.patient()
    since = flow.forms.time()
    goal = await flow.post(flow.forms.goal(person))
    await flow.put({**goal, "note": [{"text": "Tillägg"}]})
    await flow.coordinator.delete(f"/fhir/Goal/{goal['id']}")
    of_type = (await flow.reader.get("/fhir/Goal/_history?_count=3")).json()["entry"]
    assert [entry["request"]["method"] for entry in of_type] == ["DELETE", "PUT", "POST"]
    system = await flow.reader.get("/fhir/_history", params={"_since": since, "_count": 500})
    assert [entry["request"]["url"] for entry in system.json()["entry"][:3]] == [f"Goal/{goal['id']}"] * 2 + ["Goal"]
    assert (person.id,) in flow.rows(
        "SELECT patient FROM access_log WHERE request_id = ?", system.headers["X-Request-Id"]
    )
    for other in (flow.neighbour, flow.stranger):
        for path in ("/fhir/Goal/_history", "/fhir/_history"):
            assert goal["id"] not in (await other.get(f"{path}?_count=500")).text
    assert (await flow.nobody.get("/fhir/_history")).status_code == 401


async def pages(client: "httpx.AsyncClient", address: str) -> list[Json]:
    """Every entry, page by page."""
    found: list[Json] = []
    while address:
        bundle = r4.parse((await client.get(address)).content, expected="Bundle")
        found += bundle.get("entry", [])
        address = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    return found


async def test_a_history_is_paged_while_others_write(flow: "Flow") -> None:
    stored = await flow.post(organization("paged"))
    path = f"/fhir/Organization/{stored['id']}"
    for number in range(6):
        stored = await flow.put({**stored, "name": f"Rum {number}"})
    first = (await flow.coordinator.get(f"{path}/_history?_count=3")).json()
    assert (first["total"], len(first["entry"])) == (7, 3)
    await flow.put({**stored, "name": "Nytt"})
    rest = await pages(flow.coordinator, next(each["url"] for each in first["link"] if each["relation"] == "next"))
    versions = [entry["resource"]["meta"]["versionId"] for entry in [*first["entry"], *rest]]
    assert versions == ["7", "6", "5", "4", "3", "2", "1"]
    link = next(each["url"] for each in first["link"] if each["relation"] == "next")
    assert (await flow.neighbour.get(link)).status_code == 400
    assert (await flow.coordinator.get(link.replace(stored["id"], "other"))).status_code in (400, 404)


async def test_what_was_current_at_a_time(flow: "Flow") -> None:
    stored = await flow.post(organization("at"))
    path = f"/fhir/Organization/{stored['id']}/_history"
    flow.clock.advance(timedelta(hours=1))
    between = flow.forms.time()
    flow.clock.advance(timedelta(hours=1))
    await flow.put({**stored, "name": "Senare"})
    at = (await flow.coordinator.get(path, params={"_at": between})).json()["entry"]
    assert [entry["resource"]["meta"]["versionId"] for entry in at] == ["1"]
    since = (await flow.coordinator.get(path, params={"_since": between})).json()
    assert [entry["resource"]["meta"]["versionId"] for entry in since["entry"]] == ["2"]
    assert since["total"] == 1
    none = (await flow.coordinator.get(path, params={"_at": "2001"})).json()
    assert (none["total"], none.get("entry")) == (0, None)
    assert (await flow.coordinator.get(f"{path}?_count=0")).json()["total"] == 2


# Binary


async def test_bytes_come_and_go_as_they_are(flow: "Flow") -> None:
    person = await flow.patient()
    content = bytes(range(256))
    headers = {"Content-Type": "image/png", "X-Security-Context": person.reference}
    made = await flow.coordinator.post("/fhir/Binary", content=content, headers=headers)
    assert made.status_code == 201, made.text
    path = f"/fhir/Binary/{made.json()['id']}"
    raw = await flow.reader.get(path, headers={"Accept": "image/png"})
    assert (raw.content, raw.headers["content-type"]) == (content, "image/png")
    assert raw.headers["X-Content-Type-Options"] == "nosniff"
    assert raw.headers["X-Security-Context"] == person.reference
    assert len(flow.accesses(person, raw.headers["X-Request-Id"])) == 1
    resource = await flow.reader.get(path, headers={"Accept": "application/fhir+json"})
    assert resource.json()["contentType"] == "image/png"
    assert (await flow.reader.get(f"{path}?_format=json")).json() == resource.json()
    assert (await flow.reader.get(f"{path}/_history/1")).content == content
    again = await flow.coordinator.put(path, content=b"nytt", headers=headers)
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"2"')
    assert (await flow.neighbour.get(path)).status_code == 404
    for wrong in ({"Content-Type": "nonsense"}, {"Content-Type": "image/png", "X-Security-Context": "Patient/none"}):
        response = await flow.coordinator.post("/fhir/Binary", content=content, headers=wrong)
        assert response.status_code in (415, 422)
    assert (await flow.coordinator.post("/fhir/Binary", headers={"Content-Type": "image/png"})).status_code == 400


async def test_a_binary_of_nobody_is_logged_all_the_same(flow: "Flow") -> None:
    made = await flow.post({"resourceType": "Binary", "contentType": "text/plain", "data": "aGVq"})
    read = await flow.reader.get(f"/fhir/Binary/{made['id']}")
    rows = flow.rows("SELECT resource FROM access_log WHERE request_id = ?", read.headers["X-Request-Id"])
    assert rows == [(f"Binary/{made['id']}",)]


# Headers


async def test_head_is_get_without_the_body(flow: "Flow") -> None:
    person = await flow.patient()
    got = await flow.reader.get(f"/fhir/{person.reference}")
    head = await flow.reader.head(f"/fhir/{person.reference}")
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length"):
        assert head.headers[name] == got.headers[name]
    assert len(flow.accesses(person, head.headers["X-Request-Id"])) == 1
    assert (await flow.nobody.head(f"/fhir/{person.reference}")).status_code == 401


@pytest.mark.parametrize(
    ("wish", "is_minimal"),
    [
        ("return=minimal", True),
        ('return="minimal"', True),
        ('Return = "minimal"', True),
        ('respond-async; wait=10, return="minimal"', True),
        ('note="a, return=minimal"', False),
        ('return="representation"', False),
    ],
)
async def test_a_wish_may_be_quoted(flow: "Flow", wish: str, is_minimal: bool) -> None:
    """RFC 7240 § 2."""
    form = organization("wish")
    made = await flow.coordinator.post("/fhir/Organization", json=form, headers={"Prefer": wish})
    assert (made.status_code, made.content == b"") == (201, is_minimal)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "Procedure/1", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", "Procedure", "DELETE, GET, HEAD, PATCH, POST, PUT"),
        ("PUT", "Provenance/1", "GET, HEAD"),
        ("DELETE", "Provenance", "GET, HEAD, POST"),
        ("PUT", "AuditEvent/1", "GET, HEAD"),
        ("POST", "CodeSystem", "GET, HEAD"),
        ("OPTIONS", "metadata", "GET, HEAD"),
        ("PUT", "Consent/$decide", "POST"),
        ("GET", "", "POST"),
    ],
)
async def test_what_is_not_done_tells_what_is(flow: "Flow", method: str, path: str, allowed: str) -> None:
    """RFC 9110 § 15.5.6."""
    response = await flow.coordinator.request(method, f"/fhir/{path}")
    assert (response.status_code, response.headers["Allow"]) == (405, allowed)


async def test_pretty_keeps_every_digit(flow: "Flow") -> None:
    person = await flow.patient()
    form = f'{{"resourceType":"Observation","status":"final","code":{{"text":"å"}},"subject":{{"reference":"{person.reference}"}},"valueQuantity":{{"value":1.50}}}}'
    made = await flow.coordinator.post("/fhir/Observation", content=form.encode())
    pretty = await flow.reader.get(f"/fhir/Observation/{made.json()['id']}?_pretty=true")
    assert '\n  "valueQuantity": {\n    "value": 1.50\n  }' in pretty.text
    assert int(pretty.headers["content-length"]) == len(pretty.content)


async def test_the_statement_is_asked_for_by_its_mode(flow: "Flow") -> None:
    whole = await flow.nobody.get("/fhir/metadata")
    for mode in ("full", "normative"):
        assert (await flow.nobody.get(f"/fhir/metadata?mode={mode}")).content == whole.content
    assert (await flow.nobody.get("/fhir/metadata?mode=terminology")).status_code == 400


async def test_an_hsa_id_may_stand_in_a_condition(flow: "Flow") -> None:
    found = await flow.coordinator.put(
        f"/fhir/Practitioner?identifier={HSA_ID.fhir}|{flow.COORDINATOR}",
        json={"resourceType": "Practitioner", "identifier": [{"system": HSA_ID.fhir, "value": flow.COORDINATOR}]},
    )
    assert found.status_code == 200


# References


@pytest.mark.parametrize("form", ["{base}/{reference}", "{reference}/_history/1", "{base}/{reference}/_history/1"])
async def test_a_reference_in_full_or_to_a_version_is_one(flow: "Flow", form: str) -> None:
    """It is found, logged and held together as the plain one is. This server's own address is not kept in it."""
    person, base = await flow.patient(), f"{flow.settings.base}/fhir"
    written = form.format(base=base, reference=person.reference)
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    made = await flow.post({**observation, "subject": {"reference": written}})
    assert made["subject"]["reference"] == written.removeprefix(f"{base}/")
    for criteria in (f"subject={person.reference}", f"patient={person.id}", f"patient={base}/{person.reference}"):
        found = (await flow.coordinator.get(f"/fhir/Observation?{criteria}")).json()
        assert [entry["resource"]["id"] for entry in found["entry"]] == [made["id"]], criteria
    everything = (await flow.coordinator.get(f"/fhir/{person.reference}/$everything")).json()
    assert made["id"] in {entry["resource"]["id"] for entry in everything["entry"]}
    assert (await flow.coordinator.delete(f"/fhir/{person.reference}")).status_code == 409
    await flow.coordinator.get(f"/fhir/Observation/{made['id']}", headers={"X-Request-Id": "read-1"})
    assert flow.accesses(person, "read-1")


@pytest.mark.parametrize(
    "at", ["{base}/Patient/none", "Patient/none/_history/1", "{reference}/_history/2", "{reference}/_history/x"]
)
async def test_a_reference_that_leads_nowhere_is_refused_however_it_is_written(flow: "Flow", at: str) -> None:
    person, base = await flow.patient(), f"{flow.settings.base}/fhir"
    written = at.format(base=base, reference=person.reference)
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": written},
    }
    refused = await flow.coordinator.post("/fhir/Observation", json=observation)
    assert refused.status_code == 422
    assert refused.json()["issue"][0]["expression"] == ["Observation.subject.reference"]
    foreign = await flow.stranger.post(
        "/fhir/Observation", json={**observation, "subject": {"reference": f"{person.reference}/_history/1"}}
    )
    assert foreign.status_code == 422, "nobody points at what they may not see"


async def test_what_is_shown_would_outlast_a_power_loss(flow: "Flow", monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody is logged for reading, and that something is gone, wait for the disk as the writer does who did it."""
    if flow.settings.is_shared:
        pytest.skip("PostgreSQL shows nothing before it is durable")
    kept, gone = [await flow.post({"resourceType": "Organization", "name": name}) for name in ("Kvar", "Borta")]
    address, deleted = (f"/fhir/Organization/{each['id']}" for each in (kept, gone))
    goes_on, flush = threading.Event(), os.fdatasync
    monkeypatch.setattr(os, "fdatasync", lambda descriptor: goes_on.wait(10) and flush(descriptor))
    written = [
        asyncio.ensure_future(flow.coordinator.put(address, json=kept | {"name": "Ny"})),
        asyncio.ensure_future(flow.coordinator.delete(deleted)),
    ]
    for _ in range(200):
        if flow.rows("SELECT version FROM resource WHERE id IN (?, ?)", kept["id"], gone["id"]) == [(2,), (2,)]:
            break
        await asyncio.sleep(0.01)
    asked = (address, deleted, f"{address}/_history", f"/fhir/Organization?_id={gone['id']}&_summary=count")
    read = [asyncio.ensure_future(flow.coordinator.get(each)) for each in asked]
    await asyncio.sleep(0.2)
    assert not [each for each in (*written, *read) if each.done()]
    goes_on.set()
    assert [each.status_code for each in await asyncio.gather(*written, *read)] == [200, 204, 200, 410, 200, 200]
