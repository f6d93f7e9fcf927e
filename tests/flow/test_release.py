"""Protected identity stops machines; a person may decide, and answers for it (domain rule 8)."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappings.identifiers import ACT_CODE, SECURITY_LABEL
from fhir_mappings.people import PROTECTED

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]
WHY = {"why": "patienten och handläggaren har kommit överens"}


async def mark(flow: "Flow", person: "Person", label: str = PROTECTED[0]) -> None:
    """The population register marks somebody."""
    stored = (await flow.coordinator.get(f"/fhir/{person.reference}")).json()
    labels = [{"system": ACT_CODE, "code": "DEMO"}, {"system": SECURITY_LABEL, "code": label}]
    await flow.put({**stored, "meta": {"security": labels}})


async def release(flow: "Flow", id: str, client: "httpx.AsyncClient | None" = None) -> "httpx.Response":
    return await (client or flow.coordinator).post(f"/api/outbox/{id}/release", json=WHY)


@pytest.mark.parametrize("label", PROTECTED)
async def test_nothing_leaves_until_a_person_decides(flow: "Flow", label: str) -> None:
    person = await flow.consenting("fk")
    await mark(flow, person, label)
    about = await flow.request(person)
    withheld = await flow.until(about, "withheld")
    assert withheld.reason == "protected-identity"
    replayed = await flow.coordinator.post(f"/api/outbox/{withheld.id}/replay", json=WHY)
    assert replayed.status_code == 200
    await flow.quiet()
    assert flow.accepted((await flow.until(about, "withheld")).id) == 0
    assert (await release(flow, withheld.id)).status_code == 200
    await flow.until(about, "delivered")
    assert flow.accepted(withheld.id) == 1


async def test_who_and_why_stand_with_it(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    await mark(flow, person)
    withheld = await flow.until(await flow.request(person), "withheld")
    before = len(flow.accesses(person))
    answer = (await release(flow, withheld.id)).json()
    (deed,) = [each for each in answer["tries"] if each["outcome"] == "released"]
    assert deed["reason"] == f"released by {flow.COORDINATOR}: {WHY['why']}"
    assert ("Skriva", f"outbox/{withheld.id}", "protected-release") in [
        row[1:] for row in flow.accesses(person)[before:]
    ]
    kept = [body for (body,) in flow.rows("SELECT body FROM decision WHERE patient = ? ORDER BY number", person.id)]
    assert [WHY["why"].encode() in body for body in kept[:2]] == [False, True]


async def test_it_takes_a_right_of_its_own(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    await mark(flow, person)
    withheld = await flow.until(await flow.request(person), "withheld")
    assert (await release(flow, withheld.id, flow.reader)).status_code == 403
    assert (await release(flow, withheld.id, flow.neighbour)).status_code == 404
    hasty = await flow.coordinator.post(f"/api/outbox/{withheld.id}/release", json={"why": ""})
    assert hasty.status_code == 422


async def test_it_gives_no_consent(flow: "Flow") -> None:
    """What else stands in the way stands in the way; and a later withdrawal withholds it again."""
    person = await flow.consenting()
    await mark(flow, person)
    about = await flow.request(person)
    withheld = await flow.until(about, "withheld")
    assert (await release(flow, withheld.id)).json()["state"] == "withheld"
    assert (await flow.until(about, "withheld")).reason == "no-consent"
    consent = await flow.post(flow.forms.disclosure(person))
    async with flow.paused():
        await flow.coordinator.post(f"/api/outbox/{withheld.id}/replay", json=WHY)
        await flow.coordinator.post(f"/api/consents/{consent['id']}/withdrawal")
    assert (await flow.until(about, "withheld")).reason == "withdrawn"
    assert flow.accepted(withheld.id) == 0


async def test_what_no_person_can_tell_waits_for_its_system(flow: "Flow") -> None:
    """An event for the platform is no message that somebody could tell by telephone."""
    person = await flow.consenting()
    await mark(flow, person)
    about = f"Procedure/{(await flow.post(flow.forms.activity(person)))['id']}"
    withheld = await flow.until(about, "withheld", "regional_platform")
    flow.change("UPDATE outbox SET destination = 'taken away' WHERE id = ?", withheld.id)
    decided = "SELECT permitted FROM decision WHERE about = ? ORDER BY number DESC LIMIT 1"
    refused = await release(flow, withheld.id)
    told = "nothing reaches this destination: it is not configured"
    assert (refused.status_code, refused.json()["detail"]) == (409, told)
    assert flow.rows("SELECT state, reason FROM outbox WHERE id = ?", withheld.id) == [("withheld", withheld.reason)]
    assert flow.rows(decided, about) == [(1,)], "what was decided is kept"
    replayed = await flow.coordinator.post(f"/api/outbox/{withheld.id}/replay", json=WHY)
    assert (replayed.status_code, replayed.json()["detail"]) == (409, told)


async def test_what_is_withheld_for_another_reason_is_not_released(flow: "Flow") -> None:
    person = await flow.consenting()
    about = await flow.request(person)
    withheld = await flow.until(about, "withheld")
    answer = await release(flow, withheld.id)
    assert (answer.status_code, "not protected" in answer.text) == (409, True)
    told = await flow.consenting("fk")
    delivered = await flow.until(await flow.request(told), "delivered")
    assert (await release(flow, delivered.id)).status_code == 409


async def test_an_older_version_does_not_follow_a_newer_one(flow: "Flow") -> None:
    person = await flow.consenting()
    await mark(flow, person)
    first = await flow.post(flow.forms.activity(person))
    about = f"Procedure/{first['id']}"
    await flow.until(about, "withheld", "regional_platform")
    await flow.put({**first, "performedDateTime": flow.forms.time(timedelta(hours=-2))})
    older, newer = flow.promised(about, "regional_platform")
    assert {older.state, newer.state} == {"withheld"}
    assert (await release(flow, newer.id)).status_code == 200
    await flow.until(about, "delivered", "regional_platform")
    for deed in ("release", "replay"):
        late = await flow.coordinator.post(f"/api/outbox/{older.id}/{deed}", json=WHY)
        assert (late.status_code, "a newer version" in late.text) == (409, True), deed
    assert flow.promised(about, "regional_platform")[0].state == "withheld"


async def test_two_versions_that_are_released_together_go_in_their_order(flow: "Flow") -> None:
    person = await flow.consenting()
    await mark(flow, person)
    first = await flow.post(flow.forms.activity(person))
    about = f"Procedure/{first['id']}"
    await flow.put({**first, "performedDateTime": flow.forms.time(timedelta(hours=-2))})
    older, newer = flow.promised(about, "regional_platform")
    await flow.coordinator.post("/api/destinations/regional_platform/pause", json=WHY)
    for each in (newer, older):
        assert (await release(flow, each.id)).status_code == 200
    await flow.coordinator.post("/api/destinations/regional_platform/resume")
    await flow.quiet()
    tried = flow.rows("SELECT message FROM attempt WHERE outcome = 'Delivered' ORDER BY number")
    assert [id for (id,) in tried if id in (older.id, newer.id)] == [older.id, newer.id]


# What a withheld message says is not kept for ever


async def content(flow: "Flow", id: str) -> int:
    return (await flow.coordinator.get(f"/api/outbox/{id}/content")).status_code


async def until_erased(flow: "Flow", id: str) -> None:
    for _ in range(200):
        if flow.rows("SELECT 1 FROM outbox WHERE id = ? AND payload IS NULL", id):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the content is still there")


async def test_what_is_withheld_loses_its_content_in_time_and_nothing_else(flow: "Flow") -> None:
    person = await flow.consenting()
    about = await flow.request(person)
    withheld = await flow.until(about, "withheld")
    flow.clock.advance(timedelta(days=29))
    kept = await flow.until(await flow.request(await flow.consenting("fk")), "delivered")
    young_id = (await flow.until(await flow.request(await flow.patient()), "withheld")).id
    assert await content(flow, withheld.id) == 200
    flow.clock.advance(timedelta(days=1, hours=2))
    await until_erased(flow, withheld.id)
    assert [await content(flow, id) for id in (withheld.id, young_id, kept.id)] == [404, 200, 200]
    (row,) = flow.promised(about)
    assert (row.state, row.reason) == ("withheld", withheld.reason)
    assert (await flow.coordinator.get(f"/fhir/{about}")).status_code == 200
    assert (await flow.coordinator.get(f"/api/trace/{about.partition('/')[2]}")).json()["decisions"]


async def test_what_was_withheld_and_then_cancelled_loses_it_too(flow: "Flow") -> None:
    withheld = await flow.until(await flow.request(await flow.consenting()), "withheld")
    assert (await flow.coordinator.post(f"/api/outbox/{withheld.id}/cancel", json=WHY)).status_code == 200
    assert await content(flow, withheld.id) == 200
    flow.clock.advance(timedelta(days=31))
    await until_erased(flow, withheld.id)
    assert await content(flow, withheld.id) == 404
    shown = (await flow.coordinator.get(f"/api/outbox/{withheld.id}")).json()
    assert (shown["state"], shown["tries"][-1]["outcome"]) == ("cancelled", "cancelled")


async def test_what_has_been_erased_cannot_be_sent(flow: "Flow") -> None:
    person = await flow.consenting()
    await mark(flow, person)
    withheld = await flow.until(await flow.request(person), "withheld")
    flow.clock.advance(timedelta(days=31))
    await until_erased(flow, withheld.id)
    for deed in ("replay", "release"):
        answer = await flow.coordinator.post(f"/api/outbox/{withheld.id}/{deed}", json=WHY)
        assert (answer.status_code, "has been erased" in answer.text) == (409, True), deed
    await flow.post(flow.forms.disclosure(person))
    assert (await flow.coordinator.post(f"/api/outbox/{withheld.id}/cancel", json=WHY)).status_code == 200
