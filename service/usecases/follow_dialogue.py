"""A dialogue's Task keeps step with what happens: the outbox's moves, the other party's messages, people's steps, the clock.

The Task is the one place that says where a dialogue stands, and its versions are the dialogue's history. The store calls
``messages_moved`` at the end of every piece of work that has promised or moved a message to a party, in the same transaction:
whoever moves one need not think of it.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from contracts.consent import Recipient
from contracts.dialogue import Dialogue, PartyMessage, Standing, Topic
from contracts.identity import HsaId
from contracts.outbox import ANSWERED, DeliveryState, Erased, OutboxMessage, Queued
from contracts.ports import Transaction
from contracts.record import Caller, Record, Right
from contracts.time import swedish_day
from fhir_mappings import dialogue as request_mapping
from fhir_mappings import dialogue_task as mapping
from fhir_mappings import received
from fhir_mappings.dialogue_task import Said
from fhir_mappings.document import decode
from fhir_mappings.identifiers import CONVERSATION_ID
from fhir_mappings.labels import restricted, unrestricted
from service.rules import dialogue as rules
from service.usecases.context import SERVICE, Context, Removal, Write
from service.usecases.keeping import keep, remove

_log = logging.getLogger(__name__)


def service_for(unit: HsaId, provider: HsaId, employee: HsaId | None = None) -> Caller:
    """The service acts: for the person who asked, else for the unit."""
    return Caller(employee or unit, SERVICE, unit, provider, frozenset({Right.FHIR_RESTRICTED}))


def writer_of(caller: Caller, record: Record) -> Caller:
    """Who writes what follows for a record from the caller's deed: the service for the caller, where it is not the caller's to
    see."""
    if caller.may_see(record):
        return caller
    return service_for(caller.unit, caller.provider, caller.employee).asking(caller.request_id)


def service_of(context: Context, unit: HsaId) -> Caller:
    """The service acts for the unit, whose care provider is the one that is known for it."""
    return service_for(unit, context.units.get(unit) or context.provider or unit)


def task_of(transaction: Transaction, conversation: str, unit: HsaId) -> Record | None:
    """The Task of a conversation on the unit."""
    found = transaction.by_token("Task", "group-identifier", CONVERSATION_ID, conversation, unit.value)
    return found[0] if found else None


def task_about(transaction: Transaction, focus: str) -> Record | None:
    """The Task of the dialogue that something (``CommunicationRequest/<id>`` or ``Communication/<id>``) began."""
    about = transaction.by_reference("Task", "focus", focus)
    return next((each for each in about if mapping.is_dialogue(decode(each.body).content)), None)


def conversation_of_request(transaction: Transaction, request: str, answered: Record | None) -> str:
    """The dialogue that a request (``CommunicationRequest/<id>``) belongs to: that of the message which it answers
    (``answered``), else the one that it began; empty when it begins one now."""
    if answered is not None:
        return received.conversation(decode(answered.body).content)
    task = task_about(transaction, request)
    return read(task).conversation if task is not None else ""


def conversation_of(transaction: Transaction, message: OutboxMessage) -> str:
    """The dialogue that a message to a party belongs to; messages from before dialogues were kept are each their own. Where its
    words have been erased its request tells; empty when that is deleted."""
    if isinstance(message.payload, PartyMessage):
        return message.payload.conversation or message.payload.id
    request = transaction.read(*message.about.split("/"))
    if request is None:
        return ""
    answers = request_mapping.answered(decode(request.body).content)
    answered = transaction.read(*answers.split("/")) if answers else None
    return conversation_of_request(transaction, message.about, answered)


def owner(context: Context, unit: HsaId, topic: Topic) -> HsaId | None:
    """Who on the unit is to see to it, where the unit has settled who informs Försäkringskassan; else the unit itself."""
    return context.informs.get(unit) if topic is Topic.ASSUMED_REHAB_NEED else None


def begin(transaction: Transaction, context: Context, caller: Caller, dialogue: Dialogue) -> Record:
    """A dialogue begins."""
    return keep(transaction, context, Write(caller, mapping.to_fhir(dialogue))).record


def move(
    transaction: Transaction,
    context: Context,
    caller: Caller,
    task: Record,
    dialogue: Dialogue,
    said: Sequence[Said] = (),
) -> Record:
    """The dialogue stands as ``dialogue`` says, and has given what is ``said``: a version of its Task, unless nothing is
    new."""
    earlier = decode(task.body)
    news = mapping.changed(earlier, dialogue, said, transaction.at)
    return task if news is earlier else keep(transaction, context, Write(caller, news, task.id)).record


def read(task: Record) -> Dialogue:
    """The dialogue that a Task tells of."""
    return mapping.from_fhir(decode(task.body).content, HsaId(task.unit))


def messages_moved(transaction: Transaction, context: Context) -> None:
    """Bring the Tasks in step with the messages that this transaction has moved. What goes wrong with one undoes nothing of
    what moved the message."""
    moved = transaction.moved_messages()
    newest: dict[str, tuple[Queued, bool]] = {}
    for id_, promised in moved.items():
        queued = transaction.message(id_)
        conversation = conversation_of(transaction, queued.message) if queued is not None else ""
        if queued is not None and conversation:
            was_promised = conversation in newest and newest[conversation][1]
            newest[conversation] = queued, promised or was_promised
    for conversation, (queued, promised) in newest.items():
        error = transaction.attempt(partial(_moved, transaction, context, conversation, queued, promised))
        if error is not None:
            told = {"event": "dialogue.not-followed", "message_id": queued.message.id}
            _log.error("a dialogue could not be followed", exc_info=error, extra=told)


def _moved(transaction: Transaction, context: Context, conversation: str, queued: Queued, promised: bool) -> None:
    message, payload = queued.message, queued.message.payload
    caller = _sender_of(context, message)
    task = task_of(transaction, conversation, message.question.unit)
    if task is None:
        # What is cancelled had its request deleted, and the dialogue with it.
        if isinstance(payload, PartyMessage) and queued.state is not DeliveryState.CANCELLED:
            begin(transaction, context, caller, _begun(transaction, context, queued, payload))
        return
    dialogue = read(task)
    standing = rules.after_delivery(
        dialogue.standing, queued.state, queued.reason, begun_by_them=dialogue.begun_by_them, promised=promised
    )
    # Where a message stands tells nothing of what the Task points at: what has been labelled there since does not hide it.
    mover = caller if task.restricted else replace(caller, rights=frozenset())
    move(transaction, context, mover, task, _stands(transaction, context, dialogue, standing, queued.reason))


def _sender_of(context: Context, message: OutboxMessage) -> Caller:
    if not isinstance(message.payload, PartyMessage):
        return service_of(context, message.question.unit)
    sender = message.payload.sender
    return service_for(sender.unit.id, sender.unit.provider, sender.employee)


def _begun(transaction: Transaction, context: Context, queued: Queued, payload: PartyMessage) -> Dialogue:
    message = queued.message
    standing = rules.after_delivery(None, queued.state, queued.reason, begun_by_them=False, promised=True)
    begun = _new(context, message, payload, standing)
    return _stands(transaction, context, begun, standing, queued.reason)


def _new(context: Context, message: OutboxMessage, payload: PartyMessage, standing: Standing) -> Dialogue:
    return Dialogue(
        patient=message.patient,
        unit=message.question.unit,
        conversation=payload.conversation or payload.id,
        topic=payload.topic,
        party=payload.recipient,
        focus=message.about,
        standing=standing,
        begun=payload.created,
        asked_by=payload.sender.employee,
        owner=owner(context, message.question.unit, payload.topic),
    )


def _stands(
    transaction: Transaction, context: Context, dialogue: Dialogue, standing: Standing, reason: str
) -> Dialogue:
    """The dialogue at another standing: the time for an answer begins when the other party has been told."""
    if standing is dialogue.standing and standing not in rules.UNDER_WAY and standing is not Standing.INFORMED:
        return dialogue
    due = dialogue.due if dialogue.begun_by_them else None
    if standing is Standing.INFORMED:
        due = rules.answer_due(dialogue.party.kind, context.region, swedish_day(transaction.at))
    return replace(dialogue, standing=standing, reason=reason, due=due, urgent=False)


def told_by_certificate(
    transaction: Transaction, context: Context, caller: Caller, request: Record, message: PartyMessage
) -> Record:
    """A certificate was the information under 4 § (domain rule 17): an answer is awaited as to any other. A duty that stood
    open for the patient is done with it; else a dialogue begins."""
    due = rules.answer_due(message.recipient.kind, context.region, swedish_day(transaction.at))
    duty = _open_duty(transaction, caller, request.patient, message.recipient)
    if duty is not None:
        told = replace(read(duty), standing=Standing.INFORMED, due=due, reason="told by the certificate", urgent=False)
        return move(transaction, context, caller, duty, told)
    dialogue = Dialogue(
        patient=request.patient,
        unit=caller.unit,
        conversation=context.ids.new(),
        topic=message.topic,
        party=message.recipient,
        focus=request.reference,
        standing=Standing.INFORMED,
        begun=transaction.at,
        asked_by=caller.employee,
        owner=owner(context, caller.unit, message.topic),
        due=due,
    )
    return begin(transaction, context, caller, dialogue)


def _open_duty(transaction: Transaction, caller: Caller, patient: str, party: Recipient) -> Record | None:
    """The patient's judged need of which nobody has been told, on the caller's unit and the caller's to see."""
    for task in transaction.by_reference("Task", "patient", f"Patient/{patient}"):
        if (
            task.unit != caller.unit.value
            or not caller.may_see(task)
            or not mapping.is_dialogue(decode(task.body).content)
        ):
            continue
        dialogue = read(task)
        is_duty = dialogue.topic is Topic.ASSUMED_REHAB_NEED and dialogue.party.party == party.party
        if is_duty and dialogue.standing in (Standing.CONSENT_TO_ASK, Standing.CONSENT_ASKED):
            return task
    return None


