"""What a plan must say to be kept, and what it had better say and whom its patient has let it be told (domain rules 4,
28-30)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from contracts.consent import (
    Consent,
    ConsentKind,
    ConsentStatus,
    Direction,
    Effect,
    Recipient,
    UnreadableConsent,
)
from contracts.errors import Issue, IssueType, note
from contracts.identity import HsaId
from contracts.plan import Measure, MeasureWord, PlanKind, RehabPlan

DECIDED_ELSEWHERE: Final = {MeasureWord.ARBETSTRANING: ("försäkringskassan", "arbetsförmedlingen", "fk", "af")}
"""Defined words that mean somebody else's decision, and whose it can be (Uppsala's slides: arbetsträning)."""

_MEASURES: Final = "CarePlan.activity"


def faults(plan: RehabPlan) -> tuple[Issue, ...]:
    """Why a plan in force cannot be accepted as it stands; empty when it can."""
    sip = _incomplete_sip(plan) if plan.kind is PlanKind.SIP else ()
    return (*sip, *_unanswered_words(plan.measures))


def remarks(plan: RehabPlan) -> tuple[Issue, ...]:
    """What a plan in force is accepted without, and the patient would miss."""
    return tuple(_missed(plan))


def may_be_told(consents: Iterable[Consent | UnreadableConsent], unit: HsaId, at: datetime) -> tuple[Recipient, ...]:
    """Whom the patient has said yes to the unit telling something, now; nobody whom a refusal touches (rule 4). It is for
    the patient to read: what may be sent is decided by ``rules.consent`` alone."""
    found = list(consents)
    if any(isinstance(each, UnreadableConsent) for each in found):
        return ()  # it may be a refusal (decision D16)
    known = [each for each in found if isinstance(each, Consent) and _in_force(each, unit, at)]
    denied = {each.recipient.party if each.recipient else "" for each in known if each.effect is Effect.DENY}
    permitted = (each.recipient for each in known if each.effect is Effect.PERMIT and each.recipient)
    return () if "" in denied else tuple(dict.fromkeys(each for each in permitted if each.party not in denied))


def _in_force(consent: Consent, unit: HsaId, at: datetime) -> bool:
    return (
        consent.kind is ConsentKind.DISCLOSURE
        and consent.status is ConsentStatus.ACTIVE
        and consent.direction in (None, Direction.DISCLOSE)
        and consent.unit in (None, unit)
        and consent.period.holds(at)
    )


def _incomplete_sip(plan: RehabPlan) -> Iterable[Issue]:
    """What is to be done, who answers for each measure, what others than region and municipality do, and who leads (HSL 16
    kap. 4 §)."""
    if not plan.led_by:
        yield _missing("a SIP says who leads it: led-by", "CarePlan.extension", "sip-complete")
    if not plan.measures:
        yield _missing("a SIP has measures", _MEASURES, "sip-complete")
    if not all(measure.owner for measure in plan.measures):
        yield _missing("a SIP says who answers for each measure: detail.performer", _MEASURES, "sip-complete")
    if not all(measure.principal for measure in plan.measures):
        text = "a SIP says of each measure whether it is the region's, the municipality's or somebody else's: principal"
        yield _missing(text, _MEASURES, "sip-complete")


def _unanswered_words(measures: Iterable[Measure]) -> Iterable[Issue]:
    """A defined word has an owner and, where it means another actor's decision, its decision-maker (rule 29): care decides no
    such measure (rule 28), so without one the plan would promise what nobody has decided."""
    for measure in measures:
        if measure.word is not None and not measure.owner:
            text = f"who does it is required of a measure that is called {measure.word}: detail.performer"
            yield _missing(text, measure.part, "plan-owner")
        if measure.word in DECIDED_ELSEWHERE and not measure.decided_by:
            text = f"{measure.word} needs a decision of another actor: decided-by says whose"
            yield _missing(text, measure.part, "plan-decision")


def _missed(plan: RehabPlan) -> Iterable[Issue]:
    if not plan.with_patient:
        yield note("the plan does not say that the patient took part in making it: contributor", "plan-with-patient")
    if plan.contact is None:
        yield note("the plan names nobody whom the patient can turn to: contact-person", "plan-contact")
    if not plan.follow_ups:
        yield note("no day is planned on which the plan is followed up", "plan-follow-up")
    if not all(measure.owner or measure.word for measure in plan.measures):
        yield note("a measure does not say who does it: detail.performer", "plan-owner")
    for measure in plan.measures:
        if measure.decided_by and not _can_decide(measure):
            text = f"{measure.word} is decided by Försäkringskassan or Arbetsförmedlingen: another is named"
            yield note(text, "plan-decision")


def _can_decide(measure: Measure) -> bool:
    known = DECIDED_ELSEWHERE.get(measure.word) if measure.word else None
    words = measure.decided_by.casefold().replace(",", " ").split()
    return known is None or any(word in known or word.rstrip("s") in known for word in words)


def _missing(text: str, at: str, rule: str) -> Issue:
    return Issue(IssueType.REQUIRED, text, at, rule=rule)
