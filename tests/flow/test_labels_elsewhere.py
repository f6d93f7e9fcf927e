"""What is about something restricted is hidden with it: messages, decisions, events and deeds, errors and notes, the overview."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.flow.conftest import FK
from tests.flow.test_labels import RESTRICTED, introduced
from tests.flow.test_meetings import EMPLOYER, plan

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow, Person, Promised

Json = dict[str, Any]

WHY: Final = {"why": "hon bor hos sin syster"}


async def act(flow: "Flow", person: "Person", **elements: Any) -> Json:
    """An activity that the record system gets back."""
    identifier = [{"system": "urn:example:ehr", "value": f"{person.id}-{len(elements)}"}]
    return await flow.post(flow.forms.activity(person, identifier=identifier, **elements))


async def parked(flow: "Flow", person: "Person", **elements: Any) -> "Promised":
    """What the record system is to get back, parked behind a route that is paused."""
    made = await act(flow, person, **elements)
    (message,) = flow.promised(f"Procedure/{made['id']}", "ehr")
    flow.change("UPDATE outbox SET state = 'parked', next_try = NULL WHERE id = ?", message.id)
    return message


async def told(client: "httpx.AsyncClient", address: str) -> str:
    """What is answered there, whatever it is."""
    return (await client.get(address)).text


async def test_what_is_about_it_is_there_for_whom_may_see_it(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    about = await flow.request(person, meta=RESTRICTED)
    message = await flow.until(about, "delivered")
    await flow.quiet()
    decisions = [number for (number,) in flow.rows("SELECT number FROM decision WHERE about = ?", about)]
    tries = [number for (number,) in flow.rows("SELECT number FROM attempt WHERE message = ?", message.id)]
    events = [*(f"decision-{each}" for each in decisions), *(f"disclosure-{each}" for each in tries)]
    alone = [
        f"/api/trace/{about.split('/')[1]}",
        f"/api/trace/{message.id}",
        f"/api/outbox/{message.id}",
        f"/api/outbox/{message.id}/content",
        *(f"/fhir/AuditEvent/{each}" for each in events),
    ]
    for client, status in ((flow.coordinator, 200), (flow.colleague, 404)):
        assert [(await client.get(each)).status_code for each in alone] == [status] * len(alone)
        for number in decisions:
            assert (await client.post(f"/api/decisions/{number}/replay")).status_code == status
        sees = status == 200
        assert (about in await told(client, f"/api/trace/{person.id}")) is sees
        assert (message.id in await told(client, "/api/outbox")) is sees
        search = f"/fhir/AuditEvent?patient={person.id}&_total=accurate"
        for each in (search, f"{search}&_sort=date", f"{search}&outcome:missing=false&_sort=outcome"):
            assert ((await told(client, each)).count(message.id) > 0) is sees
    totals, ids = [], ",".join(events)
    for client in (flow.coordinator, flow.colleague):
        (trace, found) = [
            (await client.get(each)).json()
            for each in (f"/api/trace/{person.id}", f"/fhir/AuditEvent?_id={ids}&_summary=count")
        ]
        totals.append((len(trace["decisions"]), len(trace["messages"]), found["total"]))
    more = [mine - theirs for mine, theirs in zip(*totals, strict=True)]
    assert more[0] >= len(decisions) > 0  # also those about the activity that the telling was
    assert more[1] >= 1
    assert more[2] == len(events)


@pytest.mark.parametrize("how", ["deleted", "lifted"])
async def test_a_message_does_not_say_what_was_said_under_a_label(flow: "Flow", how: str) -> None:
    person = await flow.patient()
    made = await act(flow, person, meta=RESTRICTED, note=[{"text": "Hos kvinnojouren."}])
    about = f"Procedure/{made['id']}"
    message = await flow.until(about, "delivered", "ehr")
    if how == "deleted":
        assert (await flow.coordinator.delete(f"/fhir/{about}")).is_success
    else:
        patch = [{"op": "remove", "path": "/meta/security"}, {"op": "remove", "path": "/note"}]
        form = {"Content-Type": "application/json-patch+json"}
        assert (await flow.coordinator.patch(f"/fhir/{about}", json=patch, headers=form)).is_success
    assert "kvinnojouren" in await told(flow.coordinator, f"/api/outbox/{message.id}/content")
    assert (await flow.colleague.get(f"/api/outbox/{message.id}/content")).status_code == 404
    traced = await flow.colleague.get(f"/api/trace/{message.id}")
    assert traced.status_code == (404 if how == "deleted" else 200)
    assert how == "deleted" or traced.json()["versions"] == [2]
    assert (message.id in await told(flow.colleague, "/api/outbox")) is (how == "lifted")


async def test_nobody_acts_on_a_message_about_what_is_not_theirs_to_see(flow: "Flow") -> None:
    async with flow.paused("ehr"):
        person = await flow.patient()
        hidden, open_ = await parked(flow, person, meta=RESTRICTED), await parked(flow, await flow.patient())
        before = flow.rows("SELECT state, reason FROM outbox WHERE id = ?", hidden.id)
        for deed in ("replay", "cancel", "release"):
            assert (await flow.colleague.post(f"/api/outbox/{hidden.id}/{deed}", json=WHY)).status_code == 404
        many = {"why": "a test", "destination": "ehr"}
        for asked in (many, many | {"dryRun": False}):
            replayed = (await flow.colleague.post("/api/outbox/replay", json=asked)).json()
            assert [each["id"] for each in replayed["messages"]] == [open_.id]
        assert flow.rows("SELECT state, reason FROM outbox WHERE id = ?", hidden.id) == before
        assert (await flow.coordinator.post(f"/api/outbox/{hidden.id}/cancel", json=WHY)).is_success
        for client, sees in ((flow.coordinator, True), (flow.colleague, False), (flow.lister, False)):
            said = await told(client, "/api/outbox/deeds")
            assert (hidden.id in said, WHY["why"] in said) == (sees, sees)
            assert "outbox?state=parked&destination=ehr" in said.replace("\\u0026", "&")


async def test_how_many_wait_behind_a_message_counts_what_may_be_seen(flow: "Flow") -> None:
    async with flow.paused("ehr"):
        person = await flow.patient()
        first = await parked(flow, person)
        behind = await act(flow, person, meta=RESTRICTED)
        counted = []
        for client in (flow.coordinator, flow.colleague):
            listed = (await client.get("/api/outbox", params={"blocked": True, "destination": "ehr"})).json()
            (held,) = [each["holdsBack"] for each in listed if each["id"] == first.id]
            counted.append(held)
        assert counted == [1, 0]
        assert (await flow.coordinator.delete(f"/fhir/Procedure/{behind['id']}")).is_success


# Consents and refusals


async def test_a_refusal_that_may_not_be_shown_still_denies(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.coordination(person))
    earlier = flow.forms.time(timedelta(hours=-2))
    refusal = await flow.post(flow.forms.disclosure(person, effect="deny", meta=RESTRICTED, dateTime=earlier))
    said = await flow.colleague.post("/api/consents", json=consent(flow, person))
    assert said.status_code == 201, said.text
    (stands,) = [each["text"] for each in said.json()["notes"] if each["rule"] == "refusal-stands"]
    assert "may not be shown to you" in stands
    assert refusal["id"] not in said.text
    assert (await flow.coordinator.get(f"/fhir/Consent/{refusal['id']}")).json() == refusal
    asked = {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan", "organisationNumber": FK},
        "categories": ["assumed_rehab_need"],
        "purpose": "COC",
    }
    assert (await flow.colleague.post("/api/consent/decision", json=asked)).json()["reasons"] == ["refused"]
    ending = await flow.coordinator.post("/api/consents", json=consent(flow, person))
    assert [each["rule"] for each in ending.json()["notes"] if "refusal" in each["rule"]] == ["refusal-ended"]


def consent(flow: "Flow", person: "Person") -> Json:
    return {
        "patient": {"id": person.id},
        "kind": "disclosure",
        "effect": "permit",
        "givenAt": flow.forms.time(),
        "how": "VERBAL",
        "recipient": {"kind": "forsakringskassan", "organisationNumber": FK},
        "direction": "disclose",
        "purposes": ["COC"],
        "categories": ["assumed_rehab_need", "contact_details"],
        "firstDay": flow.forms.time()[:10],
        "lastDay": flow.forms.time(timedelta(days=180))[:10],
    }


async def test_what_was_taken_back_unseen_is_not_named(flow: "Flow") -> None:
    person = await flow.patient()
    hidden = await flow.post(flow.forms.disclosure(person, meta=RESTRICTED))
    assert (await flow.coordinator.post(f"/api/consents/{hidden['id']}/withdrawal")).is_success
    old = flow.forms.disclosure(person, dateTime=flow.forms.time(timedelta(hours=-1)))
    for client, named in ((flow.coordinator, True), (flow.colleague, False)):
        refused = await client.post("/fhir/Consent", json=old)
        assert (refused.status_code, hidden["id"] in refused.text) == (409, named)


async def test_a_withdrawal_withholds_what_it_may_not_name(flow: "Flow") -> None:
    async with flow.paused():
        person = await flow.patient()
        await flow.post(flow.forms.coordination(person))
        given = await flow.post(flow.forms.disclosure(person))
        about = await flow.request(person, meta=RESTRICTED)
        message = await flow.until(about, "waiting")
        taken = await flow.colleague.post(f"/api/consents/{given['id']}/withdrawal")
        (withheld,) = [each["text"] for each in taken.json()["notes"] if each["rule"] == "withheld"]
        assert "may not be shown to you" in withheld
        assert message.id not in taken.text
        await flow.until(about, "withheld")


async def test_a_case_is_ended_by_whoever_hears_of_it_and_not_named(flow: "Flow") -> None:
    person = await flow.patient()
    given = await flow.post(flow.forms.coordination(person))
    ((case,),) = flow.rows("SELECT id FROM resource WHERE type = 'EpisodeOfCare' AND patient = ?", person.id)
    flow.change("UPDATE resource SET restricted = 1 WHERE id = ?", case)
    taken = await flow.colleague.post(f"/api/consents/{given['id']}/withdrawal")
    assert ("case-ended" in taken.text, case in taken.text) == (True, False)
    assert (await flow.coordinator.get(f"/fhir/EpisodeOfCare/{case}")).json()["status"] == "finished"


# Looking somebody or something up


async def test_a_restricted_meeting_is_not_answered_under_its_identifier(flow: "Flow") -> None:
    person = await flow.patient()
    identifier = {"system": "urn:example:meetings", "value": person.id}
    made = await plan(flow, person, "trepartsmote", {"recipient": EMPLOYER}, identifier=identifier)
    task = (await flow.coordinator.get(f"/fhir/Task/{made['id']}")).json()
    await flow.put(task | {"meta": RESTRICTED})
    again = {
        "patient": {"id": person.id},
        "kind": "trepartsmote",
        "parties": [{"recipient": EMPLOYER}],
        "identifier": identifier,
    }
    before = await flow.stored()
    refused = await flow.colleague.post("/api/meetings", json=again)
    assert (refused.status_code, made["id"] in refused.text) == (409, False)
    assert await flow.stored() == before
    assert (await flow.coordinator.post("/api/meetings", json=again)).json()["id"] == made["id"]


async def test_a_restricted_patient_is_not_known_by_number(flow: "Flow") -> None:
    person = await introduced(flow)
    asked = {
        "recipient": {"kind": "forsakringskassan", "organisationNumber": FK},
        "categories": ["assumed_rehab_need"],
        "purpose": "COC",
    }
    answers = []
    for number in (person.number, next(flow.people).number):
        response = await flow.colleague.post(
            "/api/consent/decision", json=asked | {"patient": {"personalNumber": number}}
        )
        assert response.status_code == 200, response.text
        answers.append(response.json() | {"at": ""})
    assert answers[0] == answers[1]
    assert answers[0]["id"] == ""
    activity = {
        "patient": {"personalNumber": person.number, "name": person.name},
        "kinds": ["employer-contact"],
        "mode": "visit",
        "performedAt": flow.forms.time(timedelta(hours=-1)),
    }
    before = await flow.stored()
    refused = await flow.colleague.post("/api/activities", json=activity)
    assert (refused.status_code, person.id in refused.text) == (409, False)
    assert await flow.stored() == before


# The overview


async def test_the_overview_shows_her_to_nobody_else_not_to_her_doctor_either(flow: "Flow") -> None:
    address = f"/api/units/{flow.UNIT}/sick-leaves/_search"
    person = await flow.patient()
    certificate = flow.certify(person)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).is_success
    stored = (await flow.coordinator.get(f"/fhir/Patient/{person.id}")).json()
    before = {each: (await each.post(address, json={})).json() for each in (flow.colleague, flow.locum)}
    await flow.put(stored | {"meta": RESTRICTED})
    for client, sees in ((flow.coordinator, True), (flow.doctor, True), (flow.colleague, False), (flow.locum, False)):
        listed = await client.post(address, json={})
        assert (person.id in listed.text, person.name in listed.text) == (sees, sees)
        assert (await client.get(f"/api/certificates/{certificate}")).status_code == (200 if sees else 404)
        if not sees:
            after = listed.json()
            assert (after["total"], after["heldBack"]) == (before[client]["total"] - 1, before[client]["heldBack"])


@pytest.fixture
async def both(serve: Callable[..., AbstractAsyncContextManager["Flow"]], tmp_path: Path) -> AsyncIterator["Flow"]:
    """A service that may ask the national engine."""
    async with serve(tmp_path, national=True) as flow:
        yield flow


async def test_the_comparison_leaves_her_out(both: "Flow") -> None:
    here, elsewhere = await introduced(both), await introduced(both)
    both.certify(here)
    assert (await both.coordinator.post(f"/api/units/{both.UNIT}/pull")).is_success
    both.certify(elsewhere)
    address = f"/api/units/{both.UNIT}/sick-leaves/comparison"
    seen, unseen = [(await each.get(address)).json() for each in (both.coordinator, both.colleague)]
    assert (seen["ours"], seen["theirs"], len(seen["differences"])) == (1, 2, 1)
    assert (unseen["ours"], unseen["theirs"], unseen["differences"]) == (0, 0, [])
