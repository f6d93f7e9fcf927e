"""A meeting with other parties is recorded: planned, changed, held, cancelled, whoever writes it (glossary 19-25; domain rules 19,
23, 24, 30).

The Task is the meeting, its versions are its history. When it has been held, the occasion is recorded and coded once; when it
moves or is called off, whoever was invited is told. All of it is one transaction.
"""

from dataclasses import replace

from contracts.activity import ActivityStatus, CoordinationActivity, Identifier
from contracts.dialogue import Output, Standing
from contracts.errors import Conflict, Invalid, Issue, IssueType, note
from contracts.meeting import Meeting, MeetingStatus
from contracts.plan import FollowUp, PlanKind
from contracts.ports import Transaction
from contracts.record import Caller, Record
from fhir_mappings import activity as activity_mapping
from fhir_mappings import dialogue_task, meeting_task, primitives
from fhir_mappings import meeting as mapping
from fhir_mappings.dialogue_task import Said
from fhir_mappings.document import decode, from_content
from fhir_mappings.follow_up import with_follow_up
from fhir_mappings.identifiers import MEETING_ID, PLAN_KIND
from service.rules import dialogue as dialogue_rules
from service.rules import meeting as rules
from service.usecases import follow_dialogue, invite
from service.usecases.context import Context, Recorded, Removal, Write
from service.usecases.deciding import party_finder
from service.usecases.keeping import current, keep, remove
from service.usecases.record_activity import record_activity
from service.usecases.record_plan import record_plan


