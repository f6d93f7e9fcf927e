"""A message to another party has been delivered: that is itself an activity, coded now and once (domain rule 14)."""

from typing import Final

from contracts.activity import ActivityKind, ActivityStatus, ContactMode, CoordinationActivity, Identifier
from contracts.dialogue import PartyMessage, Topic
from contracts.outbox import OutboxMessage
from contracts.ports import Transaction
from contracts.record import Caller
from fhir_mappings import activity as activity_mapping
from fhir_mappings import dialogue, people
from fhir_mappings.document import decode, from_content
from fhir_mappings.identifiers import MESSAGE_ID
from service.usecases.context import Context, Write
from service.usecases.keeping import keep
from service.usecases.record_activity import record_activity

_KINDS: Final = {Topic.ASSUMED_REHAB_NEED: ActivityKind.INFORMATION_TO_FK}


def delivered(transaction: Transaction, context: Context, message: OutboxMessage) -> None:
    """Keep the Communication that was sent and the coordination activity that it was. Events and write-backs are
    accounts of an activity, not activities."""
    payload = message.payload
    if not isinstance(payload, PartyMessage):
        return
    unit = message.question.unit
    if transaction.by_token("Communication", "identifier", MESSAGE_ID, payload.id, unit.value):
        return
    sender = _service_for(payload)
    recipient, _ = people.recipient_reference(payload.recipient, by_number=True)
    sent = dialogue.communication(
        payload, request=message.about, recipient=recipient, patient=message.patient, sent=transaction.at
    )
    keep(transaction, context, Write(sender, decode(sent)))
    record_activity(transaction, context, Write(sender, from_content(_activity(transaction, message, payload))))


def _service_for(payload: PartyMessage) -> Caller:
    """The service acts for the person who asked."""
    unit = payload.sender.unit
    return Caller(payload.sender.employee, "rekobryggan", unit.id, unit.provider, frozenset())


def _activity(transaction: Transaction, message: OutboxMessage, payload: PartyMessage) -> dict[str, object]:
    activity = CoordinationActivity(
        patient=message.patient,
        kinds=(_KINDS.get(payload.topic, ActivityKind.FK_CONTACT),),
        status=ActivityStatus.COMPLETED,
        performed=transaction.at,
        mode=ContactMode.MESSAGE,
        identifiers=(Identifier(MESSAGE_ID, payload.id),),
    )
    return activity_mapping.to_fhir(activity, employee=payload.sender.employee, unit=payload.sender.unit.id)
