"""Sequences in which a careless service tells the wrong party, tells twice, or puts back what no longer holds."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from adapters.mocking import Fault
from fhir_mappings.identifiers import EXT_CONSENT_EVENT, PERSONNUMMER, RECIPIENT_KIND

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]

EMPLOYER = "5560000001"


def asked_of_fk(person: "Person", **more: Any) -> Json:
    """A notification as a system without FHIR sends it."""
    return {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan"},
        "topic": "assumed-rehab-need",
        "parts": [{"category": "assumed_rehab_need", "text": "Behov kan antas."}],
        **more,
    }


async def test_nobody_is_fk_under_another_number(flow: "Flow") -> None:
    """A consent to tell the employer must not open the way to Försäkringskassan."""
    person = await flow.consenting("employer")
    wrong = {"kind": "forsakringskassan", "organisationNumber": EMPLOYER}
    response = await flow.coordinator.post("/api/notifications", json=asked_of_fk(person, recipient=wrong))
    assert response.status_code == 422
    kind = [{"coding": [{"system": RECIPIENT_KIND, "code": "forsakringskassan"}]}]
    posing = {"resourceType": "Organization", "identifier": [{"system": "urn:oid:2.5.4.97", "value": "5560000027"}]}
    await flow.refused({**posing, "type": kind})


async def test_a_request_that_is_taken_back_while_it_is_withheld_stays_unsent(flow: "Flow") -> None:
    person = await flow.consenting()
    about = await flow.request(person)
    await flow.until(about, "withheld")
    stored = (await flow.coordinator.get(f"/fhir/{about}")).json()
    await flow.put({**stored, "status": "revoked"})
    (message,) = flow.promised(about)
    assert message.state == "cancelled"


async def test_a_request_that_is_taken_back_between_two_tries_is_not_tried_again(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    flow.order("forsakringskassan", Fault(kind="http", status=503))
    about = await flow.request(person)
    await flow.until(about, "retrying")
    stored = (await flow.coordinator.get(f"/fhir/{about}")).json()
    await flow.put({**stored, "status": "revoked"})
    flow.clock.advance(timedelta(days=1))
    await flow.quiet()
    (message,) = flow.promised(about)
    assert (message.state, flow.accepted(message.id)) == ("cancelled", 0)


async def test_a_corrected_request_is_what_is_told(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    async with flow.paused():
        about = await flow.request(person)
        stored = (await flow.coordinator.get(f"/fhir/{about}")).json()
        stored["payload"][0]["contentString"] = "Rättad text."
        await flow.put(stored)
    message = await flow.until(about, "delivered")
    (told,) = [entry.request for entry in flow.ledger() if entry.id == message.id]
    assert "Rättad text." in told
    assert sorted(each.state for each in flow.promised(about)) == ["cancelled", "delivered"]
    stored["payload"][0]["contentString"] = "För sent."
    response = await flow.coordinator.put(f"/fhir/{about}", json=stored)
    assert response.status_code == 409


async def test_the_same_request_twice_is_told_once(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    name = {"system": "urn:example:ehr:request", "value": person.id}
    asked = asked_of_fk(person, identifier=name, certificate=flow.certify(person))
    first = (await flow.coordinator.post("/api/notifications", json=asked)).json()
    await flow.until(first["resource"], "delivered")
    again = await flow.coordinator.post("/api/notifications", json=asked)
    assert (again.status_code, again.json()["resource"], again.json()["changed"]) == (200, first["resource"], False)
    other = {**asked, "parts": [{"category": "assumed_rehab_need", "text": "Något annat."}]}
    assert (await flow.coordinator.post("/api/notifications", json=other)).status_code == 409
    assert len(flow.promised(first["resource"])) == 1


async def test_a_corrected_personal_number_stops_what_waits(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    async with flow.paused():
        about = await flow.request(person)
        stored = (await flow.coordinator.get(f"/fhir/Patient/{person.id}")).json()
        stored["identifier"][0]["value"] = next(flow.people).number
        await flow.put(stored)
    assert (await flow.until(about, "parked")).reason.startswith("the patient's number")


async def test_an_update_takes_nobody_elses_number(flow: "Flow") -> None:
    person = await flow.patient()
    nameless = await flow.post({"resourceType": "Patient", "name": [{"text": "Okänd"}]})
    taken = {**nameless, "identifier": [{"system": PERSONNUMMER.fhir, "value": person.number}]}
    response = await flow.coordinator.put(f"/fhir/Patient/{nameless['id']}", json=taken)
    assert response.status_code == 409


async def test_an_older_copy_does_not_come_after_a_newer_version(flow: "Flow") -> None:
    person = await flow.consenting()
    async with flow.paused("ehr"):
        name = [{"system": "urn:example:ehr:activity", "value": f"copy-{person.id}"}]
        stored = await flow.post(flow.forms.activity(person, identifier=name))
        await flow.put({**stored, "status": "entered-in-error"})
    await flow.quiet()
    (copy,) = flow.promised(f"Procedure/{stored['id']}", "ehr")
    assert copy.state == "cancelled"


async def test_a_consent_for_an_event_that_never_came_is_over_within_the_longest_period(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.coordination(person))
    consent = flow.forms.disclosure(person)
    consent["provision"].pop("period")
    consent["provision"]["extension"] = [{"url": EXT_CONSENT_EVENT, "valueString": "avstämningsmötet"}]
    await flow.post(consent)
    asked = {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan"},
        "categories": ["assumed_rehab_need"],
    }
    now = (await flow.coordinator.post("/api/consent/decision", json=asked)).json()
    flow.clock.advance(timedelta(days=400))
    later = (await flow.coordinator.post("/api/consent/decision", json=asked)).json()
    assert (now["permitted"], later["permitted"], later["reasons"]) == (True, False, ["expired"])


async def test_a_consent_that_has_not_begun_can_be_withdrawn(flow: "Flow") -> None:
    person = await flow.patient()
    consent = flow.forms.disclosure(person)
    tomorrow = flow.clock.now() + timedelta(days=30)
    consent["provision"]["period"]["start"] = tomorrow.date().isoformat()
    stored = await flow.post(consent)
    response = await flow.coordinator.post(f"/api/consents/{stored['id']}/withdrawal")
    assert response.status_code == 200
    assert (await flow.coordinator.get(f"/fhir/Consent/{stored['id']}")).json()["status"] == "inactive"


async def test_a_certificate_does_not_open_a_way_that_is_not_there(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.coordination(person))
    await flow.post(flow.forms.disclosure(person, "employer", ("work_adjustments",)))
    recipient = {"kind": "employer", "organisationNumber": EMPLOYER}
    parts = [{"category": "work_adjustments", "text": "Anpassade arbetstider."}]
    asked = asked_of_fk(person, recipient=recipient, topic="contact", parts=parts)
    about = (await flow.coordinator.post("/api/notifications", json=asked)).json()["resource"]
    flow.certify(person)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 200
    (message,) = flow.promised(about, "employer")
    assert message.state == "needs-other-channel"


@pytest.mark.parametrize("status", ["not-done", "of somebody else"])
async def test_a_part_stands_in_an_occasion_that_has_gc001(flow: "Flow", status: str) -> None:
    person = await flow.patient()
    if status == "not-done":
        reason = {
            "coding": [{"system": "https://rekobryggan.example/fhir/CodeSystem/not-done-reason", "code": "declined"}]
        }
        form = flow.forms.activity(person, status="not-done", statusReason=reason, code={"text": "Samtal"})
        whole = await flow.post(form)
    else:
        whole = await flow.post(flow.forms.activity(await flow.patient()))
    part = flow.forms.activity(person, partOf=[{"reference": f"Procedure/{whole['id']}"}])
    (issue,) = await flow.refused(part)
    assert issue["expression"] == ["Procedure.partOf"]


async def test_a_question_makes_nobody_known(flow: "Flow") -> None:
    asked = {
        "patient": {"personalNumber": next(flow.people).number},
        "recipient": {"kind": "forsakringskassan"},
        "categories": ["assumed_rehab_need"],
    }
    before = await flow.stored()
    answer = await flow.reader.post("/api/consent/decision", json=asked)
    assert (answer.status_code, answer.json()["permitted"]) == (200, False)
    assert await flow.stored() == before


async def test_another_care_providers_records_reach_nobody_here(flow: "Flow") -> None:
    person = await flow.patient(flow.stranger)
    form = flow.forms.activity(person)
    form.pop("performer", None)
    stored = await flow.post(form, flow.stranger)
    assert flow.promised(f"Procedure/{stored['id']}", "regional_platform") == []
    assert flow.promised(f"Procedure/{stored['id']}", "ehr") == []
    why = {"why": "nothing of theirs"}
    assert (await flow.stranger.post("/api/destinations/ehr/pause", json=why)).status_code == 404


async def test_metrics_are_for_those_with_a_token(flow: "Flow") -> None:
    assert (await flow.nobody.get("/metrics")).status_code == 401
    assert "reko_outbox_messages" in (await flow.reader.get("/metrics")).text
