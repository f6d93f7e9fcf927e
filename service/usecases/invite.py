"""Others are told of a meeting: invited to it, told of another time or place, told that it is called off.

Each is a request of its own (``CommunicationRequest``) through ``notify``: decided by that party's own consent, withheld where
there is none, visible as a dialogue of its own (domain rules 2, 6). An avstämningsmöte is Försäkringskassan's to call: the unit
asks it for one (rule 19).
"""

from collections.abc import Collection
from dataclasses import replace

from contracts.activity import ActivityKind
from contracts.consent import Recipient
from contracts.dialogue import MessagePart, NextStep, Notification
from contracts.errors import Issue
from contracts.meeting import Meeting, Participant
from contracts.outbox import DeliveryState
from contracts.ports import Transaction
from contracts.record import Caller, Record
from fhir_mappings import dialogue, invitation
from fhir_mappings.document import decode, from_content, with_elements
from service.rules import meeting as rules
from service.usecases.context import Context, Recorded, Write
from service.usecases.follow_dialogue import writer_of
from service.usecases.keeping import any_restricted
from service.usecases.notify import notify

Notes = tuple[Issue, ...]


def invite(
    transaction: Transaction, context: Context, caller: Caller, meeting: Meeting, ids: Collection[str], words: str = ""
) -> tuple[Meeting, Notes]:
    """The meeting with the invitations of the participants named by ``ids``, and what became of each. ``words`` stand in the
    place of the service's own."""
    participants, notes = list(meeting.participants), list[Issue]()
    for place, each in enumerate(meeting.participants):
        if each.id in ids and each.party is not None:
            told = _tell(transaction, context, caller, meeting, each.party, words or _first_words(meeting))
            participants[place] = replace(each, invitation=told.record.reference)
            notes += told.notes
    return replace(meeting, participants=tuple(participants)), tuple(notes)


def tell_change(
    transaction: Transaction, context: Context, caller: Caller, before: Meeting, meeting: Meeting
) -> tuple[Meeting, Notes]:
    """Whoever was invited learns of another time or place: the invitation is corrected while it is unsent, else a new one
    follows it. Where another calls the meeting, that other tells."""
    if meeting.called_by or _when_and_where(before) == _when_and_where(meeting):
        return meeting, ()
    participants, notes = list(meeting.participants), list[Issue]()
    for place, each in enumerate(meeting.participants):
        if each.invitation and each.party is not None and _was_invited(before, each):
            told = _tell_again(transaction, context, caller, meeting, each)
            participants[place] = replace(each, invitation=told.record.reference) if told else each
            notes += told.notes if told else ()
    return replace(meeting, participants=tuple(participants)), tuple(notes)


def call_off(transaction: Transaction, context: Context, caller: Caller, meeting: Meeting) -> Notes:
    """What is unsent is taken back; whoever has been told learns that the meeting is called off. Försäkringskassan calls off
    its own."""
    notes: list[Issue] = []
    for each in meeting.parties:
        if not each.invitation or each.party is None:
            continue
        if _is_unsent(transaction, meeting, each):
            notes += _take_back(transaction, context, caller, each).notes
        elif transaction.was_promised(each.invitation) and not meeting.called_by:
            notes += _tell(transaction, context, caller, meeting, each.party, invitation.called_off(meeting)).notes
    return tuple(notes)


def tells_of_restricted(transaction: Transaction, caller: Caller, meeting: Meeting) -> bool:
    """Whether what the caller makes of the meeting is made of something restricted: never by one who does not see such."""
    return caller.sees_restricted and (meeting.restricted or any_restricted(transaction, meeting.points_at))


def _first_words(meeting: Meeting) -> str:
    return invitation.asked(meeting) if _asks(meeting) else invitation.invited(meeting)


def _asks(meeting: Meeting) -> bool:
    return meeting.kind is ActivityKind.AVSTAMNINGSMOTE


def _when_and_where(meeting: Meeting) -> tuple[object, ...]:
    return meeting.start, meeting.end, meeting.place, meeting.mode


def _was_invited(before: Meeting, participant: Participant) -> bool:
    return any(each.id == participant.id and each.invitation == participant.invitation for each in before.parties)


def _tell(
    transaction: Transaction, context: Context, caller: Caller, meeting: Meeting, party: Recipient, words: str
) -> Recorded:
    said = Notification(
        patient=meeting.patient,
        recipient="",
        topic=rules.TOPICS[meeting.kind],
        parts=(MessagePart(rules.INVITES_WITH, words),),
        wanted=NextStep.MEETING if _asks(meeting) else None,
    )
    content = dialogue.to_fhir(said, party, employee=caller.employee, unit=caller.unit, authored=transaction.at)
    of_restricted = tells_of_restricted(transaction, caller, meeting)
    return notify(transaction, context, Write(caller, from_content(content), of_restricted=of_restricted))


def _tell_again(
    transaction: Transaction, context: Context, caller: Caller, meeting: Meeting, who: Participant
) -> Recorded | None:
    """``None`` where the invitation was taken back by hand: then nothing more is sent."""
    assert who.party is not None  # noqa: S101 - only parties are invited
    if not _is_unsent(transaction, meeting, who):
        if not transaction.was_promised(who.invitation):
            return None
        return _tell(transaction, context, caller, meeting, who.party, invitation.changed(meeting))
    request = _unsent(transaction, who)
    document = decode(request.body)
    payload = [{**document.content["payload"][0], "contentString": invitation.invited(meeting)}]
    corrected = with_elements(document, {"payload": payload})
    of_restricted = tells_of_restricted(transaction, caller, meeting)
    return _rewritten(transaction, context, Write(caller, corrected, request.id, of_restricted=of_restricted), request)


def _take_back(transaction: Transaction, context: Context, caller: Caller, who: Participant) -> Recorded:
    request = _unsent(transaction, who)
    revoked = with_elements(decode(request.body), {"status": "revoked"})
    return _rewritten(transaction, context, Write(caller, revoked, request.id), request)


def _unsent(transaction: Transaction, who: Participant) -> Record:
    request = transaction.read(*who.invitation.split("/"))
    assert request is not None  # noqa: S101 - its message is in the outbox
    return request


def _rewritten(transaction: Transaction, context: Context, write: Write, request: Record) -> Recorded:
    """Whoever changes a meeting changes what was said of it, also in an invitation that has been labelled since: nothing of
    that is told then."""
    told = notify(transaction, context, replace(write, caller=writer_of(write.caller, request)))
    return told if write.caller.may_see(request) else replace(told, notes=())


def _is_unsent(transaction: Transaction, meeting: Meeting, who: Participant) -> bool:
    """Whether nobody can have read the invitation yet."""
    waiting = [each for each in transaction.queued(meeting.patient) if each.message.about == who.invitation]
    return bool(waiting) and not any(each.attempts or each.state is DeliveryState.CLAIMED for each in waiting)
