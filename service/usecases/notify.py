"""A person on the unit asks that another party is told something: information under 4 §, a meeting, contact.

It begins with a person's stated judgement, never with another activity (decision D20, domain rule 13). What is to be sent is
fixed here; it is decided here and again when it is claimed; without a certificate that the recipient can tie it to, it waits
as ``needs-other-channel``.
"""

from dataclasses import replace

from contracts.consent import Question, Recipient
from contracts.dialogue import CareUnit, Notification, PartyMessage, Sender
from contracts.errors import Conflict, Invalid, Issue, IssueType, note
from contracts.identity import HsaId
from contracts.outbox import DeliveryState, OutboxMessage, Queued
from contracts.people import Party, RegisteredPatient
from contracts.ports import Transaction
from contracts.record import Caller, Record
from contracts.sick_leave import Certificate
from contracts.time import swedish_day
from fhir_mappings import dialogue, people
from fhir_mappings.document import decode
from fhir_mappings.identifiers import HSA_ID
from service.rules import notification as rules
from service.usecases.context import Context, Recorded, Removal, Write
from service.usecases.deciding import belongs_to, ground_for, party_finder, registered_patient
from service.usecases.keeping import keep, remove
from service.usecases.promising import promise

_NO_CERTIFICATE = "no certificate of this patient is known: tell them by another channel, or pull the sick leaves"
_NO_NUMBER = "the patient has no national number, which this channel needs"
_NO_ROUTE = "there is no electronic way to this recipient"


