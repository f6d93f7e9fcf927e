"""The patient takes a consent back: nothing that waits leaves, and the answer tells what had left (rule 3, D19)."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters.mocking import Fault

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


async def patient_with_consents(flow: "Flow") -> tuple["Person", str, str]:
    """Somebody, and the ids of the consents to coordination and to disclosure."""
    person = await flow.patient()
    coordination = await flow.post(flow.forms.coordination(person))
    disclosure = await flow.post(flow.forms.disclosure(person))
    return person, coordination["id"], disclosure["id"]


async def withdraw(flow: "Flow", consent: str) -> list[str]:
    """What the service says to a withdrawal."""
    response = await flow.coordinator.post(f"/api/consents/{consent}/withdrawal")
    assert response.status_code == 200, response.text
    return [note["text"] for note in response.json()["notes"]]


async def test_what_waits_is_withheld_and_never_leaves(flow: "Flow") -> None:
    person, _, disclosure = await patient_with_consents(flow)
    async with flow.paused():
        about = await flow.request(person)
        (waiting,) = flow.promised(about)
        assert waiting.state == "waiting"
        notes = await withdraw(flow, disclosure)
        assert notes == [f"message {waiting.id} to forsakringskassan is withheld: withdrawn"]
        (withheld,) = flow.promised(about)
        assert (withheld.state, withheld.reason) == ("withheld", "withdrawn")
    await flow.quiet()
    await asyncio.sleep(0.1)
    assert flow.promised(about)[0].state == "withheld"
    assert [entry for entry in flow.ledger() if entry.id == waiting.id] == []


async def test_what_is_tried_again_and_what_is_parked_is_withheld(flow: "Flow") -> None:
    person, _, disclosure = await patient_with_consents(flow)
    flow.order("forsakringskassan", Fault(kind="result", error_id="TECHNICAL_ERROR"))
    retrying = await flow.until(await flow.request(person), "retrying")
    other, _, others_disclosure = await patient_with_consents(flow)
    flow.order("forsakringskassan", Fault(kind="result", error_id="REVOKED"))
    parked = await flow.until(await flow.request(other), "parked")
    assert retrying.id in (await withdraw(flow, disclosure))[0]
    assert parked.id in (await withdraw(flow, others_disclosure))[0]
    flow.clock.advance(timedelta(days=1))
    await flow.quiet()
    assert [flow.accepted(message.id) for message in (retrying, parked)] == [0, 0]


async def test_what_is_being_sent_is_told_as_left_before(flow: "Flow") -> None:
    person, _, disclosure = await patient_with_consents(flow)
    flow.order("forsakringskassan", Fault(kind="delay", seconds=0.5))
    about = await flow.request(person)
    claimed = await flow.until(about, "claimed")
    assert await withdraw(flow, disclosure) == [f"message {claimed.id} to forsakringskassan left before the withdrawal"]
    await flow.until(about, "delivered")


async def test_withdrawing_coordination_withholds_everything_outward(flow: "Flow") -> None:
    person, coordination, _ = await patient_with_consents(flow)
    async with flow.paused():
        about = await flow.request(person)
        (case, withheld) = await withdraw(flow, coordination)
    assert "the coordination case" in case
    assert "is withheld: coordination-consent-ended" in withheld
    (message,) = flow.promised(about)
    assert (message.state, message.reason) == ("withheld", "coordination-consent-ended")


async def cases(flow: "Flow", person: "Person") -> list[Json]:
    address = "/fhir/EpisodeOfCare?type=coordination-case&patient=" + person.id
    return [entry["resource"] for entry in (await flow.coordinator.get(address)).json().get("entry", ())]


async def test_the_case_opens_and_ends_with_what_the_patient_says(flow: "Flow") -> None:
    person, coordination, _ = await patient_with_consents(flow)
    (opened,) = await cases(flow, person)
    assert (opened["status"], "end" in opened["period"]) == ("active", False)
    notes = await withdraw(flow, coordination)
    assert notes == [f"the coordination case EpisodeOfCare/{opened['id']} is ended"]
    (ended,) = await cases(flow, person)
    assert (ended["id"], ended["status"], "end" in ended["period"]) == (opened["id"], "finished", True)
    assert [each["status"] for each in ended["statusHistory"]] == ["active"]
    await flow.post(flow.forms.coordination(person))
    assert sorted(each["status"] for each in await cases(flow, person)) == ["active", "finished"]


async def test_a_refusal_ends_the_case_and_a_second_consent_opens_no_other(flow: "Flow") -> None:
    person, coordination, disclosure = await patient_with_consents(flow)
    again = await flow.post(flow.forms.coordination(person))
    await withdraw(flow, disclosure)
    await withdraw(flow, again["id"])
    (one,) = await cases(flow, person)
    assert one["status"] == "active"
    await flow.post(flow.forms.coordination(person, provision={"type": "deny"}))
    (one,) = await cases(flow, person)
    assert one["status"] == "finished"
    assert coordination


async def test_recording_goes_on_and_is_flagged(flow: "Flow") -> None:
    """Documenting is a duty that covers withdrawals too: the own region's follow-up rests on no consent (D17)."""
    person, coordination, _ = await patient_with_consents(flow)
    await withdraw(flow, coordination)
    stored = await flow.post(flow.forms.activity(person, performedDateTime=flow.forms.time(timedelta(seconds=1))))
    assert stored["meta"]["tag"][0]["code"] == "no-coordination-consent"
    await flow.until(f"Procedure/{stored['id']}", "delivered", "regional_platform")


