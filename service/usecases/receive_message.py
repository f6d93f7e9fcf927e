"""Another party says something: an answer, a question, a complement of a certificate, a reminder (forsakringskassan.md § 1.7;
domain rules 5, 16).

It is never refused for lack of consent, and kept once, however often it comes. What it answers is found by the message's id,
whatever the outbox believes: an answer that comes before the acknowledgement proves that our message arrived. What a sender
cannot be told is wrong (a message from a mailbox) is kept all the same, for a person to sort.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts.dialogue import (
    Dialogue,
    NotTaken,
    Output,
    PartyMessage,
    Receipt,
    ReceivedMessage,
    Refusal,
    Standing,
    Taken,
    Topic,
)
from contracts.identity import BadIdentity, HsaId
from contracts.outbox import Queued
from contracts.ports import Transaction
from contracts.record import Caller, Document, Record
from contracts.sick_leave import Certificate
from fhir_mappings import received as mapping
from fhir_mappings.dialogue_task import Said
from fhir_mappings.document import decode
from fhir_mappings.identifiers import MESSAGE_ID, person_system
from service.rules import dialogue as rules
from service.rules.dialogue import Happened
from service.usecases import follow_dialogue
from service.usecases.context import Context, Write
from service.usecases.deciding import registered_patient
from service.usecases.delivered import delivered
from service.usecases.follow_dialogue import service_for
from service.usecases.keeping import keep, tells_of_restricted


@dataclass(frozen=True, slots=True)
class _Asked:
    """Our message that it answers. ``topic`` is ``None`` where nothing tells it any more."""

    id: str
    conversation: str
    topic: Topic | None


@dataclass(frozen=True, slots=True)
class _Tied:
    """What a message belongs to, as far as that is known here."""

    unit: HsaId
    provider: HsaId
    patient: str = ""
    certificate: Certificate | None = None
    answered: Queued | None = None
    asked: _Asked | None = None
    reminded: Record | None = None
    earlier: Record | None = None

    @property
    def caller(self) -> Caller:
        """The service keeps it for the unit."""
        return service_for(self.unit, self.provider)


def receive(transaction: Transaction, context: Context, message: ReceivedMessage, *, refusable: bool = True) -> Receipt:
    """Keep it and move its dialogue. ``refusable``: the sender is told what is wrong; otherwise everything is kept, and what
    belongs to no known patient waits to be sorted."""
    tied = _tied(transaction, context, message)
    if tied is None:
        return NotTaken((Refusal.UNIT_UNKNOWN,))
    if tied.earlier is not None:
        content = _communication(transaction, tied, message, [""] * len(message.attachments)).content
        same = mapping.says_the_same(content, decode(tied.earlier.body).content)
        return Taken(again=True) if same or not refusable else NotTaken((Refusal.ID_TAKEN,))
    refusals = _refusals(transaction, tied, message) if refusable else ()
    if refusals:
        return NotTaken(refusals)
    _keep(transaction, context, tied, message)
    return Taken()


# ---- What it belongs to ------------------------------------------------------------------------------------------


def _tied(transaction: Transaction, context: Context, message: ReceivedMessage) -> _Tied | None:
    """``None`` when it is for nobody who is served here."""
    answered = transaction.message(message.answers) if message.answers else None
    units = transaction.units_of_certificate(message.certificate) if message.certificate else ()
    unit, patient, certificate = _by_certificate(message, answered, units)
    unit = unit or (answered.message.question.unit if answered else None) or message.unit
    provider = _provider(context, unit, answered, certificate)
    if provider is None:
        return None
    return _Tied(
        unit=unit,
        provider=provider,
        patient=patient or (answered.message.patient if answered else "") or _by_number(transaction, unit, message),
        certificate=certificate,
        answered=answered,
        asked=_asked(transaction, answered, message),
        reminded=_known(transaction, unit, message.reminds_of),
        earlier=_known(transaction, unit, message.id),
    )


def _asked(transaction: Transaction, answered: Queued | None, message: ReceivedMessage) -> _Asked | None:
    """``None`` for a message that was to somebody else."""
    if answered is None or not follow_dialogue.was_to(answered.message, message.sender):
        return None
    id_, payload = answered.message.id, answered.message.payload
    conversation = follow_dialogue.conversation_of(transaction, answered.message) or id_
    if isinstance(payload, PartyMessage):
        return _Asked(id_, conversation, payload.topic)
    task = follow_dialogue.task_of(transaction, conversation, answered.message.question.unit)
    return _Asked(id_, conversation, follow_dialogue.read(task).topic if task is not None else None)


_Pulled = Sequence[tuple[str, str, Certificate]]


def _by_certificate(
    message: ReceivedMessage, answered: Queued | None, units: _Pulled
) -> tuple[HsaId | None, str, Certificate | None]:
    """The care unit that has pulled the certificate: the one that our message was from, else the one that is named, or whose
    mottagning is."""
    asker = answered.message.question.unit if answered else None
    fit = [each for each in units if HsaId(each[0]) in (asker, message.unit)]
    fit = fit or [each for each in units if each[2].unit == message.unit]
    if not fit:
        return None, "", None
    unit, patient, certificate = fit[0]
    return HsaId(unit), patient, certificate


def _provider(context: Context, unit: HsaId, answered: Queued | None, certificate: Certificate | None) -> HsaId | None:
    """The care provider of a unit that is served here; ``None`` for any other."""
    if unit in context.units:
        return context.units[unit]
    payload = answered.message.payload if answered else None
    if isinstance(payload, PartyMessage):
        return payload.sender.unit.provider
    return (certificate.provider or context.provider) if certificate is not None else None


def _by_number(transaction: Transaction, unit: HsaId, message: ReceivedMessage) -> str:
    if message.patient is None:
        return ""
    system = person_system(message.patient).fhir
    found = transaction.by_token("Patient", "identifier", system, message.patient.digits, unit.value)
    return found[0].id if found else ""


def _known(transaction: Transaction, unit: HsaId, id: str) -> Record | None:
    """A message that has come to the unit before, by its sender's id."""
    found = transaction.by_token("Communication", "identifier", MESSAGE_ID, id, unit.value) if id else ()
    return next((each for each in found if "received" in decode(each.body).content), None)


