"""The unit's own plans: FHIR R4 ``CarePlan`` in and out. Their goals are resources of their own: ``goal`` reads them.

Sources: fhir_sweden.md § 5.1; domain rules 25, 29-31; glossary terms 17, 21.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from contracts.activity import ActivityKind
from contracts.errors import IssueType
from contracts.plan import ContactPerson, FollowUp, Measure, MeasureWord, PlanKind, Principal, RehabPlan
from fhir_mappings import goal as goals_of
from fhir_mappings import primitives
from fhir_mappings.goal import check_no_diagnosis, degree_of, is_sensitive, words
from fhir_mappings.identifiers import (
    ACTIVITY_KIND,
    EXT_CONTACT_PERSON,
    EXT_DECIDED_BY,
    EXT_LED_BY,
    EXT_PATIENT_FIRST_CONTACT,
    EXT_PLANNED_DEGREE,
    EXT_PRINCIPAL,
    PLAN_KIND,
    PLAN_MEASURE,
)
from fhir_mappings.primitives import Json
from fhir_mappings.reading import Reading

FOLLOW_UPS: Final = frozenset({ActivityKind.PLAN_FOLLOWUP.value, ActivityKind.SIP_FOLLOWUP.value})
"""What an activity of a plan is called that follows it up, and the occasion when it was done."""

NameOf = Callable[[Json], str]


def stated_name(reference: Json) -> str:
    """Whom a reference means, in its own words."""
    number: Json = reference.get("identifier", {})
    return str(reference.get("display") or reference.get("reference") or number.get("value", ""))


# ---- FHIR in -----------------------------------------------------------------------------------------------------


def care_plan(content: Json, name_of: NameOf = stated_name) -> RehabPlan:
    """A CarePlan. ``name_of`` tells whom a reference means."""
    reading = Reading(content)
    period: Json = content.get("period", {})
    patient = reading.patient(content, "CarePlan")
    details = list(_details(content))
    plan = RehabPlan(
        kind=_kind(content, reading) or PlanKind.REHAB,
        title=content.get("title", ""),
        patient=patient,
        start=reading.swedish_date(period.get("start"), "CarePlan.period.start"),
        end=reading.swedish_date(period.get("end"), "CarePlan.period.end"),
        measures=tuple(_measure(detail, at, name_of, reading) for detail, at in details if not follows_up(detail)),
        led_by=reading.extension(content, "CarePlan", EXT_LED_BY, "valueString") or "",
        follow_ups=_follow_ups(details, name_of, reading),
        contact=_contact(reading.extension(content, "CarePlan", EXT_CONTACT_PERSON, "valueContactDetail")),
        with_patient=any(_is_patient(each, patient) for each in content.get("contributor", ())),
        participants=_participants(content, patient, name_of),
    )
    _check_days(plan, reading)
    check_no_diagnosis(content, "CarePlan", reading)
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


def _details(content: Json) -> Iterator[tuple[Json, str]]:
    for index, activity in enumerate(content.get("activity", ())):
        if "detail" in activity:
            yield activity["detail"], f"CarePlan.activity[{index}].detail"


def _measure(detail: Json, at: str, name_of: NameOf, reading: Reading) -> Measure:
    planned, planned_at = reading.extension_at(detail, at, EXT_PLANNED_DEGREE, "valueQuantity")
    if planned is not None:
        degree_of(planned, planned_at, reading)
    said = detail.get("description") or words(detail.get("code", {}))
    if not said:
        reading.note(IssueType.REQUIRED, f"{at}.description", "a measure is described in words", "plan-measure")
    return Measure(
        description=said,
        owner=_owner(detail, name_of),
        decided_by=reading.extension(detail, at, EXT_DECIDED_BY, "valueString") or "",
        word=_word(detail, at, reading),
        principal=reading.extension_member(detail, at, EXT_PRINCIPAL, Principal, "principal"),
        patient_first=reading.extension(detail, at, EXT_PATIENT_FIRST_CONTACT, "valueBoolean"),
        sensitive=is_sensitive(detail),
        part=at,
    )


def _word(detail: Json, at: str, reading: Reading) -> MeasureWord | None:
    found = primitives.coded(detail.get("code"), f"{at}.code", PLAN_MEASURE)
    return reading.only(reading.members(found, MeasureWord, "plan-measure"), f"{at}.code", "a measure", "plan-measure")


def _owner(detail: Json, name_of: NameOf) -> str:
    return next(map(name_of, detail.get("performer", ())), "")


def follows_up(detail: Json) -> bool:
    """Whether an activity of a plan is a day on which the plan itself is followed up."""
    return any(code in FOLLOW_UPS for code, _ in primitives.coded(detail.get("code"), "", ACTIVITY_KIND))


def _follow_ups(details: Iterable[tuple[Json, str]], name_of: NameOf, reading: Reading) -> tuple[FollowUp, ...]:
    found = (_follow_up(detail, at, name_of, reading) for detail, at in details if follows_up(detail))
    return tuple(sorted((each for each in found if each is not None), key=lambda each: each.day))


def _follow_up(detail: Json, at: str, name_of: NameOf, reading: Reading) -> FollowUp | None:
    start = detail.get("scheduledPeriod", {}).get("start")
    if start is None:
        text = "a planned follow-up says its day: scheduledPeriod.start"
        reading.note(IssueType.REQUIRED, f"{at}.scheduled", text, "follow-up-day")
    day = reading.swedish_date(start, f"{at}.scheduled")
    done = detail["status"] == "completed"
    return None if day is None else FollowUp(day, detail.get("description", ""), _owner(detail, name_of), done)


def _contact(stated: Json | None) -> ContactPerson | None:
    if stated is None:
        return None
    reached_at = (str(each["value"]) for each in stated.get("telecom", ()) if "value" in each)
    return ContactPerson(stated.get("name", ""), tuple(reached_at))


def _participants(content: Json, patient: str, name_of: NameOf) -> tuple[str, ...]:
    others = (each for each in content.get("contributor", ()) if not _is_patient(each, patient))
    return tuple(name for each in others if (name := name_of(each)))


def _is_patient(reference: Json, patient: str) -> bool:
    return bool(reference.get("reference") == f"Patient/{patient}")


# ---- FHIR out ----------------------------------------------------------------------------------------------------


def to_fhir(
    plan: RehabPlan, *, goals: Sequence[str], author: Json | None = None
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The CarePlan and its Goals, for systems that report without FHIR. ``goals`` are the references by which the plan
    points at its goals, one each (``Goal/<id>``, or ``urn:uuid:`` inside a transaction); ``author`` is the unit."""
    subject = {"reference": f"Patient/{plan.patient}"}
    elements: dict[str, Any] = {
        "resourceType": "CarePlan",
        "extension": [*_text_extension(EXT_LED_BY, plan.led_by), *_contact_extension(plan.contact)],
        "status": "active",
        "intent": "plan",
        "category": [primitives.concept(PLAN_KIND, plan.kind)],
        "title": plan.title,
        "subject": subject,
        "period": _days(plan),
        "author": author,
        "contributor": _contributors(plan),
        "goal": [{"reference": reference} for reference, _ in zip(goals, plan.goals, strict=True)],
        "activity": [
            *({"detail": _detail(measure)} for measure in plan.measures),
            *({"detail": _planned(each, plan.kind)} for each in plan.follow_ups),
        ],
    }
    written = {name: value for name, value in elements.items() if value}
    return written, [goals_of.to_fhir(each, subject) for each in plan.goals]


