"""What a plan must say to be kept (domain rule 30)."""

from collections.abc import Iterable

from contracts.errors import Issue, IssueType
from contracts.plan import PlanKind, RehabPlan


def faults(plan: RehabPlan) -> tuple[Issue, ...]:
    """Why a plan in force cannot be accepted as it stands; empty when it can."""
    return tuple(_incomplete_sip(plan)) if plan.kind is PlanKind.SIP else ()


def _incomplete_sip(plan: RehabPlan) -> Iterable[Issue]:
    """What is to be done, who answers for each measure, and who leads."""
    if not plan.led_by:
        yield _missing("a SIP says who leads it: led-by", "CarePlan.extension")
    if not plan.measures:
        yield _missing("a SIP has measures", "CarePlan.activity")
    if not all(measure.owner for measure in plan.measures):
        yield _missing("a SIP says who answers for each measure: detail.performer", "CarePlan.activity")


def _missing(text: str, at: str) -> Issue:
    return Issue(IssueType.REQUIRED, text, at, rule="sip-complete")
