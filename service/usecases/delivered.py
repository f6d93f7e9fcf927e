"""A message to another party has been delivered: that is itself an activity, coded now and once (domain rule 14)."""

from collections.abc import Mapping
from typing import Final

from contracts.activity import ActivityKind, ActivityStatus, ContactMode, CoordinationActivity, Identifier
from contracts.consent import RecipientKind
from contracts.dialogue import PartyMessage, Topic
from contracts.identity import HsaId
from contracts.outbox import OutboxMessage
from contracts.ports import Transaction
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
    unit = message.question.unit
    kept = transaction.by_token("Communication", "identifier", MESSAGE_ID, payload.id, unit.value)
    if kept and decode(kept[0].body).content["status"] == "completed":
        return
    sender = service_for(payload.sender.unit.id, payload.sender.unit.provider, payload.sender.employee)
    recipient, _ = people.recipient_reference(payload.recipient, by_number=True)
    sent = dialogue.communication(
        payload,
        request=message.about,
        recipient=recipient,
        patient=message.patient,
        sent=transaction.at,
        answers=_answered(transaction, unit, payload.answers),
    )
    keep(transaction, context, Write(sender, decode(sent), kept[0].id if kept else ""))
    if kept:  # it had not arrived after all, and has now: one activity all the same
        return
    activity = _activity(transaction, message, payload, mode)
    if activity is not None:
        content = activity_mapping.to_fhir(activity, employee=payload.sender.employee, unit=payload.sender.unit.id)
        record_activity(transaction, context, Write(sender, from_content(content)))


def _answered(transaction: Transaction, unit: HsaId, message_id: str) -> str:
    """``Communication/<id>`` of the message of theirs that ours answers."""
    found = message_id and transaction.by_token("Communication", "identifier", MESSAGE_ID, message_id, unit.value)
    return found[0].reference if found else ""


def _activity(
    transaction: Transaction, message: OutboxMessage, payload: PartyMessage, mode: ContactMode
) -> CoordinationActivity | None:
    is_notice = payload.topic is Topic.ASSUMED_REHAB_NEED
    kind = ActivityKind.INFORMATION_TO_FK if is_notice else _KINDS.get(payload.recipient.kind)
    if kind is None:
        return None
    return CoordinationActivity(
        patient=message.patient,
        kinds=(kind,),
        status=ActivityStatus.COMPLETED,
        performed=transaction.at,
        mode=mode,
        identifiers=(Identifier(MESSAGE_ID, payload.id),),
    )