async def test_a_consent_to_somebody_else_plays_no_part(flow: "Flow") -> None:
    person, _, _ = await patient_with_consents(flow)
    employer = await flow.post(flow.forms.disclosure(person, "employer"))
    async with flow.paused():
        about = await flow.request(person)
        assert await withdraw(flow, employer["id"]) == []
    await flow.until(about, "delivered")


async def test_every_version_stays(flow: "Flow") -> None:
    _, _, disclosure = await patient_with_consents(flow)
    await withdraw(flow, disclosure)
    history = (await flow.coordinator.get(f"/fhir/Consent/{disclosure}/_history")).json()["entry"]
    assert [entry["resource"]["status"] for entry in history] == ["inactive", "active"]
    assert "end" in history[0]["resource"]["provision"]["period"]


async def test_once_more_changes_nothing(flow: "Flow") -> None:
    _, _, disclosure = await patient_with_consents(flow)
    await withdraw(flow, disclosure)
    again = await flow.coordinator.post(f"/api/consents/{disclosure}/withdrawal")
    assert again.status_code == 200
    assert (await flow.coordinator.get(f"/fhir/Consent/{disclosure}")).json()["meta"]["versionId"] == "2"


@pytest.mark.parametrize("status", ["inactive", "entered-in-error"])
async def test_a_record_system_withdraws_by_update(flow: "Flow", status: str) -> None:
    person, _, disclosure = await patient_with_consents(flow)
    async with flow.paused():
        about = await flow.request(person)
        stored = (await flow.coordinator.get(f"/fhir/Consent/{disclosure}")).json()
        await flow.put({**stored, "status": status})
    (message,) = flow.promised(about)
    assert message.state == "withheld"


async def test_a_new_yes_and_a_replay_send_it(flow: "Flow") -> None:
    person, _, disclosure = await patient_with_consents(flow)
    async with flow.paused():
        about = await flow.request(person)
        await withdraw(flow, disclosure)
    (withheld,) = flow.promised(about)
    await flow.post(flow.forms.disclosure(person))
    why = {"why": "the patient has changed their mind"}
    replayed = await flow.coordinator.post(f"/api/outbox/{withheld.id}/replay", json=why)
    assert replayed.status_code == 200
    await flow.until(about, "delivered")
    assert flow.accepted(withheld.id) == 1


