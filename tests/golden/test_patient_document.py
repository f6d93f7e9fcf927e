"""Golden documents: ``resources.json`` is a plan with its goals, its mapping and what stands around it; ``document.html`` is
what the patient reads. What is held back must not be in it: that the diff does not have to show.

``make approve`` writes what the code says now: read it as the patient would.
"""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from contracts.consent import Recipient, RecipientKind
from contracts.plan import PlanSeen, Release
from fhir_mappings import goal, patient_document, plan, r4
from service.patient_document import html, pdf
from tests.golden.test_mappings import CASES, approved

FOUND: Final = sorted(path.parent for path in (CASES / "patient_document").glob("*/resources.json"))


def released(*parts: str) -> tuple[Release, ...]:
    return tuple(Release(part, datetime(2026, 11, 28, tzinfo=UTC), "somebody", "") for part in parts)


def seen(case: Path) -> PlanSeen:
    given = orjson.loads((case / "resources.json").read_bytes())
    for each in (given["plan"], *given["goals"], *given["answers"]):
        assert r4.check(each) == ()
    goals = tuple(replace(goal.goal(each), part=f"Goal/{at}") for at, each in enumerate(given["goals"]))
    answers = tuple(
        replace(answer, part=f"QuestionnaireResponse/{at}#{answer.part}")
        for at, each in enumerate(given["answers"])
        for answer in patient_document.answers(each)
    )
    around: dict[str, Any] = given["around"]
    told = [
        Recipient(RecipientKind(kind), str(at), name) for at, (kind, name) in enumerate(around.get("may_be_told", ()))
    ]
    return PlanSeen(
        reference="CarePlan/1",
        version=3,
        changed=datetime(2026, 11, 27, 23, 30, tzinfo=UTC),
        status=given["plan"]["status"],
        plan=replace(plan.care_plan(given["plan"]), goals=goals),
        on=date(2026, 11, 28),
        patient_name=around["patient_name"],
        unit_name=around.get("unit_name", ""),
        answers=answers,
        releases=released(*given["released"]),
        followed_up=tuple(map(date.fromisoformat, around.get("followed_up", ()))),
        may_be_told=tuple(told),
    )


def test_there_are_cases() -> None:
    assert len(FOUND) >= 4


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.name)
def test_what_the_patient_reads(case: Path) -> None:
    said = html.page(seen(case)).encode()

    assert said == approved(case / "document.html", said)


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.name)
def test_what_is_held_back_is_not_there(case: Path) -> None:
    shown = seen(case)
    said = html.page(shown)
    parts = [each.part for each in shown.held_back]

    assert not [each.text for each in shown.held_back if each.text in said]
    assert not {*parts} & shown.released
    everything = html.page(replace(shown, releases=(*shown.releases, *released(*parts))))
    assert (everything == said) == (not parts), "released, it is there"


@pytest.mark.parametrize("case", FOUND, ids=lambda case: case.name)
def test_it_comes_on_paper_too(case: Path) -> None:
    paper = pdf.paper(seen(case))

    assert paper.startswith(b"%PDF-")
    assert b"pdfuaid:part" in paper
