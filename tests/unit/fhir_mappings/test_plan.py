from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from contracts.errors import Invalid, IssueType
from contracts.plan import (
    ContactPerson,
    FollowUp,
    Measure,
    MeasureWord,
    PlanGoal,
    PlanKind,
    Principal,
    RehabPlan,
    TaperingStep,
)
from fhir_mappings import goal as goal_mapping
from fhir_mappings import plan, r4
from fhir_mappings.identifiers import (
    EXT_DECIDED_BY,
    EXT_LED_BY,
    EXT_PLANNED_DEGREE,
    PLAN_KIND,
    SNOMED_CT,
    UCUM,
    WORK_ABILITY,
)


def category(*kinds: str) -> list[dict[str, Any]]:
    return [{"coding": [{"system": PLAN_KIND, "code": kind}]} for kind in kinds]


def care_plan(**elements: Any) -> dict[str, Any]:
    """A plan with one measure; ``None`` takes an element away."""
    content = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "category": category("sjukskrivnings-och-rehabiliteringsplan"),
        "title": "Sjukskrivnings- och rehabiliteringsplan",
        "subject": {"reference": "Patient/p1"},
        "activity": [activity()],
    }
    return {name: value for name, value in (content | elements).items() if value is not None}


def activity(**elements: Any) -> dict[str, Any]:
    detail = {
        "status": "not-started",
        "description": "Anpassade arbetsuppgifter",
        "performer": [{"display": "Arbetsgivaren"}],
    }
    return {"detail": {name: value for name, value in (detail | elements).items() if value is not None}}


def percent(value: float, **more: Any) -> dict[str, Any]:
    return {"value": value, "unit": "%", "system": UCUM, "code": "%"} | more


def goal(*targets: dict[str, Any], **elements: Any) -> dict[str, Any]:
    content = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Åter i ordinarie arbete"},
        "subject": {"reference": "Patient/p1"},
        "target": list(targets) or None,
    }
    return {name: value for name, value in (content | elements).items() if value is not None}


def step(degree: float, due: str | None, **more: Any) -> dict[str, Any]:
    return {"detailQuantity": percent(degree)} | ({"dueDate": due} if due else {}) | more


MEASURE = Measure("Anpassade arbetsuppgifter", "Arbetsgivaren")
PLAN = RehabPlan(PlanKind.SICK_LEAVE_AND_REHAB, "Sjukskrivnings- och rehabiliteringsplan", "p1", measures=(MEASURE,))


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (care_plan(), PLAN),
        (care_plan(activity=None), replace(PLAN, measures=())),
        (care_plan(activity=[{"reference": {"reference": "Task/1"}}]), replace(PLAN, measures=())),
        (
            care_plan(period={"start": "2026-03-29T00:30:00+01:00", "end": "2026-10-25"}),
            replace(PLAN, start=date(2026, 3, 29), end=date(2026, 10, 25)),
        ),
        (
            care_plan(
                category=[{"text": "RP"}, *category("sip")], extension=[{"url": EXT_LED_BY, "valueString": "kommunen"}]
            ),
            replace(PLAN, kind=PlanKind.SIP, led_by="kommunen"),
        ),
        (
            care_plan(
                activity=[
                    activity(
                        description=None,
                        code={"text": "Arbetsträning"},
                        performer=[{"reference": "Organization/1"}],
                        extension=[{"url": EXT_DECIDED_BY, "valueString": "Försäkringskassan"}],
                    ),
                    activity(performer=[{"identifier": {"system": "s", "value": "7"}}]),
                    activity(performer=None, reasonReference=[{"reference": "Observation/1"}]),
                ]
            ),
            replace(
                PLAN,
                measures=(
                    Measure("Arbetsträning", "Organization/1", "Försäkringskassan"),
                    replace(MEASURE, owner="7"),
                    replace(MEASURE, owner=""),
                ),
            ),
        ),
        (care_plan(activity=[activity(extension=[{"url": EXT_PLANNED_DEGREE, "valueQuantity": percent(50)}])]), PLAN),
    ],
)
def test_what_a_plan_says(content: dict[str, Any], read: RehabPlan) -> None:
    assert r4.check(content) == ()
    assert plan.care_plan(content) == read


