"""The unit's own plans and their goals: FHIR R4 ``CarePlan`` and ``Goal`` in and out.

The tapering ladder lives in ``Goal.target``. Sources: fhir_sweden.md §§ 5.1-5.2; domain rules 25, 29, 30; glossary
terms 16-18, 21.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from contracts.errors import IssueType
from contracts.plan import Measure, PlanGoal, PlanKind, RehabPlan, TaperingStep
from fhir_mappings import primitives
from fhir_mappings.identifiers import (
    EXT_DECIDED_BY,
    EXT_LED_BY,
    EXT_PLANNED_DEGREE,
    PLAN_KIND,
    SNOMED_CT,
    UCUM,
    WORK_ABILITY,
)
from fhir_mappings.primitives import Json
from fhir_mappings.reading import Reading

ON_SICK_LEAVE: Final = "224459001"
"""Snomed CT, on sick leave from work: what the ladder measures, as the certificates' Observations do."""

_NO_DIAGNOSIS: Final = "plan-no-diagnosis"
_PERCENT: Final = "%"


# ---- Plans -------------------------------------------------------------------------------------------------------


def care_plan(content: Json) -> RehabPlan:
    """A CarePlan. Its goals are resources of their own: ``goal`` reads them."""
    reading = Reading(content)
    period: Json = content.get("period", {})
    plan = RehabPlan(
        kind=_kind(content, reading) or PlanKind.REHAB,
        title=content.get("title", ""),
        patient=reading.patient(content, "CarePlan"),
        start=reading.swedish_date(period.get("start"), "CarePlan.period.start"),
        end=reading.swedish_date(period.get("end"), "CarePlan.period.end"),
        measures=_measures(content, reading),
        led_by=reading.extension(content, "CarePlan", EXT_LED_BY, "valueString") or "",
    )
    _check_days(plan, reading)
    _check_no_diagnosis(content, "CarePlan", reading)
    reading.close()
    return plan


def _kind(content: Json, reading: Reading) -> PlanKind | None:
    found = primitives.codes(content.get("category", ()), "CarePlan.category", PLAN_KIND)
    if not found:
        text = "whose plan it is and what for is required: a coding of the plan-kind code system"
        reading.note(IssueType.REQUIRED, "CarePlan.category", text, "plan-kind")
    kinds = reading.members(found, PlanKind, "plan-kind")
    return reading.only(kinds, "CarePlan.category", "what kind of plan it is", "plan-kind")


def _check_days(plan: RehabPlan, reading: Reading) -> None:
    if plan.start and plan.end and plan.end < plan.start:
        reading.note(IssueType.INVARIANT, "CarePlan.period", "the period ends before it starts", "period-reversed")


def _measures(content: Json, reading: Reading) -> tuple[Measure, ...]:
    details = [
        (activity["detail"], f"CarePlan.activity[{index}].detail")
        for index, activity in enumerate(content.get("activity", ()))
        if "detail" in activity
    ]
    return tuple(_measure(detail, at, reading) for detail, at in details)


def _measure(detail: Json, at: str, reading: Reading) -> Measure:
    planned, planned_at = reading.extension_at(detail, at, EXT_PLANNED_DEGREE, "valueQuantity")
    if planned is not None:
        _degree(planned, planned_at, reading)
    words = detail.get("description") or _words(detail.get("code", {}))
    if not words:
        reading.note(IssueType.REQUIRED, f"{at}.description", "a measure is described in words", "plan-measure")
    return Measure(
        description=words,
        owner=_owner(detail),
        decided_by=reading.extension(detail, at, EXT_DECIDED_BY, "valueString") or "",
    )


def _owner(detail: Json) -> str:
    performer: Json = next(iter(detail.get("performer", ())), {})
    number: Json = performer.get("identifier", {})
    return str(performer.get("display") or performer.get("reference") or number.get("value", ""))


# ---- Goals -------------------------------------------------------------------------------------------------------


def goal(content: Json) -> PlanGoal:
    """A Goal, with the ladder of its targets, first step first."""
    reading = Reading(content)
    targets = enumerate(content.get("target", ()))
    steps = [_step(target, f"Goal.target[{index}]", reading) for index, target in targets if _is_step(target)]
    reading.patient(content, "Goal")
    _check_no_diagnosis(content, "Goal", reading)
    ladder = sorted((step for step in steps if step is not None), key=lambda step: step.due)
    _check_ladder(ladder, reading)
    reading.close()
    return PlanGoal(_words(content.get("description", {})), tuple(ladder))


def _is_step(target: Json) -> bool:
    """A share in percent of sick leave. One that measures something else (pain, for instance) is no step."""
    quantity, measure = target.get("detailQuantity"), target.get("measure")
    return quantity is not None and _is_percent(quantity) and (measure is None or _is_sick_leave(measure))


