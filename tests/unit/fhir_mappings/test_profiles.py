"""The service enforces the guide: every demand and every invariant of every profile refuses what breaks it, by its name."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any, Final

import orjson
import pytest

from fhir_mappings import guide, profiles, r4
from fhir_mappings.identifiers import ACTIVITY_KIND, CONSENT_KIND, KVA, PLAN_KIND
from fhir_mappings.registry import judge
from service.fhir_api.resources import ROWS
from tests.unit.fhir_mappings import guide_examples as ways

EXAMPLES: Final[Mapping[str, dict[str, Any]]] = ways.examples()
DEMANDS: Final = list(ways.demands())
PROFILES: Final[Mapping[str, Mapping[str, Any]]] = ways.PROFILES


def test_every_profile_has_an_example() -> None:
    claimed = {url for each in EXAMPLES.values() for url in each["meta"]["profile"]}

    assert claimed == set(PROFILES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_accepted(name: str) -> None:
    assert judge(EXAMPLES[name]) == ()


@pytest.mark.parametrize(
    ("demand", "mutants"), DEMANDS, ids=lambda value: "/".join(value) if type(value) is not list else ""
)
def test_what_breaks_a_demand_is_refused_there_by_its_rule(demand: Any, mutants: list[Any]) -> None:
    assert mutants, "no example has this element: the demand is not shown to be enforced"
    for mutant in mutants:
        found = [each for each in profiles.faults(mutant.content) if each.expression.startswith(mutant.at)]
        assert [each for each in found if each.rule and mutant.rule in ("", each.rule)], mutant.at


def test_there_are_demands_of_every_kind() -> None:
    assert {demand.what for demand, _ in DEMANDS} == set(ways._BREAKS)


# ---- Invariants --------------------------------------------------------------------------------------------------


Change = Callable[[dict[str, Any]], object]


def _set(**elements: Any) -> Change:
    return lambda content: content.update(elements)


def _provision(**elements: Any) -> Change:
    return lambda content: content["provision"].update(elements)


def _without(*names: str) -> Change:
    return lambda content: [content.pop(name) for name in names]


def _all(*changes: Change) -> Change:
    return lambda content: [change(content) for change in changes]


def _target(**elements: Any) -> Change:
    return lambda content: content["target"][0].update(elements)


def _detail(**elements: Any) -> Change:
    return lambda content: content["activity"][0]["detail"].update(elements)


def _action(*codes: str) -> list[dict[str, Any]]:
    system = "http://terminology.hl7.org/CodeSystem/consentaction"
    return [{"coding": [{"system": system, "code": code} for code in codes]}]


_MODIFIED: Final = _set(modifierExtension=[{"url": "http://example.org/x", "valueBoolean": True}])
_TO_GROUP: Final = {"reference": "Group/1"}
_KVA_CODING: Final = {"system": KVA.fhir, "code": "GC001"}
_KINDS: Final = [{"coding": [{"system": CONSENT_KIND, "code": code}]} for code in ("coordination", "disclosure")]
_PLANS: Final = [{"coding": [{"system": PLAN_KIND, "code": code}]} for code in ("sip", "rehabiliteringsplan")]

BROKEN: Final[Mapping[tuple[str, str], Change]] = {
    ("Consent-example-disclosure-consent", "modifier-not-understood"): _MODIFIED,
    ("Consent-example-disclosure-consent", "consent-kind"): _set(category=_KINDS),
    ("Consent-example-disclosure-consent", "consent-effect"): lambda content: content["provision"].pop("type"),
    ("Consent-example-disclosure-consent", "consent-how"): _without("verification"),
    ("Consent-example-coordination-consent", "consent-given"): _without("dateTime", "verification"),
    ("Consent-example-disclosure-consent", "consent-not-obeyed"): _provision(dataPeriod={"start": "2026-01-01"}),
    ("Consent-example-disclosure-consent", "consent-direction"): _provision(action=_action("disclose", "collect")),
    ("Consent-example-disclosure-consent", "consent-one-party"): lambda content: content["provision"]["actor"].append(
        content["provision"]["actor"][1]
    ),
    ("Consent-example-disclosure-consent", "consent-purpose"): _provision(
        purpose=[{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HMARKT"}]
    ),
    ("Consent-example-disclosure-consent", "consent-code"): _provision(code=[{"text": "allt"}]),
    ("Consent-example-disclosure-consent", "coordination-has-no-recipient"): _set(category=_KINDS[:1]),
    ("Consent-example-disclosure-consent", "patient-reference"): _set(patient={"display": "somebody"}),
    ("Consent-example-disclosure-consent", "period-reversed"): _provision(
        period={"start": "2026-03-02", "end": "2026-03-01"}
    ),
    ("CarePlan-example-plan", "modifier-not-understood"): _MODIFIED,
    ("CarePlan-example-plan", "plan-kind"): _set(category=_PLANS),
    ("CarePlan-example-plan", "plan-title"): _without("title"),
    ("CarePlan-example-plan", "plan-measure"): lambda content: content["activity"][1]["detail"].pop("description"),
    ("CarePlan-example-plan", "follow-up-day"): lambda content: content["activity"][2]["detail"].pop("scheduledPeriod"),
    ("CarePlan-example-plan", "plan-no-diagnosis"): _set(supportingInfo=[{"reference": "Condition/1"}]),
    ("CarePlan-example-plan", "do-not-perform"): _detail(doNotPerform=True),
    ("CarePlan-example-plan", "patient-reference"): _set(subject=_TO_GROUP),
    ("CarePlan-example-plan", "period-reversed"): _set(period={"start": "2026-03-02", "end": "2026-03-01"}),
    ("Goal-example-goal", "modifier-not-understood"): _MODIFIED,
    ("Goal-example-goal", "tapering-degree"): lambda content: content["target"][0]["detailQuantity"].update(value=120),
    ("Goal-example-goal", "tapering-step"): _target(dueDate="2026-07-01"),
    ("Goal-example-goal", "goal-no-diagnosis"): _set(addresses=[{"reference": "Condition/1"}]),
    ("Goal-example-goal", "patient-reference"): _set(subject=_TO_GROUP),
    ("Procedure-example-activity", "modifier-not-understood"): _MODIFIED,
    ("Procedure-example-activity", "activity-kind"): _set(category={"text": "möte"}),
    ("Procedure-example-activity", "performed-when"): _without("performedPeriod"),
    ("Procedure-example-activity-not-done", "not-done-uncoded"): lambda content: content["code"].update(
        coding=[_KVA_CODING]
    ),
    ("Procedure-example-activity", "kva-one-main-code"): lambda content: content["code"]["coding"].append(_KVA_CODING),
    ("Procedure-example-activity", "patient-reference"): _set(subject=_TO_GROUP),
    ("Procedure-example-activity", "period-reversed"): _set(
        performedPeriod={"start": "2026-03-02T09:00:00+01:00", "end": "2026-03-01T09:00:00+01:00"}
    ),
    ("CommunicationRequest-example-request", "modifier-not-understood"): _MODIFIED,
    ("CommunicationRequest-example-request", "notification-topic"): _set(category=[{"text": "fråga"}]),
    ("CommunicationRequest-example-request", "one-recipient"): lambda content: content["recipient"].append(
        content["recipient"][0]
    ),
    ("CommunicationRequest-example-request", "payload-text"): _set(
        payload=[{"contentReference": {"reference": "Binary/1"}}]
    ),
    ("CommunicationRequest-example-request", "payload-category"): lambda content: content["payload"].append(
        {"contentString": "till"}
    ),
    ("CommunicationRequest-example-request", "no-diagnosis"): _set(about=[{"reference": "Condition/1"}]),
    ("CommunicationRequest-example-request", "do-not-perform"): _set(doNotPerform=True),
    ("CommunicationRequest-example-request", "patient-reference"): _set(subject=_TO_GROUP),
    ("Communication-example-communication", "modifier-not-understood"): _MODIFIED,
    ("Task-example-task", "modifier-not-understood"): _MODIFIED,
    ("Task-example-task", "notification-task"): _without("owner"),
    ("Task-example-meeting", "modifier-not-understood"): _MODIFIED,
    ("Task-example-meeting", "meeting-kind"): lambda content: content["code"]["coding"].append(
        {"system": ACTIVITY_KIND, "code": "sip"}
    ),
    ("EpisodeOfCare-example-episode", "modifier-not-understood"): _MODIFIED,
    ("EpisodeOfCare-example-episode", "sick-leave-complete"): _without("period"),
    ("Observation-example-work-capacity", "modifier-not-understood"): _MODIFIED,
    ("DocumentReference-example-certificate", "modifier-not-understood"): _MODIFIED,
}
"""An example and how to break one invariant in it."""


def _invariants() -> set[tuple[str, str]]:
    return {
        (url, rule["key"])
        for url, profile in PROFILES.items()
        for rule in profile["differential"]["element"][0].get("constraint", ())
    }


def test_every_invariant_is_broken_once() -> None:
    broken = {(EXAMPLES[name]["meta"]["profile"][0], rule) for name, rule in BROKEN}

    assert broken == _invariants()


@pytest.mark.parametrize(("name", "rule"), BROKEN)
def test_what_breaks_an_invariant_is_refused_by_its_name(name: str, rule: str) -> None:
    content = deepcopy(EXAMPLES[name])
    BROKEN[name, rule](content)

    told = judge(content)

    assert rule in {issue.rule for issue in told if issue.expression}


# ---- How it is judged --------------------------------------------------------------------------------------------


def test_a_claimed_profile_is_kept_to_and_others_are_not_asked() -> None:
    bare = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    ours = {"meta": {"profile": [profiles.address("reko-work-capacity")]}}

    assert judge({**bare, "meta": {"profile": ["http://example.org/theirs"]}}) == ()
    assert judge(bare) == ()
    assert {issue.rule for issue in judge({**bare, **ours})} == {"reko-work-capacity"}


def test_a_profile_of_another_type_says_nothing() -> None:
    goal = deepcopy(EXAMPLES["Goal-example-goal"])
    goal["meta"]["profile"].append(profiles.address("reko-care-plan"))

    assert judge(goal) == ()


def test_r4_is_judged_first() -> None:
    assert [issue.rule for issue in judge({"resourceType": "Goal", "target": "x"})] != []
    assert all(issue.rule == "" for issue in judge({"resourceType": "Goal", "target": "x"}))


def test_another_spelling_of_a_system_is_the_same_system() -> None:
    content = deepcopy(EXAMPLES["Procedure-example-activity"])
    content["code"]["coding"][0]["system"] = KVA.also[0]
    content["code"]["coding"].append(_KVA_CODING)

    assert [issue.rule for issue in profiles.faults(content)] == ["kva-one-main-code"]


def test_no_fault_repeats_what_was_sent() -> None:
    content = deepcopy(EXAMPLES["Procedure-example-activity"])
    content["category"]["coding"] = [{"system": ACTIVITY_KIND, "code": "19800101-hemligt"}]

    assert judge(content)
    assert not [issue for issue in judge(content) if "hemligt" in f"{issue.text}{issue.expression}"]


def test_every_profile_that_is_announced_is_enforced() -> None:
    announced = {row.profile for row in ROWS.values() if row.profile.startswith("https://rekobryggan.example")}
    always = {profiles.address(name) for name in profiles.ALWAYS.values() if name != "reko-notification-task"}

    assert always <= announced <= set(PROFILES)
    assert {PROFILES[profiles.address(name)]["type"] for name in profiles.ALWAYS.values()} == set(profiles.ALWAYS)


def test_an_address_or_version_that_is_none_of_ours() -> None:
    with pytest.raises(KeyError):
        profiles.schema("http://example.org/none")
    assert (
        guide.by_url("StructureDefinition", "https://rekobryggan.example/fhir/StructureDefinition/reko-goal|9") is None
    )


def test_a_judgement_leaves_the_resource_alone() -> None:
    content = EXAMPLES["Consent-example-disclosure-consent"]
    before = orjson.dumps(content)

    judge(content)

    assert orjson.dumps(content) == before
    assert r4.check(content) == ()
