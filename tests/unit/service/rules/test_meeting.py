"""Meetings with other parties, as decision tables (domain rules 19, 23, 24, 29, 30; glossary 21-23)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any, Final

import pytest

from contracts.activity import ActivityKind, ActivityStatus, ContactMode, CoordinationActivity
from contracts.consent import Recipient, RecipientKind
from contracts.meeting import MEETINGS, FollowUp, Meeting, MeetingAnswer, MeetingStatus, Part, Participant
from contracts.plan import PlanKind
from service.rules import kva
from service.rules import meeting as rules
from tests.unit.service.rules.test_kva import VGR

K, R, M = ActivityKind, RecipientKind, MeetingStatus

NOW: Final = datetime(2026, 3, 12, 15, tzinfo=UTC)
START: Final = NOW - timedelta(hours=2)
FK: Final = rules.FK
NEEDED: Final = {K.AVSTAMNINGSMOTE: R.FORSAKRINGSKASSAN, K.TREPARTSMOTE: R.EMPLOYER, K.SIP: R.MUNICIPALITY}


def party(kind: RecipientKind, id: str = "p2", **more: Any) -> Participant:
    key = FK if kind is R.FORSAKRINGSKASSAN else f"org-{kind}"
    return Participant(id, Part.PARTY, Recipient(kind, key), **more)


def meeting(kind: ActivityKind = K.TREPARTSMOTE, **elements: Any) -> Meeting:
    """One that has nothing wrong with it, proposed and not held."""
    caller = FK if kind is K.AVSTAMNINGSMOTE else ""
    stated = {
        "participants": (Participant("p1", Part.PATIENT), party(NEEDED.get(kind, R.MUNICIPALITY))),
        "status": M.REQUESTED,
        "called_by": caller,
        "chair": caller,
        "secretary": caller,
        "start": START,
    }
    return Meeting(patient="1", kind=kind, **{**stated, **elements})


def held(kind: ActivityKind = K.TREPARTSMOTE, **elements: Any) -> Meeting:
    """The same, held, with all that one must say."""
    planned = meeting(kind)
    stated: dict[str, Any] = {
        "status": M.COMPLETED,
        "participants": tuple(replace(each, came=True) for each in planned.participants),
        "outcome": "Halvtid på prov.",
        "follow_up": FollowUp("Nytt möte", date(2026, 4, 20)),
        "plan": "CarePlan/1",
    }
    return replace(planned, **{**stated, **elements})


def told(meeting: Meeting) -> set[str]:
    return {issue.rule for issue in rules.faults(meeting, NOW)}


@pytest.mark.parametrize("kind", MEETINGS)
def test_what_is_complete_stands(kind: ActivityKind) -> None:
    assert told(meeting(kind)) == told(held(kind)) == set()
    assert told(meeting(kind, start=None, status=M.REQUESTED)) == set()


EMPLOYER: Final = party(R.EMPLOYER, "p3")
INVITED: Final = party(R.EMPLOYER, "p3", invitation="CommunicationRequest/1")

BROKEN: Final = {
    # rule: meetings that break it and nothing else
    "meeting-patient": [meeting(participants=(party(R.EMPLOYER),))],
    "meeting-needs": [
        meeting(K.TREPARTSMOTE, participants=(Participant("p1", Part.PATIENT), party(R.FORSAKRINGSKASSAN))),
        meeting(K.SIP, participants=(Participant("p1", Part.PATIENT), party(R.EMPLOYER))),
        meeting(K.SIP_FOLLOWUP, participants=(Participant("p1", Part.PATIENT),)),
    ],
    "meeting-systems": [
        meeting(participants=(*meeting().participants, party(kind, "p3")))
        for kind in (R.REGIONAL_PLATFORM, R.RECORD_SYSTEM)
    ],
    "meeting-roles": [meeting(chair=FK), meeting(secretary="org-union"), meeting(called_by="nobody")],
    "fk-calls": [
        meeting(K.AVSTAMNINGSMOTE, called_by=""),
        meeting(K.AVSTAMNINGSMOTE, chair=""),
        meeting(K.AVSTAMNINGSMOTE, secretary=""),
    ],
    "caller-invites": [
        meeting(K.AVSTAMNINGSMOTE, participants=(*meeting(K.AVSTAMNINGSMOTE).participants, INVITED)),
        meeting(K.SIP, called_by="org-municipality", participants=(*meeting(K.SIP).participants, INVITED)),
    ],
    "meeting-agreed": [meeting(start=None, status=M.ACCEPTED), held(start=None)],
    "meeting-ends": [meeting(end=START), meeting(end=START - timedelta(hours=1))],
    "meeting-ahead": [held(start=NOW + timedelta(minutes=1))],
    "meeting-cancelled": [meeting(status=M.CANCELLED), meeting(status=M.CANCELLED, reason=" ")],
    "meeting-outcome": [held(outcome=""), held(outcome=" \n")],
    "meeting-came": [held(participants=(*held().participants, EMPLOYER))],
    "meeting-not-held": [
        held(participants=(Participant("p1", Part.PATIENT, came=True), party(R.EMPLOYER, came=False)))
    ],
    "follow-up-agreed": [held(K.AVSTAMNINGSMOTE, follow_up=None), held(K.AVSTAMNINGSMOTE, follow_up=FollowUp(" "))],
    "follow-up-later": [held(follow_up=FollowUp("Samtal", date(2026, 3, 11)))],
    "sip-plan": [held(K.SIP, plan=""), held(K.SIP, plan="", why_no_plan=" ")],
}


def test_every_rule_is_broken_by_something() -> None:
    assert {rule.name for rule in rules.RULES} == set(BROKEN)


@pytest.mark.parametrize(
    ("rule", "broken"),
    [(rule, each) for rule, broken in BROKEN.items() for each in broken],
    ids=lambda value: str(value)[:20],
)
def test_what_breaks_a_rule_is_told_by_its_name_alone(rule: str, broken: Meeting) -> None:
    assert told(broken) == {rule}
    assert told(replace(broken, status=M.ENTERED_IN_ERROR)) == set()


def test_what_only_some_meetings_must_say() -> None:
    for kind in (K.TREPARTSMOTE, K.SIP, K.SIP_FOLLOWUP):
        assert told(held(kind, follow_up=None)) == set()
    assert told(held(K.SIP_FOLLOWUP, plan="")) == set()
    assert told(held(K.SIP, plan="", why_no_plan="Patienten tänker.")) == set()
    assert told(held(K.AVSTAMNINGSMOTE, follow_up=FollowUp("Vid behov, genom handläggaren"))) == set()
    asked = (Participant("p1", Part.PATIENT), party(R.FORSAKRINGSKASSAN, invitation="CommunicationRequest/1"))
    assert told(meeting(K.AVSTAMNINGSMOTE, participants=asked)) == set(), "asking Försäkringskassan invites nobody"
    two = (Participant("p1", Part.PATIENT, came=True), party(R.EMPLOYER, came=False), replace(EMPLOYER, came=True))
    assert told(held(participants=two)) == set(), "one employer of two came"


NEXT: Final = {
    None: {M.REQUESTED, M.ACCEPTED, M.COMPLETED},
    M.REQUESTED: set(M),
    M.ACCEPTED: set(M),
    M.COMPLETED: {M.COMPLETED, M.ENTERED_IN_ERROR},
    M.CANCELLED: {M.CANCELLED, M.ENTERED_IN_ERROR},
    M.ENTERED_IN_ERROR: {M.ENTERED_IN_ERROR},
}


@pytest.mark.parametrize(("earlier", "status"), list(product(NEXT, M)))
def test_the_way_of_a_meeting(earlier: MeetingStatus | None, status: MeetingStatus) -> None:
    assert rules.may_become(earlier, status) is (status in NEXT[earlier])


@pytest.mark.parametrize(("kind", "plan"), list(product(MEETINGS, PlanKind)))
def test_of_a_sip_comes_a_sip_and_of_nothing_else(kind: ActivityKind, plan: PlanKind) -> None:
    fits = (kind in (K.SIP, K.SIP_FOLLOWUP)) is (plan is PlanKind.SIP)
    assert ({issue.rule for issue in rules.wrong_plan(meeting(kind), plan)} == set()) is fits


CODED: Final = [
    # (meeting, kinds, codes): rules 22-24, as VGR's profile reads them
    (held(K.AVSTAMNINGSMOTE), (K.AVSTAMNINGSMOTE,), ["GC001"]),
    (held(K.TREPARTSMOTE), (K.TREPARTSMOTE,), ["GC001", "ZV506"]),
    (held(K.TREPARTSMOTE, mode=ContactMode.VIDEO), (K.TREPARTSMOTE,), ["GC001"]),
    (held(K.TREPARTSMOTE, with_sick_leave=False), (K.TREPARTSMOTE,), ["GC001", "ZV506"]),
    (held(K.SIP), (K.SIP,), ["GC001", "AU124"]),
    (held(K.SIP, plan="", why_no_plan="Patienten tänker."), (K.SOCIAL_SERVICES_CONTACT,), ["GC001"]),
    (held(K.SIP_FOLLOWUP), (K.SIP_FOLLOWUP,), ["GC001", "UX301"]),
    (
        held(K.SIP, also=(K.EMPLOYMENT_SERVICE_CONTACT, K.PLAN_FOLLOWUP)),
        (K.SIP, K.EMPLOYMENT_SERVICE_CONTACT, K.PLAN_FOLLOWUP),
        ["GC001", "AU124", "AW026"],
    ),
    (held(K.AVSTAMNINGSMOTE, also=(K.AVSTAMNINGSMOTE, K.PLAN)), (K.AVSTAMNINGSMOTE, K.PLAN), ["GC001", "DV077"]),
]


@pytest.mark.parametrize(("held", "kinds", "codes"), CODED, ids=lambda value: str(value)[:24])
def test_an_occasion_is_coded_once(held: Meeting, kinds: tuple[ActivityKind, ...], codes: list[str]) -> None:
    assert rules.kinds(held) == kinds
    activity = CoordinationActivity(
        patient="1",
        kinds=rules.kinds(held),
        status=ActivityStatus.COMPLETED,
        performed=held.start,
        mode=held.mode,
        with_sick_leave=held.with_sick_leave,
    )
    given = [each.code for each in kva.code(activity, VGR).codes]
    assert (given[0], sorted(given[1:])) == ("GC001", sorted(codes[1:]))


SHARED: Final = [
    # (kind of meeting, document, to whom, what refuses it)
    (K.TREPARTSMOTE, "Binary/1", R.EMPLOYER, set()),
    (K.SIP, "Binary/1", R.MUNICIPALITY, set()),
    (K.SIP, "Binary/2", R.MUNICIPALITY, {"meeting-documentation"}),
    (K.SIP, "Binary/2", None, {"meeting-documentation"}),
    (K.AVSTAMNINGSMOTE, "Binary/1", R.EMPLOYER, {"fk-documents"}),
    (K.AVSTAMNINGSMOTE, "Binary/1", None, set()),
    (K.SIP, "Binary/1", R.REGIONAL_PLATFORM, {"meeting-systems"}),
    (K.SIP, "Binary/1", R.RECORD_SYSTEM, {"meeting-systems"}),
]


@pytest.mark.parametrize(("kind", "document", "to", "refused"), SHARED)
def test_what_is_given_to_nobody_whatever_the_patient_says(
    kind: ActivityKind, document: str, to: RecipientKind | None, refused: set[str]
) -> None:
    issues = rules.wrong_share(meeting(kind, documents=("Binary/1",)), document, to)
    assert {issue.rule for issue in issues} == refused


def test_every_meeting_has_its_topic_and_whom_it_needs() -> None:
    assert set(rules.TOPICS) == set(rules.NEEDED) == set(MEETINGS)
    assert {answer.value for answer in MeetingAnswer} == {"not-yet", "coming", "not-coming"}
