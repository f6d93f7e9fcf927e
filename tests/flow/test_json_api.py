"""The plain JSON API: the same stories as over FHIR, for systems without it, and what operators see and do."""

from typing import TYPE_CHECKING, Any

import pytest

from adapters.mocking import Fault
from contracts.outbox import DeliveryState
from fhir_mappings.identifiers import PERSONNUMMER

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


def meeting(person: "Person", **members: Any) -> Json:
    return {
        "patient": {"id": person.id},
        "kinds": ["employer-contact"],
        "performedAt": "2026-11-02T10:00:00+01:00",
        "mode": "visit",
        **members,
    }


def consent(person: "Person", **members: Any) -> Json:
    return {
        "patient": {"id": person.id},
        "kind": "disclosure",
        "givenAt": "2026-11-02T10:00:00+01:00",
        "how": "VERBAL",
        "recipient": {"kind": "forsakringskassan"},
        "purposes": ["COC"],
        "categories": ["assumed_rehab_need"],
        "firstDay": "2026-11-02",
        "lastDay": "2027-04-30",
        **members,
    }


def coordination(person: "Person") -> Json:
    return {
        "patient": {"id": person.id},
        "kind": "coordination",
        "givenAt": "2026-11-02T10:00:00+01:00",
        "how": "WRITTEN",
    }


def notification(person: "Person", certificate: str, **members: Any) -> Json:
    return {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan"},
        "topic": "assumed-rehab-need",
        "parts": [{"category": "assumed_rehab_need", "text": "Behov kan antas."}],
        "certificate": certificate,
        **members,
    }


async def written(flow: "Flow", path: str, given: Json) -> Json:
    response = await flow.coordinator.post(f"/api/{path}", json=given)
    assert response.status_code == 201, response.text
    answer: Json = response.json()
    return answer


async def refused(flow: "Flow", path: str, given: Json, status: int = 422) -> Json:
    response = await flow.coordinator.post(f"/api/{path}", json=given)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: Json = response.json()
    assert problem["status"] == status
    return problem


async def test_an_activity_is_coded_with_its_rules(flow: "Flow") -> None:
    person = await flow.patient()
    answer = await written(flow, "activities", meeting(person, note="Anpassningar", text="Möte"))
    assert [(code["code"], code["rule"]) for code in answer["codes"]] == [
        ("GC001", "kva-coordination"),
        ("ZV506", "kva-employer-contact"),
    ]
    assert (answer["version"], answer["changed"], answer["freeOfCharge"]) == (1, True, True)
    assert answer["patient"] == person.id
    stored = (await flow.coordinator.get(f"/fhir/{answer['resource']}")).json()
    assert stored["performedDateTime"] == "2026-11-02T10:00:00+01:00"
    assert stored["note"] == [{"text": "Anpassningar"}]
    assert stored["performer"][0]["actor"]["identifier"]["value"] == flow.COORDINATOR
    await flow.until(answer["resource"], "delivered", "regional_platform")


async def test_what_did_not_come_about_has_no_code(flow: "Flow") -> None:
    person = await flow.patient()
    tried = meeting(person, notDoneReason="no-answer", text="Ringt, inget svar", performedAt=None)
    answer = await written(flow, "activities", tried)
    assert answer["codes"] == []
    assert "kva-no-answer" in [note["rule"] for note in answer["notes"]]


async def test_the_same_external_id_twice_is_one(flow: "Flow") -> None:
    person = await flow.patient()
    given = meeting(person, identifier={"system": "urn:example:other", "value": "a-1"})
    first = await written(flow, "activities", given)
    response = await flow.coordinator.post("/api/activities", json=given)
    assert response.status_code == 200
    again = response.json()
    assert (again["resource"], again["changed"], again["version"]) == (first["resource"], False, 1)
    await refused(flow, "activities", {**given, "kinds": ["plan"]}, 409)


async def test_a_patient_by_number_is_made_known_once(flow: "Flow") -> None:
    person = next(flow.people)
    patient = {"personalNumber": person.number, "name": person.name}
    first = await written(flow, "activities", meeting(person, patient=patient))
    second = await written(flow, "activities", meeting(person, patient=patient, kinds=["plan"]))
    assert first["patient"] == second["patient"]
    stored = (await flow.coordinator.get(f"/fhir/Patient/{first['patient']}")).json()
    assert stored["identifier"] == [{"system": PERSONNUMMER.fhir, "value": person.number}]
    assert stored["name"] == [{"text": person.name}]