def drafted(transaction: Transaction, context: Context, caller: Caller, request: Record, dialogue: Dialogue) -> None:
    """A need has been judged, and nobody has asked the patient yet: that is a visible task (domain rule 13)."""
    task = task_about(transaction, request.reference)
    if task is None:
        begin(transaction, context, caller, dialogue)
    elif read(task).standing in (Standing.TAKEN_BACK, Standing.CONSENT_REFUSED):
        move(transaction, context, caller, task, replace(read(task), standing=Standing.CONSENT_TO_ASK, reason=""))


def taken_back(transaction: Transaction, context: Context, caller: Caller, request: Record) -> None:
    """The request that began a dialogue was taken back before anything was sent."""
    task = task_about(transaction, request.reference)
    if task is not None and read(task).standing in rules.UNDER_WAY:
        told = replace(read(task), standing=Standing.TAKEN_BACK, reason="the request was taken back", due=None)
        move(transaction, context, caller, task, told)


def relabelled(transaction: Transaction, context: Context, caller: Caller, request: Record) -> None:
    """A request has been labelled as restricted, or is so no more: so is what was sent because of it, and the dialogue that it
    began. What the other party said there is hidden with it; a person alone shows that again."""
    task = task_about(transaction, request.reference)
    found = [*transaction.by_reference("Communication", "based-on", request.reference)]
    if task is not None and request.restricted:
        said = read(task).conversation
        found += transaction.by_token("Communication", "identifier", CONVERSATION_ID, said, task.unit)
    known = {each.reference: each for each in (*found, *([task] if task is not None else ()))}
    for each in known.values():
        if each.restricted is not request.restricted:
            document = (restricted if request.restricted else unrestricted)(decode(each.body))
            keep(transaction, context, Write(caller, document, each.id))


