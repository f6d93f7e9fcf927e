"""Meetings with other parties over real HTTP: who calls, who is told with which consent, what came of them and how it is coded
(domain rules 4, 6, 19, 23, 24, 30; glossary 19-25)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappings.identifiers import (
    ACTIVITY_KIND,
    CONVERSATION_ID,
    DIALOGUE_STATE,
    EXT_ANSWERS,
    EXT_INFORMATION_CATEGORY,
    EXT_LED_BY,
    EXT_PRINCIPAL,
    HSA_ID,
    MEETING_ID,
    MEETING_PARTICIPANT,
    ORGANISATION_NUMBER,
    PLAN_KIND,
    RECIPIENT_KIND,
)
from tests.flow.test_dialogue import history, instruct, one, pass_days, until

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]

EMPLOYER: Json = {"kind": "employer", "organisationNumber": "5560000001", "name": "Exempelbolaget AB"}
FK: Json = {"kind": "forsakringskassan"}
MUNICIPALITY: Json = {"kind": "municipality", "organisationNumber": "2120000142", "name": "Exempelkommunen"}


async def post(flow: "Flow", path: str, body: Json, status: int = 200, caller: str = "coordinator") -> Json:
    response = await flow.callers[caller].post(f"/api/meetings{path}", json=body)
    assert response.status_code == status, response.text
    told: Json = response.json()
    return told


async def plan(flow: "Flow", person: "Person", kind: str, *parties: Json, status: int = 201, **given: Any) -> Json:
    body = {"patient": {"id": person.id}, "kind": kind, "parties": list(parties), **given}
    return await post(flow, "", body, status)


async def meeting(flow: "Flow", id: str) -> Json:
    response = await flow.coordinator.get(f"/api/meetings/{id}")
    assert response.status_code == 200, response.text
    found: Json = response.json()
    return found


def rules(refused: Json) -> set[str]:
    return {issue["rule"] for issue in refused["issues"]}


def ahead(flow: "Flow", **distance: float) -> str:
    return flow.forms.time(timedelta(**distance))


async def codes(flow: "Flow", reference: str) -> tuple[list[str], list[str]]:
    """The kinds and the KVÅ codes of a stored activity."""
    procedure = (await flow.coordinator.get(f"/fhir/{reference}")).json()
    kinds = [each["code"] for each in procedure["category"]["coding"]]
    beside = [each["valueCoding"]["code"] for each in procedure.get("extension", ()) if "valueCoding" in each]
    return kinds, [procedure["code"]["coding"][0]["code"], *beside]


async def statuses(flow: "Flow", id: str) -> list[str]:
    """How far the meeting has come, the oldest version first."""
    bundle = (await flow.coordinator.get(f"/fhir/Task/{id}/_history", params={"_count": 50})).json()
    return [entry["resource"]["status"] for entry in bundle["entry"]][::-1]


def sent(flow: "Flow", invitation: str, destination: str) -> list[str]:
    return [each.state for each in flow.promised(invitation, destination)]


# ---- Avstämningsmöte ---------------------------------------------------------------------------------------------


async def test_fk_calls_the_unit_answers_and_the_meeting_is_held(flow: "Flow") -> None:
    """The officer's script ``accept`` to its end: the question AVSTMN, who takes part, GC001 once, follow-up agreed."""
    person = await flow.consenting("fk")
    await flow.post(flow.forms.disclosure(person, categories=["meeting_participation"]))
    instruct(flow, "accept")
    await flow.request(person)
    await until(flow, person, "informed")
    await pass_days(flow, 8)
    question = await until(flow, person, "to-answer", "avstamningsmote")

    planned = await plan(
        flow,
        person,
        "avstamningsmote",
        {"recipient": FK, "name": "Frida Handläggare", "role": "Personlig handläggare", "answer": "coming"},
        persons=[{"name": "Dan Doktor", "role": "Läkare"}],
        start=ahead(flow, days=10),
        end=ahead(flow, days=10, hours=1),
        place="Vårdcentralen Exempel",
        dialogue=question["id"],
    )
    assert (planned["status"], planned["calledBy"]) == ("requested", "2021005521")
    assert (planned["chair"], planned["secretary"]) == ("2021005521", "2021005521")
    asked = await one(flow, question["id"])
    assert (asked["state"], asked["due"]) == ("to-answer", question["due"]), "the question is still to be answered"
    assert {"what": "meeting", "value": f"Task/{planned['id']}"} in asked["said"]

    (letter,) = [each for each in asked["messages"] if each["direction"] == "received"]
    answer = flow.forms.request(person)
    answer["category"][0]["coding"][0]["code"] = "avstamningsmote"
    answer["extension"] = [{"url": EXT_ANSWERS, "valueReference": {"reference": letter["resource"]}}]
    category = {"url": EXT_INFORMATION_CATEGORY, "valueCode": "meeting_participation"}
    answer["payload"] = [{"extension": [category], "contentString": "Läkare och koordinator deltar."}]
    await flow.post(answer)
    await until(flow, person, "answer-sent", "avstamningsmote")
    said = [{"participant": "p3", "answer": "coming"}]
    agreed = await post(flow, f"/{planned['id']}/changes", {"agreed": True, "answers": said})
    assert agreed["status"] == "accepted"
    assert (await one(flow, question["id"]))["state"] == "meeting-planned"
    assert [each["answer"] for each in agreed["participants"]] == ["coming", "coming", "coming"]

    came = {"came": ["p1", "p2", "p3"], "outcome": "Arbetsträning prövas från nästa månad."}
    early = await post(flow, f"/{planned['id']}/held", {**came, "followUp": {"how": "Nytt möte"}}, 422)
    assert rules(early) == {"meeting-ahead"}
    flow.clock.advance(timedelta(days=11))
    unsettled = await post(flow, f"/{planned['id']}/held", came, 422)
    assert rules(unsettled) == {"follow-up-agreed"}
    day = flow.clock.now().date() + timedelta(days=60)
    held = await post(
        flow, f"/{planned['id']}/held", {**came, "followUp": {"how": "Nytt avstämningsmöte", "on": f"{day}"}}
    )
    assert (held["status"], held["followUp"]) == ("completed", {"how": "Nytt avstämningsmöte", "on": f"{day}"})
    assert await codes(flow, held["activity"]) == (["avstamningsmote"], ["GC001"])
    assert "kva-coordination" in {note["rule"] for note in held["notes"]}
    assert await statuses(flow, planned["id"]) == ["requested", "accepted", "completed"]
    assert {"what": "follow-up", "value": f"Nytt avstämningsmöte {day}"} in (await one(flow, question["id"]))["said"]
    # Three occasions: told of the need, answered about the meeting, took part in it. Each has GC001 once.
    found = (await flow.coordinator.get(f"/fhir/Procedure?subject=Patient/{person.id}")).json()["entry"]
    assert len(found) == 3
    assert await history(flow, question["id"]) == [
        *("to-answer", "to-answer", "queued", "answer-sent", "meeting-planned", "meeting-planned")
    ]


