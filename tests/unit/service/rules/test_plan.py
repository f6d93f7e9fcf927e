"""What a plan must say, what it had better say, and whom its patient has let it be told (domain rules 4, 28-30)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from contracts.consent import (
    Consent,
    ConsentKind,
    ConsentStatus,
    Direction,
    Effect,
    Recipient,
    RecipientKind,
    UnreadableConsent,
)
from contracts.identity import HsaId
from contracts.plan import ContactPerson, FollowUp, Measure, MeasureWord, PlanKind, Principal, RehabPlan
from contracts.time import Period
from service.rules.plan import faults, may_be_told, remarks

OURS = Measure("Samtal", "Kuratorn", principal=Principal.REGION)
TRAINING = Measure("Arbetsträning", "Bolaget AB", "Försäkringskassan", MeasureWord.ARBETSTRANING)
PLAN = RehabPlan(
    PlanKind.SICK_LEAVE_AND_REHAB,
    "Plan",
    "p1",
    measures=(OURS, TRAINING),
    follow_ups=(FollowUp(date(2026, 5, 4)),),
    contact=ContactPerson("Kim"),
    with_patient=True,
)
SIP = replace(PLAN, kind=PlanKind.SIP, led_by="Kommunen", measures=(OURS, replace(TRAINING, principal=Principal.OTHER)))


def measured(plan: RehabPlan, **elements: Any) -> RehabPlan:
    """The plan, its last measure changed."""
    *first, last = plan.measures
    return replace(plan, measures=(*first, replace(last, **elements)))


@pytest.mark.parametrize(
    ("plan", "rules"),
    [
        (PLAN, []),
        (SIP, []),
        (replace(PLAN, measures=()), []),
        (replace(PLAN, measures=(Measure("Något", ""),)), []),
        (replace(SIP, led_by=""), ["sip-complete"]),
        (replace(SIP, measures=()), ["sip-complete"]),
        (replace(SIP, measures=(replace(OURS, owner=""),)), ["sip-complete"]),
        (replace(SIP, measures=(replace(OURS, principal=None),)), ["sip-complete"]),
        (replace(SIP, led_by="", measures=(Measure("Något", ""),)), ["sip-complete"] * 3),
        (measured(PLAN, decided_by=""), ["plan-decision"]),
        (measured(PLAN, owner=""), ["plan-owner"]),
        (measured(PLAN, owner="", decided_by=""), ["plan-owner", "plan-decision"]),
        *(
            (measured(PLAN, word=word, decided_by=""), [])
            for word in MeasureWord
            if word is not MeasureWord.ARBETSTRANING
        ),
        *((measured(PLAN, word=word, owner=""), ["plan-owner"]) for word in MeasureWord),
    ],
)
def test_what_a_plan_in_force_must_say(plan: RehabPlan, rules: list[str]) -> None:
    assert [issue.rule for issue in faults(plan)] == rules


@pytest.mark.parametrize(
    ("plan", "rules"),
    [
        (PLAN, []),
        (SIP, []),
        (replace(PLAN, with_patient=False), ["plan-with-patient"]),
        (replace(PLAN, contact=None), ["plan-contact"]),
        (replace(PLAN, follow_ups=()), ["plan-follow-up"]),
        (replace(PLAN, measures=(Measure("Något", ""),)), ["plan-owner"]),
        (measured(PLAN, decided_by="Bolaget AB"), ["plan-decision"]),
        (measured(PLAN, decided_by="Bolaget AB", word=None), []),
        *(
            (measured(PLAN, decided_by=said), [])
            for said in (
                "FK",
                "af",
                "Arbetsförmedlingen, Borås",
                "handläggaren på Försäkringskassan",
                "Försäkringskassans beslut",
            )
        ),
    ],
)
def test_what_it_had_better_say(plan: RehabPlan, rules: list[str]) -> None:
    told = remarks(plan)

    assert [issue.rule for issue in told] == rules
    assert {issue.severity for issue in told} <= {"information"}


NOW = datetime(2026, 5, 4, tzinfo=UTC)
UNIT, ELSEWHERE = HsaId("TSTNMT2321000156-E0001"), HsaId("TSTNMT2321000156-E0002")
FK = Recipient(RecipientKind.FORSAKRINGSKASSAN, "2021005521")
EMPLOYER = Recipient(RecipientKind.EMPLOYER, "5560000001", "Bolaget AB")


def said(recipient: Recipient | None = FK, effect: Effect = Effect.PERMIT, **elements: Any) -> Consent:
    stated = Consent(
        "c1",
        1,
        ConsentKind.DISCLOSURE,
        ConsentStatus.ACTIVE,
        effect,
        "p1",
        UNIT,
        NOW,
        recipient=recipient,
        direction=Direction.DISCLOSE,
    )
    return replace(stated, **elements)


@pytest.mark.parametrize(
    ("consents", "told"),
    [
        ([], ()),
        ([said()], (FK,)),
        ([said(), said(EMPLOYER), said()], (FK, EMPLOYER)),
        ([said(unit=None)], (FK,)),
        ([said(unit=ELSEWHERE)], ()),
        ([said(kind=ConsentKind.COORDINATION, recipient=None)], ()),
        ([said(status=ConsentStatus.INACTIVE)], ()),
        ([said(direction=Direction.COLLECT)], ()),
        ([said(period=Period(end=NOW))], ()),
        ([said(), said(effect=Effect.DENY)], ()),
        ([said(), said(EMPLOYER), said(effect=Effect.DENY)], (EMPLOYER,)),
        ([said(), said(None, Effect.DENY)], ()),
        ([said(), said(effect=Effect.DENY, status=ConsentStatus.INACTIVE)], (FK,)),
        ([said(), UnreadableConsent("c2", 1)], ()),
    ],
)
def test_whom_the_patient_reads_that_we_may_tell(consents: list[Any], told: tuple[Recipient, ...]) -> None:
    assert may_be_told(consents, UNIT, NOW) == told