def notify(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Keep the request and promise its message. Raises ``Invalid`` when the request cannot stand as it is."""
    content = write.document.content
    notification = dialogue.from_fhir(content)
    recipient = _recipient(transaction, write)
    issues = rules.faults(notification)
    if issues:
        raise Invalid(*issues)
    earlier = transaction.read("CommunicationRequest", write.id) if write.id else None
    kept = keep(transaction, context, write)
    if not kept.changed or (earlier is not None and _says_the_same(earlier, notification)):
        return kept
    notes = _cancelled(transaction, kept.record, notification) or _promised(
        transaction, context, write.caller, kept.record, notification, recipient
    )
    return replace(kept, notes=notes)


def remove_request(transaction: Transaction, context: Context, removal: Removal) -> Recorded:
    """Delete the request: that takes it back. What was told because of it points at it, and keeps it from being deleted."""
    removed = remove(transaction, context, removal)
    if not removed.changed:
        return removed
    return replace(
        removed, notes=tuple(_take_back(transaction, each) for each in _messages_of(transaction, removed.record))
    )


def obstacle(context: Context, message: OutboxMessage) -> str:
    """Why no channel can carry the message now; empty when one can."""
    payload = message.payload
    if message.destination not in context.destinations:
        return _NO_ROUTE
    if isinstance(payload, PartyMessage) and payload.patient is None:
        return _NO_NUMBER
    return _NO_CERTIFICATE if isinstance(payload, PartyMessage) and not payload.certificate else ""


def outdated(transaction: Transaction, message: OutboxMessage) -> tuple[DeliveryState, str] | None:
    """Where a message to a party goes that must not be sent any more, whatever the consents say, and why.

    The request may have been taken back, and the patient's number corrected, since it was promised.
    """
    payload = message.payload
    if not isinstance(payload, PartyMessage):
        return None
    request = transaction.read(*message.about.split("/"))
    if request is None or decode(request.body).content.get("status") != "active":
        return DeliveryState.CANCELLED, "the request was taken back"
    patient = registered_patient(transaction, message.patient)
    if patient is None or patient.person != payload.patient:
        return (
            DeliveryState.PARKED,
            "the patient's number has been corrected since: cancel this and write a new request",
        )
    return None


def certificate_arrived(transaction: Transaction, context: Context, patient: str) -> None:
    """A certificate of the patient has become known: messages that waited for one are promised anew."""
    for queued in transaction.queued(patient):
        payload = queued.message.payload
        if queued.state is not DeliveryState.NEEDS_OTHER_CHANNEL or not isinstance(payload, PartyMessage):
            continue
        certificate = _certificate(transaction, queued.message.question.unit, patient, "")
        if certificate is not None and not payload.certificate:
            fixed = replace(payload, certificate=certificate.id, certificate_unit=certificate.unit)
            message = replace(queued.message, payload=fixed)
            why = obstacle(context, message)
            state = DeliveryState.NEEDS_OTHER_CHANNEL if why else DeliveryState.WAITING
            transaction.fix(message, state, why or "a certificate is known now")


def _recipient(transaction: Transaction, write: Write) -> Recipient:
    party = dialogue.recipient_party(write.document.content, party_finder(transaction))
    if party is None:
        raise Invalid(
            Issue(
                IssueType.NOT_FOUND,
                "the recipient is no organisation that is known here by reference or number",
                "CommunicationRequest.recipient",
            )
        )
    return party.as_recipient()


def _says_the_same(earlier: Record, notification: Notification) -> bool:
    """Whether an update changes nothing of what is to be told, or whether it is to be."""
    return dialogue.from_fhir(decode(earlier.body).content) == notification


def _cancelled(transaction: Transaction, record: Record, notification: Notification) -> tuple[Issue, ...]:
    """A request that is taken back takes its unsent message back; one that is being sent leaves before that."""
    if notification.is_active:
        return ()
    known = _messages_of(transaction, record)
    told = [_take_back(transaction, queued) for queued in known]
    return tuple(told) or (note("nothing is sent while the request is not active", "request-not-active"),)


def _take_back(transaction: Transaction, queued: Queued) -> Issue:
    id_ = queued.message.id
    if queued.state is DeliveryState.CLAIMED:
        return note(f"message {id_} left before the request was taken back", "left-before")
    transaction.move(id_, DeliveryState.CANCELLED, "the request was taken back")
    return note(f"message {id_} is cancelled", "request-taken-back")


def _messages_of(transaction: Transaction, record: Record) -> list[Queued]:
    queued = transaction.queued(record.patient)
    return [each for each in queued if each.message.about == record.reference]


def _promised(
    transaction: Transaction,
    context: Context,
    caller: Caller,
    record: Record,
    notification: Notification,
    recipient: Recipient,
) -> tuple[Issue, ...]:
    _replace_unsent(transaction, record)
    patient = registered_patient(transaction, notification.patient)
    assert patient is not None  # noqa: S101 - keep() has checked the reference
    message = _message(transaction, context, caller, record, notification, recipient, patient)
    reason = obstacle(context, message)
    state = DeliveryState.NEEDS_OTHER_CHANNEL if reason else DeliveryState.WAITING
    decision = promise(transaction, context, message, state, reason)
    told = f"{', '.join(decision.reasons)}" if not decision.permitted else reason or "waiting"
    return (note(f"message {message.id} to {recipient.kind}: {told}", "promised"),)


def _replace_unsent(transaction: Transaction, record: Record) -> None:
    """A corrected request is promised anew. Once a try was made the recipient may have it: then a new request is due."""
    known = _messages_of(transaction, record)
    tried = [queued for queued in known if queued.attempts or queued.state is DeliveryState.CLAIMED]
    if tried or (transaction.was_promised(record.reference) and not known):
        raise Conflict(
            Issue(
                IssueType.CONFLICT,
                "the recipient has been told, or may have been: take this request back and write a new one",
                "CommunicationRequest",
                rule="sent-once",
            )
        )
    for queued in known:
        transaction.move(queued.message.id, DeliveryState.CANCELLED, "the request was corrected")


def _message(
    transaction: Transaction,
    context: Context,
    caller: Caller,
    record: Record,
    notification: Notification,
    recipient: Recipient,
    patient: RegisteredPatient,
) -> OutboxMessage:
    named = notification.certificate or _referenced_certificate(transaction, record)
    certificate = _certificate(transaction, caller.unit, notification.patient, named)
    id_ = context.ids.new()
    payload = PartyMessage(
        id=id_,
        topic=notification.topic,
        recipient=recipient,
        patient=patient.person,
        sender=_sender(transaction, caller, notification),
        created=transaction.at,
        parts=notification.parts,
        certificate=named or (certificate.id if certificate else ""),
        certificate_unit=certificate.unit if certificate else caller.unit,
        reference=record.id,
    )
    question = Question(
        patient=notification.patient,
        unit=caller.unit,
        recipient=recipient,
        categories=notification.categories,
        purpose=rules.PURPOSE,
        at=transaction.at,
        basis=ground_for(recipient),
        protected_identity=patient.protected,
        same_provider=belongs_to(caller.provider, recipient),
        asked_by=caller.employee,
    )
    destination = rules.CHANNELS.get(recipient.kind, recipient.kind.value)
    return OutboxMessage(id_, destination, record.reference, question, payload)


def _referenced_certificate(transaction: Transaction, record: Record) -> str:
    """The id of the certificate whose DocumentReference the request points at; empty when it points at none."""
    reference = dialogue.certificate_reference(decode(record.body).content)
    document = transaction.read(*reference.split("/")) if reference else None
    if document is None:
        return ""
    value: str = decode(document.body).content.get("masterIdentifier", {}).get("value", "")
    return value


def _certificate(transaction: Transaction, unit: HsaId, patient: str, named: str) -> Certificate | None:
    """The certificate that was named; else the one that covers the day, signed last; else the one that ends last."""
    known = [stored.certificate for stored in transaction.certificates(unit.value, patient)]
    if named:
        return next((certificate for certificate in known if certificate.id == named), None)
    today = swedish_day(transaction.at)
    return max(known, key=lambda each: (each.start <= today <= each.end, each.end, each.signed), default=None)


def _sender(transaction: Transaction, caller: Caller, notification: Notification) -> Sender:
    """The person and the unit as the records name them; the ids are the caller's own."""
    employee, name = _requester(transaction, caller, notification)
    unit, provider = (_organisation(transaction, caller, id) for id in (caller.unit, caller.provider))
    return Sender(
        employee,
        CareUnit(
            id=caller.unit,
            provider=caller.provider,
            name=unit.name,
            provider_name=provider.name,
            address=unit.address,
            postal_code=unit.postal_code,
            city=unit.city,
            telephone=unit.telephone,
            workplace_code=unit.workplace_code,
        ),
        name,
    )


def _requester(transaction: Transaction, caller: Caller, notification: Notification) -> tuple[HsaId, str]:
    """HSA-id and name; the caller where the request names nobody."""
    type_, slash, id_ = notification.requester.partition("/")
    if notification.requester and not slash:
        return HsaId(notification.requester), ""
    record = transaction.read(type_, id_) if id_ else None
    if record is not None and type_ == "PractitionerRole":
        type_, _, id_ = people.role(decode(record.body).content).practitioner.partition("/")
        record = transaction.read(type_, id_) if id_ else None
    if record is None:
        return caller.employee, ""
    member = people.staff_member(decode(record.body).content)
    return member.hsa_id or caller.employee, member.name


def _organisation(transaction: Transaction, caller: Caller, id: HsaId) -> Party:
    found = transaction.by_token("Organization", "identifier", HSA_ID.fhir, id.value, caller.provider.value)
    return people.organization(decode(found[0].body).content, found[0].id) if found else Party(hsa_id=id)