async def test_a_dialogue_tells_that_its_meeting_was_cancelled(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    instruct(flow, "silence")
    await flow.request(person)
    informed = await until(flow, person, "informed")
    planned = await plan(
        flow, person, "avstamningsmote", {"recipient": FK}, start=ahead(flow, days=9), dialogue=informed["id"]
    )
    stands = await one(flow, informed["id"])
    assert (stands["state"], stands["due"]) == ("meeting-planned", None)
    await post(flow, f"/{planned['id']}/cancel", {"reason": "Handläggaren är sjuk."})
    assert (await one(flow, informed["id"]))["reason"] == "the meeting was cancelled"
    elsewhere = await plan(flow, person, "trepartsmote", {"recipient": EMPLOYER}, dialogue=informed["id"], status=422)
    assert rules(elsewhere) == {"meeting-dialogue"}, "its party takes no part"


async def test_the_unit_asks_for_an_avstamningsmote_and_invites_nobody_to_it(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, categories=["meeting_participation"]))
    flow.certify(person)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 200
    refused = await plan(
        flow,
        person,
        "avstamningsmote",
        {"recipient": FK, "invite": True},
        {"recipient": EMPLOYER, "invite": True},
        status=422,
    )
    assert rules(refused) == {"caller-invites"}
    assert not flow.rows("SELECT 1 FROM outbox WHERE patient = ?", person.id)

    asked = await plan(flow, person, "avstamningsmote", {"recipient": FK, "invite": True}, {"recipient": EMPLOYER})
    fk, employer = asked["participants"][1:]
    assert employer["invitation"] == ""
    message = await flow.until(fk["invitation"], "delivered")
    (entry,) = [entry for entry in flow.ledger() if entry.id == message.id]
    assert (entry.summary["subject"], entry.report) == ("AVSTMN", ())
    assert "kallar till avstämningsmöte" in entry.request
    assert "Exempelbolaget" not in entry.request


@pytest.mark.parametrize("role", ["calledBy", "chair", "secretary"])
async def test_an_avstamningsmote_is_fks_own(flow: "Flow", role: str) -> None:
    person = await flow.consenting()
    refused = await plan(
        flow, person, "avstamningsmote", {"recipient": FK}, {"recipient": EMPLOYER}, status=422, **{role: EMPLOYER}
    )
    assert "fk-calls" in rules(refused)


# ---- Trepartsmöte ------------------------------------------------------------------------------------------------


