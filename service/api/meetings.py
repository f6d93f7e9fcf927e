"""Meetings with other parties for systems without FHIR: plan them, follow who comes, say what came of them."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query

from contracts.activity import ActivityKind
from contracts.consent import Recipient, RecipientKind
from contracts.errors import Invalid, Issue, IssueType
from contracts.identity import FORSAKRINGSKASSAN
from contracts.meeting import MEETINGS, FollowUp, Meeting, MeetingStatus, Part, Participant
from contracts.ports import Store, Transaction
from contracts.record import Access, AccessAction, Caller, Record
from contracts.time import swedish_day
from fhir_mappings.identifiers import ACTIVITY_KIND
from service.api import meeting_models as models
from service.api.models import NoteOut, RecipientRef
from service.api.records import patient_of
from service.usecases import follow_dialogue, meetings
from service.usecases.context import Context, Recorded
from service.usecases.record_meeting import read

LIST: Final = 500
"""Meetings of one answer."""

Story = Callable[[Transaction], models.MeetingOut]


def meeting_routes(app: FastAPI, store: Store, context: Context, reader: Any, author: Any) -> None:
    """Every route below ``/meetings``. ``reader`` and ``author`` are FastAPI's dependencies on the caller's rights."""

    @app.post("/meetings", status_code=201)
    async def post_meeting(given: models.MeetingIn, caller: Caller = author) -> models.MeetingOut:
        """Plan a meeting, and invite whom the unit may invite: each is told with its own consent, else it is withheld."""
        return await store.run(_planned(context, caller, given))

    @app.get("/meetings")
    async def get_meetings(
        caller: Caller = reader,
        first: Annotated[date | None, Query(alias="from")] = None,
        last: Annotated[date | None, Query(alias="to")] = None,
        status: MeetingStatus | None = None,
    ) -> list[models.MeetingOut]:
        """The unit's meetings, by their time. With ``from`` or ``to`` those of these days alone, both counted; without, also
        those that have no time yet, last."""
        return await store.run(lambda transaction: _listed(transaction, caller, (first, last), status))

    @app.get("/meetings/{id}")
    async def get_meeting(id: str, caller: Caller = reader) -> models.MeetingOut:
        """One meeting, with where each invitation stands."""
        return await store.run(lambda transaction: _one(transaction, caller, id))

    @app.post("/meetings/{id}/changes")
    async def post_change(id: str, given: models.ChangeIn, caller: Caller = author) -> models.MeetingOut:
        """Say what is new: time, place, who has said yes. Whoever was invited learns of another time or place."""

        def story(transaction: Transaction) -> Recorded:
            _, before = meetings.opened(transaction, caller, id)
            joining = _joining(before, given.parties, given.persons)
            chosen = {each.id for each, party in zip(joining, given.parties, strict=False) if party.invite}
            ids = chosen.union(given.invite)
            _refuse_unknown(ids - chosen, before)
            return meetings.change(
                transaction, context, caller, id, lambda old: _changed(old, given, joining), ids, given.invitation
            )

        return await store.run(_shown(story))

    @app.post("/meetings/{id}/cancel")
    async def post_cancel(id: str, given: models.CancelIn, caller: Caller = author) -> models.MeetingOut:
        """Call it off, with the reason. Unsent invitations are taken back; whoever has been told is told of this."""
        return await store.run(
            _shown(
                lambda transaction: meetings.change(
                    transaction,
                    context,
                    caller,
                    id,
                    lambda old: replace(old, status=MeetingStatus.CANCELLED, reason=given.reason),
                )
            )
        )

    @app.post("/meetings/{id}/held")
    async def post_held(id: str, given: models.HeldIn, caller: Caller = author) -> models.MeetingOut:
        """Say what came of it. The occasion is recorded and coded once; the answer says by which rules."""
        return await store.run(
            _shown(lambda transaction: meetings.change(transaction, context, caller, id, lambda old: _held(old, given)))
        )

    @app.post("/meetings/{id}/shared")
    async def post_shared(id: str, given: models.SharedIn, caller: Caller = author) -> models.MeetingOut:
        """A document of the meeting is given to somebody: only with a consent to what it tells, and noted."""
        to = given.recipient.party().as_recipient() if given.recipient else None
        return await store.run(
            _shown(
                lambda transaction: meetings.share(
                    transaction, context, caller, id, given.document, to, frozenset(given.categories)
                )
            )
        )


# ---- What is asked -----------------------------------------------------------------------------------------------


def _planned(context: Context, caller: Caller, given: models.MeetingIn) -> Story:
    def story(transaction: Transaction) -> Recorded:
        patient = patient_of(transaction, context, caller, given.patient)
        meeting = _meeting(given, patient)
        invited = {each.id for each, party in zip(meeting.parties, given.parties, strict=True) if party.invite}
        return meetings.plan(transaction, context, caller, meeting, invited, given.invitation)

    return _shown(story)


def _meeting(given: models.MeetingIn, patient: str) -> Meeting:
    is_theirs = given.kind is ActivityKind.AVSTAMNINGSMOTE and given.called_by is None
    called_by = FORSAKRINGSKASSAN.value if is_theirs else _key(given.called_by)
    planned = Meeting(
        patient=patient,
        kind=given.kind,
        status=MeetingStatus.ACCEPTED if given.agreed else MeetingStatus.REQUESTED,
        participants=(Participant("p1", Part.PATIENT, answer=given.patient_answer),),
        also=given.also,
        called_by=called_by,
        chair=_key(given.chair) or called_by,
        secretary=_key(given.secretary) or called_by,
        start=given.start,
        end=given.end,
        mode=given.mode,
        place=given.place,
        purpose=given.purpose,
        with_sick_leave=given.with_sick_leave,
        dialogue=f"Task/{given.dialogue}" if given.dialogue else "",
        plan=given.plan,
    )
    joining = _joining(planned, given.parties, given.persons)
    return replace(planned, participants=(*planned.participants, *joining))


def _key(given: RecipientRef | None) -> str:
    return "" if given is None else given.party().key


def _joining(
    meeting: Meeting, parties: Iterable[models.PartyIn], persons: Iterable[models.PersonIn]
) -> tuple[Participant, ...]:
    """Parties first, then persons, with ids that nobody in the meeting has."""
    taken = {each.id for each in meeting.participants}
    ids = iter(id for number in range(1, 1000) if (id := f"p{number}") not in taken)
    spoken = (
        Participant(next(ids), Part.PARTY, each.recipient.party().as_recipient(), each.name, each.role, each.answer)
        for each in parties
    )
    others = (Participant(next(ids), Part.PERSON, None, each.name, each.role, each.answer) for each in persons)
    return (*spoken, *others)


def _changed(old: Meeting, given: models.ChangeIn, joining: tuple[Participant, ...]) -> Meeting:
    answers = {each.participant: each.answer for each in given.answers}
    _refuse_unknown(answers, old)
    stated = {
        name: value
        for name in ("start", "end", "mode", "place", "purpose", "plan")
        if (value := getattr(given, name)) is not None
    }
    agreed = {None: old.status, True: MeetingStatus.ACCEPTED, False: MeetingStatus.REQUESTED}[given.agreed]
    participants = (*(replace(each, answer=answers.get(each.id, each.answer)) for each in old.participants), *joining)
    return replace(
        old,
        status=agreed,
        participants=participants,
        dialogue=f"Task/{given.dialogue}" if given.dialogue else old.dialogue,
        documents=tuple(dict.fromkeys((*old.documents, *given.documents))),
        **stated,
    )


def _held(old: Meeting, given: models.HeldIn) -> Meeting:
    _refuse_unknown(given.came, old)
    agreed = given.follow_up
    return replace(
        old,
        status=MeetingStatus.COMPLETED,
        participants=tuple(replace(each, came=each.id in given.came) for each in old.participants),
        also=tuple(dict.fromkeys((*old.also, *given.also))),
        start=given.start or old.start,
        end=given.end or old.end,
        mode=given.mode or old.mode,
        outcome=given.outcome,
        follow_up=FollowUp(agreed.how, agreed.on) if agreed else old.follow_up,
        plan=given.plan or old.plan,
        why_no_plan=given.why_no_plan,
        documents=tuple(dict.fromkeys((*old.documents, *given.documents))),
    )


def _refuse_unknown(ids: Iterable[str], meeting: Meeting) -> None:
    if not set(ids) <= {each.id for each in meeting.participants}:
        text = "there is no participant with that id: the meeting lists them"
        raise Invalid(Issue(IssueType.NOT_FOUND, text, "participants", rule="meeting-participant"))


# ---- What is shown -----------------------------------------------------------------------------------------------


def _shown(story: Callable[[Transaction], Recorded]) -> Story:
    def shown(transaction: Transaction) -> models.MeetingOut:
        recorded = story(transaction)
        meeting = read(transaction, recorded.record)
        assert meeting is not None  # noqa: S101 - it was written as one
        notes = tuple(NoteOut(rule=each.rule, text=each.text) for each in recorded.notes)
        return _out(transaction, recorded.record, meeting).model_copy(update={"notes": notes})

    return shown


def _listed(
    transaction: Transaction, caller: Caller, days: tuple[date | None, date | None], status: MeetingStatus | None
) -> list[models.MeetingOut]:
    records = (
        record
        for kind in MEETINGS
        for record in transaction.by_token("Task", "code", ACTIVITY_KIND, kind.value, caller.unit.value)
    )
    found = {record.id: (record, meeting) for record in records if (meeting := read(transaction, record)) is not None}
    wanted = [each for each in found.values() if status in (None, each[1].status) and _in_days(each[1], days)]
    wanted.sort(key=lambda each: (each[1].start is None, each[1].start or each[0].updated))
    for record, _ in wanted[:LIST]:
        transaction.log_access(_seen(caller, record, "meeting-list"))
    return [_out(transaction, record, meeting) for record, meeting in wanted[:LIST]]


def _in_days(meeting: Meeting, days: tuple[date | None, date | None]) -> bool:
    if meeting.start is None:
        return days == (None, None)
    return (days[0] or date.min) <= swedish_day(meeting.start) <= (days[1] or date.max)


def _one(transaction: Transaction, caller: Caller, id: str) -> models.MeetingOut:
    record, meeting = meetings.opened(transaction, caller, id)
    transaction.log_access(_seen(caller, record, "meeting-read"))
    return _out(transaction, record, meeting)


def _out(transaction: Transaction, record: Record, meeting: Meeting) -> models.MeetingOut:
    agreed = meeting.follow_up
    return models.MeetingOut(
        id=record.id,
        version=record.version,
        patient=meeting.patient,
        kind=meeting.kind,
        also=meeting.also,
        status=meeting.status,
        reason=meeting.reason,
        called_by=meeting.called_by,
        chair=meeting.chair,
        secretary=meeting.secretary,
        start=meeting.start,
        end=meeting.end,
        mode=meeting.mode,
        place=meeting.place,
        purpose=meeting.purpose,
        with_sick_leave=meeting.with_sick_leave,
        participants=tuple(_participant(transaction, each) for each in meeting.participants),
        dialogue=meeting.dialogue.removeprefix("Task/"),
        outcome=meeting.outcome,
        follow_up=models.FollowUpOut(how=agreed.how, on=agreed.on) if agreed else None,
        plan=meeting.plan,
        why_no_plan=meeting.why_no_plan,
        documents=meeting.documents,
        shared=tuple(
            models.SharedOut(
                document=each.document, kind=_kind(each.to), number=_number(each.to), basis=each.basis, at=each.at
            )
            for each in meeting.shared
        ),
        activity=meeting.activity,
    )


def _participant(transaction: Transaction, who: Participant) -> models.ParticipantOut:
    task = follow_dialogue.task_about(transaction, who.invitation) if who.invitation else None
    told = None if task is None else follow_dialogue.read(task)
    return models.ParticipantOut(
        id=who.id,
        part=who.part,
        kind=_kind(who.party),
        number=_number(who.party),
        organisation=who.party.name if who.party else "",
        name=who.name,
        role=who.role,
        answer=who.answer,
        came=who.came,
        invitation=who.invitation,
        invitation_state=told.standing.value if told else "",
        invitation_reason=told.reason if told else "",
    )


def _kind(party: Recipient | None) -> RecipientKind | None:
    return None if party is None else party.kind


def _number(party: Recipient | None) -> str:
    return "" if party is None else party.party


def _seen(caller: Caller, record: Record, interaction: str) -> Access:
    return Access(caller, AccessAction.READ, record.patient, record.reference, interaction)
