"""A person on the unit asks that another party is told something: information under 4 §, a meeting, contact.

It begins with a person's stated judgement, never with another activity (decision D20, domain rule 13). What is to be sent is
fixed here; it is decided here and again when it is claimed. By which way it goes is chosen here; what no system can carry
waits as ``needs-other-channel`` for a person.
"""

from dataclasses import dataclass, replace
from datetime import date

from contracts.consent import LegalBasis, Question, Recipient, StatedGround
from contracts.dialogue import Attachment, CareUnit, Dialogue, Notification, PartyMessage, Sender, Standing
from contracts.errors import Conflict, Invalid, Issue, IssueType, note
from contracts.identity import HsaId
from contracts.outbox import DeliveryState, OutboxMessage, Queued
from contracts.people import Party, RegisteredPatient
from contracts.ports import Transaction
from contracts.record import Caller, Record
from contracts.sick_leave import Certificate
from contracts.time import swedish_day
from fhir_mappings import dialogue, people, received
from fhir_mappings.document import decode
from fhir_mappings.identifiers import HSA_ID
from service.rules import channels
from service.rules import notification as rules
from service.rules.channels import Choice
from service.usecases import follow_dialogue
from service.usecases.context import Context, Recorded, Removal, Write
from service.usecases.deciding import (
    belongs_to,
    consent_day,
    decide,
    ground_for,
    party_finder,
    registered_patient,
)
from service.usecases.keeping import any_restricted, keep, remove
from service.usecases.promising import promise

_UNREACHED = "nothing reaches this destination: it is not configured"
_APPROVE = "somebody on the unit reads it before it is sent"