async def test_a_trepartsmote_before_any_sick_leave_and_without_fk(flow: "Flow") -> None:
    """Employer and patient, by invitation with the patient's consent; ZV506 beside one GC001."""
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, "employer", categories=["meeting_participation"]))
    planned = await plan(
        flow,
        person,
        "trepartsmote",
        {"recipient": EMPLOYER, "name": "Cecilia Chef", "role": "Närmaste chef", "invite": True},
        start=ahead(flow, days=3),
        place="Hos arbetsgivaren",
        mode="visit",
        purpose="Nya arbetsuppgifter efter en svår tid",
        withSickLeave=False,
        also=["plan-followup"],
    )
    employer = planned["participants"][1]
    assert (employer["invitationState"], employer["kind"]) == ("needs-other-channel", "employer")
    invitation = (await flow.coordinator.get(f"/fhir/{employer['invitation']}")).json()
    (payload,) = invitation["payload"]
    assert "trepartsmöte" in payload["contentString"]
    assert "svår tid" not in payload["contentString"], "what it is about is not told"
    assert payload["extension"][0]["valueCode"] == "meeting_participation"

    flow.clock.advance(timedelta(days=4))
    held = await post(
        flow, f"/{planned['id']}/held", {"came": ["p1", "p2"], "outcome": "Andra uppgifter på prov i en månad."}
    )
    kinds, given = await codes(flow, held["activity"])
    assert kinds == ["trepartsmote", "plan-followup"]
    assert given == ["GC001", "ZV506"], "AW026 goes with sick leave alone"
    assert held["followUp"] is None
    found = await flow.coordinator.get(f"/fhir/Procedure?identifier={MEETING_ID}|{planned['id']}")
    assert len(found.json()["entry"]) == 1


async def test_a_meeting_that_the_employer_did_not_come_to_was_none(flow: "Flow") -> None:
    person = await flow.consenting()
    planned = await plan(flow, person, "trepartsmote", {"recipient": EMPLOYER}, start=ahead(flow, hours=-2))
    alone = {"came": ["p1"], "outcome": "Ingen kom."}
    assert rules(await post(flow, f"/{planned['id']}/held", alone, 422)) == {"meeting-not-held"}
    cancelled = await post(flow, f"/{planned['id']}/cancel", {"reason": "Arbetsgivaren kom inte."})
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "Arbetsgivaren kom inte.")
    assert (await post(flow, f"/{planned['id']}/held", alone | {"came": ["p1", "p2"]}, 409))["issues"]


# ---- Telling others ----------------------------------------------------------------------------------------------


async def test_an_invitation_without_consent_is_withheld_visibly(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    planned = await plan(
        flow,
        person,
        "trepartsmote",
        {"recipient": EMPLOYER, "invite": True},
        start=ahead(flow, days=3),
        agreed=True,
    )
    employer = planned["participants"][1]
    assert (employer["invitationState"], employer["invitationReason"]) == ("withheld", "no-consent")
    assert sent(flow, employer["invitation"], "employer") == ["withheld"]
    moved = await post(flow, f"/{planned['id']}/changes", {"start": ahead(flow, days=4), "agreed": True})
    assert moved["participants"][1]["invitationState"] == "withheld"
    await post(flow, f"/{planned['id']}/cancel", {"reason": "Patienten är sjuk."})
    stored = [flow.rows("SELECT DISTINCT state FROM outbox WHERE patient = ?", person.id)]
    assert stored == [[("cancelled",)]], "nothing about the meeting left, or waits to leave"


async def test_each_party_is_told_with_its_own_consent(flow: "Flow") -> None:
    """Rule 25 of the glossary: the employer's consent covers nobody else; another unit of the provider needs none (rule 6)."""
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, "employer", categories=["meeting_participation"]))
    neighbour = {"kind": "same-care-provider", "hsaId": flow.OTHER_UNIT}
    planned = await plan(
        flow,
        person,
        "trepartsmote",
        *({"recipient": each, "invite": True} for each in (EMPLOYER, MUNICIPALITY, neighbour)),
        start=ahead(flow, days=3),
    )
    told = {each["kind"]: each["invitationState"] for each in planned["participants"][1:]}
    assert told == {
        "employer": "needs-other-channel",
        "municipality": "withheld",
        "same-care-provider": "needs-other-channel",
    }
    topics = [
        (await flow.coordinator.get(f"/fhir/{each['invitation']}")).json()["category"][0]["coding"][0]["code"]
        for each in planned["participants"][1:]
    ]
    assert topics == ["contact", "contact", "contact"]
    listed = (await flow.coordinator.get("/api/dialogues", params={"patient": person.id})).json()
    assert [each["version"] for each in listed] == [1, 1, 1], "each has a dialogue of its own, begun once"


async def test_a_plan_that_is_sent_again_invites_nobody_twice(flow: "Flow") -> None:
    person = await flow.consenting()
    given: Json = {"start": ahead(flow, days=3), "identifier": {"system": "urn:example:booking", "value": person.id}}
    first = await plan(flow, person, "trepartsmote", {"recipient": EMPLOYER, "invite": True}, **given)
    again = await plan(flow, person, "trepartsmote", {"recipient": EMPLOYER, "invite": True}, status=200, **given)
    assert (again["id"], again["version"]) == (first["id"], 1)
    assert len(flow.rows("SELECT 1 FROM outbox WHERE patient = ?", person.id)) == 1
    for id in ("p1", "p2"):
        refused = await post(flow, f"/{first['id']}/changes", {"invite": [id]}, 422)
        assert rules(refused) == {"meeting-invited"}


