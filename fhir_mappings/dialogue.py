"""What a unit asks to be told to another party: FHIR R4 ``CommunicationRequest`` in, its state on it, and the
``Communication`` that stays when it has been told.

Sources: fhir_sweden.md § 5.4; decision D20; domain rules 13-16, 25; glossary terms 11, 12 and the information categories.
"""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from contracts.consent import InformationCategory, Recipient
from contracts.dialogue import Attachment, MessagePart, NextStep, Notification, PartyMessage, Topic
from contracts.errors import IssueType
from contracts.identity import HsaId
from contracts.people import Party
from contracts.record import Document
from fhir_mappings import people, primitives, r4
from fhir_mappings.document import with_elements
from fhir_mappings.identifiers import (
    CERTIFICATE_ID,
    CONVERSATION_ID,
    EXT_ANSWERS,
    EXT_IN_PROGRAMME,
    EXT_INFORMATION_CATEGORY,
    EXT_STATUTORY_DUTY,
    EXT_WANTED_NEXT_STEP,
    HSA_ID,
    MESSAGE_ID,
    NOTIFICATION_STATUS,
    NOTIFICATION_TOPIC,
)
from fhir_mappings.people import PartyOf
from fhir_mappings.primitives import Json
from fhir_mappings.reading import Reading

_AT: Final = "CommunicationRequest"
_REQUESTERS: Final = ("PractitionerRole", "Practitioner")


# ---- FHIR in -----------------------------------------------------------------------------------------------------


def from_fhir(request: Json) -> Notification:
    """What the unit asks to be told. Only an ``active`` request is to be acted upon: a draft is not complete or not
    ready (FHIR R4 request-status), for instance because the patient has not been asked."""
    reading = Reading(request)
    topic = _topic(request, reading)
    notification = Notification(
        patient=reading.patient(request, _AT),
        recipient=_recipient(request, reading),
        topic=topic or Topic.OTHER,
        parts=_parts(request, topic, reading),
        requester=_requester(request, reading),
        certificate=_certificate(request),
        is_active=request.get("status") == "active",
        identifiers=primitives.identifiers(request),
        wanted=reading.extension_member(request, _AT, EXT_WANTED_NEXT_STEP, NextStep, "wanted-next-step"),
        answers=_answers(request, reading),
        in_programme=reading.extension(request, _AT, EXT_IN_PROGRAMME, "valueBoolean") or False,
        duty=reading.extension(request, _AT, EXT_STATUTORY_DUTY, "valueString") or "",
    )
    _check_no_diagnosis(request, reading)
    reading.close()
    return notification


def check_task(task: Json) -> None:
    """Judge a Task as the guide does: one that is to tell somebody says what, who asks and who does it. Raises
    ``Invalid``."""
    reading = Reading(task)
    is_notification = bool(primitives.coded(task.get("code"), "Task.code", NOTIFICATION_TOPIC))
    if is_notification and not {"focus", "requester", "owner"} <= task.keys():
        text = "a task to tell somebody says what (focus), who asks (requester) and who does it (owner)"
        reading.note(IssueType.REQUIRED, "Task", text, "notification-task")
    reading.close()


def attachment(part: MessagePart, binary: Json) -> Attachment:
    """The file of a part, from its Binary."""
    return Attachment(part.text, binary["contentType"], base64.b64decode(binary.get("data", "")))


def recipient_party(request: Json, party_of: PartyOf) -> Party | None:
    """The organisation that is to be told; ``None`` if that cannot be told."""
    recipients = request.get("recipient", ())
    return people.referenced_party(request, recipients[0], party_of) if len(recipients) == 1 else None


def certificate_reference(request: Json) -> str:
    """``DocumentReference/<id>`` of the certificate that the request is about, empty when it names none."""
    return next((each["reference"] for each in request.get("about", ()) if _is_document(each)), "")


def answered(request: Json) -> str:
    """``Communication/<id>`` of the message that the request answers, empty when it answers none."""
    return _answers(request, Reading(request))


def _topic(request: Json, reading: Reading) -> Topic | None:
    found = primitives.codes(request.get("category", ()), f"{_AT}.category", NOTIFICATION_TOPIC)
    if not found:
        text = "what it is about is required: a coding of the notification-topic code system"
        reading.note(IssueType.REQUIRED, f"{_AT}.category", text, "notification-topic")
    topics = reading.members(found, Topic, "notification-topic")
    return reading.only(topics, f"{_AT}.category", "what it is about", "notification-topic")


