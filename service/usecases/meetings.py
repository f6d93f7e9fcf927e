"""Meetings for those who write no FHIR: plan, change, hold, cancel, and give others what was written there. Each makes the Task
that says it, and the same story runs (``record_meeting``)."""

from collections.abc import Callable, Collection
from dataclasses import replace

from contracts.activity import Identifier
from contracts.consent import InformationCategory, Purpose, Question, Recipient
from contracts.errors import Conflict, Invalid, Issue, IssueType, NotFound
from contracts.meeting import Meeting, Shared
from contracts.ports import Transaction
from contracts.record import Caller, Record
from fhir_mappings import meeting_task, primitives
from fhir_mappings.document import decode
from fhir_mappings.identifiers import HSA_ID
from service.rules import meeting as rules
from service.usecases import follow_dialogue
from service.usecases.context import Context, Recorded, Write
from service.usecases.deciding import belongs_to, decide, ground_for, is_protected
from service.usecases.invite import invite
from service.usecases.keeping import keep, unchanged, visible
from service.usecases.promising import reasons
from service.usecases.record_meeting import read, record_meeting


def plan(
    transaction: Transaction,
    context: Context,
    caller: Caller,
    meeting: Meeting,
    invited: Collection[str] = (),
    words: str = "",
    identifier: Identifier | None = None,
) -> Recorded:
    """A new meeting. ``invited`` are the participants to whom something is sent, in ``words`` if there are any. What is there
    under the ``identifier`` already is answered, and nobody is invited again. Raises ``Conflict`` where that is not the caller's
    to see."""
    known = _known(transaction, caller, identifier)
    if known is not None:
        return unchanged(transaction, caller, known)
    told, notes = _invited(transaction, context, caller, meeting, invited, words)
    unit = primitives.logical(HSA_ID, caller.unit.value, "Organization")
    document = meeting_task.to_fhir(told, unit=unit, authored=transaction.at, identifier=identifier)
    return _recorded(transaction, context, Write(caller, document), notes)


def change(
    transaction: Transaction,
    context: Context,
    caller: Caller,
    id: str,
    anew: Callable[[Meeting], Meeting],
    invited: Collection[str] = (),
    words: str = "",
) -> Recorded:
    """The meeting as ``anew`` makes it of what it was. Raises ``NotFound``, and as ``record_meeting``."""
    record, before = opened(transaction, caller, id)
    told, notes = _invited(transaction, context, caller, anew(before), invited, words)
    document = meeting_task.changed(decode(record.body), told, transaction.at)
    return _recorded(transaction, context, Write(caller, document, id), notes)


def share(
    transaction: Transaction,
    context: Context,
    caller: Caller,
    id: str,
    document: str,
    to: Recipient | None,
    categories: frozenset[InformationCategory],
) -> Recorded:
    """A person gives somebody a document of the meeting: asked of the consent rules by what it tells (``categories``), and noted
    with the ground. ``to`` is ``None`` for the patient. Raises ``Conflict`` when the rules say no."""
    record, meeting = opened(transaction, caller, id)
    issues = rules.wrong_share(meeting, document, to.kind if to else None)
    if issues:
        raise Invalid(*issues)
    if to is not None:
        _refuse_forbidden(transaction, context, caller, record, to, categories)
    given = Shared(document, to, None if to is None else ground_for(to), transaction.at)
    told = replace(meeting, shared=(*meeting.shared, given))
    news = meeting_task.changed(decode(record.body), told, transaction.at)
    return keep(transaction, context, Write(caller, news, id))


def opened(transaction: Transaction, caller: Caller, id: str) -> tuple[Record, Meeting]:
    """A meeting of the caller's unit. Raises ``NotFound``."""
    record = visible(transaction, caller, "Task", id)
    meeting = read(transaction, record)
    if meeting is None:
        raise NotFound("there is no such meeting")
    return record, meeting


def _known(transaction: Transaction, caller: Caller, identifier: Identifier | None) -> Record | None:
    if identifier is None:
        return None
    found = transaction.by_token("Task", "identifier", identifier.system, identifier.value, caller.unit.value)
    known = next((each for each in found if read(transaction, each) is not None), None)
    if known is not None and not caller.may_see(known):
        text = "something that is restricted has this identifier already"
        raise Conflict(Issue(IssueType.DUPLICATE, text, "Task.identifier"))
    return known


def _invited(
    transaction: Transaction, context: Context, caller: Caller, meeting: Meeting, ids: Collection[str], words: str
) -> tuple[Meeting, tuple[Issue, ...]]:
    """What cannot stand, or may not be, is refused before anything is asked to be told."""
    if any(each.id in ids and (each.party is None or each.invitation) for each in meeting.participants):
        text = "parties are invited, each once; whoever was invited learns by itself of another time or place"
        raise Invalid(Issue(IssueType.BUSINESS_RULE, text, "Task.input", rule="meeting-invited"))
    supposed = tuple(replace(each, invitation="-") if each.id in ids else each for each in meeting.participants)
    issues = rules.faults(replace(meeting, participants=supposed), transaction.at)
    if issues:
        raise Invalid(*issues)
    return invite(transaction, context, caller, meeting, ids, words)


def _recorded(transaction: Transaction, context: Context, write: Write, notes: tuple[Issue, ...]) -> Recorded:
    recorded = record_meeting(transaction, context, write)
    follow_dialogue.messages_moved(transaction, context)  # so that the answer tells where each invitation stands
    return replace(recorded, notes=(*notes, *recorded.notes))


def _refuse_forbidden(
    transaction: Transaction,
    context: Context,
    caller: Caller,
    record: Record,
    to: Recipient,
    categories: frozenset[InformationCategory],
) -> None:
    question = Question(
        patient=record.patient,
        unit=caller.unit,
        recipient=to,
        categories=categories,
        purpose=Purpose.COORDINATION,
        at=transaction.at,
        basis=ground_for(to),
        protected_identity=is_protected(transaction, record.patient),
        same_provider=belongs_to(caller.provider, to),
        asked_by=caller.employee,
    )
    decision = decide(transaction, question, context.region)
    transaction.note_decision(decision, record.reference)
    if not decision.permitted:
        raise Conflict(f"it may not be shared: {reasons(decision)}")