async def test_others_join_a_meeting_that_is_planned(flow: "Flow") -> None:
    person = await flow.consenting()
    planned = await plan(flow, person, "trepartsmote", {"recipient": EMPLOYER}, start=ahead(flow, days=3))
    more = {
        "parties": [{"recipient": MUNICIPALITY, "name": "Sara Sekreterare", "invite": True}],
        "persons": [{"name": "Dan Doktor", "role": "Läkare", "answer": "coming"}],
    }
    joined = (await post(flow, f"/{planned['id']}/changes", more))["participants"]
    assert [(each["id"], each["part"], each["number"], each["name"]) for each in joined] == [
        ("p1", "patient", "", ""),
        ("p2", "party", "5560000001", ""),
        ("p3", "party", "2120000142", "Sara Sekreterare"),
        ("p4", "person", "", "Dan Doktor"),
    ]
    assert [each["invitationState"] for each in joined] == ["", "", "withheld", ""]


async def test_whoever_was_told_learns_of_another_time_and_of_the_end(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, "employer", categories=["meeting_participation"]))
    planned = await plan(
        flow, person, "trepartsmote", {"recipient": EMPLOYER, "invite": True}, start=ahead(flow, days=3), place="Rum 4"
    )
    id, first = planned["id"], planned["participants"][1]["invitation"]
    moved = await post(flow, f"/{id}/changes", {"place": "Rum 5"})
    assert moved["participants"][1]["invitation"] == first, "what nobody has read is corrected"
    assert sent(flow, first, "employer") == ["cancelled", "needs-other-channel"]

    dialogue = next(
        each
        for each in (await flow.coordinator.get("/api/dialogues", params={"patient": person.id})).json()
        if each["about"] == first
    )
    assert "Rum 5" in (await one(flow, dialogue["id"]))["unsent"]["text"]
    told = await flow.coordinator.post(f"/api/dialogues/{dialogue['id']}/told", json={"mode": "telephone"})
    assert told.status_code == 200, told.text
    moved = await post(flow, f"/{id}/changes", {"start": ahead(flow, days=5)})
    second = moved["participants"][1]["invitation"]
    assert second != first
    assert "Ändring" in (await flow.coordinator.get(f"/fhir/{second}")).json()["payload"][0]["contentString"]

    unmoved = await post(flow, f"/{id}/changes", {"answers": [{"participant": "p2", "answer": "coming"}]})
    assert unmoved["participants"][1]["invitation"] == second, "a yes is told to nobody"
    await post(flow, f"/{id}/cancel", {"reason": "Patienten har fått nytt arbete."})
    assert sent(flow, second, "employer") == ["cancelled"]
    told_of = (await flow.coordinator.get(f"/fhir/CommunicationRequest?subject=Patient/{person.id}")).json()["entry"]
    assert len(told_of) == 2, "the change was never read: nothing more need be said than that"


async def test_a_cancelled_meeting_is_called_off_to_whoever_was_told(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, "employer", categories=["meeting_participation"]))
    planned = await plan(
        flow, person, "trepartsmote", {"recipient": EMPLOYER, "invite": True}, start=ahead(flow, days=3)
    )
    (dialogue,) = (await flow.coordinator.get("/api/dialogues", params={"patient": person.id})).json()
    await flow.coordinator.post(f"/api/dialogues/{dialogue['id']}/told", json={"mode": "telephone"})
    await post(flow, f"/{planned['id']}/cancel", {"reason": "Något hemligt"})
    found = (await flow.coordinator.get(f"/fhir/CommunicationRequest?subject=Patient/{person.id}")).json()["entry"]
    texts = [each["resource"]["payload"][0]["contentString"] for each in found]
    assert any(text.startswith("Inställt: trepartsmöte") for text in texts)
    assert not any("hemligt" in text for text in texts)


# ---- SIP ---------------------------------------------------------------------------------------------------------


def plan_of(flow: "Flow", person: "Person", **elements: Any) -> Json:
    """A plan without goals."""
    written: Json = flow.forms.plan(person, "", **elements)
    return {name: value for name, value in written.items() if name != "goal"}


def sip(flow: "Flow", person: "Person") -> Json:
    """A SIP as rule 30 demands it."""
    return plan_of(
        flow,
        person,
        category=[{"coding": [{"system": PLAN_KIND, "code": "sip"}]}],
        title="Samordnad individuell plan",
        extension=[{"url": EXT_LED_BY, "valueString": "kommunen"}],
        activity=[
            {
                "detail": {
                    "extension": [{"url": EXT_PRINCIPAL, "valueCode": "municipality"}],
                    "status": "not-started",
                    "description": "Boendestöd två dagar i veckan",
                    "performer": [{"display": "Exempelkommunen"}],
                }
            }
        ],
    )