# ---- The state rules ---------------------------------------------------------------------------------------------


def _refusals(transaction: Transaction, tied: _Tied, message: ReceivedMessage) -> tuple[Refusal, ...]:
    form = rules.refusals_of_form(
        message.topic,
        is_answer=bool(message.answers),
        is_reminder=bool(message.reminds_of),
        has_complements=bool(message.complements),
        has_last_day=message.answer_before is not None,
    )
    topic = tied.asked.topic if tied.asked else None
    wrong = {
        Refusal.ANSWERED_UNKNOWN: bool(message.answers) and tied.asked is None,
        Refusal.REMINDED_UNKNOWN: bool(message.reminds_of) and tied.reminded is None,
        Refusal.TOPIC_DIFFERS: topic is not None and rules.answers_another_topic(topic, message.topic),
        Refusal.PATIENT_UNKNOWN: not tied.patient,
        Refusal.OTHER_PATIENT: bool(tied.patient) and not _is_patient(transaction, tied, message),
    }
    return (*form, *(refusal for refusal, is_so in wrong.items() if is_so))


def _is_patient(transaction: Transaction, tied: _Tied, message: ReceivedMessage) -> bool:
    if message.patient is None:
        return True
    if tied.certificate is not None:
        return tied.certificate.patient == message.patient
    known = registered_patient(transaction, tied.patient)
    return known is not None and known.person in (None, message.patient)


# ---- Keeping it --------------------------------------------------------------------------------------------------