@pytest.mark.parametrize(
    ("members", "at"),
    [
        ({"kinds": []}, "kinds"),
        ({"kinds": ["coffee"]}, "kinds.0"),
        ({"mode": "pigeon"}, "mode"),
        ({"performedAt": "2026-11-02"}, "performedAt"),
        ({"performedAt": "2026-11-02T10:00:00"}, "performedAt"),
        ({"performedAt": None}, ""),
        ({"notDoneReason": "no-answer"}, ""),
        ({"patient": {}}, "patient"),
        ({"patient": {"personalNumber": "195001019801"}}, "patient.personalNumber"),
        ({"surprise": 1}, ""),
        ({"note": "\x00"}, "note"),
        ({"note": "x" * 10_001}, "note"),
    ],
)
async def test_what_is_wrong_with_an_activity_is_told_with_its_place(flow: "Flow", members: Json, at: str) -> None:
    person = await flow.patient()
    before = await flow.stored()
    problem = await refused(flow, "activities", meeting(person, **members))
    assert at in [issue["at"] for issue in problem["issues"]]
    assert "surprise" not in str(problem)
    assert "195001019801" not in str(problem)
    assert await flow.stored() == before


async def test_consents_decide_and_a_withdrawal_ends_it(flow: "Flow") -> None:
    person = await flow.patient()
    await written(flow, "consents", coordination(person))
    disclosure = await written(flow, "consents", consent(person))
    question = {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan"},
        "categories": ["assumed_rehab_need"],
    }
    asked = await flow.coordinator.post("/api/consent/decision", json=question)
    assert asked.json()["permitted"]
    id = disclosure["resource"].partition("/")[2]
    withdrawn = await flow.coordinator.post(f"/api/consents/{id}/withdrawal")
    assert (withdrawn.status_code, withdrawn.json()["version"]) == (200, 2)
    asked = await flow.coordinator.post("/api/consent/decision", json=question)
    assert not asked.json()["permitted"]
    assert "withdrawn" in asked.json()["reasons"]


async def test_a_consent_that_is_too_general_says_what_is_missing(flow: "Flow") -> None:
    person = await flow.patient()
    problem = await refused(flow, "consents", consent(person, purposes=[], lastDay=None))
    assert {issue["rule"] for issue in problem["issues"]} == {"consent-too-general"}
    assert len(problem["issues"]) == 2


async def test_an_event_may_stand_for_the_end(flow: "Flow") -> None:
    person = await flow.patient()
    await written(flow, "consents", consent(person, lastDay=None, endsWithEvent="Avstämningsmötet den 3 december"))


async def test_a_refusal_for_ever_is_kept(flow: "Flow") -> None:
    person = await flow.patient()
    await written(flow, "consents", coordination(person))
    await written(flow, "consents", consent(person, effect="deny", firstDay="0001-01-01", lastDay="9999-12-31"))


async def test_a_notification_leaves_and_can_be_traced(flow: "Flow") -> None:
    person = await flow.patient()
    await written(flow, "consents", coordination(person))
    await written(flow, "consents", consent(person))
    answer = await written(flow, "notifications", notification(person, flow.certify(person)))
    message = await flow.until(answer["resource"], "delivered")
    for name in (answer["resource"].partition("/")[2], message.id):
        trace = (await flow.coordinator.get(f"/api/trace/{name}")).json()
        assert trace["resource"] == answer["resource"]
        assert trace["versions"] == [1]
        assert {decision["permitted"] for decision in trace["decisions"]} == {True}
        (told,) = trace["messages"]
        assert (told["id"], told["state"], told["attempts"]) == (message.id, "delivered", 1)
        assert [each["outcome"] for each in told["tries"]] == ["Delivered"]
    whole = (await flow.coordinator.get(f"/api/trace/{person.id}")).json()
    assert message.id in [each["id"] for each in whole["messages"]]


async def test_a_trace_shows_the_codes_with_their_rules(flow: "Flow") -> None:
    person = await flow.patient()
    answer = await written(flow, "activities", meeting(person))
    trace = (await flow.coordinator.get(f"/api/trace/{answer['resource'].partition('/')[2]}")).json()
    assert trace["codes"] == answer["codes"]


async def test_the_outbox_lists_without_content(flow: "Flow") -> None:
    person = await flow.consenting()
    about = await flow.request(person)
    message = await flow.until(about, "withheld")
    listed = (await flow.coordinator.get("/api/outbox", params={"state": "withheld"})).json()
    (mine,) = [each for each in listed if each["id"] == message.id]
    assert mine["key"] == f"forsakringskassan|{person.id}"
    assert (mine["reason"], mine["nextTry"], mine["about"]) == ("no-consent", None, about)
    assert "Behov kan antas" not in str(listed)
    assert {each["state"] for each in listed} == {"withheld"}
    nowhere = await flow.coordinator.get("/api/outbox", params={"destination": "nowhere"})
    assert nowhere.json() == []
    shown = (await flow.coordinator.get(f"/api/outbox/{message.id}")).json()
    assert "Behov kan antas" not in str(shown)
    content = (await flow.coordinator.get(f"/api/outbox/{message.id}/content")).json()
    assert content["parts"][0]["text"] == "Behov kan antas."