async def test_a_sip_with_the_municipality(flow: "Flow") -> None:
    person = await flow.consenting()
    planned = await plan(
        flow,
        person,
        "sip",
        {"recipient": MUNICIPALITY, "role": "Socialsekreterare", "invite": True},
        start=ahead(flow, days=1),
        mode="video",
    )
    assert planned["participants"][1]["invitationState"] == "withheld"
    flow.clock.advance(timedelta(days=2))
    came: Json = {"came": ["p1", "p2"], "outcome": "Planen är klar."}
    assert rules(await post(flow, f"/{planned['id']}/held", came, 422)) == {"sip-plan"}
    other = await flow.post(plan_of(flow, person))
    wrong = await post(flow, f"/{planned['id']}/held", came | {"plan": f"CarePlan/{other['id']}"}, 422)
    assert rules(wrong) == {"meeting-plan"}
    drawn = await flow.post(sip(flow, person))
    day = flow.clock.now().date() + timedelta(days=40)
    agreed = {"plan": f"CarePlan/{drawn['id']}", "followUp": {"how": "Nytt SIP-möte", "on": f"{day}"}}
    held = await post(flow, f"/{planned['id']}/held", came | agreed)
    assert await codes(flow, held["activity"]) == (["sip"], ["GC001", "AU124"])
    assert held["plan"] == f"CarePlan/{drawn['id']}"
    activity = (await flow.coordinator.get(f"/fhir/{held['activity']}")).json()
    assert activity["basedOn"] == [{"reference": held["plan"]}]

    plan_now = (await flow.coordinator.get(f"/fhir/{held['plan']}")).json()
    assert plan_now["activity"][0] == drawn["activity"][0], "what stood in the plan stays as it came"
    (followed,) = [each["detail"] for each in plan_now["activity"][1:]]
    assert (followed["status"], followed["scheduledPeriod"]["start"]) == ("scheduled", f"{day}")
    assert followed["code"]["coding"][0]["code"] == "sip-followup"
    again = await post(flow, f"/{planned['id']}/changes", {"documents": [await minutes(flow, person)]})
    assert again["status"] == "completed"
    assert (await flow.coordinator.get(f"/fhir/{held['plan']}")).json()["meta"] == plan_now["meta"], "planned once"


@pytest.mark.parametrize("status", ["completed", "revoked"])
async def test_a_plan_that_is_over_gets_no_new_day(flow: "Flow", status: str) -> None:
    person = await flow.consenting()
    drawn = await flow.post(sip(flow, person) | {"status": status})
    planned = await plan(flow, person, "sip", {"recipient": MUNICIPALITY}, start=ahead(flow, hours=-3))
    day = flow.clock.now().date() + timedelta(days=40)
    told = {"plan": f"CarePlan/{drawn['id']}", "followUp": {"how": "Samtal", "on": f"{day}"}}
    held = await post(flow, f"/{planned['id']}/held", {"came": ["p1", "p2"], "outcome": "Klart.", **told})
    assert held["followUp"]["on"] == f"{day}"
    assert "plan-follow-up" in {note["rule"] for note in held["notes"]}
    assert (await flow.coordinator.get(f"/fhir/CarePlan/{drawn['id']}")).json()["meta"] == drawn["meta"]


async def test_a_sip_meeting_without_a_plan_says_why_and_draws_up_none(flow: "Flow") -> None:
    person = await flow.consenting()
    planned = await plan(flow, person, "sip", {"recipient": MUNICIPALITY}, start=ahead(flow, hours=-3))
    held = await post(
        flow,
        f"/{planned['id']}/held",
        {"came": ["p1", "p2"], "outcome": "Nytt möte behövs.", "whyNoPlan": "Patienten ville tänka."},
    )
    assert await codes(flow, held["activity"]) == (["social-services-contact"], ["GC001"])
    drawn = await flow.post(sip(flow, person))
    late = await post(flow, f"/{planned['id']}/changes", {"plan": f"CarePlan/{drawn['id']}"}, 409)
    assert rules(late) == {"meeting-step"}, "it was coded as what it was"


# ---- Documentation -----------------------------------------------------------------------------------------------


async def minutes(flow: "Flow", person: "Person") -> str:
    stored = await flow.post(
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "subject": {"reference": person.reference},
            "content": [{"attachment": {"contentType": "text/plain", "title": "Anteckningar"}}],
        }
    )
    return f"DocumentReference/{stored['id']}"


async def test_documentation_is_shared_by_the_consent_rules_and_noted(flow: "Flow") -> None:
    person = await flow.consenting()
    document = await minutes(flow, person)
    planned = await plan(flow, person, "trepartsmote", {"recipient": EMPLOYER}, start=ahead(flow, hours=-3))
    path = f"/{planned['id']}"
    to_employer = {"document": document, "recipient": EMPLOYER, "categories": ["work_adjustments"]}
    assert rules(await post(flow, f"{path}/shared", to_employer, 422)) == {"meeting-documentation"}
    await post(
        flow, f"{path}/held", {"came": ["p1", "p2"], "outcome": "Höj- och sänkbart bord.", "documents": [document]}
    )
    refused = await post(flow, f"{path}/shared", to_employer, 409)
    assert "no-consent" in refused["issues"][0]["text"]
    assert (await meeting(flow, planned["id"]))["shared"] == []

    await flow.post(flow.forms.disclosure(person, "employer", categories=["work_adjustments"]))
    more = to_employer | {"categories": ["work_adjustments", "care_measures"]}
    assert "category-not-covered" in (await post(flow, f"{path}/shared", more, 409))["issues"][0]["text"]
    await post(flow, f"{path}/shared", to_employer)
    shared = (await post(flow, f"{path}/shared", {"document": document, "toPatient": True}))["shared"]
    assert [(each["kind"], each["number"], each["basis"]) for each in shared] == [
        ("employer", "5560000001", "consent"),
        (None, "", None),
    ]
    task = (await flow.coordinator.get(f"/fhir/Task/{planned['id']}")).json()
    task["output"] = [each for each in task["output"] if each["type"]["coding"][0]["code"] != "shared"]
    response = await flow.coordinator.put(f"/fhir/Task/{planned['id']}", json=task)
    assert response.status_code == 409, "what was given cannot be unsaid"


