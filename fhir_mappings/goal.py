"""A plan's goals: FHIR R4 ``Goal`` in and out. The tapering ladder lives in ``Goal.target``.

Sources: fhir_sweden.md § 5.2; glossary term 16; domain rules 25, 31.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from contracts.consent import InformationCategory
from contracts.errors import IssueType
from contracts.plan import PlanGoal, TaperingStep
from fhir_mappings import primitives
from fhir_mappings.identifiers import EXT_INFORMATION_CATEGORY, SNOMED_CT, UCUM, WORK_ABILITY
from fhir_mappings.primitives import Json, extension_value
from fhir_mappings.reading import Reading

ON_SICK_LEAVE: Final = "224459001"
"""Snomed CT, on sick leave from work: what the ladder measures, as the certificates' Observations do."""

_NO_DIAGNOSIS: Final = "plan-no-diagnosis"
_PERCENT: Final = "%"


def goal(content: Json) -> PlanGoal:
    """A Goal, with the ladder of its targets, first step first."""
    reading = Reading(content)
    targets = enumerate(content.get("target", ()))
    steps = [_step(target, f"Goal.target[{index}]", reading) for index, target in targets if _is_step(target)]
    reading.patient(content, "Goal")
    check_no_diagnosis(content, "Goal", reading)
    ladder = sorted((step for step in steps if step is not None), key=lambda step: step.due)
    _check_ladder(ladder, reading)
    reading.close()
    return PlanGoal(words(content.get("description", {})), tuple(ladder), is_sensitive(content))


def _is_step(target: Json) -> bool:
    """A share in percent of sick leave. One that measures something else (pain, for instance) is no step."""
    quantity, measure = target.get("detailQuantity"), target.get("measure")
    return quantity is not None and is_percent(quantity) and (measure is None or _is_sick_leave(measure))


def is_percent(quantity: Json) -> bool:
    return quantity.get("system") == UCUM and quantity.get("code") == _PERCENT


def _is_sick_leave(measure: Json) -> bool:
    ours = primitives.coded(measure, "", WORK_ABILITY)
    return bool(ours) or any(code == ON_SICK_LEAVE for code, _ in primitives.coded(measure, "", SNOMED_CT))


def _step(target: Json, at: str, reading: Reading) -> TaperingStep | None:
    degree = degree_of(target["detailQuantity"], f"{at}.detail", reading)
    due = _due(target, at, reading)
    return None if degree is None or due is None else TaperingStep(due, degree)


def _due(target: Json, at: str, reading: Reading) -> date | None:
    due = target.get("dueDate")
    if due is None:
        reading.note(IssueType.REQUIRED, f"{at}.due", "a step has a day: dueDate", "tapering-step")
    return reading.swedish_date(due, f"{at}.due")


def degree_of(quantity: Json, at: str, reading: Reading) -> int | None:
    """A share in whole percent; anything else is noted, and ``None``."""
    value = quantity.get("value")
    if value is None or not 0 <= value <= 100 or value != int(value):
        reading.note(IssueType.VALUE, f"{at}.value", "a degree is a whole percentage, 0 to 100", "tapering-degree")
        return None
    if not is_percent(quantity) or "comparator" in quantity:
        text = "a degree is in %, system http://unitsofmeasure.org, without a comparator"
        reading.note(IssueType.VALUE, at, text, "tapering-degree")
    return int(value)


def _check_ladder(ladder: Sequence[TaperingStep], reading: Reading) -> None:
    if len({step.due for step in ladder}) < len(ladder):
        reading.note(IssueType.BUSINESS_RULE, "Goal.target", "one degree for each day", "tapering-step")


def words(concept: Json) -> str:
    """What a concept says in words: its text, else its first display."""
    displays = (coding["display"] for coding in concept.get("coding", ()) if "display" in coding)
    return str(concept.get("text") or next(displays, ""))


def is_sensitive(element: Json) -> bool:
    """Whether an element is marked as of violence, abuse or family (domain rule 31)."""
    return bool(extension_value(element, EXT_INFORMATION_CATEGORY) == InformationCategory.SENSITIVE_CIRCUMSTANCES)


def check_no_diagnosis(content: Json, at: str, reading: Reading) -> None:
    """What a profile cannot tell: that a reference to anything leads to a Condition, or that one is contained."""
    for found_at in primitives.condition_references(content, at, "supportingInfo"):
        reading.note(IssueType.BUSINESS_RULE, found_at, "a plan carries no diagnosis and points at none", _NO_DIAGNOSIS)


# ---- FHIR out ----------------------------------------------------------------------------------------------------


def marking(sensitive: bool) -> list[dict[str, str]]:
    """The extension that ``is_sensitive`` reads."""
    category = InformationCategory.SENSITIVE_CIRCUMSTANCES.value
    return [{"url": EXT_INFORMATION_CATEGORY, "valueCode": category}] if sensitive else []


def to_fhir(plan_goal: PlanGoal, subject: Json) -> dict[str, Any]:
    """The Goal of a patient, for systems that report without FHIR."""
    elements = {
        "resourceType": "Goal",
        "extension": marking(plan_goal.sensitive),
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