async def test_a_replay_without_consent_is_withheld_again(flow: "Flow") -> None:
    person, _, disclosure = await patient_with_consents(flow)
    async with flow.paused():
        about = await flow.request(person)
        await withdraw(flow, disclosure)
        (withheld,) = flow.promised(about)
        await flow.coordinator.post(f"/api/outbox/{withheld.id}/replay", json={"why": "by mistake"})
    assert "withdrawn" in (await flow.until(about, "withheld")).reason
    assert flow.accepted(withheld.id) == 0


async def test_a_race_with_the_relay_has_a_defined_answer(flow: "Flow") -> None:
    """Whenever the withdrawal comes: what it withholds never leaves, and what it does not withhold it tells, or it had been
    delivered (decision D19)."""
    flow.order("forsakringskassan", Fault(kind="delay", seconds=0.02, times=None))

    async def request_and_withdraw(distance: float) -> tuple[str, str, list[str]]:
        person, _, disclosure = await patient_with_consents(flow)
        about = await flow.request(person)
        await asyncio.sleep(distance)
        notes = await withdraw(flow, disclosure)
        (message,) = flow.promised(about)
        return about, message.id, notes

    races = await asyncio.gather(*(request_and_withdraw(number * 0.005) for number in range(20)))
    await flow.quiet()
    ended = {"withheld": 0, "left": 0, "delivered": 0}
    for about, id, notes in races:
        (message,) = flow.promised(about)
        if any("is withheld" in note for note in notes):
            ended["withheld"] += 1
            assert (message.state, [entry for entry in flow.ledger() if entry.id == id]) == ("withheld", [])
        else:
            ended["left" if any("left before" in note for note in notes) else "delivered"] += 1
            assert (message.state, flow.accepted(id)) == ("delivered", 1)
    assert sum(ended.values()) == 20


# An old copy


async def told(flow: "Flow", person: "Person") -> bool:
    """Whether Försäkringskassan may be told."""
    asked = {"recipient": {"kind": "forsakringskassan"}, "categories": ["contact_details"]}
    answer = await flow.coordinator.post("/api/consent/decision", json={"patient": {"id": person.id}, **asked})
    permitted: bool = answer.json()["permitted"]
    return permitted


async def put(flow: "Flow", consent: Json) -> int:
    return (await flow.coordinator.put(f"/fhir/Consent/{consent['id']}", json=consent)).status_code


@pytest.mark.parametrize("way", ["update", "draft", "error", "deleted", "new id", "draft under a new id"])
@pytest.mark.parametrize("kind", ["coordination", "disclosure"])
async def test_an_old_copy_brings_nothing_back(flow: "Flow", kind: str, way: str) -> None:
    """What the patient took back stays so until the patient says it anew, by whatever way the old version comes."""
    person, *ids = await patient_with_consents(flow)
    id_ = ids[kind == "disclosure"]
    first = (await flow.coordinator.get(f"/fhir/Consent/{id_}")).json()
    flow.clock.advance(timedelta(minutes=1))
    await withdraw(flow, id_)
    opened = len(await cases(flow, person))
    if way == "draft":
        assert await put(flow, {**first, "status": "draft"}) == 409
    if way in ("error", "deleted"):
        await flow.put({**first, "status": "entered-in-error"})
    if way == "deleted":
        assert (await flow.coordinator.delete(f"/fhir/Consent/{id_}")).status_code == 204
    if way == "new id":
        assert (await flow.coordinator.post("/fhir/Consent", json=first)).status_code == 409
    elif way == "draft under a new id":
        draft = await flow.post({**first, "status": "draft"})
        assert await put(flow, {**draft, "status": "active"}) == 409
    else:
        assert await put(flow, first) == 409
    assert len(await cases(flow, person)) == opened
    assert not await told(flow, person)
    assert await put(flow, {**first, "dateTime": flow.forms.time()}) in (200, 201)
    assert await told(flow, person)


