"""What people on the unit do with a dialogue: ask the patient, read what is to be sent and approve it, choose another way, tell
by telephone or letter, say what an answer means, end it (forsakringskassan.md §§ 6.4-6.5; domain rules 13-15).

Whatever tells the other party something asks the consent rules in the same transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from contracts.activity import ContactMode
from contracts.dialogue import Dialogue, Output, PartyMessage, Says, Standing
from contracts.errors import Conflict, Invalid, Issue, IssueType, NotFound
from contracts.outbox import TOLD, UNSENT, DeliveryState, Queued
from contracts.ports import Transaction
from contracts.record import Access, AccessAction, Caller, Record
from fhir_mappings import dialogue_task, received, wording
from fhir_mappings.dialogue_task import Said
from fhir_mappings.document import decode
from service.rules import channels
from service.rules import dialogue as rules
from service.rules.channels import Choice
from service.usecases import follow_dialogue
from service.usecases.context import Context, Write
from service.usecases.deciding import decide_again
from service.usecases.delivered import delivered
from service.usecases.keeping import keep, tells_of_restricted, visible
from service.usecases.notify import ways
from service.usecases.promising import reasons


@dataclass(frozen=True, slots=True)
class Opened:
    """A dialogue of the caller's unit: its Task, where it stands, and the message of ours that has not been sent, if any."""

    task: Record
    dialogue: Dialogue
    unsent: Queued | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What somebody on the unit was told, and how (by telephone, at a visit ...)."""

    mode: ContactMode
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer means: a no has its reason, a yes names the officer or the next step (domain rule 15)."""

    says: Says
    reason: str = ""
    officer: str = ""
    next_step: str = ""
    follow_up: str = ""
    plan: str = ""
    heard: Heard | None = None


def opened(transaction: Transaction, caller: Caller, id: str) -> Opened:
    """The dialogue with that Task. Raises ``NotFound``, also where what began it, or what waits in it to be told, is not the
    caller's to see."""
    task = visible(transaction, caller, "Task", id)
    if not dialogue_task.is_dialogue(decode(task.body).content):
        raise NotFound(_NO_DIALOGUE)
    dialogue = follow_dialogue.read(task)
    unsent = [
        queued
        for queued in transaction.queued(task.patient)
        if queued.state in (*UNSENT, DeliveryState.WITHHELD)
        and isinstance(queued.message.payload, PartyMessage)
        and (queued.message.payload.conversation or queued.message.payload.id) == dialogue.conversation
    ]
    told_of = (
        transaction.read(*each.split("/")) for each in (dialogue.focus, *(each.message.about for each in unsent))
    )
    if not all(each is None or caller.may_see(each) for each in told_of):
        raise NotFound(_NO_DIALOGUE)
    return Opened(task, dialogue, unsent[-1] if unsent else None)


_NO_DIALOGUE: Final = "there is no such dialogue"


# ---- Where it stands ---------------------------------------------------------------------------------------------


def step(transaction: Transaction, context: Context, caller: Caller, id: str, to: Standing, why: str = "") -> Record:
    """A person says where the dialogue stands now. A refusal takes the unsent message back, and ends the duty (domain rule
    13). What an answer means is said with its reason, as in ``read_answer``: ``why``. Raises ``Conflict`` for a step that cannot
    be taken from there, and ``Invalid`` where why is missing."""
    found = opened(transaction, caller, id)
    _refuse_step(found.dialogue, to)
    for says in (each for each, standing in rules.OF_ANSWER.items() if standing is to):
        _refuse_incomplete(Reading(says, reason=why, next_step=why))
    if to in _STOPPED and found.unsent is not None:
        _stop(transaction, caller, found.unsent, _STOPPED[to])
    return _moved(transaction, context, caller, found, to, reason=why)


_STOPPED: Final = {
    Standing.CONSENT_REFUSED: "the patient has refused",
    Standing.CLOSED: "the dialogue was closed",  # its Task says why, in words that lists of messages do not repeat
}