def _is_percent(quantity: Json) -> bool:
    return quantity.get("system") == UCUM and quantity.get("code") == _PERCENT


def _is_sick_leave(measure: Json) -> bool:
    ours = primitives.coded(measure, "", WORK_ABILITY)
    return bool(ours) or any(code == ON_SICK_LEAVE for code, _ in primitives.coded(measure, "", SNOMED_CT))


def _step(target: Json, at: str, reading: Reading) -> TaperingStep | None:
    degree = _degree(target["detailQuantity"], f"{at}.detail", reading)
    due = _due(target, at, reading)
    return None if degree is None or due is None else TaperingStep(due, degree)


def _due(target: Json, at: str, reading: Reading) -> date | None:
    due = target.get("dueDate")
    if due is None:
        reading.note(IssueType.REQUIRED, f"{at}.due", "a step has a day: dueDate", "tapering-step")
    return reading.swedish_date(due, f"{at}.due")


def _degree(quantity: Json, at: str, reading: Reading) -> int | None:
    value = quantity.get("value")
    if value is None or not 0 <= value <= 100 or value != int(value):
        reading.note(IssueType.VALUE, f"{at}.value", "a degree is a whole percentage, 0 to 100", "tapering-degree")
        return None
    if not _is_percent(quantity) or "comparator" in quantity:
        text = "a degree is in %, system http://unitsofmeasure.org, without a comparator"
        reading.note(IssueType.VALUE, at, text, "tapering-degree")
    return int(value)


def _check_ladder(ladder: Sequence[TaperingStep], reading: Reading) -> None:
    if len({step.due for step in ladder}) < len(ladder):
        reading.note(IssueType.BUSINESS_RULE, "Goal.target", "one degree for each day", "tapering-step")


def _words(concept: Json) -> str:
    displays = (coding["display"] for coding in concept.get("coding", ()) if "display" in coding)
    return str(concept.get("text") or next(displays, ""))


def _check_no_diagnosis(content: Json, at: str, reading: Reading) -> None:
    """What a profile cannot tell: that a reference to anything leads to a Condition, or that one is contained."""
    for found_at in primitives.condition_references(content, at, "supportingInfo"):
        reading.note(IssueType.BUSINESS_RULE, found_at, "a plan carries no diagnosis and points at none", _NO_DIAGNOSIS)


# ---- FHIR out ----------------------------------------------------------------------------------------------------


def to_fhir(
    plan: RehabPlan, *, goals: Sequence[str], author: Json | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The CarePlan and its Goals, for systems that report without FHIR. ``goals`` are the references by which the plan
    points at its goals, one each (``Goal/<id>``, or ``urn:uuid:`` inside a transaction); ``author`` is the unit."""
    subject = {"reference": f"Patient/{plan.patient}"}
    elements: dict[str, Any] = {
        "resourceType": "CarePlan",
        "extension": _text_extension(EXT_LED_BY, plan.led_by),
        "status": "active",
        "intent": "plan",
        "category": [primitives.concept(PLAN_KIND, plan.kind)],
        "title": plan.title,
        "subject": subject,
        "period": _days(plan),
        "author": author,
        "goal": [{"reference": reference} for reference, _ in zip(goals, plan.goals, strict=True)],
        "activity": [{"detail": _detail(measure)} for measure in plan.measures],
    }
    written = {name: value for name, value in elements.items() if value}
    return written, [_goal(each, subject) for each in plan.goals]


def _days(plan: RehabPlan) -> dict[str, str]:
    days = {"start": plan.start, "end": plan.end}
    return {name: day.isoformat() for name, day in days.items() if day is not None}


def _detail(measure: Measure) -> dict[str, Any]:
    elements = {
        "extension": _text_extension(EXT_DECIDED_BY, measure.decided_by),
        "status": "not-started",
        "description": measure.description,
        "performer": [{"display": measure.owner}] if measure.owner else [],
    }
    return {name: value for name, value in elements.items() if value}


def _goal(plan_goal: PlanGoal, subject: Json) -> dict[str, Any]:
    elements = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": plan_goal.description},
        "subject": subject,
        "target": [_target(step) for step in plan_goal.tapering],
    }
    return {name: value for name, value in elements.items() if value}


def _target(step: TaperingStep) -> dict[str, Any]:
    return {
        "measure": primitives.concept(SNOMED_CT, ON_SICK_LEAVE),
        "detailQuantity": {"value": step.degree, "unit": _PERCENT, "system": UCUM, "code": _PERCENT},
        "dueDate": step.due.isoformat(),
    }


def _text_extension(url: str, text: str) -> list[dict[str, str]]:
    return [{"url": url, "valueString": text}] if text else []
