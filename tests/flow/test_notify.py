"""A person's judgement that a need may be assumed is told to Försäkringskassan, if the patient lets it (Act 4 §)."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappings.identifiers import (
    ACT_CODE,
    ACTIVITY_KIND,
    EXT_INFORMATION_CATEGORY,
    KVA,
    MESSAGE_ID,
    NOTIFICATION_TOPIC,
    PERSONNUMMER,
    SECURITY_LABEL,
)

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]


def payload(category: str, text: str = "Text.") -> Json:
    return {"extension": [{"url": EXT_INFORMATION_CATEGORY, "valueCode": category}], "contentString": text}


async def search(flow: "Flow", type: str, **criteria: str) -> list[Json]:
    response = await flow.coordinator.post(f"/fhir/{type}/_search", data=criteria)
    assert response.status_code == 200, response.text
    return [entry["resource"] for entry in response.json().get("entry", [])]


async def test_the_message_leaves_and_the_deed_is_kept(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    about = await flow.request(person)
    message = await flow.until(about, "delivered")
    (entry,) = [entry for entry in flow.ledger() if entry.id == message.id]
    assert (entry.accepted, entry.report) == (True, ())
    assert entry.summary["subject"] == "OVRIGT"
    for told in ("4 § lagen (2019:1297)", "Behov kan antas.", person.number, "Karin Koordinator", "Vårdcentralen"):
        assert told in entry.request

    (sent,) = await search(flow, "Communication", identifier=f"{MESSAGE_ID}|{message.id}")
    assert sent["status"] == "completed"
    assert sent["basedOn"] == [{"reference": about}]
    assert [part["contentString"] for part in sent["payload"]] == ["Behov kan antas.", "Nås vardagar 8-10."]

    (deed,) = await search(flow, "Procedure", identifier=f"{MESSAGE_ID}|{message.id}")
    assert deed["category"]["coding"] == [{"system": ACTIVITY_KIND, "code": "information-to-fk"}]
    assert [coding["code"] for coding in deed["code"]["coding"] if coding["system"] == KVA.fhir] == ["GC001"]
    await flow.until(f"Procedure/{deed['id']}", "delivered", "regional_platform")


async def test_without_a_disclosure_consent_it_is_withheld(flow: "Flow") -> None:
    message = await flow.until(await flow.request(await flow.consenting("employer")), "withheld")
    assert message.reason == "no-consent, other-recipient"
    assert flow.accepted(message.id) == 0


async def test_without_a_consent_to_coordination_it_is_withheld(flow: "Flow") -> None:
    person = await flow.patient()
    await flow.post(flow.forms.disclosure(person))
    message = await flow.until(await flow.request(person), "withheld")
    assert message.reason == "no-coordination-consent"


async def test_a_message_is_withheld_whole_never_trimmed(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, "fk", ["assumed_rehab_need"]))
    message = await flow.until(await flow.request(person), "withheld")
    assert message.reason == "category-not-covered"


@pytest.mark.parametrize("category", ["diagnosis", "sensitive_circumstances"])
async def test_what_never_goes_out_is_refused(flow: "Flow", category: str) -> None:
    person = await flow.consenting("fk")
    parts = [payload("assumed_rehab_need"), payload(category, "Hemligt")]
    (issue,) = await flow.refused(flow.forms.request(person, payload=parts))
    assert issue["expression"] == ["CommunicationRequest.payload[1]"]
    assert "Hemligt" not in str(issue)


async def test_information_under_4_paragraph_states_the_need(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    parts = [payload("contact_details"), payload("care_measures")]
    (issue,) = await flow.refused(flow.forms.request(person, payload=parts))
    assert issue["details"]["coding"][0]["code"] == "notification-states-the-need"


@pytest.mark.parametrize(
    ("topic", "subject"), [("avstamningsmote", "AVSTMN"), ("contact", "KONTKT"), ("other", "OVRIGT")]
)
async def test_other_topics_have_their_own_subject(flow: "Flow", topic: str, subject: str) -> None:
    person = await flow.consenting("fk")
    category: Json = {"coding": [{"system": NOTIFICATION_TOPIC, "code": topic}]}
    message = await flow.until(await flow.request(person, category=[category]), "delivered")
    (entry,) = [entry for entry in flow.ledger() if entry.id == message.id]
    assert entry.summary["subject"] == subject


async def test_a_draft_waits_for_its_author(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    draft = await flow.post(flow.forms.request(person, flow.certify(person), status="draft"))
    about = f"CommunicationRequest/{draft['id']}"
    assert flow.promised(about) == []
    await flow.put({**draft, "status": "active"})
    await flow.until(about, "delivered")


async def test_a_change_after_the_promise_is_not_sent_again(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    about = await flow.request(person)
    await flow.until(about, "delivered")
    stored = (await flow.coordinator.get(f"/fhir/{about}")).json()
    await flow.put({**stored, "note": [{"text": "Tillägg"}]})
    assert [message.state for message in flow.promised(about)] == ["delivered"]


async def test_a_request_that_is_taken_back_takes_its_message_back(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    async with flow.paused():
        about = await flow.request(person)
        stored = (await flow.coordinator.get(f"/fhir/{about}")).json()
        await flow.put({**stored, "status": "revoked"})
    await flow.quiet()
    (message,) = flow.promised(about)
    assert (message.state, flow.accepted(message.id)) == ("cancelled", 0)


async def withheld_and_erased(flow: "Flow", person: "Person") -> tuple[str, str]:
    """A message without consent whose words have been erased since: its request, and its id."""
    about = await flow.request(person)
    message = await flow.until(about, "withheld")
    flow.change("UPDATE outbox SET payload = NULL WHERE id = ?", message.id)
    return about, message.id


async def test_what_was_withheld_and_erased_can_be_corrected_and_sent_anew(flow: "Flow") -> None:
    """Nobody has been told: the words are the request's, which stands in the record."""
    person = await flow.consenting()
    about, id_ = await withheld_and_erased(flow, person)
    given = flow.forms.disclosure(person)
    prefer = {"Prefer": "return=OperationOutcome"}
    told = await flow.coordinator.post("/fhir/Consent", json=given, headers=prefer)
    assert (told.status_code, id_ in told.text) == (201, False), "nobody is told to replay it"
    stored = (await flow.coordinator.get(f"/fhir/{about}")).json()
    await flow.put({**stored, "payload": stored["payload"][:1]})
    await flow.quiet()
    first, second = flow.promised(about)
    assert (first.id, first.state, second.state) == (id_, "cancelled", "delivered")


