"""Meetings with other parties: who calls, who must take part, and what must be said when one has been held (domain rules 19, 24,
30; glossary 21-23). Pure: tables of rules, each with its name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contracts.activity import ActivityKind
from contracts.consent import InformationCategory, RecipientKind
from contracts.dialogue import Topic
from contracts.errors import Issue, IssueType
from contracts.identity import FORSAKRINGSKASSAN
from contracts.meeting import Meeting, MeetingStatus, Part, Participant
from contracts.plan import PlanKind
from contracts.time import swedish_day

FK: Final = FORSAKRINGSKASSAN.value
"""The key of the party that an avstämningsmöte belongs to."""

TOPICS: Final[Mapping[ActivityKind, Topic]] = {
    ActivityKind.AVSTAMNINGSMOTE: Topic.MEETING,
    ActivityKind.TREPARTSMOTE: Topic.CONTACT,
    ActivityKind.SIP: Topic.SIP,
    ActivityKind.SIP_FOLLOWUP: Topic.SIP,
}
"""What an invitation is about."""

INVITES_WITH: Final = InformationCategory.MEETING_PARTICIPATION
"""All that an invitation tells: that and when the patient takes part."""

NEEDED: Final[Mapping[ActivityKind, RecipientKind]] = {
    ActivityKind.AVSTAMNINGSMOTE: RecipientKind.FORSAKRINGSKASSAN,
    ActivityKind.TREPARTSMOTE: RecipientKind.EMPLOYER,
    ActivityKind.SIP: RecipientKind.MUNICIPALITY,
    ActivityKind.SIP_FOLLOWUP: RecipientKind.MUNICIPALITY,
}
"""Without whom a meeting is none of its kind."""

_STEPS: Final[Mapping[MeetingStatus | None, frozenset[MeetingStatus]]] = {
    None: frozenset({MeetingStatus.REQUESTED, MeetingStatus.ACCEPTED, MeetingStatus.COMPLETED}),
    MeetingStatus.REQUESTED: frozenset(MeetingStatus),
    MeetingStatus.ACCEPTED: frozenset(MeetingStatus),
    MeetingStatus.COMPLETED: frozenset({MeetingStatus.COMPLETED, MeetingStatus.ENTERED_IN_ERROR}),
    MeetingStatus.CANCELLED: frozenset({MeetingStatus.CANCELLED, MeetingStatus.ENTERED_IN_ERROR}),
    MeetingStatus.ENTERED_IN_ERROR: frozenset({MeetingStatus.ENTERED_IN_ERROR}),
}
"""From where a meeting may come to where; one that is noted afterwards may begin as held."""


def may_become(earlier: MeetingStatus | None, status: MeetingStatus) -> bool:
    """Whether a meeting may come to ``status``; ``earlier`` is ``None`` for a new one."""
    return status in _STEPS[earlier]


@dataclass(frozen=True, slots=True)
class Rule:
    """``text`` is told, at ``at``, when ``broken`` finds it so."""

    name: str
    at: str
    text: str
    broken: Callable[[Meeting, datetime], bool]
    type: IssueType = IssueType.BUSINESS_RULE


def faults(meeting: Meeting, now: datetime) -> tuple[Issue, ...]:
    """Why the meeting cannot stand as it is told; empty when it can. What was entered in error is not judged."""
    if meeting.status is MeetingStatus.ENTERED_IN_ERROR:
        return ()
    return tuple(Issue(rule.type, rule.text, rule.at, rule=rule.name) for rule in RULES if rule.broken(meeting, now))


def _is_held(meeting: Meeting) -> bool:
    return meeting.status is MeetingStatus.COMPLETED


def _by_fk(meeting: Meeting) -> bool:
    return meeting.kind is ActivityKind.AVSTAMNINGSMOTE


def _held(broken: Callable[[Meeting], bool]) -> Callable[[Meeting, datetime], bool]:
    return lambda meeting, _: _is_held(meeting) and broken(meeting)


def _needed(meeting: Meeting) -> list[Participant]:
    kind = NEEDED[meeting.kind]
    return [each for each in meeting.parties if each.party is not None and each.party.kind is kind]


def _invited_by_unit(meeting: Meeting) -> list[Participant]:
    """Whom the unit has sent something; asking Försäkringskassan to call is no invitation."""
    return [each for each in meeting.parties if each.invitation and not (_by_fk(meeting) and _is_fk(each))]


def _is_fk(participant: Participant) -> bool:
    return participant.party is not None and participant.party.party == FK


def _of_systems(meeting: Meeting, _: datetime) -> bool:
    return any(each.party is not None and each.party.kind in _SYSTEMS for each in meeting.parties)


_SYSTEMS: Final = (RecipientKind.REGIONAL_PLATFORM, RecipientKind.RECORD_SYSTEM)
"""Told of records on grounds of their own; nobody that a meeting is held with, or a document given to."""


def _unknown_roles(meeting: Meeting) -> set[str]:
    known = {"", *(each.party.party for each in meeting.parties if each.party is not None)}
    return {meeting.called_by, meeting.chair, meeting.secretary} - known


def _lacks_patient(meeting: Meeting, _: datetime) -> bool:
    return not any(each.part is Part.PATIENT for each in meeting.participants)


def _is_ahead(meeting: Meeting, now: datetime) -> bool:
    return _is_held(meeting) and meeting.start is not None and meeting.start > now


def _ends_first(meeting: Meeting, _: datetime) -> bool:
    return meeting.start is not None and meeting.end is not None and meeting.end <= meeting.start


def _follows_too_early(meeting: Meeting, _: datetime) -> bool:
    day = meeting.follow_up.on if meeting.follow_up else None
    return day is not None and meeting.start is not None and day < swedish_day(meeting.start)


RULES: Final = (
    Rule(
        "meeting-patient",
        "Task.input",
        "the patient takes part in meetings about her: say whether she is coming",
        _lacks_patient,
        IssueType.REQUIRED,
    ),
    Rule(
        "meeting-needs",
        "Task.input",
        "an avstämningsmöte has Försäkringskassan, a trepartsmöte the employer, a SIP the municipality among its parties",
        lambda meeting, _: not _needed(meeting),
        IssueType.REQUIRED,
    ),
    Rule("meeting-systems", "Task.input", "a platform or a record system is no party to a meeting", _of_systems),
    Rule(
        "meeting-roles",
        "Task.input",
        "whoever calls, chairs or documents is the unit, or one of the parties that take part",
        lambda meeting, _: bool(_unknown_roles(meeting)),
    ),
    Rule(
        "fk-calls",
        "Task.requester",
        "an avstämningsmöte is called, chaired and documented by Försäkringskassan: the unit asks it for one",
        lambda meeting, _: _by_fk(meeting) and {meeting.called_by, meeting.chair, meeting.secretary} != {FK},
    ),
    Rule(
        "caller-invites",
        "Task.input",
        "whoever calls the meeting invites to it: to an avstämningsmöte the unit invites nobody",
        lambda meeting, _: bool(meeting.called_by and _invited_by_unit(meeting)),
    ),
    Rule(
        "meeting-agreed",
        "Task.executionPeriod",
        "what is agreed, or has been held, has a time",
        lambda meeting, _: meeting.status in (MeetingStatus.ACCEPTED, MeetingStatus.COMPLETED) and not meeting.start,
        IssueType.REQUIRED,
    ),
    Rule("meeting-ends", "Task.executionPeriod", "the meeting ends before it starts", _ends_first),
    Rule("meeting-ahead", "Task.executionPeriod", "a meeting that is still to come has not been held", _is_ahead),
    Rule(
        "meeting-cancelled",
        "Task.statusReason",
        "a meeting is cancelled with a reason, in words",
        lambda meeting, _: meeting.status is MeetingStatus.CANCELLED and not meeting.reason.strip(),
        IssueType.REQUIRED,
    ),
    Rule(
        "meeting-outcome",
        "Task.output",
        "a meeting that has been held says what came of it",
        _held(lambda meeting: not meeting.outcome.strip()),
        IssueType.REQUIRED,
    ),
    Rule(
        "meeting-came",
        "Task.input",
        "a meeting that has been held says of everybody whether they came",
        _held(lambda meeting: any(each.came is None for each in meeting.participants)),
        IssueType.REQUIRED,
    ),
    Rule(
        "meeting-not-held",
        "Task.input",
        "without the party that makes it one of its kind the meeting was not held: cancel it, with the reason",
        _held(lambda meeting: bool(_needed(meeting)) and all(each.came is False for each in _needed(meeting))),
    ),
    Rule(
        "follow-up-agreed",
        "Task.output",
        "an avstämningsmöte ends with an agreement on how it is followed up",
        _held(lambda meeting: _by_fk(meeting) and not (meeting.follow_up and meeting.follow_up.how.strip())),
        IssueType.REQUIRED,
    ),
    Rule("follow-up-later", "Task.output", "a follow-up comes after the meeting", _follows_too_early),
    Rule(
        "sip-plan",
        "Task.output",
        "a SIP meeting that has been held gives a plan: link it, or say why there is none",
        _held(lambda meeting: meeting.kind is ActivityKind.SIP and not (meeting.plan or meeting.why_no_plan.strip())),
        IssueType.REQUIRED,
    ),
)
"""Read aloud. The places are those of the Task; a surface without FHIR tells rule and text."""


def wrong_plan(meeting: Meeting, plan: PlanKind) -> tuple[Issue, ...]:
    """Why the linked plan cannot be what came of the meeting; empty when it can: of a SIP a SIP comes (rule 30), of an
    avstämningsmöte care's own plan, never Försäkringskassan's (rule 29)."""
    wants_sip = meeting.kind in (ActivityKind.SIP, ActivityKind.SIP_FOLLOWUP)
    if wants_sip is (plan is PlanKind.SIP):
        return ()
    text = "a SIP meeting links a SIP" if wants_sip else "a SIP comes of a SIP meeting: link care's own plan"
    return (Issue(IssueType.BUSINESS_RULE, text, "Task.output", rule="meeting-plan"),)


def kinds(meeting: Meeting) -> tuple[ActivityKind, ...]:
    """What the occasion was, for its coding: one occasion, so one GC001 (rule 23). A SIP meeting that gave no plan drew up no
    SIP: it was cooperation with social services, for which no further code is known (rule 24)."""
    is_without = meeting.kind is ActivityKind.SIP and not meeting.plan
    first = ActivityKind.SOCIAL_SERVICES_CONTACT if is_without else meeting.kind
    return tuple(dict.fromkeys((first, *meeting.also)))


def wrong_share(meeting: Meeting, document: str, to: RecipientKind | None) -> tuple[Issue, ...]:
    """Why the unit does not give somebody (``None``: the patient) the document, whatever the patient has said; empty when it
    may ask the consents. Försäkringskassan hands its own minutes to all who took part (rule 19)."""
    broken = {
        "meeting-documentation": (
            document not in meeting.documents,
            "what is shared is documentation of the meeting: add it to the meeting first",
        ),
        "fk-documents": (
            to is not None and _by_fk(meeting),
            "Försäkringskassan documents its avstämningsmöte, and hands that to all who took part",
        ),
        "meeting-systems": (to in _SYSTEMS, "a platform or a record system is given no documents of a meeting"),
    }
    return tuple(
        Issue(IssueType.BUSINESS_RULE, text, "Task.output", rule=name)
        for name, (is_so, text) in broken.items()
        if is_so
    )