@pytest.mark.parametrize("way", ["rejected", "says no more than that", "narrowed before", "over another"])
async def test_what_was_taken_back_in_another_way_does_not_come_back_either(flow: "Flow", way: str) -> None:
    person, _, id_ = await patient_with_consents(flow)
    first = (await flow.coordinator.get(f"/fhir/Consent/{id_}")).json()
    narrow = {**first, "provision": {**first["provision"], "code": first["provision"]["code"][:1]}}
    other = await flow.post(narrow) if way == "over another" else None
    if way == "narrowed before":
        await flow.put(narrow)
    flow.clock.advance(timedelta(minutes=1))
    lean = {"provision": {"type": "permit"}} if way == "says no more than that" else {}
    await flow.put({**first, **lean, "status": "rejected" if way == "rejected" else "inactive"})
    if other is None:
        assert (await flow.coordinator.post("/fhir/Consent", json=first)).status_code == 409
    else:
        wide = {**first, "id": other["id"], "dateTime": flow.forms.time(timedelta(seconds=-30))}
        assert await put(flow, wide) == 409
    assert not await told(flow, person)


@pytest.mark.parametrize(("status", "answer"), [("draft", 201), ("proposed", 201), ("entered-in-error", 409)])
async def test_a_draft_that_was_deleted_was_no_word(flow: "Flow", status: str, answer: int) -> None:
    person = await flow.consenting()
    said = flow.forms.disclosure(person)
    kept = await flow.post({**said, "status": status})
    flow.clock.advance(timedelta(minutes=1))
    assert (await flow.coordinator.delete(f"/fhir/Consent/{kept['id']}")).status_code == 204
    assert await put(flow, {**said, "id": kept["id"]}) == answer
    assert await told(flow, person) == (answer == 201)


async def test_what_was_narrowed_is_not_widened_by_an_old_copy_under_a_new_id(flow: "Flow") -> None:
    person, _, id_ = await patient_with_consents(flow)
    first = (await flow.coordinator.get(f"/fhir/Consent/{id_}")).json()
    codes = first["provision"]["code"]
    left = [each for each in codes if each["coding"][0]["code"] != "contact_details"]
    assert len(left) < len(codes)
    assert await told(flow, person)
    flow.clock.advance(timedelta(minutes=1))
    narrow = await flow.put({**first, "provision": {**first["provision"], "code": left}})
    flow.clock.advance(timedelta(minutes=1))
    await flow.put({**narrow, "language": "sv"})
    refused = await flow.coordinator.post("/fhir/Consent", json=first)
    assert (refused.status_code, f"Consent/{id_}" in refused.text) == (409, True)
    assert not await told(flow, person)
    await flow.post({**first, "provision": {**first["provision"], "code": left}})
    await flow.post({**first, "dateTime": flow.forms.time(timedelta(seconds=-30))})
    assert await told(flow, person)


async def test_a_withdrawal_that_was_told_late_counts_from_when_it_was_said(flow: "Flow") -> None:
    """The patient took it back on Monday and gave it anew on Tuesday: both are told on Wednesday."""
    _, _, id_ = await patient_with_consents(flow)
    first = (await flow.coordinator.get(f"/fhir/Consent/{id_}")).json()
    flow.clock.advance(timedelta(days=3))
    provision, monday = first["provision"], flow.forms.time(timedelta(days=-2))
    ended = {**provision, "period": {"start": first["dateTime"], "end": monday}}
    await flow.put({**first, "status": "inactive", "provision": ended})
    sunday, tuesday = (flow.forms.time(timedelta(days=days)) for days in (-2.5, -1))
    assert await put(flow, {**first, "dateTime": sunday}) == 409
    assert await put(flow, {**first, "dateTime": tuesday}) == 200