def refused(reader: Any, content: dict[str, Any]) -> list[tuple[IssueType, str, str]]:
    with pytest.raises(Invalid) as refusal:
        reader(content)
    return [(issue.type, issue.expression.partition(".")[2], issue.rule) for issue in refusal.value.issues]


@pytest.mark.parametrize(
    ("content", "issue"),
    [
        (care_plan(category=None), (IssueType.REQUIRED, "category", "plan-kind")),
        (care_plan(category=category("employer")), (IssueType.CODE_INVALID, "category[0].coding[0].code", "plan-kind")),
        (
            care_plan(category=category("sip", "rehabiliteringsplan")),
            (IssueType.BUSINESS_RULE, "category", "plan-kind"),
        ),
        (care_plan(title=None), (IssueType.REQUIRED, "title", "plan-title")),
        (care_plan(subject={"reference": "Group/1"}), (IssueType.VALUE, "subject", "patient-reference")),
        (care_plan(period={"start": "2026"}), (IssueType.VALUE, "period.start", "day-precision")),
        (
            care_plan(period={"start": "2026-03-02", "end": "2026-03-01"}),
            (IssueType.INVARIANT, "period", "period-reversed"),
        ),
        (
            care_plan(addresses=[{"reference": "Condition/1"}]),
            (IssueType.BUSINESS_RULE, "addresses", "plan-no-diagnosis"),
        ),
        (
            care_plan(supportingInfo=[{"reference": "Condition/1"}]),
            (IssueType.BUSINESS_RULE, "supportingInfo[0]", "plan-no-diagnosis"),
        ),
        (
            care_plan(activity=[activity(), activity(reasonCode=[{"text": "x"}])]),
            (IssueType.BUSINESS_RULE, "activity[1].detail.reasonCode", "plan-no-diagnosis"),
        ),
        (
            care_plan(activity=[activity(reasonReference=[{"reference": "Condition/1"}])]),
            (IssueType.BUSINESS_RULE, "activity[0].detail.reasonReference[0]", "plan-no-diagnosis"),
        ),
        (
            care_plan(activity=[activity(description=None)]),
            (IssueType.REQUIRED, "activity[0].detail.description", "plan-measure"),
        ),
        (
            care_plan(activity=[activity(doNotPerform=True)]),
            (IssueType.BUSINESS_RULE, "activity[0].detail.doNotPerform", "do-not-perform"),
        ),
        (
            care_plan(activity=[activity(extension=[{"url": EXT_PLANNED_DEGREE, "valueQuantity": percent(150)}])]),
            (IssueType.VALUE, "activity[0].detail.extension[0].value.value", "tapering-degree"),
        ),
    ],
)
def test_refused_plans(content: dict[str, Any], issue: tuple[IssueType, str, str]) -> None:
    assert refused(plan.care_plan, content) == [issue]


# ---- Goals ---------------------------------------------------------------------------------------------------------

ON_SICK_LEAVE = {"coding": [{"system": SNOMED_CT.fhir, "code": goal_mapping.ON_SICK_LEAVE}]}


@pytest.mark.parametrize(
    ("targets", "ladder"),
    [
        ([], ()),
        (
            [step(25, "2026-06-01"), step(75.0, "2026-04-01"), step(50, "2026-05-01"), step(0, "2026-07-01")],
            ((date(2026, 4, 1), 75), (date(2026, 5, 1), 50), (date(2026, 6, 1), 25), (date(2026, 7, 1), 0)),
        ),
        ([step(50, "2026-05-01", measure=ON_SICK_LEAVE)], ((date(2026, 5, 1), 50),)),
        (
            [step(50, "2026-05-01", measure={"coding": [{"system": WORK_ABILITY, "code": "x"}]})],
            ((date(2026, 5, 1), 50),),
        ),
        ([step(50, "2026-05-01", measure={"text": "smärta"})], ()),
        ([{"measure": {"text": "promenad"}, "detailQuantity": {"value": 5, "unit": "km"}}], ()),
        ([{"measure": {"text": "promenad"}, "detailString": "varje dag"}], ()),
    ],
)
def test_the_ladder(targets: list[dict[str, Any]], ladder: tuple[tuple[date, int], ...]) -> None:
    content = goal(*targets)

    assert r4.check(content) == ()
    assert goal_mapping.goal(content) == PlanGoal(
        "Åter i ordinarie arbete", tuple(TaperingStep(*each) for each in ladder)
    )