def read_answer(transaction: Transaction, context: Context, caller: Caller, id: str, reading: Reading) -> Record:
    """A person says what the other party's answer means; one that was ``heard`` is kept as what was said. Raises ``Invalid``
    for a no without a reason and a yes that names neither officer nor next step, and ``Conflict`` as ``step``."""
    found = opened(transaction, caller, id)
    to = rules.OF_ANSWER[reading.says]
    _refuse_step(found.dialogue, to)
    _refuse_incomplete(reading)
    said = []
    if reading.heard is not None:
        said.append(Said(Output.ANSWER, _kept(transaction, context, caller, found, reading.heard).reference))
    told = {
        Output.SAYS: reading.says,
        Output.REASON: reading.reason,
        Output.OFFICER: reading.officer,
        Output.NEXT_STEP: reading.next_step,
        Output.FOLLOW_UP: reading.follow_up,
        Output.PLAN: reading.plan,
    }
    said += [Said(output, value) for output, value in told.items() if value]
    return _moved(transaction, context, caller, found, to, said)


def _refuse_step(dialogue: Dialogue, to: Standing) -> None:
    if not rules.may_step(dialogue.standing, to):
        text = f"a dialogue that is {dialogue.standing} cannot be made {to} by hand"
        raise Conflict(Issue(IssueType.CONFLICT, text, "Task.businessStatus", rule="dialogue-step"))


def _refuse_incomplete(reading: Reading) -> None:
    missing = rules.missing_in_answer(
        reading.says, reason=reading.reason, officer=reading.officer, next_step=reading.next_step
    )
    if missing:
        raise Invalid(Issue(IssueType.REQUIRED, missing, "Task.output", rule="answer-complete"))


def _moved(
    transaction: Transaction,
    context: Context,
    caller: Caller,
    found: Opened,
    to: Standing,
    said: Sequence[Said] = (),
    reason: str = "",
) -> Record:
    due = found.dialogue.due if to is Standing.TO_ANSWER else None
    news = replace(found.dialogue, standing=to, reason=reason, due=due, urgent=False)
    return follow_dialogue.move(transaction, context, caller, found.task, news, said)


def _kept(transaction: Transaction, context: Context, caller: Caller, found: Opened, heard: Heard) -> Record:
    document = received.heard(
        sender=found.dialogue.party,
        unit=caller.unit,
        listener=caller.employee,
        patient=found.dialogue.patient,
        topic=found.dialogue.topic,
        conversation=found.dialogue.conversation,
        mode=_MODES[heard.mode],
        at=heard.at,
        text=heard.text,
    )
    of_restricted = caller.sees_restricted and tells_of_restricted(transaction, found.task)
    return keep(transaction, context, Write(caller, document, of_restricted=of_restricted)).record


_MODES: Final = {
    ContactMode.VISIT: "FACE",
    ContactMode.TELEPHONE: "PHONE",
    ContactMode.VIDEO: "VIDEOCONF",
    ContactMode.LETTER: "MAILWRIT",
    ContactMode.MESSAGE: "ELECTRONIC",
}
"""How somebody was told or heard, as v3-ParticipationMode says it."""


# ---- What has not been sent --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """What the other party would read, as it will be sent, and the ways there. ``refused``: why it may not be sent now."""

    text: str
    channel: str
    state: DeliveryState
    ways: tuple[Choice, ...]
    refused: str
    message: PartyMessage


def preview(
    transaction: Transaction, context: Context, caller: Caller, id: str, action: AccessAction = AccessAction.READ
) -> Preview:
    """The unsent message of a dialogue, word for word. Raises ``NotFound`` when there is none."""
    found = opened(transaction, caller, id)
    queued, payload = _unsent(found)
    transaction.log_access(Access(caller, action, found.task.patient, found.task.reference, "dialogue-preview"))
    decision = decide_again(transaction, queued.message.question, context.region)
    return Preview(
        wording.text(payload),
        queued.message.destination,
        queued.state,
        ways(context, queued.message),
        "" if decision.permitted else reasons(decision),
        payload,
    )


