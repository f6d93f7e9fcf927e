"""Plans with goals and tapering go in, and what they say is kept as they say it (rules 21, 25, 29, 30)."""

from typing import TYPE_CHECKING, Any

import pytest

from fhir_mappings.identifiers import EXT_DECIDED_BY, EXT_LED_BY, EXT_PRINCIPAL, KVA, PLAN_KIND, PLAN_MEASURE

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]


async def test_a_plan_with_tapering_is_read_back(flow: "Flow") -> None:
    person = await flow.consenting()
    goal = await flow.post(flow.forms.goal(person, [(10, 75), (40, 50), (70, 25), (100, 0)]))
    form = flow.forms.plan(person, f"Goal/{goal['id']}")
    plan = await flow.post(form)
    read = (await flow.coordinator.get(f"/fhir/CarePlan/{plan['id']}")).json()
    assert {name: read[name] for name in form} == form
    steps = (await flow.coordinator.get(f"/fhir/Goal/{goal['id']}")).json()["target"]
    assert [step["detailQuantity"]["value"] for step in steps] == [75, 50, 25, 0]
    found = await flow.coordinator.get(f"/fhir/CarePlan?goal=Goal/{goal['id']}")
    assert [entry["resource"]["id"] for entry in found.json()["entry"]] == [plan["id"]]


async def test_the_act_of_planning_is_coded_not_the_plan(flow: "Flow") -> None:
    person = await flow.consenting()
    goal = await flow.post(flow.forms.goal(person))
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}"))
    assert flow.rows("SELECT 1 FROM outbox WHERE about = ?", f"CarePlan/{plan['id']}") == []
    based_on = [{"reference": f"CarePlan/{plan['id']}"}]
    act = await flow.post(flow.forms.activity(person, "plan", basedOn=based_on))
    assert [coding["code"] for coding in act["code"]["coding"] if coding["system"] == KVA.fhir] == ["GC001"]
    assert act["extension"][-1]["valueCoding"]["code"] == "DV077"
    await flow.put({**plan, "title": "Reviderad plan"})
    assert len(flow.rows("SELECT 1 FROM resource WHERE type = 'Procedure' AND patient = ?", person.id)) == 1


@pytest.mark.parametrize(
    ("ladder", "at"),
    [
        ([(10, 110)], "Goal.target[0].detail.value"),
        ([(10, -5)], "Goal.target[0].detail.value"),
        ([(10, 12.5)], "Goal.target[0].detail.value"),
        ([(10, 50), (10, 25)], "Goal.target"),
    ],
)
async def test_a_ladder_that_cannot_be_climbed_is_refused(flow: "Flow", ladder: list[Any], at: str) -> None:
    person = await flow.patient()
    (issue,) = await flow.refused(flow.forms.goal(person, ladder))
    assert issue["expression"] == [at]


async def test_a_step_says_its_day(flow: "Flow") -> None:
    form = flow.forms.goal(await flow.patient())
    del form["target"][1]["dueDate"]
    (issue,) = await flow.refused(form)
    assert issue["expression"] == ["Goal.target[1].due"]


async def test_a_plan_carries_no_diagnosis(flow: "Flow") -> None:
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    form = flow.forms.plan(person, f"Goal/{goal['id']}", addresses=[{"reference": "Condition/1"}])
    (issue,) = await flow.refused(form)
    assert issue["expression"] == ["CarePlan.addresses"]


async def test_a_goal_that_is_not_here_is_missed(flow: "Flow") -> None:
    (issue,) = await flow.refused(flow.forms.plan(await flow.patient(), "Goal/nowhere"))
    assert (issue["code"], issue["expression"]) == ("not-found", ["CarePlan.goal[0].reference"])


async def test_a_measure_names_its_owner_and_who_decides(flow: "Flow") -> None:
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    detail: Json = {
        "extension": [{"url": EXT_DECIDED_BY, "valueString": "Försäkringskassan"}],
        "status": "not-started",
        "description": "Arbetsträning",
        "performer": [{"display": "Exempelbolaget AB"}],
    }
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}", activity=[{"detail": detail}]))
    assert plan["activity"] == [{"detail": detail}]
    del detail["description"]
    (issue,) = await flow.refused(flow.forms.plan(person, f"Goal/{goal['id']}", activity=[{"detail": detail}]))
    assert issue["expression"] == ["CarePlan.activity[0].detail.description"]


_SUPPORT: Json = {
    "extension": [{"url": EXT_PRINCIPAL, "valueCode": "municipality"}],
    "status": "not-started",
    "description": "Boendestöd",
    "performer": [{"display": "Kommunen"}],
}
SIP: Json = {
    "category": [{"coding": [{"system": PLAN_KIND, "code": "sip"}]}],
    "extension": [{"url": EXT_LED_BY, "valueString": "Kommunen"}],
    "activity": [{"detail": _SUPPORT}],
}


