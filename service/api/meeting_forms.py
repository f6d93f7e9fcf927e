"""What the JSON API is given of a meeting, as the meeting that it says."""

from collections.abc import Iterable
from dataclasses import replace

from contracts.activity import ActivityKind
from contracts.errors import Invalid, Issue, IssueType
from contracts.identity import FORSAKRINGSKASSAN
from contracts.meeting import FollowUp, Meeting, MeetingStatus, Part, Participant
from service.api import meeting_models as models
from service.api.models import RecipientRef


def planned(given: models.MeetingIn, patient: str) -> Meeting:
    """A new meeting. An avstämningsmöte is called by Försäkringskassan where nobody else is named."""
    is_theirs = given.kind is ActivityKind.AVSTAMNINGSMOTE and given.called_by is None
    called_by = FORSAKRINGSKASSAN.value if is_theirs else _key(given.called_by)
    meeting = Meeting(
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
    others = joining(meeting, given.parties, given.persons)
    return replace(meeting, participants=(*meeting.participants, *others))


def _key(given: RecipientRef | None) -> str:
    return "" if given is None else given.party().key


def joining(
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


def changed(old: Meeting, given: models.ChangeIn, joined: tuple[Participant, ...]) -> Meeting:
    """The meeting with what is new. Raises ``Invalid``."""
    answers = {each.participant: each.answer for each in given.answers}
    refuse_unknown(answers, old)
    stated = {
        name: value
        for name in ("start", "end", "mode", "place", "purpose", "plan")
        if (value := getattr(given, name)) is not None
    }
    agreed = {None: old.status, True: MeetingStatus.ACCEPTED, False: MeetingStatus.REQUESTED}[given.agreed]
    participants = (*(replace(each, answer=answers.get(each.id, each.answer)) for each in old.participants), *joined)
    return replace(
        old,
        status=agreed,
        participants=participants,
        dialogue=f"Task/{given.dialogue}" if given.dialogue else old.dialogue,
        documents=tuple(dict.fromkeys((*old.documents, *given.documents))),
        **stated,
    )


def held(old: Meeting, given: models.HeldIn) -> Meeting:
    """The meeting as it was held. Raises ``Invalid``."""
    refuse_unknown(given.came, old)
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


def refuse_unknown(ids: Iterable[str], meeting: Meeting) -> None:
    """Raises ``Invalid`` for an id that nobody in the meeting has."""
    if not set(ids) <= {each.id for each in meeting.participants}:
        text = "there is no participant with that id: the meeting lists them"
        raise Invalid(Issue(IssueType.NOT_FOUND, text, "participants", rule="meeting-participant"))