@pytest.mark.parametrize(
    ("content", "issue"),
    [
        (goal(step(101, "2026-05-01")), (IssueType.VALUE, "target[0].detail.value", "tapering-degree")),
        (goal(step(-1, "2026-05-01")), (IssueType.VALUE, "target[0].detail.value", "tapering-degree")),
        (goal(step(37.5, "2026-05-01")), (IssueType.VALUE, "target[0].detail.value", "tapering-degree")),
        (
            goal({"detailQuantity": percent(50, comparator="<"), "dueDate": "2026-05-01"}),
            (IssueType.VALUE, "target[0].detail", "tapering-degree"),
        ),
        (goal(step(50, None)), (IssueType.REQUIRED, "target[0].due", "tapering-step")),
        (goal(step(50, "2026-05")), (IssueType.VALUE, "target[0].due", "day-precision")),
        (
            goal(step(50, "2026-05-01"), step(25, "2026-05-01")),
            (IssueType.BUSINESS_RULE, "target", "tapering-step"),
        ),
        (goal(addresses=[{"reference": "Condition/1"}]), (IssueType.BUSINESS_RULE, "addresses", "goal-no-diagnosis")),
        (goal(subject={"reference": "Organization/1"}), (IssueType.VALUE, "subject", "patient-reference")),
    ],
)
def test_refused_goals(content: dict[str, Any], issue: tuple[IssueType, str, str]) -> None:
    assert refused(goal_mapping.goal, content) == [issue]


def test_a_goal_in_codes_is_read_by_its_display() -> None:
    description = {"coding": [{"code": "x"}, {"display": "Anpassat arbete"}]}

    assert goal_mapping.goal(goal(description=description)).description == "Anpassat arbete"


# ---- Writing -------------------------------------------------------------------------------------------------------

STATED = RehabPlan(
    kind=PlanKind.SIP,
    title="SIP våren 2026",
    patient="p1",
    start=date(2026, 3, 2),
    end=date(2026, 10, 25),
    goals=(
        PlanGoal("Halvtid i maj", (TaperingStep(date(2026, 4, 1), 75), TaperingStep(date(2026, 5, 1), 50))),
        PlanGoal("Fungerande vardag", sensitive=True),
    ),
    measures=(
        MEASURE,
        Measure(
            "Arbetsträning", "", "Försäkringskassan", MeasureWord.ARBETSTRANING, Principal.OTHER, patient_first=True
        ),
        Measure("Samtalsstöd", "Kuratorn", principal=Principal.REGION, patient_first=False, sensitive=True),
    ),
    led_by="kommunen",
    follow_ups=(FollowUp(date(2026, 4, 1), "Samtal", "Kim", done=True), FollowUp(date(2026, 5, 1))),
    contact=ContactPerson("Kim Exempelsson", ("010-000 00 00", "kim@example.org")),
    with_patient=True,
    participants=("Kim Exempelsson", "Alva Provläkare"),
)


@pytest.mark.parametrize("stated", [STATED, PLAN])
def test_stated_plans_read_back(stated: RehabPlan) -> None:
    references = [f"Goal/{index}" for index, _ in enumerate(stated.goals)]

    made, goals = plan.to_fhir(stated, goals=references, author={"reference": "Organization/eken"})

    assert [issue for each in (made, *goals) for issue in r4.check(each)] == []
    assert [each["reference"] for each in made.get("goal", [])] == references
    assert replace(plan.care_plan(made), goals=tuple(goal_mapping.goal(each) for each in goals)) == stated


def test_each_goal_has_its_reference() -> None:
    with pytest.raises(ValueError):
        plan.to_fhir(STATED, goals=["Goal/1"])