async def test_a_sip_says_what_who_and_who_leads(flow: "Flow") -> None:
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    stored = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}", **SIP))
    assert stored["extension"] == SIP["extension"]


@pytest.mark.parametrize(
    "less",
    [
        {"extension": None},
        {"activity": None},
        {"activity": [{"detail": {name: _SUPPORT[name] for name in ("extension", "status", "description")}}]},
        {"activity": [{"detail": {name: _SUPPORT[name] for name in ("status", "description", "performer")}}]},
    ],
    ids=["nobody leads", "no measures", "nobody answers", "whose it is"],
)
async def test_a_sip_without_one_of_them_is_refused(flow: "Flow", less: Json) -> None:
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    form = flow.forms.plan(person, f"Goal/{goal['id']}", **SIP) | less
    issues = await flow.refused({name: value for name, value in form.items() if value is not None})
    assert issues[0]["expression"][0].startswith("CarePlan.")


async def test_a_plan_for_systems_without_fhir(flow: "Flow") -> None:
    person = await flow.patient()
    given = {
        "patient": {"id": person.id},
        "kind": "sjukskrivnings-och-rehabiliteringsplan",
        "title": "Plan",
        "firstDay": "2026-11-01",
        "lastDay": "2027-02-28",
        "goals": [
            {"description": "Åter i arbete", "tapering": [{"due": "2026-12-01", "degree": 50}]},
            {"description": "Färre nätter med värk"},
        ],
        "measures": [{"description": "Arbetsträning", "owner": "Exempelbolaget AB", "decidedBy": "Försäkringskassan"}],
    }
    response = await flow.coordinator.post("/api/plans", json=given)
    assert response.status_code == 201, response.text
    plan = (await flow.coordinator.get(f"/fhir/{response.json()['resource']}")).json()
    assert plan["period"] == {"start": "2026-11-01", "end": "2027-02-28"}
    goals = [(await flow.coordinator.get(f"/fhir/{each['reference']}")).json() for each in plan["goal"]]
    assert [goal["description"]["text"] for goal in goals] == ["Åter i arbete", "Färre nätter med värk"]
    assert goals[0]["target"][0]["dueDate"] == "2026-12-01"
    assert plan["activity"][0]["detail"]["performer"] == [{"display": "Exempelbolaget AB"}]


@pytest.mark.parametrize(
    ("less", "rule", "at"),
    [("decidedBy", "plan-decision", "decided-by"), ("owner", "plan-owner", "detail.performer")],
)
async def test_work_training_has_an_owner_and_a_decision_maker(flow: "Flow", less: str, rule: str, at: str) -> None:
    """As a plan in force; a draft may lack them (rules 28, 29)."""
    person = await flow.patient()
    goal = await flow.post(flow.forms.goal(person))
    detail: Json = {
        "status": "not-started",
        "description": "Arbetsträning",
        "code": {"coding": [{"system": PLAN_MEASURE, "code": "arbetstraning"}]},
    }
    if less != "decidedBy":
        detail["extension"] = [{"url": EXT_DECIDED_BY, "valueString": "Arbetsförmedlingen"}]
    if less != "owner":
        detail["performer"] = [{"display": "Exempelbolaget AB"}]
    form = flow.forms.plan(person, f"Goal/{goal['id']}", activity=[{"detail": detail}])
    (issue,) = await flow.refused(form)
    assert issue["details"]["coding"][0]["code"] == rule
    assert issue["expression"] == ["CarePlan.activity[0].detail"]
    assert at in issue["diagnostics"]
    await flow.post({**form, "status": "draft"})


async def test_what_the_patient_would_miss_is_told(flow: "Flow") -> None:
    given = {"patient": {"id": (await flow.patient()).id}, "kind": "rehabiliteringsplan", "title": "Plan"}
    told = (await flow.coordinator.post("/api/plans", json=given)).json()["notes"]
    assert {note["rule"] for note in told} == {"plan-with-patient", "plan-contact", "plan-follow-up"}
    whole = given | {
        "withPatient": True,
        "contact": {"name": "Kim Exempelsson", "reachedAt": ["010-000 00 00"]},
        "followUps": [{"day": "2027-01-15"}],
        "measures": [
            {
                "description": "Arbetsträning",
                "owner": "Exempelbolaget AB",
                "word": "arbetstraning",
                "decidedBy": "Försäkringskassans handläggare",
                "patientFirst": True,
            }
        ],
    }
    answer = (await flow.coordinator.post("/api/plans", json=whole)).json()
    assert answer["notes"] == []
    plan = (await flow.coordinator.get(f"/fhir/{answer['resource']}")).json()
    assert plan["contributor"] == [{"reference": plan["subject"]["reference"]}]
    assert plan["activity"][0]["detail"]["code"]["coding"] == [{"system": PLAN_MEASURE, "code": "arbetstraning"}]
