"""What the service writes of something restricted, and what its own pages say of it: the patient's document, what a message says,
meetings, certificates."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.flow import test_meetings as meetings
from tests.flow.test_certificates import YES, certified
from tests.flow.test_labels import RESTRICTED, introduced, put_label

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


async def planned(flow: "Flow", person: "Person") -> str:
    goal = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    return f"CarePlan/{plan['id']}"


async def handed_over(flow: "Flow", plan: str) -> tuple[str, str]:
    """The Communication, and the Binary of the document."""
    handing = {"version": 1, "how": "read-together"}
    response = await flow.coordinator.post(f"/api/plans/{plan.split('/')[1]}/handovers", json=handing)
    assert response.status_code == 201, response.text
    told = response.json()["resource"]
    kept = (await flow.coordinator.get(f"/fhir/{told}")).json()
    return told, str(kept["payload"][0]["contentAttachment"]["url"])


async def of_somebody_restricted(flow: "Flow") -> str:
    return await planned(flow, await introduced(flow))


async def followed_up_in_secret(flow: "Flow") -> str:
    person = await flow.patient()
    plan = await planned(flow, person)
    day = flow.forms.time(timedelta(days=-3))
    based: Json = {"basedOn": [{"reference": plan}], "performedDateTime": day, "meta": RESTRICTED}
    await flow.post(flow.forms.activity(person, kind="plan-followup", **based))
    return plan


async def telling_somebody_in_secret(flow: "Flow") -> str:
    person = await flow.patient()
    await flow.post(flow.forms.disclosure(person, "employer", meta=RESTRICTED))
    return await planned(flow, person)


async def in_the_open(flow: "Flow") -> str:
    return await planned(flow, await flow.patient())


@pytest.mark.parametrize(
    ("story", "restricted"),
    [
        (of_somebody_restricted, True),
        (followed_up_in_secret, True),
        (telling_somebody_in_secret, True),
        (in_the_open, False),
    ],
)
async def test_a_document_that_says_something_restricted_is_so_too(
    flow: "Flow", story: Callable[["Flow"], Awaitable[str]], restricted: bool
) -> None:
    """Also where the plan itself does not point at it."""
    plan = await story(flow)
    papers = await handed_over(flow, plan)
    for client, sees in ((flow.coordinator, True), (flow.colleague, not restricted)):
        assert (await client.get(f"/fhir/{plan}")).status_code == 200
        answers = [(await client.get(f"/fhir/{each}")).status_code for each in papers]
        assert answers == [200 if sees else 404] * 2


async def test_a_document_names_nobody_out_of_a_restricted_consent(flow: "Flow") -> None:
    plan = await telling_somebody_in_secret(flow)
    address, page = f"/fhir/{plan}/$patient-document", {"Accept": "text/html"}
    for client, sees in ((flow.coordinator, True), (flow.colleague, False)):
        said = await client.get(address, headers=page)
        assert (said.status_code, meetings.EMPLOYER["name"] in said.text) == (200, sees)


async def test_a_restricted_refusal_is_kept_in_a_document_of_others(flow: "Flow") -> None:
    """Nobody is told that somebody may be told whom the patient has refused."""
    person = await flow.patient()
    await flow.post(flow.forms.disclosure(person, "employer"))
    await flow.post(flow.forms.disclosure(person, "employer", effect="deny", meta=RESTRICTED))
    address = f"/fhir/{await planned(flow, person)}/$patient-document"
    for client in (flow.coordinator, flow.colleague):
        said = await client.get(address, headers={"Accept": "text/html"})
        assert (said.status_code, meetings.EMPLOYER["name"] in said.text) == (200, False)


@pytest.mark.parametrize("how", ["labelled", "lifted"])
async def test_a_message_does_not_say_who_somebody_restricted_is(flow: "Flow", how: str) -> None:
    person = await flow.consenting("fk")
    await put_label(flow, person.reference)
    message = await flow.until(await flow.request(person), "delivered")
    address = f"/api/outbox/{message.id}"
    if how == "lifted":
        await put_label(flow, person.reference, "")
    said = await flow.coordinator.get(f"{address}/content")
    assert person.number in said.text
    answers = [(await flow.colleague.get(each)).status_code for each in (address, f"{address}/content")]
    assert answers == [200, 404]


async def test_a_meeting_does_not_say_where_a_restricted_invitation_stands(flow: "Flow") -> None:
    person = await flow.consenting("employer")
    await flow.post(flow.forms.disclosure(person, "employer", categories=["meeting_participation"]))
    party = {"recipient": meetings.EMPLOYER, "invite": True}
    meeting = await meetings.plan(
        flow, person, "trepartsmote", party, start=meetings.ahead(flow, days=3), place="X", mode="visit"
    )
    await flow.quiet()
    (invited,) = [each for each in meeting["participants"] if each["invitation"]]
    await put_label(flow, invited["invitation"])
    for client, sees in ((flow.coordinator, True), (flow.colleague, False)):
        one = (await client.get(f"/api/meetings/{meeting['id']}")).json()
        (listed,) = [each for each in (await client.get("/api/meetings")).json() if each["id"] == meeting["id"]]
        for seen in (one, listed):
            (there,) = [each for each in seen["participants"] if each["invitation"]]
            assert [bool(there["invitationState"]), bool(there["invitationReason"])] == [sees, sees]


@pytest.mark.parametrize(("labelled", "named"), [("request", False), ("activity", True)])
async def test_a_confirmed_certificate_names_nothing_restricted(flow: "Flow", labelled: str, named: bool) -> None:
    """Nor is it told anew by whoever may not see that it was."""
    _, id = await certified(flow, None, "fk")
    address = f"/api/certificates/{id}"
    kept = (await flow.coordinator.post(f"{address}/confirm", json=YES)).json()
    await put_label(flow, kept[labelled])
    assert (await flow.colleague.get(address)).json()["notice"] == (kept["notice"] if named else None)
    before = await flow.stored()
    refused = await flow.colleague.post(f"{address}/confirm", json=YES)
    assert refused.status_code == 409, refused.text
    assert not [each for each in ("request", "notice", "activity") if kept[each] in refused.text]
    assert await flow.stored() == before
    again = (await flow.coordinator.post(f"{address}/confirm", json=YES)).json()
    assert {**again, "changed": True} == kept
