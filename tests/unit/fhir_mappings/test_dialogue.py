from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from contracts.activity import Identifier
from contracts.consent import InformationCategory, Recipient, RecipientKind
from contracts.dialogue import CareUnit, MessagePart, Notification, PartyMessage, Sender, Topic
from contracts.errors import Invalid, IssueType
from contracts.identity import FORSAKRINGSKASSAN, HsaId, PersonId
from contracts.people import Party
from fhir_mappings import dialogue, r4
from fhir_mappings.document import from_content
from fhir_mappings.identifiers import (
    CERTIFICATE_ID,
    EXT_INFORMATION_CATEGORY,
    HSA_ID,
    NOTIFICATION_STATUS,
    NOTIFICATION_TOPIC,
    ORGANISATION_NUMBER,
)

UNIT, EMPLOYEE = HsaId("SE5599990008-E0001"), HsaId("SE5599990008-REKO1")
FK = Recipient(RecipientKind.FORSAKRINGSKASSAN, FORSAKRINGSKASSAN.value, "Försäkringskassan")
EMPLOYER = Recipient(RecipientKind.EMPLOYER, "5599990008", "Ekens Verkstad AB")
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
NEED = "Behov av arbetslivsinriktad rehabilitering kan antas. Vi önskar kontakt."


def concept(system: str, *codes: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def text(words: str, category: str | None = None) -> dict[str, Any]:
    stated = {} if category is None else {"extension": [{"url": EXT_INFORMATION_CATEGORY, "valueCode": category}]}
    return stated | {"contentString": words}


def request(**elements: Any) -> dict[str, Any]:
    """Information under 4 §; ``None`` takes an element away."""
    content = {
        "resourceType": "CommunicationRequest",
        "status": "active",
        "category": [concept(NOTIFICATION_TOPIC, "assumed-rehab-need")],
        "subject": {"reference": "Patient/p1"},
        "payload": [text(NEED)],
        "recipient": [{"reference": "Organization/fk"}],
    }
    return {name: value for name, value in (content | elements).items() if value is not None}


def topic(code: str) -> list[dict[str, Any]]:
    return [concept(NOTIFICATION_TOPIC, code)]


NOTICE = Notification(
    patient="p1",
    recipient="Organization/fk",
    topic=Topic.ASSUMED_REHAB_NEED,
    parts=(MessagePart(InformationCategory.ASSUMED_REHAB_NEED, NEED),),
)


@pytest.mark.parametrize(
    ("content", "notification"),
    [
        (request(), NOTICE),
        (request(status="draft"), replace(NOTICE, is_active=False)),
        (request(status="revoked"), replace(NOTICE, is_active=False)),
        (request(identifier=[{"system": "s", "value": "1"}]), replace(NOTICE, identifiers=(Identifier("s", "1"),))),
        (
            request(payload=[text(NEED, "care_measures")]),
            replace(NOTICE, parts=(MessagePart(InformationCategory.CARE_MEASURES, NEED),)),
        ),
        (
            request(
                category=topic("avstamningsmote"), payload=[text("a", "contact_details"), text("b", "work_adjustments")]
            ),
            replace(
                NOTICE,
                topic=Topic.MEETING,
                parts=(
                    MessagePart(InformationCategory.CONTACT_DETAILS, "a"),
                    MessagePart(InformationCategory.WORK_ADJUSTMENTS, "b"),
                ),
            ),
        ),
        (
            request(recipient=[{"identifier": {"system": ORGANISATION_NUMBER.fhir, "value": "202100-5521"}}]),
            replace(NOTICE, recipient="2021005521"),
        ),
        (
            request(recipient=[{"identifier": {"system": HSA_ID.fhir, "value": UNIT.value}}]),
            replace(NOTICE, recipient=UNIT.value),
        ),
        (
            request(requester={"reference": "PractitionerRole/r1"}),
            replace(NOTICE, requester="PractitionerRole/r1"),
        ),
        (
            request(requester={"identifier": {"system": HSA_ID.fhir, "value": EMPLOYEE.value}}),
            replace(NOTICE, requester=EMPLOYEE.value),
        ),
        (
            request(
                about=[{"reference": "EpisodeOfCare/1"}, {"identifier": {"system": CERTIFICATE_ID, "value": "i-1"}}]
            ),
            replace(NOTICE, certificate="i-1"),
        ),
        (request(reasonReference=[{"reference": "Observation/need"}]), NOTICE),
        (request(doNotPerform=False), NOTICE),
    ],
)
def test_what_a_request_says(content: dict[str, Any], notification: Notification) -> None:
    assert r4.check(content) == ()
    assert dialogue.from_fhir(content) == notification


@pytest.mark.parametrize(
    ("content", "issues"),
    [
        (
            request(category=None),
            [
                (IssueType.REQUIRED, "category", "notification-topic"),
                (IssueType.REQUIRED, "payload[0].extension", "payload-category"),
            ],
        ),
        (
            request(category=topic("gossip"), payload=[text("a", "care_measures")]),
            [(IssueType.CODE_INVALID, "category[0].coding[0].code", "notification-topic")],
        ),
        (
            request(category=[*topic("contact"), *topic("other")], payload=[text("a", "care_measures")]),
            [(IssueType.BUSINESS_RULE, "category", "notification-topic")],
        ),
        (request(subject=None), [(IssueType.REQUIRED, "subject", "")]),
        (request(recipient=None), [(IssueType.REQUIRED, "recipient", "one-recipient")]),
        (
            request(recipient=[{"reference": f"Organization/{id}"} for id in ("fk", "af")]),
            [(IssueType.BUSINESS_RULE, "recipient", "one-recipient")],
        ),
        (request(recipient=[{"display": "myndigheter"}]), [(IssueType.VALUE, "recipient[0]", "one-recipient")]),
        (request(recipient=[{"reference": "Patient/p1"}]), [(IssueType.VALUE, "recipient[0]", "one-recipient")]),
        (
            request(recipient=[{"identifier": {"system": ORGANISATION_NUMBER.fhir, "value": "2021005522"}}]),
            [(IssueType.VALUE, "recipient[0]", "one-recipient")],
        ),
        (request(payload=None), [(IssueType.REQUIRED, "payload", "payload-text")]),
        (
            request(payload=[{"contentReference": {"reference": "DocumentReference/1"}}]),
            [(IssueType.NOT_SUPPORTED, "payload[0].content", "payload-text")],
        ),
        (
            request(payload=[text(NEED), text("b", "care_measures")]),
            [(IssueType.REQUIRED, "payload[0].extension", "payload-category")],
        ),
        (
            request(category=topic("contact")),
            [(IssueType.REQUIRED, "payload[0].extension", "payload-category")],
        ),
        (
            request(payload=[text(NEED, "everything")]),
            [(IssueType.CODE_INVALID, "payload[0].extension[0].value", "payload-category")],
        ),
        (request(requester={"reference": "Organization/1"}), [(IssueType.VALUE, "requester", "")]),
        (request(reasonCode=[{"text": "ryggvärk"}]), [(IssueType.BUSINESS_RULE, "reasonCode", "no-diagnosis")]),
        (
            request(reasonReference=[{"reference": "Condition/1"}]),
            [(IssueType.BUSINESS_RULE, "reasonReference[0]", "no-diagnosis")],
        ),
        (request(about=[{"reference": "Condition/1"}]), [(IssueType.BUSINESS_RULE, "about[0]", "no-diagnosis")]),
        (request(doNotPerform=True), [(IssueType.NOT_SUPPORTED, "doNotPerform", "do-not-perform")]),
    ],
)
def test_refused(content: dict[str, Any], issues: list[tuple[IssueType, str, str]]) -> None:
    with pytest.raises(Invalid) as refusal:
        dialogue.from_fhir(content)

    at = [issue.expression.removeprefix("CommunicationRequest.") for issue in refusal.value.issues]
    assert [(issue.type, path, issue.rule) for issue, path in zip(refusal.value.issues, at, strict=True)] == issues


def test_whom_it_is_for() -> None:
    stored = Party("Organization/fk", FORSAKRINGSKASSAN)

    assert dialogue.recipient_party(request(), {"Organization/fk": stored}.get) == stored
    assert dialogue.recipient_party(request(), lambda _: None) is None
    assert dialogue.recipient_party(request(recipient=None), lambda _: stored) is None


def test_which_certificate_it_is_about() -> None:
    about = [{"reference": "EpisodeOfCare/1"}, {"reference": "DocumentReference/2"}]

    assert dialogue.certificate_reference(request(about=about)) == "DocumentReference/2"
    assert dialogue.certificate_reference(request()) == ""


# ---- State ---------------------------------------------------------------------------------------------------------


def reason(*codes: str) -> dict[str, Any]:
    return concept(NOTIFICATION_STATUS, *codes)


THEIRS = {"system": "x", "code": "y"}


@pytest.mark.parametrize(
    ("earlier", "code", "after"),
    [
        (None, "consent-withdrawn", reason("consent-withdrawn")),
        (None, None, None),
        (reason("waits"), "sent", reason("sent")),
        (reason("waits"), None, None),
        (
            {"coding": [THEIRS], "text": "varför"},
            "sent",
            {"coding": [THEIRS, *reason("sent")["coding"]], "text": "varför"},
        ),
        ({"coding": [*reason("waits")["coding"], THEIRS]}, None, {"coding": [THEIRS]}),
    ],
)
def test_state(earlier: dict[str, Any] | None, code: str | None, after: dict[str, Any] | None) -> None:
    document = dialogue.with_status(from_content(request(statusReason=earlier)), "completed", code)

    assert document.content["status"] == "completed"
    assert document.content.get("statusReason") == after
    assert r4.check(orjson.loads(document.body)) == ()
    assert dialogue.with_status(document, "completed", code) is document


# ---- Writing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipient", [FK, EMPLOYER, Recipient(RecipientKind.EMPLOYER, "Organization/7")])
@pytest.mark.parametrize("certificate", ["", "i-1"])
def test_stated_requests_read_back(recipient: Recipient, certificate: str) -> None:
    stated = replace(NOTICE, recipient=recipient.party, certificate=certificate, requester=EMPLOYEE.value)

    made = dialogue.to_fhir(stated, recipient, employee=EMPLOYEE, unit=UNIT, authored=AT)

    assert r4.check(made) == ()
    assert dialogue.from_fhir(made) == stated


MESSAGE = PartyMessage(
    id="5f0a2c1e-8d7b-4c36-9e15-3b1f6d2a9c40",
    topic=Topic.ASSUMED_REHAB_NEED,
    recipient=EMPLOYER,
    patient=PersonId("198507219817"),
    sender=Sender(EMPLOYEE, CareUnit(UNIT, HsaId("SE5599990008-VG1"), "Vårdcentralen Eken")),
    created=AT,
    parts=NOTICE.parts,
    certificate="i-1",
    certificate_unit=UNIT,
)


def sent(recipient: dict[str, Any]) -> Any:
    body = dialogue.communication(MESSAGE, request="CommunicationRequest/1", recipient=recipient, patient="p1", sent=AT)
    assert r4.model("Communication").model_validate_json(body), "the models are a second opinion"
    return orjson.loads(body)


def test_what_was_sent_stays_in_the_record() -> None:
    told = sent({"reference": "Organization/fk"})

    assert told["status"] == "completed"
    assert told["basedOn"] == [{"reference": "CommunicationRequest/1"}]
    assert told["subject"] == {"reference": "Patient/p1"}
    assert told["recipient"] == [{"reference": "Organization/fk"}]
    assert told["sent"] == "2026-03-02T09:00:00+01:00"
    assert told["payload"] == [{"contentString": NEED}]
    assert told["identifier"][0]["value"] == MESSAGE.id
    assert "198507219817" not in str(told)


def test_a_recipient_inside_the_request_is_named_by_its_number() -> None:
    assert sent({"reference": "#recipient"})["recipient"][0]["identifier"]["value"] == EMPLOYER.party
