"""Meetings with other parties for systems without FHIR: plan them, follow who comes, say what came of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Final

from fastapi import FastAPI, Query, Response

from contracts.activity import Identifier
from contracts.consent import Recipient, RecipientKind
from contracts.meeting import MEETINGS, Meeting, MeetingStatus, Participant
from contracts.ports import Store, Transaction
from contracts.record import Access, AccessAction, Caller, Record
from fhir_mappings.document import decode
from fhir_mappings.identifiers import ACTIVITY_KIND
from fhir_mappings.primitives import Json, swedish_date
from service.api import meeting_forms as forms
from service.api import meeting_models as models
from service.api.models import NoteOut
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
    async def post_meeting(given: models.MeetingIn, response: Response, caller: Caller = author) -> models.MeetingOut:
        """Plan a meeting, and invite whom the unit may invite: each is told with its own consent, else it is withheld. 200
        when it is there already under its identifier."""
        is_new, planned = await store.run(_planned(context, caller, given))
        response.status_code = 201 if is_new else 200
        return planned

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
            joining = forms.joining(before, given.parties, given.persons)
            chosen = {each.id for each, party in zip(joining, given.parties, strict=False) if party.invite}
            ids = chosen.union(given.invite)
            forms.refuse_unknown(ids - chosen, before)
            return meetings.change(
                transaction, context, caller, id, lambda old: forms.changed(old, given, joining), ids, given.invitation
            )

        return await store.run(_shown(caller, story))

    @app.post("/meetings/{id}/cancel")
    async def post_cancel(id: str, given: models.CancelIn, caller: Caller = author) -> models.MeetingOut:
        """Call it off, with the reason. Unsent invitations are taken back; whoever has been told is told of this."""
        return await store.run(
            _shown(
                caller,
                lambda transaction: meetings.change(
                    transaction,
                    context,
                    caller,
                    id,
                    lambda old: replace(old, status=MeetingStatus.CANCELLED, reason=given.reason),
                ),
            )
        )

    @app.post("/meetings/{id}/held")
    async def post_held(id: str, given: models.HeldIn, caller: Caller = author) -> models.MeetingOut:
        """Say what came of it. The occasion is recorded and coded once; the answer says by which rules."""
        return await store.run(
            _shown(
                caller,
                lambda transaction: meetings.change(
                    transaction, context, caller, id, lambda old: forms.held(old, given)
                ),
            )
        )

    @app.post("/meetings/{id}/shared")
    async def post_shared(id: str, given: models.SharedIn, caller: Caller = author) -> models.MeetingOut:
        """A document of the meeting is given to somebody: only with a consent to what it tells, and noted."""
        to = given.recipient.party().as_recipient() if given.recipient else None
        return await store.run(
            _shown(
                caller,
                lambda transaction: meetings.share(
                    transaction, context, caller, id, given.document, to, frozenset(given.categories)
                ),
            )
        )


# ---- What is asked -----------------------------------------------------------------------------------------------


def _planned(
    context: Context, caller: Caller, given: models.MeetingIn
) -> Callable[[Transaction], tuple[bool, models.MeetingOut]]:
    """Whether it is a new one, and the meeting."""

    def story(transaction: Transaction) -> tuple[bool, models.MeetingOut]:
        patient = patient_of(transaction, context, caller, given.patient)
        meeting = forms.planned(given, patient)
        invited = {each.id for each, party in zip(meeting.parties, given.parties, strict=True) if party.invite}
        identifier = Identifier(given.identifier.system, given.identifier.value) if given.identifier else None
        recorded = meetings.plan(transaction, context, caller, meeting, invited, given.invitation, identifier)
        return recorded.changed, _written(transaction, caller, recorded)

    return story


# ---- What is shown -----------------------------------------------------------------------------------------------


def _shown(caller: Caller, story: Callable[[Transaction], Recorded]) -> Story:
    return lambda transaction: _written(transaction, caller, story(transaction))


def _written(transaction: Transaction, caller: Caller, recorded: Recorded) -> models.MeetingOut:
    meeting = read(transaction, recorded.record)
    assert meeting is not None  # noqa: S101 - it was written as one
    notes = tuple(NoteOut(rule=each.rule, text=each.text) for each in recorded.notes)
    return _out(transaction, caller, recorded.record, meeting).model_copy(update={"notes": notes})


def _listed(
    transaction: Transaction, caller: Caller, days: tuple[date | None, date | None], status: MeetingStatus | None
) -> list[models.MeetingOut]:
    records = {
        record.id: record
        for kind in MEETINGS
        for record in transaction.by_token("Task", "code", ACTIVITY_KIND, kind.value, caller.unit.value)
        if caller.may_see(record) and _fits(decode(record.body).content, days, status)
    }
    found = [(record, meeting) for record in records.values() if (meeting := read(transaction, record)) is not None]
    wanted = sorted(found, key=lambda each: (each[1].start is None, each[1].start or each[0].updated))
    for record, _ in wanted[:LIST]:
        transaction.log_access(_seen(caller, record, "meeting-list"))
    return [_out(transaction, caller, record, meeting) for record, meeting in wanted[:LIST]]


def _fits(task: Json, days: tuple[date | None, date | None], status: MeetingStatus | None) -> bool:
    """Asked of the Task as it is, so that only what is shown is read."""
    start = task.get("executionPeriod", {}).get("start")
    if status not in (None, task["status"]) or start is None:
        return status in (None, task["status"]) and days == (None, None)
    return (days[0] or date.min) <= swedish_date(start) <= (days[1] or date.max)


def _one(transaction: Transaction, caller: Caller, id: str) -> models.MeetingOut:
    record, meeting = meetings.opened(transaction, caller, id)
    transaction.log_access(_seen(caller, record, "meeting-read"))
    return _out(transaction, caller, record, meeting)


def _out(transaction: Transaction, caller: Caller, record: Record, meeting: Meeting) -> models.MeetingOut:
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
        participants=tuple(_participant(transaction, caller, each) for each in meeting.participants),
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


def _participant(transaction: Transaction, caller: Caller, who: Participant) -> models.ParticipantOut:
    """Where the invitation stands is told to whom its Task is there."""
    task = follow_dialogue.task_about(transaction, who.invitation) if who.invitation else None
    told = follow_dialogue.read(task) if task is not None and caller.may_see(task) else None
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