def _keep(transaction: Transaction, context: Context, tied: _Tied, message: ReceivedMessage) -> None:
    if tied.asked is not None and tied.answered is not None:
        follow_dialogue.proved_delivered(transaction, tied.asked.id, message.sender)
        delivered(transaction, context, tied.answered.message)
    of_restricted = _is_of_restricted(transaction, tied, message)

    def kept_as(document: Document) -> Record:
        return keep(transaction, context, Write(tied.caller, document, of_restricted=of_restricted)).record

    files = [kept_as(mapping.binary(each, tied.patient)).reference for each in message.attachments]
    kept = kept_as(_communication(transaction, tied, message, files))
    if tied.patient:
        _move(transaction, context, tied, message, kept)


def _is_of_restricted(transaction: Transaction, tied: _Tied, message: ReceivedMessage) -> bool:
    """Whether it comes in a dialogue that is restricted, or on a message that is."""
    task = follow_dialogue.task_of(transaction, _conversation(tied, message), tied.unit)
    ours = tied.asked and _sent(transaction, tied.unit, tied.asked.id)
    earlier = (each for each in (task, ours, tied.reminded) if each)
    return any(tells_of_restricted(transaction, each) for each in earlier)


def _communication(transaction: Transaction, tied: _Tied, message: ReceivedMessage, files: Sequence[str]) -> Document:
    ours = tied.asked and _sent(transaction, tied.unit, tied.asked.id)
    return mapping.communication(
        message,
        at=transaction.at,
        unit=tied.unit,
        patient=tied.patient,
        conversation=_conversation(tied, message),
        answers=ours.reference if ours else "",
        about=[tied.reminded.reference] if tied.reminded else [],
        attachments=files,
    )


def _sent(transaction: Transaction, unit: HsaId, id: str) -> Record | None:
    found = transaction.by_token("Communication", "identifier", MESSAGE_ID, id, unit.value)
    return found[0] if found else None


def _conversation(tied: _Tied, message: ReceivedMessage) -> str:
    """That of what it answers or reminds of, else its own."""
    if tied.asked is not None:
        return tied.asked.conversation
    if tied.reminded is not None:
        return mapping.conversation(decode(tied.reminded.body).content)
    return message.conversation or message.id


def _move(transaction: Transaction, context: Context, tied: _Tied, message: ReceivedMessage, kept: Record) -> None:
    task = follow_dialogue.task_of(transaction, _conversation(tied, message), tied.unit)
    if task is None:
        follow_dialogue.begin(transaction, context, tied.caller, _begun(tied, message, kept))
        return
    event = Happened.REMINDED if message.reminds_of else Happened.ANSWER_CAME
    dialogue = follow_dialogue.read(task)
    news = replace(
        dialogue,
        standing=rules.after(dialogue.standing, event),
        urgent=event is Happened.REMINDED,
        due=message.answer_before or (dialogue.due if event is Happened.REMINDED else None),
        reason="",
    )
    output = Output.REMINDED if event is Happened.REMINDED else Output.ANSWER
    follow_dialogue.move(transaction, context, tied.caller, task, news, [Said(output, kept.reference)])


def _begun(tied: _Tied, message: ReceivedMessage, kept: Record) -> Dialogue:
    """A question of theirs begins a dialogue; what complements a certificate is its doctor's to answer (domain rule 16)."""
    is_complement = message.topic is Topic.COMPLEMENT
    return Dialogue(
        patient=tied.patient,
        unit=tied.unit,
        conversation=_conversation(tied, message),
        topic=message.topic or Topic.OTHER,
        party=message.sender,
        focus=kept.reference,
        standing=Standing.WITH_THE_DOCTOR if is_complement else Standing.TO_ANSWER,
        begun=message.sent,
        owner=_doctor(tied.certificate) if is_complement else None,
        due=message.answer_before,
    )


def _doctor(certificate: Certificate | None) -> HsaId | None:
    """Who issued the certificate, where the feed tells of her by a right number."""
    try:
        return HsaId(certificate.doctor) if certificate is not None and certificate.doctor else None
    except BadIdentity:
        return None
