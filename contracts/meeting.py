"""Meetings of the patient with care and other parties (glossary terms 19-25; domain rules 6, 19, 24, 30).

An avstämningsmöte is Försäkringskassan's: it decides, calls, chairs and documents. A trepartsmöte is the patient, the employer
and care, and needs neither sick leave nor Försäkringskassan. A SIP is drawn up by region and municipality together.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from contracts.activity import ActivityKind, ContactMode
from contracts.consent import LegalBasis, Recipient

MEETINGS: Final = (
    ActivityKind.AVSTAMNINGSMOTE,
    ActivityKind.TREPARTSMOTE,
    ActivityKind.SIP,
    ActivityKind.SIP_FOLLOWUP,
)
"""The kinds of activity that are meetings with others."""


class MeetingStatus(StrEnum):
    """How far it has come: FHIR R4 task-status, as far as meetings use it.

    ``REQUESTED``: asked for, or proposed to those invited; ``ACCEPTED``: agreed; ``COMPLETED``: held.
    """

    REQUESTED = "requested"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


class Part(StrEnum):
    """Who takes part, and who does what there. Codes of our CodeSystem ``meeting-participant``.

    ``PARTY`` speaks for an organisation outside the unit; ``PERSON`` is of the unit, or somebody whom the patient brings.
    """

    PATIENT = "patient"
    PARTY = "party"
    PERSON = "person"
    CHAIR = "chair"
    SECRETARY = "secretary"


class MeetingAnswer(StrEnum):
    """What somebody has said to a meeting. Codes of our CodeSystem ``meeting-answer``."""

    NOT_YET = "not-yet"
    COMING = "coming"
    NOT_COMING = "not-coming"


class MeetingOutput(StrEnum):
    """What a meeting has given. Codes of our CodeSystem ``meeting-output``."""

    ACTIVITY = "activity"
    OUTCOME = "outcome"
    FOLLOW_UP = "follow-up"
    FOLLOW_UP_DATE = "follow-up-date"
    PLAN = "plan"
    NO_PLAN = "no-plan"
    DOCUMENTATION = "documentation"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who is to take part. ``id`` names her within the meeting. ``party`` is the organisation that she speaks for,
    ``None`` for patient and persons; ``name`` and ``role`` are words. ``came`` is ``None`` until the meeting has been held.
    ``invitation`` is what was sent for it, ``CommunicationRequest/<id>``; empty where a person, or somebody else, asked.
    """

    id: str
    part: Part
    party: Recipient | None = None
    name: str = ""
    role: str = ""
    answer: MeetingAnswer = MeetingAnswer.NOT_YET
    came: bool | None = None
    invitation: str = ""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What was agreed on following up: how, and when if a day was set (domain rule 19)."""

    how: str
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Shared:
    """Documentation that somebody has been given: ``document`` is ``DocumentReference/<id>`` or ``Binary/<id>``; ``to`` is
    ``None`` for the patient, who needs no ground."""

    document: str
    to: Recipient | None
    basis: LegalBasis | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting, planned or held.

    ``called_by``, ``chair`` and ``secretary`` (who documents) are keys of parties that take part, empty for the unit itself.
    ``also`` is what else the occasion was. ``start`` and ``end`` are ``None`` until a time is proposed. ``dialogue`` is
    ``Task/<id>`` of the dialogue that it came out of, ``plan`` ``CarePlan/<id>``, ``activity`` ``Procedure/<id>``.
    ``why_no_plan`` says why a SIP meeting gave no plan; ``reason`` why a meeting was cancelled. ``restricted``: its own label
    leaves it to those who have the right to see such data.
    """

    patient: str
    kind: ActivityKind
    status: MeetingStatus
    participants: tuple[Participant, ...]
    also: tuple[ActivityKind, ...] = ()
    called_by: str = ""
    chair: str = ""
    secretary: str = ""
    start: datetime | None = None
    end: datetime | None = None
    mode: ContactMode | None = None
    place: str = ""
    purpose: str = ""
    with_sick_leave: bool = True
    dialogue: str = ""
    outcome: str = ""
    follow_up: FollowUp | None = None
    plan: str = ""
    why_no_plan: str = ""
    documents: tuple[str, ...] = ()
    shared: tuple[Shared, ...] = ()
    activity: str = ""
    reason: str = ""
    restricted: bool = False

    @property
    def parties(self) -> tuple[Participant, ...]:
        """Those who speak for an organisation."""
        return tuple(each for each in self.participants if each.party is not None)

    @property
    def points_at(self) -> tuple[str, ...]:
        """What it names of the patient's record: ``Type/id``."""
        invitations = (each.invitation for each in self.participants)
        return tuple(each for each in (self.plan, self.dialogue, *self.documents, *invitations) if each)

    @property
    def is_open(self) -> bool:
        """Whether it is still to be held."""
        return self.status in (MeetingStatus.REQUESTED, MeetingStatus.ACCEPTED)
