"""A label that was set since stops nobody's work with what is hers to see, and tells her nothing."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappings.identifiers import CONFIDENTIALITY
from tests.flow import test_meetings as meetings
from tests.flow.test_dialogue import answer_to, instruct, pass_days, until
from tests.flow.test_labels import RESTRICTED, asked, found, labelled, put_label
from tests.flow.test_pages import sat_down

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


async def planned(flow: "Flow", person: "Person") -> tuple[Json, str]:
    """A plan as a colleague reads it, and its goal, which has been labelled since."""
    goal = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    await put_label(flow, f"Goal/{goal['id']}")
    return (await flow.colleague.get(f"/fhir/CarePlan/{plan['id']}")).json(), f"Goal/{goal['id']}"


async def meeting(flow: "Flow", person: "Person", *, invite: bool = False, **more: Any) -> Json:
    party = {"recipient": meetings.EMPLOYER} | ({"invite": True} if invite else {})
    start = meetings.ahead(flow, days=3)
    return await meetings.plan(flow, person, "trepartsmote", party, start=start, place="Sal 1", mode="visit", **more)


# ---- What points at something that has been labelled since -------------------------------------------------------


async def test_what_points_there_already_is_still_changed_by_whom_it_is_there_for(flow: "Flow") -> None:
    """It is not labelled by that: she writes nothing of what she does not see. By one who sees it, it is."""
    plan, goal = await planned(flow, await flow.patient())
    address = f"/fhir/CarePlan/{plan['id']}"
    patch = {"Content-Type": "application/merge-patch+json"}
    for response, version in (
        (await flow.colleague.put(address, json=plan), "1"),
        (await flow.colleague.put(address, json=plan | {"title": "Ny"}), "2"),
        (await flow.colleague.patch(address, content='{"title":"Nyare"}', headers=patch), "3"),
    ):
        assert response.status_code == 200, response.text
        assert (response.json()["meta"]["versionId"], "security" in response.json()["meta"]) == (version, False)
    kept = (await flow.colleague.get(address)).json()
    assert kept["goal"] == [{"reference": goal}]
    await flow.put(kept | {"title": "Nyast"})
    assert (await flow.colleague.get(address)).status_code == 404


async def test_nothing_new_points_at_what_is_not_hers_to_see(flow: "Flow") -> None:
    person = await flow.patient()
    plan, _ = await planned(flow, person)
    other = f"Goal/{(await flow.post(flow.forms.goal(person) | {'meta': RESTRICTED}))['id']}"
    goals = [*plan["goal"], {"reference": other}]
    refused = await flow.colleague.put(f"/fhir/CarePlan/{plan['id']}", json=plan | {"goal": goals})
    assert (refused.status_code, [each["expression"] for each in refused.json()["issue"]]) == (
        422,
        [["CarePlan.goal[1].reference"]],
    )
    new = {name: value for name, value in plan.items() if name not in ("id", "meta")}
    assert (await flow.colleague.post("/fhir/CarePlan", json=new)).status_code == 422


async def test_a_step_is_taken_in_a_dialogue_whose_meeting_is_labelled(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    question = await asked(flow, person)
    party = {"recipient": meetings.FK}
    made = await meetings.plan(
        flow, person, "avstamningsmote", party, start=meetings.ahead(flow, days=3), dialogue=question["id"]
    )
    await put_label(flow, f"Task/{made['id']}")
    address = f"/api/dialogues/{question['id']}"
    response = await flow.colleague.post(f"{address}/steps", json={"to": "closed", "why": "Klart."})
    assert response.status_code == 200, response.text
    assert (await flow.colleague.get(address)).json()["state"] == "closed"


@pytest.mark.parametrize("is_heard", [False, True])
async def test_an_answer_is_read_in_a_dialogue_where_another_is_labelled(flow: "Flow", *, is_heard: bool) -> None:
    """What she hears herself is hers to see."""
    person = await flow.consenting("fk")
    instruct(flow, "accept")
    await flow.request(person)
    await until(flow, person, "informed")
    await pass_days(flow, 1)
    task = await until(flow, person, "answered")
    received = f"/fhir/Communication?patient={person.id}&received:missing=false"
    (theirs,) = await found(flow.coordinator, received)
    await put_label(flow, theirs)
    said: Json = {"says": "accepted", "officer": "Frida"}
    if is_heard:
        said["heard"] = {"mode": "telephone", "at": flow.clock.now().isoformat(), "text": "Ja."}
    response = await flow.colleague.post(f"/api/dialogues/{task['id']}/answer", json=said)
    assert response.status_code == 200, response.text
    assert len(await found(flow.colleague, received)) == int(is_heard)


async def test_what_waits_is_told_in_a_dialogue_whose_meeting_is_labelled(flow: "Flow") -> None:
    """Where the message stands is written by the service: that hides the dialogue from nobody."""
    person = await flow.consenting("fk")
    question = await asked(flow, person)
    party, start = {"recipient": meetings.FK}, meetings.ahead(flow, days=3)
    made = await meetings.plan(flow, person, "avstamningsmote", party, start=start, dialogue=question["id"])
    for each in (await flow.coordinator.get(f"/fhir/Consent?patient={person.id}")).json()["entry"]:
        await flow.coordinator.post(f"/api/consents/{each['resource']['id']}/withdrawal")
    await flow.post(answer_to(flow, person, question["about"], "contact"))
    await until(flow, person, "withheld", "contact")
    await put_label(flow, f"Task/{made['id']}")
    await flow.post(flow.forms.coordination(person))
    await flow.post(flow.forms.disclosure(person, "fk"))
    address = f"/api/dialogues/{question['id']}"
    for path, body in (("channel", {"channel": "manual"}), ("told", {"mode": "telephone"})):
        response = await flow.colleague.post(f"{address}/{path}", json=body)
        assert response.status_code == 200, (path, response.text)
    assert (await flow.colleague.get(address)).json()["state"] == "answer-sent"


@pytest.mark.parametrize("labelled_too", ["plan", "goal"])
async def test_a_meeting_goes_on_whose_plan_is_labelled(flow: "Flow", labelled_too: str) -> None:
    person = await flow.consenting("employer")
    goal = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    of_it = {"plan": f"CarePlan/{plan['id']}", "goal": f"Goal/{goal['id']}"}
    changed, cancelled, held = [await meeting(flow, person, plan=of_it["plan"]) for _ in range(3)]
    await put_label(flow, of_it[labelled_too])
    deeds: list[tuple[Json, str, Json]] = [
        (changed, "changes", {"place": "Sal 2", "invite": ["p2"]}),
        (changed, "changes", {"place": "Sal 3"}),
        (cancelled, "cancel", {"reason": "Sjuk"}),
        (held, "held", {"came": ["p1", "p2"], "outcome": "Bra."}),
    ]
    agreed = {"how": "Samtal", "on": f"{(flow.clock.now() + timedelta(days=9)).date()}"}
    for made, path, body in deeds:
        if path == "held":
            flow.clock.advance(timedelta(days=4))
            body |= {"followUp": agreed}
        response = await flow.colleague.post(f"/api/meetings/{made['id']}/{path}", json=body)
        assert response.is_success, (path, response.text)
        assert (await flow.colleague.get(f"/fhir/Task/{made['id']}")).status_code == 200
    (act,) = await found(flow.colleague, f"/fhir/Procedure?patient={person.id}")
    pointed = (await flow.colleague.get(f"/fhir/{act}")).json().get("basedOn", [])
    assert pointed == ([] if labelled_too == "plan" else [{"reference": of_it["plan"]}])
    written = (await flow.coordinator.get(f"/fhir/{of_it['plan']}")).json()
    assert (agreed["on"] in str(written), "security" in written["meta"]) == (True, labelled_too == "plan")


async def test_a_meeting_is_cancelled_whose_dialogue_is_labelled(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    await flow.request(person)
    question = await until(flow, person, "informed")
    party, start = {"recipient": meetings.FK}, meetings.ahead(flow, days=3)
    made = await meetings.plan(flow, person, "avstamningsmote", party, start=start, dialogue=question["id"])
    task = f"Task/{question['id']}"
    await put_label(flow, task)
    response = await flow.colleague.post(f"/api/meetings/{made['id']}/cancel", json={"reason": "Sjuk"})
    assert response.is_success, response.text
    reason = (await flow.coordinator.get(f"/fhir/{task}")).json()["statusReason"]["text"]
    assert (reason, (await flow.colleague.get(f"/fhir/{task}")).status_code) == ("the meeting was cancelled", 404)


# ---- Invitations -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("changes", {"place": "Sal 2"}, "active"), ("cancel", {"reason": "Sjuk"}, "revoked")],
)
async def test_an_invitation_that_is_labelled_follows_its_meeting(
    flow: "Flow", path: str, body: Json, status: str
) -> None:
    """The service writes it for whoever changes the meeting, and tells nothing of it."""
    person = await flow.consenting("employer")
    await flow.post(flow.forms.disclosure(person, "employer", categories=["meeting_participation"]))
    made = await meeting(flow, person, invite=True)
    await flow.quiet()
    (invitation,) = [each["invitation"] for each in made["participants"] if each.get("invitation")]
    await put_label(flow, invitation)
    response = await flow.colleague.post(f"/api/meetings/{made['id']}/{path}", json=body)
    assert response.is_success, response.text
    assert not response.json().get("notes")
    assert (await flow.colleague.get(f"/fhir/{invitation}")).status_code == 404
    written = (await flow.coordinator.get(f"/fhir/{invitation}")).json()
    assert (written["status"], written["meta"]["security"]) == (status, RESTRICTED["security"])
    assert path == "cancel" or "Sal 2" in written["payload"][0]["contentString"]
    by = flow.rows("SELECT DISTINCT employee, commission FROM access_log WHERE resource = ?", invitation)
    assert len({employee for employee, _ in by}) == 2, by


# ---- What was said under a label ---------------------------------------------------------------------------------


async def test_a_dialogues_page_tells_nothing_that_was_said_under_a_label_lifted_since(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    await flow.request(person, status="draft")
    question = await until(flow, person, "consent-to-ask")
    task = f"Task/{question['id']}"
    await put_label(flow, task)
    for step in ({"to": "consent-asked", "why": "Hemlig grund"}, {"to": "consent-refused", "why": "Nej"}):
        taken = await flow.coordinator.post(f"/api/dialogues/{question['id']}/steps", json=step)
        assert taken.is_success, taken.text
    await put_label(flow, task, "")
    shown = []
    for who in ("coordinator", "colleague"):
        async with sat_down(flow, who) as sitting:
            seen = await sitting.get(f"/units/{flow.UNIT}/dialogues/{question['id']}")
            assert seen.status == 200
            shown.append("Hemlig grund" in seen.response.text)
    assert shown == [True, False]


# ---- An update that says nothing of labels -----------------------------------------------------------------------


@pytest.mark.parametrize("codes", [["V"], ["R"], ["N"], ["V", "other"], ["other"]])
async def test_labels_stay_as_they_are_where_nothing_is_said_of_them(flow: "Flow", codes: list[str]) -> None:
    person = await flow.patient()
    systems = {"other": "urn:example:labels"}
    labels = [{"system": systems.get(each, CONFIDENTIALITY), "code": each} for each in codes]
    goal = await flow.post(flow.forms.goal(person) | {"meta": {"security": labels, "tag": [{"code": "egen"}]}})
    address = f"/fhir/Goal/{goal['id']}"
    unnamed = {name: value for name, value in goal.items() if name != "meta"}
    again = await flow.coordinator.put(address, json=unnamed)
    changed = await flow.coordinator.put(address, json=unnamed | {"note": [{"text": "Mer"}]})
    assert (again.status_code, changed.status_code) == (200, 200), again.text + changed.text
    seen = [(each.json()["meta"]["versionId"], each.json()["meta"]["security"]) for each in (again, changed)]
    assert seen == [("1", labels), ("2", labels)]
    lifted = await flow.coordinator.put(address, json=changed.json() | {"meta": labelled("N")})
    assert lifted.json()["meta"]["security"] == labelled("N")["security"]
