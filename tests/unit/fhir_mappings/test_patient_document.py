from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.identity import HsaId
from contracts.plan import HandedOver, Manner, Release
from contracts.record import Caller
from fhir_mappings import patient_document, r4
from fhir_mappings.identifiers import EXT_EPISODE, EXT_INFORMATION_CATEGORY
from fhir_mappings.registry import judge

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
COORDINATOR = HsaId("TSTNMT2321000156-P0001")
CALLER = Caller(COORDINATOR, "c", HsaId("TSTNMT2321000156-E0001"), HsaId("TSTNMT2321000156-S0001"), frozenset())


def item(text: str, category: str | None = None, *children: dict[str, Any], **answer: Any) -> dict[str, Any]:
    marking = {"extension": [{"url": EXT_INFORMATION_CATEGORY, "valueCode": category}]} if category else {}
    written = {"linkId": text, **marking, "text": text, "item": list(children), "answer": [answer] if answer else []}
    return {name: value for name, value in written.items() if value}


def answered(*items: dict[str, Any]) -> dict[str, Any]:
    content = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": list(items)}
    assert r4.check(content) == ()
    return content


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (item("q", "care_measures", valueString="a"), [("q", "a", False)]),
        (item("q", "sensitive_circumstances", valueString="a"), [("q", "a", True)]),
        (item("q", "diagnosis", valueString="a"), [("q", "a", True)]),
        (item("q", valueString="a"), [("q", "a", True)]),
        (item("g", "care_measures", item("q", valueString="a")), [("q", "a", False)]),
        (item("g", "care_measures", item("q", "sensitive_circumstances", valueString="a")), [("q", "a", True)]),
        (item("g", "sensitive_circumstances", item("q", "care_measures", valueString="a")), [("q", "a", True)]),
        (item("g", None, item("q", "care_measures", valueString="a")), [("q", "a", False)]),
        (item("q", "care_measures", valueBoolean=True), [("q", "Ja", False)]),
        (item("q", "care_measures", valueBoolean=False), [("q", "Nej", False)]),
        (item("q", "care_measures", valueInteger=0), [("q", "0", False)]),
        (item("q", "care_measures", valueDecimal=2.5), [("q", "2,5", False)]),
        (item("q", "care_measures", valueQuantity={"value": 2.5, "unit": "timmar"}), [("q", "2,5 timmar", False)]),
        (item("q", "care_measures", valueCoding={"code": "x", "display": "Ofta"}), [("q", "Ofta", False)]),
        (item("q", "care_measures", valueCoding={"code": "x"}), []),
        (item("q", "care_measures", valueReference={"reference": "Patient/1"}), []),
        (item("q", "care_measures"), []),
    ],
)
def test_answers(asked: dict[str, Any], told: list[tuple[str, str, bool]]) -> None:
    found = patient_document.answers(answered(asked))

    assert [(each.question, each.answer, each.sensitive) for each in found] == told


def test_what_stands_in_an_answer_is_an_answer_too() -> None:
    inner = {"valueString": "a", "item": [item("q2", "sensitive_circumstances", valueString="b")]}
    content = answered({**item("q", "care_measures"), "answer": [inner, {"valueString": "c"}]})

    found = patient_document.answers(content)

    assert [(each.answer, each.sensitive, each.part) for each in found] == [
        ("a, c", False, "item[0]"),
        ("b", True, "item[0].answer[0].item[0]"),
    ]


_MARKS = st.sampled_from([None, "care_measures", "sensitive_circumstances", "diagnosis"])
_ITEMS = st.recursive(
    st.builds(lambda mark: item("q", mark, valueString="a"), _MARKS),
    lambda inside: st.builds(
        lambda mark, children: item("g", mark, *children), _MARKS, st.lists(inside, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(_ITEMS, max_size=4))
def test_only_what_is_marked_as_harmless_all_the_way_is_shown(items: list[dict[str, Any]]) -> None:
    def walked(each: dict[str, Any], marks: tuple[str, ...]) -> list[bool]:
        mark = each.get("extension", [{}])[0].get("valueCode")
        marks = (*marks, mark) if mark else marks
        own = ["answer" in each] * ("answer" in each)
        harmless = bool(marks) and set(marks) == {"care_measures"}
        return [not harmless for _ in own] + [one for child in each.get("item", ()) for one in walked(child, marks)]

    found = patient_document.answers(answered(*items)) if items else ()

    assert [each.sensitive for each in found] == [one for each in items for one in walked(each, ())]
    assert len({each.part for each in found}) == len(found), "each part has a name of its own"


def test_a_release_reads_back() -> None:
    parts = ["CarePlan/1/_history/2#CarePlan.activity[0].detail", "Goal/7/_history/1#Goal"]

    made = patient_document.release("CarePlan/1", parts, CALLER, NOW, "Patienten bad om det")

    assert judge(made) == ()
    assert [each["reference"] for each in made["target"]] == ["CarePlan/1", "CarePlan/1", "Goal/7"]
    assert patient_document.releases([made]) == tuple(
        Release(part, NOW, COORDINATOR.value, "Patienten bad om det") for part in parts
    )
    assert patient_document.releases([{**made, "activity": {"text": "released-to-patient"}}]) == ()


HANDED = HandedOver("Communication/9", 2, NOW, Manner.READ_TOGETHER, COORDINATOR.value, "På besöket")


def communication(manner: Manner = Manner.READ_TOGETHER, **elements: Any) -> dict[str, Any]:
    plan = {"id": "1", "extension": [{"url": EXT_EPISODE, "valueReference": {"reference": "EpisodeOfCare/5"}}]}
    given = HandedOver("", 2, NOW, manner, "", "På besöket")
    return patient_document.communication(plan, "p1", given, COORDINATOR, b"<p>", "Binary/3") | elements


@pytest.mark.parametrize("manner", Manner)
def test_a_handing_over_reads_back(manner: Manner) -> None:
    made = communication(manner)

    assert judge(made) == ()
    told = patient_document.handed_over(made, "Communication/9", "1")
    assert told == HandedOver("Communication/9", 2, NOW, manner, COORDINATOR.value, "På besöket")
    assert made["extension"][0]["url"] == EXT_EPISODE, "it belongs to the same case as the plan"


@pytest.mark.parametrize(
    "elements",
    [
        {"status": "entered-in-error"},
        {"status": "not-done"},
        {"topic": {"text": "Planen lämnad till patienten"}},
        {"about": [{"reference": "CarePlan/1"}]},
        {"about": [{"reference": "CarePlan/2/_history/2"}]},
        {"about": []},
    ],
)
def test_what_says_nothing_of_a_plan_in_the_patients_hands(elements: dict[str, Any]) -> None:
    assert patient_document.handed_over(communication(**elements), "Communication/9", "1") is None


def test_a_binary_is_about_the_patient() -> None:
    made = patient_document.binary("p1", "text/html", b"<p>")

    assert judge(made) == ()
    assert made["securityContext"] == {"reference": "Patient/p1"}