def _recipient(request: Json, reading: Reading) -> str:
    """The reference as written, or the number by which it names the party."""
    for recipient in request.get("recipient", ())[:1]:
        party = people.referenced_party(request, recipient, lambda reference: Party(reference))
        if party is not None:
            return party.key
        text = "Organization/<id>, or a right organisation number or HSA-id, is needed"
        reading.note(IssueType.VALUE, f"{_AT}.recipient[0]", text, "one-recipient")
    return ""


def _parts(request: Json, topic: Topic | None, reading: Reading) -> tuple[MessagePart, ...]:
    payload = request.get("payload", ())
    assumed = _assumed(topic, payload)
    parts = [_part(each, f"{_AT}.payload[{index}]", assumed, reading) for index, each in enumerate(payload)]
    return tuple(part for part in parts if part is not None)


def _assumed(topic: Topic | None, payload: Any) -> InformationCategory | None:
    """A notice of an assumed need that has one text says that need; nothing else is guessed."""
    single = topic is Topic.ASSUMED_REHAB_NEED and len(payload) == 1
    return InformationCategory.ASSUMED_REHAB_NEED if single else None


def _part(each: Json, at: str, assumed: InformationCategory | None, reading: Reading) -> MessagePart | None:
    category = _category(each, at, assumed, reading)
    text, file = each.get("contentString"), ""
    if "contentAttachment" in each:
        text, file = each["contentAttachment"].get("title") or _FILE, _file(each["contentAttachment"], at, reading)
    elif text is None:
        wanted = "a text (contentString) or a file (contentAttachment) can be sent"
        reading.note(IssueType.REQUIRED, f"{at}.content", wanted, "payload-text")
    return None if text is None or category is None else MessagePart(category, text, file)


_FILE: Final = "bilaga"
"""What a file is called that has no name."""


def _file(attachment: Json, at: str, reading: Reading) -> str:
    """``Binary/<id>``: a file is kept here before it is sent, so that what was sent can be seen."""
    found = primitives.literal({"reference": attachment.get("url", "")})
    if found is None or found[0] != "Binary" or "data" in attachment:
        text = "a file is sent by the address of its Binary: url Binary/<id>, no data"
        reading.note(IssueType.VALUE, f"{at}.content", text, "payload-text")
        return ""
    return "/".join(found)


def _category(each: Json, at: str, assumed: InformationCategory | None, reading: Reading) -> InformationCategory | None:
    if primitives.extension_value(each, EXT_INFORMATION_CATEGORY) is not None:
        return reading.extension_member(each, at, EXT_INFORMATION_CATEGORY, InformationCategory, "payload-category")
    if assumed is None:
        text = "which information category the text belongs to is required: the information-category extension"
        reading.note(IssueType.REQUIRED, f"{at}.extension", text, "payload-category")
    return assumed


def _requester(request: Json, reading: Reading) -> str:
    """The reference as written, or the HSA-id by which it names somebody."""
    requester = request.get("requester")
    if requester is None:
        return ""
    by_number = people.staff_hsa_id(requester)
    return by_number.value if by_number else reading.target(requester, f"{_AT}.requester", *_REQUESTERS)


def _answers(request: Json, reading: Reading) -> str:
    answered, at = reading.extension_at(request, _AT, EXT_ANSWERS, "valueReference")
    return "" if answered is None else reading.target(answered, at, "Communication")


def _certificate(request: Json) -> str:
    named = (each.get("identifier", {}) for each in request.get("about", ()))
    return next((each["value"] for each in named if each.get("system") == CERTIFICATE_ID and "value" in each), "")


def _is_document(reference: Json) -> bool:
    found = primitives.literal(reference)
    return found is not None and found[0] == "DocumentReference"


def _check_no_diagnosis(request: Json, reading: Reading) -> None:
    """Never in messages, whatever the region (domain rule 25). What the profile cannot tell: that a reference to
    anything leads to a Condition, or that one is contained."""
    for at in primitives.condition_references(request, _AT, "about"):
        text = "a request to tell somebody carries no diagnosis and points at none"
        reading.note(IssueType.BUSINESS_RULE, at, text, "no-diagnosis")


# ---- Its state ---------------------------------------------------------------------------------------------------


