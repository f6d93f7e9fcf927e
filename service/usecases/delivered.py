"""A message to another party has been delivered: that is itself an activity, coded now and once (domain rule 14)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.activity import ActivityKind, ActivityStatus, ContactMode, CoordinationActivity, Identifier
from contracts.consent import RecipientKind
from contracts.dialogue import PartyMessage, Topic
from contracts.identity import HsaId
from contracts.outbox import OutboxMessage
from contracts.ports import Transaction
from contracts.record import Caller, Record
from fhir_mappings import activity as activity_mapping
from fhir_mappings import dialogue, people
from fhir_mappings.document import decode, from_content
from fhir_mappings.identifiers import MESSAGE_ID
from service.usecases.context import Context, Write
from service.usecases.follow_dialogue import service_for
from service.usecases.keeping import keep
from service.usecases.record_activity import record_activity

_KINDS: Final[Mapping[RecipientKind, ActivityKind]] = {
    RecipientKind.FORSAKRINGSKASSAN: ActivityKind.FK_CONTACT,
    RecipientKind.ARBETSFORMEDLINGEN: ActivityKind.EMPLOYMENT_SERVICE_CONTACT,
    RecipientKind.MUNICIPALITY: ActivityKind.SOCIAL_SERVICES_CONTACT,
    RecipientKind.EMPLOYER: ActivityKind.EMPLOYER_CONTACT,
    RecipientKind.OCCUPATIONAL_HEALTH: ActivityKind.OCCUPATIONAL_HEALTH_CONTACT,
    RecipientKind.SAME_CARE_PROVIDER: ActivityKind.INTERNAL_COORDINATION,
    RecipientKind.OTHER_CARE_PROVIDER: ActivityKind.INTERNAL_COORDINATION,
}
"""What telling somebody was. Of a union, and of whoever is none of these, no kind is known: none is guessed."""


def delivered(
    transaction: Transaction, context: Context, message: OutboxMessage, mode: ContactMode = ContactMode.MESSAGE
) -> None:
    """Keep the Communication that was sent and the coordination activity that it was, once. Events and write-backs are
    accounts of an activity, not activities. ``mode`` is how it was told."""
    payload = message.payload
    if not isinstance(payload, PartyMessage):
        return
    sender = payload.sender
    keeper = service_for(sender.unit.id, sender.unit.provider, sender.employee)
    told(transaction, context, payload, Told(keeper, message.about, message.patient, transaction.at, mode))


@dataclass(frozen=True, slots=True)
class Told:
    """Who keeps it, on which request (``CommunicationRequest/id``), of which patient (logical id), when it was told, and how."""

    keeper: Caller
    request: str
    patient: str
    at: datetime
    mode: ContactMode


def told(transaction: Transaction, context: Context, payload: PartyMessage, became: Told) -> tuple[Record, ...]:
    """The Communication, and behind it the activity if telling that party is one; nothing when the message is known to have
    been told."""
    unit = payload.sender.unit.id
    earlier = transaction.by_token("Communication", "identifier", MESSAGE_ID, payload.id, unit.value)
    if earlier and decode(earlier[0].body).content["status"] == "completed":
        return ()
    recipient, _ = people.recipient_reference(payload.recipient, by_number=True)
    sent = dialogue.communication(
        payload,
        request=became.request,
        recipient=recipient,
        patient=became.patient,
        sent=became.at,
        answers=_answered(transaction, unit, payload.answers),
    )
    id_, was_restricted = (earlier[0].id, earlier[0].restricted) if earlier else ("", False)
    kept = keep(transaction, context, Write(became.keeper, decode(sent), id_, of_restricted=was_restricted))
    # What had not arrived after all, and has now, is one activity all the same.
    activity = None if earlier else _activity(transaction, payload, became)
    if activity is None:
        return (kept.record,)
    content = activity_mapping.to_fhir(activity, employee=payload.sender.employee, unit=unit)
    act = Write(became.keeper, from_content(content), of_restricted=kept.record.restricted)
    return kept.record, record_activity(transaction, context, act).record


def _answered(transaction: Transaction, unit: HsaId, message_id: str) -> str:
    """``Communication/<id>`` of the message of theirs that ours answers."""
    found = message_id and transaction.by_token("Communication", "identifier", MESSAGE_ID, message_id, unit.value)
    return found[0].reference if found else ""


def _activity(transaction: Transaction, payload: PartyMessage, became: Told) -> CoordinationActivity | None:
    is_notice = payload.topic is Topic.ASSUMED_REHAB_NEED
    kind = ActivityKind.INFORMATION_TO_FK if is_notice else _KINDS.get(payload.recipient.kind)
    if kind is None:
        return None
    return CoordinationActivity(
        patient=became.patient,
        kinds=(kind,),
        status=ActivityStatus.COMPLETED,
        performed=transaction.at,
        mode=became.mode,
        identifiers=(Identifier(MESSAGE_ID, payload.id),),
    )