def forget(transaction: Transaction, context: Context, removal: Removal) -> None:
    """The request that began a dialogue is deleted, and nothing was told: so is the dialogue. Its history stays."""
    task = task_about(transaction, f"{removal.type}/{removal.id}")
    if task is not None and read(task).standing in rules.UNDER_WAY:
        remove(transaction, context, Removal(removal.caller, "Task", task.id))


def proved_delivered(transaction: Transaction, message_id: str, party: Recipient) -> Queued | None:
    """A message of ours that the other party answers has arrived, whatever became of our tries: it is not sent again. Answers
    the message; ``None`` when it is none of ours to that party."""
    queued = transaction.message(message_id)
    if queued is None or not was_to(queued.message, party):
        return None
    if queued.state not in (DeliveryState.DELIVERED, DeliveryState.CLAIMED, DeliveryState.CANCELLED):
        transaction.move(message_id, DeliveryState.DELIVERED, _ANSWERED)
        transaction.note_deed(message_id, ANSWERED, _ANSWERED)
    return queued


def was_to(message: OutboxMessage, party: Recipient) -> bool:
    """Whether it is a message to that party, its words erased since or not."""
    is_to_a_party = isinstance(message.payload, PartyMessage | Erased)
    return is_to_a_party and message.question.recipient.party == party.party


_ANSWERED: Final = "the recipient has answered it"
