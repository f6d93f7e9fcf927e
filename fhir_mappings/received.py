"""What another party has said: a ``Communication`` that was received, or that somebody heard and wrote down.

Sources: forsakringskassan.md § 7.1; http://hl7.org/fhir/R4/communication.html
"""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from contracts.consent import Recipient
from contracts.dialogue import Attachment, Complement, ReceivedMessage, Topic
from contracts.identity import HsaId
from contracts.record import Document
from fhir_mappings import people, primitives, r4
from fhir_mappings.document import decode
from fhir_mappings.identifiers import (
    CERTIFICATE_ID,
    CONVERSATION_ID,
    EXT_COMPLEMENTED_QUESTION,
    HSA_ID,
    MESSAGE_ID,
    NOTIFICATION_TOPIC,
    PARTICIPATION_MODE,
    REFERENCE_ID,
)
from fhir_mappings.primitives import Json

_WRITTEN: Final = "WRITTEN"


def communication(
    received: ReceivedMessage,
    *,
    at: datetime,
    unit: HsaId,
    patient: str,
    conversation: str,
    answers: str = "",
    about: Sequence[str] = (),
    attachments: Sequence[str] = (),
) -> Document:
    """The Communication that is kept. ``answers`` is ``Communication/<id>`` of what it answers, ``about`` of what it reminds;
    ``attachments`` are references ``Binary/<id>``, one for each of the message's. ``patient`` is empty for one that tells
    nobody here."""
    numbers = (
        (MESSAGE_ID, received.id),
        (CONVERSATION_ID, conversation),
        (REFERENCE_ID, received.reference),
    )
    content = {
        "identifier": [primitives.identifier(system, value) for system, value in numbers if value],
        "inResponseTo": [{"reference": answers}] if answers else [],
        "status": "completed",
        "category": [primitives.concept(NOTIFICATION_TOPIC, received.topic)] if received.topic else [],
        "priority": "urgent" if received.topic is Topic.REMINDER else None,
        "medium": [primitives.concept(PARTICIPATION_MODE, _WRITTEN)],
        "subject": {"reference": f"Patient/{patient}"} if patient else None,
        "topic": {"text": received.heading} if received.heading else None,
        "about": [*_certificate(received.certificate), *({"reference": each} for each in about)],
        "sent": primitives.to_instant(received.sent),
        "received": primitives.to_instant(at),
        "recipient": [primitives.logical(HSA_ID, unit.value, "Organization")],
        "sender": people.recipient_reference(received.sender, by_number=True)[0],
        "payload": _payload(received, attachments),
        "note": [{"text": line} for line in received.contact],
    }
    return decode(r4.build("Communication", {name: value for name, value in content.items() if value}))


def heard(
    *,
    sender: Recipient,
    unit: HsaId,
    listener: HsaId,
    patient: str,
    topic: Topic,
    conversation: str,
    mode: str,
    at: datetime,
    text: str,
    answers: str = "",
) -> Document:
    """What somebody on the unit was told, by telephone for instance, and wrote down. ``mode`` is a code of
    v3-ParticipationMode."""
    content = {
        "identifier": [primitives.identifier(CONVERSATION_ID, conversation)],
        "inResponseTo": [{"reference": answers}] if answers else [],
        "status": "completed",
        "category": [primitives.concept(NOTIFICATION_TOPIC, topic)],
        "medium": [primitives.concept(PARTICIPATION_MODE, mode)],
        "subject": {"reference": f"Patient/{patient}"},
        "received": primitives.to_instant(at),
        "recipient": [
            primitives.logical(HSA_ID, listener.value, "Practitioner"),
            primitives.logical(HSA_ID, unit.value, "Organization"),
        ],
        "sender": people.recipient_reference(sender, by_number=True)[0],
        "payload": [{"contentString": text}],
    }
    return decode(r4.build("Communication", {name: value for name, value in content.items() if value}))


def says_the_same(one: Json, other: Json) -> bool:
    """Whether two Communications carry the same message: however often it was sent, and whenever it came."""
    return all(one.get(name) == other.get(name) for name in _OF_THE_MESSAGE) and _texts(one) == _texts(other)


_OF_THE_MESSAGE: Final = ("inResponseTo", "category", "subject", "about", "sent", "sender", "recipient")


def _texts(content: Json) -> list[Any]:
    return [each.get("contentString") or each.get("contentAttachment", {}).get("title") for each in content["payload"]]


def conversation(content: Json) -> str:
    """What a Communication belongs to; empty when it says none."""
    return next((each.value for each in primitives.identifiers(content) if each.system == CONVERSATION_ID), "")


def message_id(content: Json) -> str:
    """The id that its sender gave it; empty when it has none."""
    return next((each.value for each in primitives.identifiers(content) if each.system == MESSAGE_ID), "")


def reference(content: Json) -> str:
    """The other party's own reference; empty when it gave none."""
    return next((each.value for each in primitives.identifiers(content) if each.system == REFERENCE_ID), "")


def topic(content: Json) -> Topic | None:
    """What it is about."""
    found = primitives.codes(content.get("category", ()), "", NOTIFICATION_TOPIC)
    return next((Topic(code) for code, _ in found if code in set(Topic)), None)


def certificate(content: Json) -> str:
    """The id of the certificate that it is about; empty when it names none."""
    named = (each.get("identifier", {}) for each in content.get("about", ()))
    return next((each.get("value", "") for each in named if each.get("system") == CERTIFICATE_ID), "")


def binary(attachment: Attachment, patient: str) -> Document:
    """The Binary of an attachment. The bytes are whatever the other party sent: nothing here opens them."""
    content = {
        "contentType": attachment.content_type,
        "data": base64.b64encode(attachment.content).decode(),
        "securityContext": {"reference": f"Patient/{patient}"} if patient else None,
    }
    return decode(r4.build("Binary", {name: value for name, value in content.items() if value}))


def _payload(received: ReceivedMessage, attachments: Sequence[str]) -> list[dict[str, Any]]:
    files = [
        {"contentAttachment": {"contentType": each.content_type, "url": url, "title": each.name or "bilaga"}}
        for each, url in zip(received.attachments, attachments, strict=True)
    ]
    text = [{"contentString": received.text}] if received.text.strip() else []
    return [*text, *map(_complement, received.complements), *files] or [{"contentString": "(utan text)"}]


def _complement(complement: Complement) -> dict[str, Any]:
    number = {"url": EXT_COMPLEMENTED_QUESTION, "valueString": complement.question}
    return {"extension": [number], "contentString": complement.text or f"Fråga {complement.question}"}


def _certificate(id: str) -> list[dict[str, Any]]:
    return [primitives.logical(CERTIFICATE_ID, id, "DocumentReference")] if id else []