def record_meeting(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Judge the meeting, do what follows from it, and keep it. Raises ``Invalid`` with every rule that it breaks, and
    ``Conflict`` for a step that it cannot take."""
    earlier = current(transaction, write) if write.id else None
    before = None if earlier is None else read(transaction, earlier)
    meeting = mapping.from_fhir(write.document.content, party_finder(transaction))
    _refuse_step(meeting, before)
    _refuse_made_here(meeting, before)
    _refuse_faults(transaction, write, meeting, before)
    id_ = write.id or write.fresh or context.ids.new()
    told, notes = _followed(transaction, context, write.caller, id_, meeting, before)
    document = write.document if told == meeting else meeting_task.changed(write.document, told, transaction.at)
    kept = keep(transaction, context, replace(write, document=document, fresh=id_))
    if kept.changed:
        _tell_dialogue(transaction, context, write.caller, kept.record, told)
        notes += _plan_follow_up(transaction, context, write.caller, told, before)
    return replace(kept, notes=(*kept.notes, *notes))


def remove_meeting(transaction: Transaction, context: Context, removal: Removal) -> Recorded:
    """Delete a meeting that came to nothing. One that others know of is cancelled, one that was held is marked as entered in
    error: raises ``Conflict``."""
    record = transaction.read("Task", removal.id)
    meeting = read(transaction, record) if record is not None and removal.caller.may_see(record) else None
    known = meeting and (meeting.activity or meeting.dialogue or any(each.invitation for each in meeting.parties))
    if known:
        text = "others know of this meeting, or it was held: cancel it, or mark it as entered in error"
        raise Conflict(Issue(IssueType.CONFLICT, text, "Task", rule="meeting-known"))
    return remove(transaction, context, removal)


def read(transaction: Transaction, record: Record) -> Meeting | None:
    """The meeting that a stored Task tells of; ``None`` when it tells of none, as one may that was stored before meetings had a
    profile."""
    content = decode(record.body).content
    if not mapping.is_meeting(content):
        return None
    try:
        return mapping.from_fhir(content, party_finder(transaction))
    except Invalid:
        return None


# ---- What is refused ---------------------------------------------------------------------------------------------


def _refuse_step(meeting: Meeting, before: Meeting | None) -> None:
    status = None if before is None else before.status
    if not rules.may_become(status, meeting.status):
        text = f"a meeting that is {status or 'new'} cannot become {meeting.status}"
        raise Conflict(Issue(IssueType.CONFLICT, text, "Task.status", rule="meeting-step"))
    if before is not None and before.kind is not meeting.kind:
        text = "a meeting stays of its kind: cancel it, and plan another"
        raise Conflict(Issue(IssueType.CONFLICT, text, "Task.code", rule="meeting-step"))
    if status is MeetingStatus.COMPLETED and before is not None and _coded_by(before) != _coded_by(meeting):
        text = "when and what a meeting was has been coded: mark it as entered in error, and write a new one"
        raise Conflict(Issue(IssueType.CONFLICT, text, "Task", rule="meeting-step"))


def _coded_by(meeting: Meeting) -> tuple[object, ...]:
    return rules.kinds(meeting), meeting.start, meeting.mode, meeting.with_sick_leave


def _refuse_made_here(meeting: Meeting, before: Meeting | None) -> None:
    """Whom documentation was given to, and what was coded, is for the service to say."""
    known = (before.activity, before.shared) if before else ("", ())
    if meeting.activity not in ("", known[0]) or meeting.shared != known[1]:
        text = "the activity and what was shared are noted by the service alone"
        raise Conflict(Issue(IssueType.BUSINESS_RULE, text, "Task.output", rule="made-by-the-service"))


def _refuse_faults(transaction: Transaction, write: Write, meeting: Meeting, before: Meeting | None) -> None:
    issues = [
        *rules.faults(meeting, transaction.at),
        *_of_others(transaction, write, meeting),
        *_wrong_plan(transaction, meeting),
        *_wrong_dialogue(transaction, write, meeting, before),
    ]
    if issues:
        raise Invalid(*issues)


def _of_others(transaction: Transaction, write: Write, meeting: Meeting) -> list[Issue]:
    """What a meeting points at is the same patient's. That it is there is asked when the Task is kept."""
    records = (transaction.read(*each.split("/")) for each in meeting.points_at)
    seen = (each for each in records if each is not None and write.caller.may_see(each))
    text = "what a meeting points at is about its own patient"
    return [
        Issue(IssueType.BUSINESS_RULE, text, "Task", rule="same-patient")
        for each in seen
        if each.patient not in ("", meeting.patient)
    ]


def _wrong_plan(transaction: Transaction, meeting: Meeting) -> tuple[Issue, ...]:
    record = transaction.read(*meeting.plan.split("/")) if meeting.plan else None
    if record is None:
        return ()
    found = primitives.codes(decode(record.body).content["category"], "", PLAN_KIND)
    return rules.wrong_plan(meeting, PlanKind(found[0][0])) if found else ()


def _wrong_dialogue(
    transaction: Transaction, write: Write, meeting: Meeting, before: Meeting | None
) -> tuple[Issue, ...]:
    """A meeting comes out of a dialogue with one who takes part, and who has said something there."""
    is_known = before is not None and before.dialogue == meeting.dialogue
    record = transaction.read(*meeting.dialogue.split("/")) if meeting.dialogue and not is_known else None
    if record is None or not write.caller.may_see(record):
        return ()
    if dialogue_task.is_dialogue(decode(record.body).content):
        found = follow_dialogue.read(record)
        parties = {each.party.party for each in meeting.parties if each.party is not None}
        if found.party.party in parties and dialogue_rules.may_meet(found.standing, begun_by_them=found.begun_by_them):
            return ()
    text = "a meeting comes out of a dialogue with a party that takes part, and that has been told or has asked"
    return (Issue(IssueType.BUSINESS_RULE, text, "Task.partOf", rule="meeting-dialogue"),)


# ---- What follows ------------------------------------------------------------------------------------------------


def _followed(
    transaction: Transaction, context: Context, caller: Caller, id: str, meeting: Meeting, before: Meeting | None
) -> tuple[Meeting, tuple[Issue, ...]]:
    """The meeting with what comes of its new state, and what is worth telling of that."""
    if meeting.status is MeetingStatus.COMPLETED:
        return _held(transaction, context, caller, id, meeting, before)
    if before is None or not before.is_open:
        return meeting, ()
    if meeting.is_open:
        return invite.tell_change(transaction, context, caller, before, meeting)
    return meeting, invite.call_off(transaction, context, caller, meeting)


def _held(
    transaction: Transaction, context: Context, caller: Caller, id: str, meeting: Meeting, before: Meeting | None
) -> tuple[Meeting, tuple[Issue, ...]]:
    """One occasion, recorded and coded once (rule 23)."""
    if before is not None and before.activity:
        return replace(meeting, activity=before.activity), ()
    activity = CoordinationActivity(
        patient=meeting.patient,
        kinds=rules.kinds(meeting),
        status=ActivityStatus.COMPLETED,
        performed=meeting.start,
        mode=meeting.mode,
        with_sick_leave=meeting.with_sick_leave,
        identifiers=(Identifier(MEETING_ID, id),),
    )
    content = activity_mapping.to_fhir(activity, employee=caller.employee, unit=caller.unit)
    plan = transaction.read(*meeting.plan.split("/")) if meeting.plan else None
    if plan is not None and caller.may_see(plan):  # what is new points at nothing that its writer does not see
        content["basedOn"] = [{"reference": meeting.plan}]
    of_restricted = invite.tells_of_restricted(transaction, caller, meeting)
    act = Write(caller, from_content(content), of_restricted=of_restricted)
    recorded = record_activity(transaction, context, act)
    return replace(meeting, activity=recorded.record.reference), recorded.notes


def _tell_dialogue(
    transaction: Transaction, context: Context, caller: Caller, record: Record, meeting: Meeting
) -> None:
    """The dialogue that it came out of tells of the meeting and of what was agreed. A question of theirs stays one until the
    unit has answered it."""
    task = transaction.read(*meeting.dialogue.split("/")) if meeting.dialogue else None
    if task is None:
        return
    dialogue = follow_dialogue.read(task)
    if meeting.is_open and dialogue_rules.may_step(dialogue.standing, Standing.MEETING_PLANNED):
        dialogue = replace(dialogue, standing=Standing.MEETING_PLANNED, reason="", due=None, urgent=False)
    if meeting.status is MeetingStatus.CANCELLED and dialogue.standing is Standing.MEETING_PLANNED:
        dialogue = replace(dialogue, reason="the meeting was cancelled")
    known = dialogue_task.said(decode(task.body).content)
    said = [each for each in _said(record, meeting) if each not in known]
    follow_dialogue.move(transaction, context, follow_dialogue.writer_of(caller, task), task, dialogue, said)


def _said(record: Record, meeting: Meeting) -> list[Said]:
    agreed = meeting.follow_up
    told = {
        Output.MEETING: record.reference,
        Output.FOLLOW_UP: f"{agreed.how} {agreed.on or ''}".strip() if agreed else "",
        Output.PLAN: meeting.plan,
    }
    return [Said(output, value) for output, value in told.items() if value]


def _plan_follow_up(
    transaction: Transaction, context: Context, caller: Caller, meeting: Meeting, before: Meeting | None
) -> tuple[Issue, ...]:
    """The day that was agreed stands in the linked plan too, once. What is wrong with a plan undoes no meeting."""
    agreed = meeting.follow_up
    known = (before.plan, before.follow_up, before.status) if before else ()
    if known == (meeting.plan, agreed, meeting.status) or meeting.status is not MeetingStatus.COMPLETED:
        return ()
    record = transaction.read(*meeting.plan.split("/")) if meeting.plan and agreed and agreed.on else None
    if record is None or agreed is None or agreed.on is None:
        return ()
    follow_up, of_restricted = FollowUp(agreed.on, agreed.how), invite.tells_of_restricted(transaction, caller, meeting)
    writer = follow_dialogue.writer_of(caller, record)
    notes = _planned(transaction, context, writer, record, follow_up, of_restricted=of_restricted)
    return notes if caller.may_see(record) else ()


def _planned(
    transaction: Transaction,
    context: Context,
    writer: Caller,
    record: Record,
    follow_up: FollowUp,
    *,
    of_restricted: bool,
) -> tuple[Issue, ...]:
    earlier = decode(record.body)
    if earlier.content["status"] not in ("active", "draft", "on-hold"):
        return (note("the linked plan is over: the agreed day stands in the meeting alone", "plan-follow-up"),)
    try:
        planned = with_follow_up(earlier, follow_up)
        if planned is earlier:
            return ()
        record_plan(transaction, context, Write(writer, planned, record.id, of_restricted=of_restricted))
    except Invalid:
        return (note("the linked plan cannot stand as it is: the agreed day is not in it", "plan-follow-up"),)
    return (note("the agreed day stands in the linked plan", "plan-follow-up"),)