def with_status(document: Document, status: str, reason_code: str | None) -> Document:
    """The request in another state, with our reason in place of an earlier one; what others wrote there stays."""
    earlier: Json = document.content.get("statusReason", {})
    theirs = [each for each in earlier.get("coding", ()) if each.get("system") != NOTIFICATION_STATUS]
    ours = [primitives.coding(NOTIFICATION_STATUS, reason_code)] if reason_code else []
    reason = {name: value for name, value in {**earlier, "coding": theirs + ours}.items() if value}
    return with_elements(document, {"status": status, "statusReason": reason or None})


# ---- FHIR out ----------------------------------------------------------------------------------------------------


def to_fhir(
    notification: Notification,
    recipient: Recipient,
    *,
    employee: HsaId | None,
    unit: HsaId | None,
    authored: datetime | None = None,
) -> dict[str, Any]:
    """The CommunicationRequest that asks for it, for systems that report without FHIR."""
    reference, inside = people.recipient_reference(recipient)
    elements: dict[str, Any] = {
        "resourceType": _AT,
        "contained": inside,
        "extension": _extensions(notification),
        "identifier": [primitives.identifier(each.system, each.value) for each in notification.identifiers],
        "status": "active" if notification.is_active else "draft",
        "category": [primitives.concept(NOTIFICATION_TOPIC, notification.topic)],
        "subject": {"reference": f"Patient/{notification.patient}"},
        "about": _about(notification.certificate),
        "payload": [_payload(part) for part in notification.parts],
        "authoredOn": authored and primitives.to_instant(authored),
        "requester": employee and primitives.logical(HSA_ID, employee.value, "Practitioner"),
        "recipient": [reference],
        "sender": unit and primitives.logical(HSA_ID, unit.value, "Organization"),
    }
    return {name: value for name, value in elements.items() if value}


def communication(
    message: PartyMessage,
    *,
    request: str,
    recipient: Mapping[str, Any],
    patient: str,
    sent: datetime,
    answers: str = "",
) -> bytes:
    """The Communication that stays in the record: what was told, to whom, when. ``request`` is the reference
    ``CommunicationRequest/<id>``, ``recipient`` the Reference that stood in it, ``patient`` the Patient's id, ``answers``
    the reference ``Communication/<id>`` of the question that it answers."""
    unit = message.sender.unit
    content = {
        "identifier": [
            primitives.identifier(MESSAGE_ID, message.id),
            *([primitives.identifier(CONVERSATION_ID, message.conversation)] if message.conversation else []),
        ],
        "basedOn": [{"reference": request}],
        "inResponseTo": [{"reference": answers}] if answers else [],
        "status": "completed",
        "category": [primitives.concept(NOTIFICATION_TOPIC, message.topic)],
        "subject": {"reference": f"Patient/{patient}"},
        "about": _about(message.certificate),
        "sent": primitives.to_instant(sent),
        "recipient": [_told(recipient, message.recipient)],
        "sender": primitives.logical(HSA_ID, unit.id.value, "Organization", unit.name),
        "payload": [_content(part) for part in message.parts],
    }
    return r4.build("Communication", {name: value for name, value in content.items() if value})


def _told(reference: Mapping[str, Any], recipient: Recipient) -> Mapping[str, Any]:
    """A party that was contained in the request is not there in the Communication: it is named by its number."""
    is_inside = reference.get("reference", "").startswith("#")
    return people.recipient_reference(recipient, by_number=True)[0] if is_inside else reference


def _extensions(notification: Notification) -> list[dict[str, Any]]:
    answered = {"url": EXT_ANSWERS, "valueReference": {"reference": notification.answers}}
    wanted = {"url": EXT_WANTED_NEXT_STEP, "valueCode": notification.wanted}
    programme = {"url": EXT_IN_PROGRAMME, "valueBoolean": True}
    duty = {"url": EXT_STATUTORY_DUTY, "valueString": notification.duty}
    said = (
        (notification.answers, answered),
        (notification.wanted, wanted),
        (notification.in_programme, programme),
        (notification.duty, duty),
    )
    return [extension for is_said, extension in said if is_said]


def _payload(part: MessagePart) -> dict[str, Any]:
    category = {"url": EXT_INFORMATION_CATEGORY, "valueCode": str(part.category)}
    return {"extension": [category], **_content(part)}


def _content(part: MessagePart) -> dict[str, Any]:
    if part.file:
        return {"contentAttachment": {"url": part.file, "title": part.text}}
    return {"contentString": part.text}


def _about(certificate: str) -> list[dict[str, Any]]:
    return [primitives.logical(CERTIFICATE_ID, certificate, "DocumentReference")] if certificate else []