@pytest.mark.parametrize("blocked", ["false", "true"])
async def test_the_list_goes_on_page_by_page(flow: "Flow", monkeypatch: pytest.MonkeyPatch, blocked: str) -> None:
    monkeypatch.setattr("service.api.operating.LIST", 2)
    flow.order("forsakringskassan", Fault(kind="result", error_id="REVOKED", times=5))
    about = [await flow.request(await flow.consenting("fk")) for _ in range(5)]
    wanted = [(await flow.until(each, "parked")).id for each in about]
    found: list[str] = []
    address = f"/api/outbox?state=parked&destination=forsakringskassan&blocked={blocked}"
    while address:
        page = await flow.coordinator.get(address)
        assert len(page.json()) <= 2
        found += [each["id"] for each in page.json()]
        address = str(page.url.join(page.links["next"]["url"])) if "next" in page.links else ""
    assert [each for each in found if each in wanted] == wanted[::-1]
    assert len(found) == len(set(found))
    for each in wanted:
        await flow.coordinator.post(f"/api/outbox/{each}/cancel", json={"why": "a test"})


@pytest.mark.parametrize("asked", ["state=bogus", "after=-1", "after=x"])
async def test_a_list_that_makes_no_sense_is_refused(flow: "Flow", asked: str) -> None:
    refused = await flow.coordinator.get(f"/api/outbox?{asked}")
    assert refused.status_code == 422
    if asked.startswith("state"):
        assert all(state.value in refused.json()["detail"] for state in DeliveryState)
        assert "bogus" not in refused.text
    assert (await flow.coordinator.get("/api/outbox?state=&destination=")).status_code == 200


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("outbox/any/cancel", {}),
        ("outbox/any/replay", {}),
        ("outbox/any/release", {}),
        ("outbox/replay", {"state": "parked"}),
        ("destinations/ehr/pause", {}),
        ("destinations/ehr/resume", {}),
    ],
)
@pytest.mark.parametrize("number", ["19700101-9801", "197001019801", "700101+9801", "7001019801"])
async def test_no_reason_names_a_person(flow: "Flow", path: str, more: Json, number: str) -> None:
    refused = await flow.coordinator.post(f"/api/{path}", json={"why": f"{number} patienten har ringt", **more})
    assert (refused.status_code, number in refused.text) == (422, False)
    assert "looks like a personal number" in refused.json()["detail"]


async def test_an_operators_deeds_are_kept_with_their_reason(flow: "Flow") -> None:
    flow.order("forsakringskassan", Fault(kind="result", error_id="REVOKED"))
    about = await flow.request(await flow.consenting("fk"))
    message = await flow.until(about, "parked")
    why = {"why": "a new certificate is there"}
    replayed = await flow.coordinator.post(f"/api/outbox/{message.id}/replay", json=why)
    (deed,) = [each for each in replayed.json()["tries"] if each["outcome"] == "replayed"]
    assert deed["reason"] == f"replayed by {flow.COORDINATOR}: a new certificate is there"
    await flow.until(about, "delivered")
    for deed in ("cancel", "replay"):
        late = await flow.coordinator.post(f"/api/outbox/{message.id}/{deed}", json=why)
        assert late.status_code == 409
    no_reason = await flow.coordinator.post(f"/api/outbox/{message.id}/replay", json={"why": ""})
    assert no_reason.status_code == 422


async def test_what_is_not_there_is_404(flow: "Flow") -> None:
    for path in ("trace/nothing", "outbox/nothing", "outbox/nothing/content", "nothing"):
        response = await flow.coordinator.get(f"/api/{path}")
        assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
    why = {"why": "a test"}
    for path in ("outbox/nothing/replay", "outbox/nothing/cancel", "destinations/nowhere/pause"):
        assert (await flow.coordinator.post(f"/api/{path}", json=why)).status_code == 404
    assert (await flow.coordinator.post("/api/consents/nothing/withdrawal")).status_code == 404
    assert (await flow.coordinator.delete("/api/outbox")).status_code == 405


async def test_it_describes_itself(flow: "Flow") -> None:
    described = (await flow.nobody.get("/api/openapi.json")).json()
    assert {
        "/activities",
        "/consents",
        "/plans",
        "/notifications",
        "/consent/decision",
        "/units/{unit}/sick-leaves",
        "/outbox",
        "/trace/{id}",
    } <= set(described["paths"])
    assert (await flow.nobody.get("/api/docs")).status_code == 200
