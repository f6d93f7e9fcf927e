"""What the JSON API takes and gives of meetings with other parties."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from contracts.activity import ActivityKind, ContactMode
from contracts.consent import InformationCategory, LegalBasis, RecipientKind
from contracts.meeting import MeetingAnswer, MeetingStatus, Part
from service.api.models import (
    Description,
    ExternalId,
    Instant,
    Model,
    NoteOut,
    PatientRef,
    RecipientRef,
    ShortText,
    Text,
    Title,
)

MeetingKind = Literal[
    ActivityKind.AVSTAMNINGSMOTE, ActivityKind.TREPARTSMOTE, ActivityKind.SIP, ActivityKind.SIP_FOLLOWUP
]
Met = Literal[ContactMode.VISIT, ContactMode.VIDEO, ContactMode.TELEPHONE]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9\-.]{1,64}$")]
PlanReference = Annotated[str, Field(pattern=r"^(CarePlan/[A-Za-z0-9\-.]{1,64})?$")]
DocumentReference = Annotated[str, Field(pattern=r"^(DocumentReference|Binary)/[A-Za-z0-9\-.]{1,64}$")]


class PartyIn(Model):
    """Somebody who speaks for an organisation. ``invite``: the unit invites it, which tells it that and when the patient takes
    part, with its own consent; Försäkringskassan is asked to call an avstämningsmöte instead."""

    recipient: RecipientRef
    name: ShortText = ""
    role: ShortText = ""
    answer: MeetingAnswer = MeetingAnswer.NOT_YET
    invite: bool = False


class PersonIn(Model):
    """Somebody of the unit, or whom the patient brings."""

    name: Title
    role: ShortText = ""
    answer: MeetingAnswer = MeetingAnswer.NOT_YET


class MeetingIn(Model):
    """A meeting to plan. Whoever calls it chairs and documents it, unless somebody else is named; nobody named is the unit. An
    avstämningsmöte is Försäkringskassan's. ``dialogue`` is the id of the dialogue that it comes out of; ``also`` what else the
    occasion will be; ``invitation`` stands in the place of the service's own words."""

    patient: PatientRef
    kind: MeetingKind
    also: Annotated[tuple[ActivityKind, ...], Field(max_length=10)] = ()
    called_by: RecipientRef | None = None
    chair: RecipientRef | None = None
    secretary: RecipientRef | None = None
    start: Instant | None = None
    end: Instant | None = None
    mode: Met | None = None
    place: ShortText = ""
    purpose: ShortText = ""
    with_sick_leave: bool = True
    patient_answer: MeetingAnswer = MeetingAnswer.COMING
    parties: Annotated[tuple[PartyIn, ...], Field(min_length=1, max_length=30)]
    persons: Annotated[tuple[PersonIn, ...], Field(max_length=30)] = ()
    agreed: bool = False
    dialogue: Id | None = None
    plan: PlanReference = ""
    invitation: Text = ""
    identifier: ExternalId | None = None
    """Sent again under the same, the meeting that is there is answered, and nobody is invited twice."""


class SaidIn(Model):
    """What a participant has said to the meeting."""

    participant: Id
    answer: MeetingAnswer


class ChangeIn(Model):
    """What is new; what is left out stays. ``agreed`` says whether time and participants are settled. ``invite`` are
    participants who have not been invited before."""

    start: Instant | None = None
    end: Instant | None = None
    mode: Met | None = None
    place: ShortText | None = None
    purpose: ShortText | None = None
    agreed: bool | None = None
    answers: Annotated[tuple[SaidIn, ...], Field(max_length=60)] = ()
    parties: Annotated[tuple[PartyIn, ...], Field(max_length=30)] = ()
    persons: Annotated[tuple[PersonIn, ...], Field(max_length=30)] = ()
    invite: Annotated[tuple[Id, ...], Field(max_length=30)] = ()
    invitation: Text = ""
    plan: PlanReference | None = None
    dialogue: Id | None = None
    documents: Annotated[tuple[DocumentReference, ...], Field(max_length=30)] = ()


class CancelIn(Model):
    """Why it is cancelled."""

    reason: Description


class FollowUpIn(Model):
    """How it is followed up, and when if a day was set."""

    how: Description
    on: date | None = None


class HeldIn(Model):
    """What came of it. ``came`` are the participants who were there. An avstämningsmöte has its ``followUp``; a SIP its
    ``plan``, or ``whyNoPlan``. ``documents`` are what was written there, or came afterwards."""

    came: Annotated[tuple[Id, ...], Field(min_length=1, max_length=60)]
    outcome: Annotated[Text, Field(min_length=1)]
    follow_up: FollowUpIn | None = None
    plan: PlanReference = ""
    why_no_plan: ShortText = ""
    documents: Annotated[tuple[DocumentReference, ...], Field(max_length=30)] = ()
    also: Annotated[tuple[ActivityKind, ...], Field(max_length=10)] = ()
    start: Instant | None = None
    end: Instant | None = None
    mode: Met | None = None


class SharedIn(Model):
    """Who was given which document of the meeting, and what it tells (``categories``); the patient needs neither."""

    document: DocumentReference
    to_patient: bool = False
    recipient: RecipientRef | None = None
    categories: tuple[InformationCategory, ...] = ()

    @model_validator(mode="after")
    def _to_somebody(self) -> Self:
        if self.to_patient is (self.recipient is not None):
            raise ValueError("name the recipient, or say toPatient")
        if self.recipient is not None and not self.categories:
            raise ValueError("say which categories the document tells")
        return self


class ParticipantOut(Model):
    """Somebody who takes part. ``invitationState`` is where what was sent to them stands, ``invitationReason`` why."""

    id: str
    part: Part
    kind: RecipientKind | None
    number: str
    organisation: str
    name: str
    role: str
    answer: MeetingAnswer
    came: bool | None
    invitation: str
    invitation_state: str
    invitation_reason: str


class FollowUpOut(Model):
    """What was agreed on following up."""

    how: str
    on: date | None


class SharedOut(Model):
    """Who has been given a document, and on what ground. The patient has neither number nor ground."""

    document: str
    kind: RecipientKind | None
    number: str
    basis: LegalBasis | None
    at: datetime


class MeetingOut(Model):
    """A meeting. ``id`` is that of its Task, whose versions are its history. ``calledBy``, ``chair`` and ``secretary`` are
    numbers of parties, empty for the unit. ``notes`` are what rules had to say of the write that is answered."""

    id: str
    version: int
    patient: str
    kind: ActivityKind
    also: tuple[ActivityKind, ...]
    status: MeetingStatus
    reason: str
    called_by: str
    chair: str
    secretary: str
    start: datetime | None
    end: datetime | None
    mode: ContactMode | None
    place: str
    purpose: str
    with_sick_leave: bool
    participants: tuple[ParticipantOut, ...]
    dialogue: str
    outcome: str
    follow_up: FollowUpOut | None
    plan: str
    why_no_plan: str
    documents: tuple[str, ...]
    shared: tuple[SharedOut, ...]
    activity: str
    notes: tuple[NoteOut, ...] = ()