async def test_fk_hands_its_own_minutes_to_those_who_took_part(flow: "Flow") -> None:
    person = await flow.consenting()
    document = await minutes(flow, person)
    planned = await plan(
        flow, person, "avstamningsmote", {"recipient": FK}, {"recipient": EMPLOYER}, start=ahead(flow, hours=-3)
    )
    added = await post(flow, f"/{planned['id']}/changes", {"documents": [document]})
    assert added["documents"] == [document]
    to_employer = {"document": document, "recipient": EMPLOYER, "categories": ["work_adjustments"]}
    assert rules(await post(flow, f"/{planned['id']}/shared", to_employer, 422)) == {"fk-documents"}


# ---- Bad input ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"kind": "trepartsmote", "parties": [{"recipient": FK}]}, "meeting-needs"),
        ({"kind": "sip", "parties": [{"recipient": EMPLOYER}]}, "meeting-needs"),
        ({"kind": "trepartsmote", "parties": [{"recipient": EMPLOYER}], "chair": FK}, "meeting-roles"),
        ({"kind": "trepartsmote", "parties": [{"recipient": EMPLOYER}], "agreed": True}, "meeting-agreed"),
        (
            {
                "kind": "trepartsmote",
                "parties": [{"recipient": EMPLOYER}],
                "start": "2026-03-02T10:00:00+01:00",
                "end": "2026-03-02T09:00:00+01:00",
            },
            "meeting-ends",
        ),
        (
            {
                "kind": "trepartsmote",
                "parties": [{"recipient": EMPLOYER, "invite": True}],
                "calledBy": EMPLOYER,
            },
            "caller-invites",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_meeting_that_cannot_stand_is_refused_by_its_rule(flow: "Flow", given: Json, rule: str) -> None:
    person = await flow.consenting()
    before = await flow.stored()
    assert rules(await post(flow, "", {"patient": {"id": person.id}, **given}, 422)) == {rule}
    assert await flow.stored() == before, "nothing is half-written"


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "employer-contact", "parties": [{"recipient": EMPLOYER}]},
        {"kind": "sip", "parties": []},
        {"kind": "sip", "parties": [{"recipient": MUNICIPALITY}], "start": "2026-03-02T09:00:00"},
        {"kind": "sip", "parties": [{"recipient": MUNICIPALITY}], "plan": "Goal/1"},
        {"kind": "sip", "parties": [{"recipient": MUNICIPALITY}], "place": "a\x00b"},
        {"kind": "sip", "parties": [{"recipient": MUNICIPALITY}], "unheard": "of"},
    ],
)
async def test_what_is_no_meeting_is_refused(flow: "Flow", given: Json) -> None:
    person = await flow.consenting()
    before = await flow.stored()
    assert (await post(flow, "", {"patient": {"id": person.id}, **given}, 422))["issues"]
    assert await flow.stored() == before


async def test_what_belongs_to_another_patient_is_refused(flow: "Flow") -> None:
    person, other = await flow.consenting(), await flow.consenting()
    drawn = await flow.post(sip(flow, other))
    refused = await plan(flow, person, "sip", {"recipient": MUNICIPALITY}, plan=f"CarePlan/{drawn['id']}", status=422)
    assert rules(refused) == {"same-patient"}
    absent = await plan(flow, person, "sip", {"recipient": MUNICIPALITY}, plan="CarePlan/nowhere", status=422)
    assert "not here" in absent["issues"][0]["text"]
    unknown = await plan(flow, person, "sip", {"recipient": MUNICIPALITY}, dialogue="nowhere", status=422)
    assert "not here" in unknown["issues"][0]["text"]


async def test_another_unit_sees_no_meeting(flow: "Flow") -> None:
    person = await flow.consenting()
    planned = await plan(flow, person, "trepartsmote", {"recipient": EMPLOYER}, start=ahead(flow, days=1))
    deeds: dict[str, Json] = {
        "changes": {"place": "x"},
        "cancel": {"reason": "x"},
        "held": {"came": ["p1"], "outcome": "x"},
        "shared": {"document": "Binary/1", "toPatient": True},
    }
    for deed, body in deeds.items():
        await post(flow, f"/{planned['id']}/{deed}", body, 404, "neighbour")
        await post(flow, f"/{planned['id']}/{deed}", body, 403, "reader")
        await post(flow, f"/nowhere/{deed}", body, 404)
    assert (await flow.neighbour.get(f"/api/meetings/{planned['id']}")).status_code == 404
    listed = (await flow.neighbour.get("/api/meetings")).json()
    assert planned["id"] not in [each["id"] for each in listed]
    assert (await meeting(flow, planned["id"]))["version"] == 1
    unknown = {"answers": [{"participant": "p9", "answer": "coming"}]}
    assert rules(await post(flow, f"/{planned['id']}/changes", unknown, 422)) == {"meeting-participant"}


