"""A day on which a stored plan is to be followed up: added to its ``CarePlan``, which stays as it came otherwise."""

from contracts.plan import FollowUp, RehabPlan
from contracts.record import Document
from fhir_mappings import plan as mapping
from fhir_mappings.document import with_elements


def with_follow_up(document: Document, follow_up: FollowUp) -> Document:
    """The plan with the day; the same document where it has that day already. Raises ``Invalid`` for a plan that cannot be
    read."""
    plan = mapping.care_plan(document.content)
    if any(each.day == follow_up.day for each in plan.follow_ups):
        return document
    # As a plan with nothing else would say it.
    alone, _ = mapping.to_fhir(RehabPlan(plan.kind, plan.title, plan.patient, follow_ups=(follow_up,)), goals=[])
    return with_elements(document, {"activity": [*document.content.get("activity", ()), *alone["activity"]]})