def _days(plan: RehabPlan) -> dict[str, str]:
    days = {"start": plan.start, "end": plan.end}
    return {name: day.isoformat() for name, day in days.items() if day is not None}


def _detail(measure: Measure) -> dict[str, Any]:
    elements = {
        "extension": _marked(measure),
        "code": primitives.concept(PLAN_MEASURE, measure.word) if measure.word else None,
        "status": "not-started",
        "description": measure.description,
        "performer": [{"display": measure.owner}] if measure.owner else [],
    }
    return {name: value for name, value in elements.items() if value}


def _marked(measure: Measure) -> list[dict[str, Any]]:
    first = measure.patient_first
    return [
        *_text_extension(EXT_DECIDED_BY, measure.decided_by),
        *([{"url": EXT_PRINCIPAL, "valueCode": measure.principal.value}] if measure.principal else []),
        *([{"url": EXT_PATIENT_FIRST_CONTACT, "valueBoolean": first}] if first is not None else []),
        *goals_of.marking(measure.sensitive),
    ]


def _planned(follow_up: FollowUp, kind: PlanKind) -> dict[str, Any]:
    day = follow_up.day.isoformat()
    followed = ActivityKind.SIP_FOLLOWUP if kind is PlanKind.SIP else ActivityKind.PLAN_FOLLOWUP
    elements = {
        "code": primitives.concept(ACTIVITY_KIND, followed),
        "status": "completed" if follow_up.done else "scheduled",
        "scheduledPeriod": {"start": day, "end": day},
        "description": follow_up.description,
        "performer": [{"display": follow_up.owner}] if follow_up.owner else [],
    }
    return {name: value for name, value in elements.items() if value}


def _contributors(plan: RehabPlan) -> list[dict[str, Any]]:
    patient = [{"reference": f"Patient/{plan.patient}"}] if plan.with_patient else []
    return [*patient, *({"display": name} for name in plan.participants)]


def _contact_extension(contact: ContactPerson | None) -> list[dict[str, Any]]:
    if contact is None:
        return []
    reached = [{"system": "email" if "@" in each else "phone", "value": each} for each in contact.reached_at]
    detail = {"name": contact.name} | ({"telecom": reached} if reached else {})
    return [{"url": EXT_CONTACT_PERSON, "valueContactDetail": detail}]


def _text_extension(url: str, text: str) -> list[dict[str, str]]:
    return [{"url": url, "valueString": text}] if text else []