async def test_meetings_are_listed_by_their_days(flow: "Flow") -> None:
    person = await flow.consenting()
    later, sooner, timeless = [
        (await plan(flow, person, "trepartsmote", {"recipient": EMPLOYER}, start=when))["id"]
        for when in (ahead(flow, days=30), ahead(flow, days=20), None)
    ]
    mine = {later, sooner, timeless}

    async def listed(**asked: str) -> list[str]:
        response = await flow.coordinator.get("/api/meetings", params=asked)
        assert response.status_code == 200, response.text
        return [each["id"] for each in response.json() if each["id"] in mine]

    day = (flow.clock.now() + timedelta(days=20)).date()
    assert await listed() == [sooner, later, timeless]
    assert await listed(**{"from": f"{day - timedelta(days=1)}", "to": f"{day + timedelta(days=1)}"}) == [sooner]
    assert await listed(**{"from": f"{day + timedelta(days=2)}"}) == [later]
    assert await listed(status="completed") == []
    read = [row for row in flow.accesses(person) if row[3] == "meeting-list"]
    assert read, "whoever lists meetings has read of these patients"


# ---- As FHIR -----------------------------------------------------------------------------------------------------


def task(flow: "Flow", person: "Person", **elements: Any) -> Json:
    """A trepartsmöte as a record system writes it."""
    part = {"system": MEETING_PARTICIPANT}
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "plan",
        "code": {"coding": [{"system": ACTIVITY_KIND, "code": "trepartsmote"}], "text": "Trepartsmöte"},
        "for": {"reference": person.reference},
        "owner": {"reference": flow.forms.refs["unit"]},
        "requester": {"reference": flow.forms.refs["role"]},
        "executionPeriod": {"start": ahead(flow, days=2)},
        "input": [
            {"type": {"coding": [{**part, "code": "patient"}]}, "valueReference": {"reference": person.reference}},
            {
                "type": {"coding": [{**part, "code": "party"}], "text": "Chef"},
                "valueReference": {"reference": flow.forms.refs["employer"]},
            },
        ],
        **elements,
    }


async def test_a_client_of_fhir_writes_a_meeting_and_finds_it(flow: "Flow") -> None:
    person = await flow.consenting()
    stored = await flow.post(task(flow, person))
    assert {name: stored[name] for name in task(flow, person) if name != "executionPeriod"} == {
        name: value for name, value in task(flow, person).items() if name != "executionPeriod"
    }, "nothing is rewritten that nothing follows from"
    found = await flow.coordinator.get(f"/fhir/Task?patient={person.id}&code={ACTIVITY_KIND}|trepartsmote")
    assert [each["resource"]["id"] for each in found.json()["entry"]] == [stored["id"]]
    day = (flow.clock.now() + timedelta(days=1)).date()
    found = await flow.coordinator.get(f"/fhir/Task?patient={person.id}&code=trepartsmote&period=ge{day}")
    assert [each["resource"]["id"] for each in found.json()["entry"]] == [stored["id"]]
    assert (await meeting(flow, stored["id"]))["participants"][1]["number"] == "5560000001"

    flow.clock.advance(timedelta(days=3))
    for each in stored["input"]:
        each["extension"] = [{"url": "https://rekobryggan.example/fhir/StructureDefinition/came", "valueBoolean": True}]
    outcome = {
        "type": {
            "coding": [{"system": "https://rekobryggan.example/fhir/CodeSystem/meeting-output", "code": "outcome"}]
        },
        "valueString": "Kortare dagar.",
    }
    held = await flow.put(stored | {"status": "completed", "output": [outcome]})
    (activity,) = [each for each in held["output"] if each["type"]["coding"][0]["code"] == "activity"]
    assert await codes(flow, activity["valueReference"]["reference"]) == (["trepartsmote"], ["GC001", "ZV506"])
    again = await flow.put(held | {"note": [{"text": "Noterat efteråt"}]})
    assert again["output"] == held["output"]
    count = await flow.coordinator.get(f"/fhir/Procedure?subject={person.reference}&_summary=count")
    assert count.json()["total"] == 1, "coded once"


async def test_a_meeting_can_be_read_when_an_organisation_is_something_else_now(flow: "Flow") -> None:
    person = await flow.consenting()
    number = {"system": ORGANISATION_NUMBER.fhir, "value": "5560000043"}
    kind = {"coding": [{"system": RECIPIENT_KIND, "code": "employer"}]}
    firm = await flow.post({"resourceType": "Organization", "identifier": [number], "name": "Firman", "type": [kind]})
    written = task(flow, person)
    written["input"][1]["valueReference"] = {"reference": f"Organization/{firm['id']}"}
    stored = await flow.post(written)
    await post(flow, f"/{stored['id']}/changes", {"place": "Hos firman"})
    kind["coding"][0]["code"] = "occupational-health"
    await flow.put(firm | {"type": [kind]})
    assert (await meeting(flow, stored["id"]))["participants"][1]["kind"] == "employer", "as the meeting says"