async def test_what_was_withheld_and_erased_is_taken_back_with_its_request(flow: "Flow") -> None:
    about, _ = await withheld_and_erased(flow, await flow.consenting())
    stored = (await flow.coordinator.get(f"/fhir/{about}")).json()
    await flow.put({**stored, "status": "revoked"})
    assert [each.state for each in flow.promised(about)] == ["cancelled"]


async def test_without_a_certificate_it_needs_another_channel(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    stored = await flow.post(flow.forms.request(person))
    message = await flow.until(f"CommunicationRequest/{stored['id']}", "needs-other-channel")
    assert "no certificate" in message.reason


async def test_without_a_national_number_it_needs_another_channel(flow: "Flow") -> None:
    known = await flow.post({"resourceType": "Patient", "name": [{"text": "Okänd Okändsson"}]})
    person = type(await flow.patient())("", "Okänd Okändsson", known["id"])
    await flow.post(flow.forms.coordination(person))
    await flow.post(flow.forms.disclosure(person))
    stored = await flow.post(flow.forms.request(person, "intyg-utan-nummer"))
    message = await flow.until(f"CommunicationRequest/{stored['id']}", "needs-other-channel")
    assert "no national number" in message.reason


async def test_to_an_employer_there_is_no_electronic_way(flow: "Flow") -> None:
    person = await flow.consenting()
    await flow.post(flow.forms.disclosure(person, "employer", ["meeting_participation"]))
    category: Json = {"coding": [{"system": NOTIFICATION_TOPIC, "code": "contact"}]}
    form = flow.forms.request(
        person, recipient="employer", category=[category], payload=[payload("meeting_participation")]
    )
    stored = await flow.post(form)
    message = await flow.until(f"CommunicationRequest/{stored['id']}", "needs-other-channel", "employer")
    assert message.reason == "there is no electronic way to this recipient"


async def test_a_protected_identity_stops_automatic_sending(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    stored = (await flow.coordinator.get(f"/fhir/{person.reference}")).json()
    labels = [{"system": SECURITY_LABEL, "code": "sekretessmarkering"}, {"system": ACT_CODE, "code": "DEMO"}]
    await flow.put({**stored, "meta": {"security": labels}})
    message = await flow.until(await flow.request(person), "withheld")
    assert message.reason == "protected-identity"


async def test_consent_is_asked_again_when_the_message_leaves(flow: "Flow") -> None:
    """The consent ends while the message waits: the claim withholds it (decision D3)."""
    person = await flow.consenting("fk")
    async with flow.paused():
        about = await flow.request(person)
        flow.clock.advance(timedelta(days=181))
    message = await flow.until(about, "withheld")
    assert message.reason == "expired"
    assert flow.accepted(message.id) == 0
    decisions = flow.rows("SELECT permitted FROM decision WHERE about = ? ORDER BY number", about)
    assert decisions == [(1,), (0,)]


async def test_a_recipient_that_nobody_knows_is_refused(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    form = flow.forms.request(person, recipient="fk")
    nowhere = [{"reference": "Organization/nowhere"}]
    issues = await flow.refused({**form, "recipient": nowhere})
    assert issues[0]["expression"][0].startswith("CommunicationRequest.recipient")
    both = [*form["recipient"], {"reference": flow.forms.refs["employer"]}]
    (issue,) = await flow.refused({**form, "recipient": both})
    assert issue["details"]["coding"][0]["code"] == "one-recipient"


@pytest.mark.parametrize("kind", ["regional-platform", "record-system"])
async def test_a_party_is_not_told_by_being_called_a_system(flow: "Flow", kind: str) -> None:
    """Those are told on grounds that ask no consent: their names open nothing to anybody else."""
    person = await flow.consenting()
    before = await flow.stored()
    asked = {
        "patient": {"id": person.id},
        "recipient": {"kind": kind, "organisationNumber": "5560000001"},
        "topic": "contact",
        "parts": [{"category": "care_measures", "text": "Samtal pågår."}],
    }
    response = await flow.coordinator.post("/api/notifications", json=asked)
    assert response.status_code == 422
    assert [issue["rule"] for issue in response.json()["issues"]] == ["recipient-is-a-party"]
    assert await flow.stored() == before


async def test_a_patient_with_a_wrong_number_cannot_come_in(flow: "Flow", wrong_number: str) -> None:
    identifier = [{"system": PERSONNUMMER.fhir, "value": wrong_number}]
    (issue,) = await flow.refused({"resourceType": "Patient", "identifier": identifier})
    assert issue["expression"] == ["Patient.identifier[0].value"]
    assert wrong_number not in str(issue)


@pytest.fixture
def wrong_number(flow: "Flow") -> str:
    """A personal number of the test series with a wrong control digit."""
    right = next(flow.people).number
    return f"{right[:-1]}{(int(right[-1]) + 1) % 10}"