def notify(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Keep the request and promise its message. Raises ``Invalid`` when the request cannot stand as it is."""
    notification = dialogue.from_fhir(write.document.content)
    recipient = _recipient(transaction, write)
    issues = rules.faults(notification)
    if issues:
        raise Invalid(*issues)
    files = _files(transaction, write.caller, notification)
    answered = _answered(transaction, write.caller, notification, recipient)
    earlier = transaction.read("CommunicationRequest", write.id) if write.id else None
    named = [part.file for part in notification.parts if part.file]  # by an address, which is no reference
    if any_restricted(transaction, named):
        write = replace(write, of_restricted=True)
    kept = keep(transaction, context, write)
    if earlier is not None and earlier.restricted is not kept.record.restricted:
        follow_dialogue.relabelled(transaction, context, write.caller, kept.record)
    if not kept.changed or (earlier is not None and _says_the_same(earlier, notification)):
        return kept
    asked = _Asked(write.caller, kept.record, notification, recipient, answered, files)
    notes = _not_active(transaction, context, asked) or _promised(transaction, context, asked)
    return replace(kept, notes=notes)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as kept, and what it is about. ``answered`` is the question of the other party that it answers."""

    caller: Caller
    record: Record
    notification: Notification
    recipient: Recipient
    answered: Record | None
    files: tuple[Attachment, ...]


def remove_request(transaction: Transaction, context: Context, removal: Removal) -> Recorded:
    """Delete the request: that takes it back. What was told because of it points at it, and keeps it from being deleted."""
    removed = remove(transaction, context, removal)
    if not removed.changed:
        return removed
    follow_dialogue.forget(transaction, context, removal)
    return replace(
        removed, notes=tuple(_take_back(transaction, each) for each in _messages_of(transaction, removed.record))
    )


def ways(context: Context, message: OutboxMessage) -> tuple[Choice, ...]:
    """Every way by which the message can reach its recipient, in order, each with its reason."""
    payload = message.payload
    if not isinstance(payload, PartyMessage):
        usable = message.destination in context.destinations
        return (Choice(message.destination, usable, "the only way" if usable else _UNREACHED),)

    def reaches(channel: str) -> bool:
        unit = payload.sender.unit.id
        return channel in context.destinations and context.reaches(channel, payload.recipient, unit)

    return channels.choices(payload, reaches)


def obstacle(context: Context, message: OutboxMessage) -> str:
    """Why the way that the message is to go cannot carry it now; empty when it can."""
    known = ways(context, message)
    way = next((each for each in known if each.channel == message.destination), None) or channels.chosen(known)
    return "" if way.usable and way.channel == message.destination else way.reason


def let_go(context: Context, message: OutboxMessage) -> tuple[DeliveryState | None, str]:
    """Where a withheld message goes that may be told after all, and why there: to whoever reads it first, or to a person where
    nothing carries it. What only a system takes goes nowhere (``None``) while nothing reaches its destination."""
    no_way = obstacle(context, message)
    if not isinstance(message.payload, PartyMessage):
        return None if no_way else DeliveryState.WAITING, no_way
    if no_way:
        return DeliveryState.NEEDS_OTHER_CHANNEL, no_way
    if message.question.unit in context.approving:
        return DeliveryState.NEEDS_APPROVAL, _APPROVE
    return DeliveryState.WAITING, ""


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
            _choose_again(transaction, context, replace(queued.message, payload=fixed))


def _choose_again(transaction: Transaction, context: Context, message: OutboxMessage) -> None:
    way = channels.chosen(ways(context, message))
    state, reason = _first_state(context, message, way, "a certificate is known now")
    transaction.fix(replace(message, destination=_destination(message.question.recipient, way)), state, reason)


def _destination(recipient: Recipient, way: Choice) -> str:
    return channels.waits_at(recipient.kind) if way.channel == channels.MANUAL else way.channel


def _first_state(context: Context, message: OutboxMessage, way: Choice, reason: str = "") -> tuple[DeliveryState, str]:
    """Where a message stands that may be sent, and why."""
    if way.channel == channels.MANUAL:
        return DeliveryState.NEEDS_OTHER_CHANNEL, way.reason
    if message.question.unit in context.approving:
        return DeliveryState.NEEDS_APPROVAL, _APPROVE
    return DeliveryState.WAITING, reason


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
    issues = rules.wrong_recipient(party.kind)
    if issues:
        raise Invalid(*issues)
    return party.as_recipient()


def _answered(
    transaction: Transaction, caller: Caller, notification: Notification, recipient: Recipient
) -> Record | None:
    """The question that the request answers: the recipient's own, to this unit. Raises ``Invalid``."""
    if not notification.answers:
        return None
    record = transaction.read(*notification.answers.split("/"))
    content = {} if record is None or not caller.may_see(record) else decode(record.body).content
    if not received.message_id(content) or "received" not in content:
        raise Invalid(_no_answer(IssueType.NOT_FOUND, "what it answers is no message that has come here", "answers"))
    sender = people.referenced_party(content, content["sender"], party_finder(transaction))
    if sender is None or sender.as_recipient().party != recipient.party:
        raise Invalid(_no_answer(IssueType.BUSINESS_RULE, "an answer goes to whoever asked", "answer-recipient"))
    issues = rules.wrong_answer(notification, received.topic(content))
    if issues:
        raise Invalid(*issues)
    return record


def _files(transaction: Transaction, caller: Caller, notification: Notification) -> tuple[Attachment, ...]:
    """The files that go with the message, as they are now. Raises ``Invalid`` for one that is not here."""
    found = [
        (index, part, transaction.read(*part.file.split("/")))
        for index, part in enumerate(notification.parts)
        if part.file
    ]
    missing = [index for index, _, record in found if record is None or not caller.may_see(record)]
    if missing:
        text = "what this points at is not here"
        places = (f"CommunicationRequest.payload[{index}].content.url" for index in missing)
        raise Invalid(*(Issue(IssueType.NOT_FOUND, text, at) for at in places))
    return tuple(dialogue.attachment(part, decode(record.body).content) for _, part, record in found if record)


def _no_answer(type: IssueType, text: str, rule: str) -> Issue:
    return Issue(type, text, "CommunicationRequest.extension", rule=rule)


def _says_the_same(earlier: Record, notification: Notification) -> bool:
    """Whether an update changes nothing of what is to be told, or whether it is to be."""
    return dialogue.from_fhir(decode(earlier.body).content) == notification


def _not_active(transaction: Transaction, context: Context, asked: _Asked) -> tuple[Issue, ...]:
    """A request that is taken back takes its unsent message back; one that is being sent leaves before that. A draft waits
    for the patient to be asked."""
    if asked.notification.is_active:
        return ()
    known = _messages_of(transaction, asked.record)
    told = [_take_back(transaction, queued) for queued in known]
    if decode(asked.record.body).content["status"] == "draft":
        follow_dialogue.drafted(transaction, context, asked.caller, asked.record, _drafted(transaction, context, asked))
    elif not told:
        follow_dialogue.taken_back(transaction, context, asked.caller, asked.record)
    return tuple(told) or (note("nothing is sent while the request is not active", "request-not-active"),)


def _drafted(transaction: Transaction, context: Context, asked: _Asked) -> Dialogue:
    employee, _ = _requester(transaction, asked.caller, asked.notification)
    return Dialogue(
        patient=asked.notification.patient,
        unit=asked.caller.unit,
        conversation=_conversation(transaction, asked) or context.ids.new(),
        topic=asked.notification.topic,
        party=asked.recipient,
        focus=asked.record.reference,
        standing=Standing.CONSENT_TO_ASK,
        begun=transaction.at,
        asked_by=employee,
        owner=follow_dialogue.owner(context, asked.caller.unit, asked.notification.topic),
    )


def _conversation(transaction: Transaction, asked: _Asked) -> str:
    """The dialogue that the request belongs to; empty when it begins one."""
    return follow_dialogue.conversation_of_request(transaction, asked.record.reference, asked.answered)


def _take_back(transaction: Transaction, queued: Queued) -> Issue:
    id_ = queued.message.id
    if queued.state is DeliveryState.CLAIMED:
        return note(f"message {id_} left before the request was taken back", "left-before")
    transaction.move(id_, DeliveryState.CANCELLED, "the request was taken back")
    return note(f"message {id_} is cancelled", "request-taken-back")


def _messages_of(transaction: Transaction, record: Record) -> list[Queued]:
    queued = transaction.queued(record.patient)
    return [each for each in queued if each.message.about == record.reference]


def _promised(transaction: Transaction, context: Context, asked: _Asked) -> tuple[Issue, ...]:
    _replace_unsent(transaction, asked.record)
    patient = registered_patient(transaction, asked.notification.patient)
    assert patient is not None  # noqa: S101 - keep() has checked the reference
    question = _question(transaction, asked, patient)
    decision = decide(transaction, question, context.region)
    payload = _payload(transaction, context, asked, patient, consent_day(decision))
    message = OutboxMessage(payload.id, "", asked.record.reference, question, payload)
    way = channels.chosen(ways(context, message))
    message = replace(message, destination=_destination(asked.recipient, way))
    state, reason = _first_state(context, message, way)
    promise(transaction, context, message, state, reason, decision)
    told = ", ".join(decision.reasons) if not decision.permitted else reason or "waiting"
    return (note(f"message {message.id} to {asked.recipient.kind}: {told}", "promised"),)


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


def _payload(
    transaction: Transaction, context: Context, asked: _Asked, patient: RegisteredPatient, consented: date | None
) -> PartyMessage:
    notification, caller = asked.notification, asked.caller
    question = {} if asked.answered is None else decode(asked.answered.body).content
    named = (
        notification.certificate or _referenced_certificate(transaction, asked.record) or received.certificate(question)
    )
    certificate = _certificate(transaction, caller.unit, notification.patient, named)
    id_ = context.ids.new()
    return PartyMessage(
        id=id_,
        topic=notification.topic,
        recipient=asked.recipient,
        patient=patient.person,
        sender=_sender(transaction, caller, notification),
        created=transaction.at,
        parts=notification.parts,
        certificate=named or (certificate.id if certificate else ""),
        certificate_unit=certificate.unit if certificate else caller.unit,
        reference=asked.record.id,
        wanted=notification.wanted,
        answers=received.message_id(question),
        their_reference=received.reference(question),
        conversation=_conversation(transaction, asked) or id_,
        consent_given=consented,
        in_programme=notification.in_programme,
        attachments=asked.files,
    )


def _question(transaction: Transaction, asked: _Asked, patient: RegisteredPatient) -> Question:
    return Question(
        patient=asked.notification.patient,
        unit=asked.caller.unit,
        recipient=asked.recipient,
        categories=asked.notification.categories,
        purpose=rules.purpose(asked.notification),
        at=transaction.at,
        basis=LegalBasis.STATUTORY_DUTY if asked.notification.duty else ground_for(asked.recipient),
        protected_identity=patient.protected,
        same_provider=belongs_to(asked.caller.provider, asked.recipient),
        public_provider=asked.caller.provider_is_public,
        ground=_stated(transaction, asked),
        asked_by=asked.caller.employee,
    )


def _stated(transaction: Transaction, asked: _Asked) -> StatedGround | None:
    """Which request an answer on the duty to answer is to, by its sender's own id (domain rule 9)."""
    if not asked.notification.duty or asked.answered is None:
        return None
    request = received.message_id(decode(asked.answered.body).content)
    return StatedGround(asked.caller.employee, transaction.at, asked.notification.duty, request)


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