@pytest.mark.parametrize(
    ("elements", "rule"),
    [
        ({"status": "in-progress"}, "meeting-status"),
        ({"intent": "order"}, "reko-meeting"),
        ({"status": "cancelled"}, "meeting-step"),
        ({"status": "completed"}, "meeting-outcome"),
        ({"reasonCode": {"text": "x"}}, "reko-notification-task"),
        ({"code": {"coding": [{"system": ACTIVITY_KIND, "code": c} for c in ("sip", "trepartsmote")]}}, "meeting-kind"),
    ],
)
async def test_a_task_that_is_no_right_meeting_is_refused(flow: "Flow", elements: Json, rule: str) -> None:
    person = await flow.consenting()
    response = await flow.coordinator.post("/fhir/Task", json=task(flow, person, **elements))
    assert response.status_code in (409, 422)
    told = {issue["details"]["coding"][0]["code"] for issue in response.json()["issue"] if "details" in issue}
    assert rule in told, response.text


async def test_a_meeting_stays_one_and_is_deleted_while_nobody_knows(flow: "Flow") -> None:
    person = await flow.consenting()
    stored = await flow.post(task(flow, person))
    other = await flow.coordinator.put(f"/fhir/Task/{stored['id']}", json={**stored, "code": {"text": "att göra"}})
    assert other.status_code == 409
    kind = {"coding": [{"system": ACTIVITY_KIND, "code": "sip"}]}
    assert (await flow.coordinator.put(f"/fhir/Task/{stored['id']}", json={**stored, "code": kind})).status_code == 409
    assert (await flow.coordinator.delete(f"/fhir/Task/{stored['id']}")).status_code == 204
    invited = await plan(
        flow, person, "trepartsmote", {"recipient": EMPLOYER, "invite": True}, start=ahead(flow, days=3)
    )
    assert (await flow.coordinator.delete(f"/fhir/Task/{invited['id']}")).status_code == 409


# ---- The Task of a dialogue --------------------------------------------------------------------------------------


async def test_a_dialogues_task_is_the_services_own(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    instruct(flow, "silence")
    await flow.request(person)
    informed = await until(flow, person, "informed")
    address = f"/fhir/Task/{informed['id']}"
    stored = (await flow.coordinator.get(address)).json()
    assert stored["owner"] == {"type": "Organization", "identifier": {"system": HSA_ID.fhir, "value": flow.UNIT}}

    begun = {name: value for name, value in stored.items() if name not in ("id", "meta")}
    assert (await flow.coordinator.post("/fhir/Task", json=begun)).status_code == 409
    assert (await flow.coordinator.put("/fhir/Task/chosen", json={**begun, "id": "chosen"})).status_code == 409
    plain = await flow.post({"resourceType": "Task", "status": "draft", "intent": "order", "for": stored["for"]})
    taken = {**plain, "groupIdentifier": {"system": CONVERSATION_ID, "value": "x"}}
    assert (await flow.coordinator.put(f"/fhir/Task/{plain['id']}", json=taken)).status_code == 409

    for change in (
        {"status": "completed"},
        {"description": "x"},
        {"output": [{"type": {"text": "x"}, "valueString": "x"}]},
        {"businessStatus": {"text": "klar"}},
        {"businessStatus": {"coding": [{"system": DIALOGUE_STATE, "code": "consent-asked"}]}},
        {"businessStatus": {"coding": [{"system": DIALOGUE_STATE, "code": "closed"}]}, "priority": "stat"},
        {"owner": {"identifier": {"system": HSA_ID.fhir, "value": flow.DOCTOR}}},
    ):
        refused = await flow.coordinator.put(address, json=stored | change)
        assert refused.status_code == 409, refused.text
    without = {name: value for name, value in stored.items() if name != "groupIdentifier"}
    assert (await flow.coordinator.put(address, json=without)).status_code == 409
    assert (await flow.coordinator.delete(address)).status_code == 409
    assert (await flow.coordinator.put(address, json=stored)).json()["meta"]["versionId"] == stored["meta"]["versionId"]
    stale = await flow.coordinator.put(address, json=stored, headers={"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    assert (await flow.neighbour.put(address, json=stored)).status_code == 404


@pytest.mark.parametrize("way", ["put", "patch"])
async def test_a_client_says_where_a_dialogue_stands(flow: "Flow", way: str) -> None:
    person = await flow.consenting("fk")
    instruct(flow, "silence")
    await flow.request(person)
    informed = await until(flow, person, "informed")
    address = f"/fhir/Task/{informed['id']}"
    closed = {"coding": [{"system": DIALOGUE_STATE, "code": "closed"}]}
    if way == "put":
        stored = (await flow.coordinator.get(address)).json()
        response = await flow.coordinator.put(address, json=stored | {"businessStatus": closed})
    else:
        response = await flow.coordinator.patch(
            address,
            json=[{"op": "replace", "path": "/businessStatus", "value": closed}],
            headers={"Content-Type": "application/json-patch+json"},
        )
    assert response.status_code == 200, response.text
    assert (response.json()["status"], response.json()["businessStatus"]) == ("completed", closed)
    assert (await history(flow, informed["id"]))[-1] == "closed"
