"""What the JSON API takes and gives of plans."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field

from contracts.plan import (
    ContactPerson,
    FollowUp,
    Manner,
    Measure,
    MeasureWord,
    PlanGoal,
    PlanKind,
    PlanSeen,
    Principal,
    RehabPlan,
    TaperingStep,
)
from service.api.models import Description, HandedOverOut, Instant, Model, PatientRef, ShortText, Text, Title


class TaperingStepIn(Model):
    """From ``due`` the planned degree is ``degree`` percent."""

    due: date
    degree: Annotated[int, Field(ge=0, le=100)]


class GoalIn(Model):
    """A goal with its tapering ladder. ``sensitive`` is as of a measure."""

    description: Description
    tapering: tuple[TaperingStepIn, ...] = ()
    sensitive: bool = False

    def stated(self) -> PlanGoal:
        """The goal."""
        steps = tuple(TaperingStep(step.due, step.degree) for step in self.tapering)
        return PlanGoal(self.description, steps, self.sensitive)


class MeasureIn(Model):
    """A measure: who does it, and whose decision it needs. ``word`` is the defined word for it, if there is one; ``principal``
    says in a SIP whose it is; ``patientFirst`` whether the patient makes the first contact. What is ``sensitive`` is held back
    from the patient's document until somebody releases it."""

    description: Description
    owner: Title
    decided_by: ShortText = ""
    word: MeasureWord | None = None
    principal: Principal | None = None
    patient_first: bool | None = None
    sensitive: bool = False

    def stated(self) -> Measure:
        """The measure."""
        return Measure(
            self.description,
            self.owner,
            self.decided_by,
            self.word,
            self.principal,
            self.patient_first,
            self.sensitive,
        )


class FollowUpIn(Model):
    """A day on which the plan is to be followed up, or (``done``) was."""

    day: date
    description: ShortText = ""
    owner: ShortText = ""
    done: bool = False

    def stated(self) -> FollowUp:
        """The follow-up."""
        return FollowUp(self.day, self.description, self.owner, self.done)


class ContactIn(Model):
    """Whom the patient turns to, and where: telephone numbers and e-mail addresses."""

    name: Title
    reached_at: Annotated[tuple[Title, ...], Field(max_length=10)] = ()


class PlanIn(Model):
    """A plan. A SIP says who leads it. ``participants`` made it, beside the patient if ``withPatient``."""

    patient: PatientRef
    kind: PlanKind
    title: Title
    first_day: date | None = None
    last_day: date | None = None
    goals: tuple[GoalIn, ...] = ()
    measures: tuple[MeasureIn, ...] = ()
    led_by: ShortText = ""
    follow_ups: tuple[FollowUpIn, ...] = ()
    contact: ContactIn | None = None
    with_patient: bool = False
    participants: Annotated[tuple[Title, ...], Field(max_length=50)] = ()

    def stated(self, patient: str) -> RehabPlan:
        """The plan of the patient with that id."""
        return RehabPlan(
            kind=self.kind,
            title=self.title,
            patient=patient,
            start=self.first_day,
            end=self.last_day,
            goals=tuple(each.stated() for each in self.goals),
            measures=tuple(each.stated() for each in self.measures),
            led_by=self.led_by,
            follow_ups=tuple(each.stated() for each in self.follow_ups),
            contact=ContactPerson(self.contact.name, self.contact.reached_at) if self.contact else None,
            with_patient=self.with_patient,
            participants=self.participants,
        )


class HandOverIn(Model):
    """The patient has been given this version. ``why`` is needed when the identity is protected and it was not read
    together."""

    version: Annotated[int, Field(ge=1, le=10**9)]
    how: Manner
    at: Instant | None = None
    why: ShortText = ""


class ReleaseIn(Model):
    """Parts that were held back and may stand in the patient's document, and why."""

    parts: Annotated[tuple[Title, ...], Field(min_length=1, max_length=500)]
    why: Annotated[Text, Field(min_length=3, max_length=500)]


class HeldBackOut(Model):
    """A part that the patient's document leaves out until somebody releases it under this name."""

    part: str
    text: str


class ReleaseOut(Model):
    """Somebody let a part stand in the patient's document."""

    part: str
    at: datetime
    by: str
    why: str


class PlanOut(Model):
    """A plan as it stands now: its version, what its document leaves out, and which versions the patient has been given."""

    resource: str
    version: int
    changed: datetime
    status: str
    kind: PlanKind
    title: str
    patient: str
    next_follow_up: date | None
    overdue_follow_up: date | None
    held_back: tuple[HeldBackOut, ...]
    released: tuple[ReleaseOut, ...]
    handed_over: tuple[HandedOverOut, ...]

    @classmethod
    def of(cls, seen: PlanSeen) -> Self:
        """As the API shows it."""
        return cls(
            resource=seen.reference,
            version=seen.version,
            changed=seen.changed,
            status=seen.status,
            kind=seen.plan.kind,
            title=seen.plan.title,
            patient=seen.plan.patient,
            next_follow_up=seen.next_follow_up,
            overdue_follow_up=seen.overdue_follow_up,
            held_back=tuple(HeldBackOut(part=each.part, text=each.text) for each in seen.held_back),
            released=tuple(ReleaseOut(part=each.part, at=each.at, by=each.by, why=each.why) for each in seen.releases),
            handed_over=tuple(map(HandedOverOut.of, seen.handed_over)),
        )