def approve(transaction: Transaction, context: Context, caller: Caller, id: str) -> Record:
    """Somebody on the unit has read it: it may be sent. Consent is asked again when it is claimed."""
    queued, _ = _unsent(opened(transaction, caller, id))
    if queued.state is not DeliveryState.NEEDS_APPROVAL:
        raise Conflict(f"a message that is {queued.state} waits for nobody's approval")
    _do(transaction, queued.message.id, DeliveryState.WAITING, f"approved by {caller.employee}", "approved")
    return _after(transaction, context, caller, id)


def choose(transaction: Transaction, context: Context, caller: Caller, id: str, channel: str) -> Record:
    """Send it by another way than the one that could not carry it. Raises ``Conflict`` when that way cannot either."""
    queued, _ = _unsent(opened(transaction, caller, id))
    way = next((each for each in ways(context, queued.message) if each.channel == channel), None)
    if way is None or not way.usable:
        raise Conflict(way.reason if way else "there is no such way to this recipient")
    _refuse_forbidden(transaction, context, queued)
    state = _after_choice(context, queued, channel)
    reason = f"{channel} chosen by {caller.employee}"
    where = channels.waits_at(queued.message.question.recipient.kind) if channel == channels.MANUAL else channel
    transaction.fix(replace(queued.message, destination=where), state, reason)
    transaction.note_deed(queued.message.id, "other channel", reason)
    return _after(transaction, context, caller, id)


_UNREAD: Final = (DeliveryState.NEEDS_APPROVAL, DeliveryState.NEEDS_OTHER_CHANNEL, DeliveryState.WITHHELD)


def _after_choice(context: Context, queued: Queued, channel: str) -> DeliveryState:
    """Another way is no approval: what somebody was to read first is still to be read."""
    if channel == channels.MANUAL:
        return DeliveryState.NEEDS_OTHER_CHANNEL
    unread = queued.state in _UNREAD and queued.message.question.unit in context.approving
    return DeliveryState.NEEDS_APPROVAL if unread else DeliveryState.WAITING


def tell(transaction: Transaction, context: Context, caller: Caller, id: str, mode: ContactMode) -> Record:
    """A person has told the other party: by telephone, letter or at a meeting. Kept and coded like what a system delivers.
    Raises ``Conflict`` when the consent rules say no."""
    queued, _ = _unsent(opened(transaction, caller, id))
    _refuse_forbidden(transaction, context, queued)
    _do(transaction, queued.message.id, DeliveryState.DELIVERED, f"told by {mode} by {caller.employee}", TOLD)
    delivered(transaction, context, queued.message, mode)
    return _after(transaction, context, caller, id)


def _unsent(found: Opened) -> tuple[Queued, PartyMessage]:
    if found.unsent is None:
        raise NotFound("nothing in this dialogue waits to be sent")
    payload = found.unsent.message.payload
    assert isinstance(payload, PartyMessage)  # noqa: S101 - only these are in a dialogue
    return found.unsent, payload


def _refuse_forbidden(transaction: Transaction, context: Context, queued: Queued) -> None:
    decision = decide_again(transaction, queued.message.question, context.region)
    transaction.note_decision(decision, queued.message.about)
    if not decision.permitted:
        raise Conflict(f"it may not be told: {reasons(decision)}")


def _stop(transaction: Transaction, caller: Caller, queued: Queued, why: str) -> None:
    _do(transaction, queued.message.id, DeliveryState.CANCELLED, f"{why} ({caller.employee})", "cancelled")


def _do(transaction: Transaction, id: str, to: DeliveryState, reason: str, deed: str) -> None:
    transaction.move(id, to, reason)
    transaction.note_deed(id, deed, reason)


def _after(transaction: Transaction, context: Context, caller: Caller, id: str) -> Record:
    """The Task as it stands once the message has moved."""
    follow_dialogue.messages_moved(transaction, context)
    return visible(transaction, caller, "Task", id)
