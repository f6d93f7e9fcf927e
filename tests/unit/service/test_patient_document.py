"""The document as page and paper: whatever people write, it comes, and nobody's words are markup."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as reader

from contracts.plan import (
    BY_PATIENT,
    Answer,
    ContactPerson,
    FollowUp,
    Measure,
    MeasureWord,
    PlanGoal,
    PlanKind,
    PlanSeen,
    Principal,
    RehabPlan,
    TaperingStep,
)
from service.patient_document import html, pdf
from service.patient_document.blocks import Entries, Ladder
from service.patient_document.words import MEANINGS, day, document

TODAY = date(2026, 5, 4)
PLAN = RehabPlan(PlanKind.REHAB, "Plan", "p1", contact=ContactPerson("Kim"), with_patient=True)
SEEN = PlanSeen("CarePlan/1", 1, datetime(2026, 5, 3, 23, tzinfo=UTC), "active", PLAN, TODAY)


def of(text: str, kind: PlanKind = PlanKind.SIP) -> PlanSeen:
    """A document that says the text everywhere."""
    plan = RehabPlan(
        kind,
        text,
        "p1",
        goals=(PlanGoal(text, (TaperingStep(TODAY, 50),)), PlanGoal(text, (TaperingStep(TODAY, 0),))),
        measures=(Measure(text, text, text, MeasureWord.PRAKTIK, Principal.OTHER, patient_first=True),),
        led_by=text,
        follow_ups=(FollowUp(TODAY, text, text),),
        contact=ContactPerson(text, (text,)),
        with_patient=True,
        participants=(text,),
    )
    return replace(SEEN, plan=plan, patient_name=text, unit_name=text, answers=(Answer(text, text, sensitive=False),))


def texts(seen: PlanSeen) -> str:
    return " ".join(reader.fromstring(html.page(seen)).text_content().split())


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@given(_TEXT)
def test_the_page_holds_the_words_and_no_markup_of_theirs(text: str) -> None:
    tree = reader.fromstring(html.page(of(text)))

    assert text in tree.xpath("//article//h3/text()")
    assert {each.tag for each in tree.iter()} == {each.tag for each in reader.fromstring(html.page(of("ord"))).iter()}


@given(_TEXT)
@settings(max_examples=40)
def test_paper_comes_whatever_stands_on_it(text: str) -> None:
    assert pdf.paper(of(text)).startswith(b"%PDF-")


@pytest.mark.parametrize(
    "text",
    [
        "😀",
        "中文",
        "\ufeff",
        "العربية",
        "Łšžé Ж",
        '#read("/etc/passwd")',
        "#panic()",
        "$x$ *y* _z_ `w` @a <b>",
        "ord " * 900,
    ],
)
def test_odd_texts_on_paper(text: str) -> None:
    assert b"/StructTreeRoot" in pdf.paper(of(text)), "tagged, also when a letter has no font"


def test_the_same_paper_is_made_of_the_same() -> None:
    assert pdf.paper(of("ord")) == pdf.paper(of("ord"))


@pytest.mark.parametrize(
    ("degree", "sick_leave", "work"),
    [
        (100, "Helt sjukskriven", "Ingen"),
        (75, "Sjukskriven tre fjärdedelar (75 procent)", "En fjärdedel av tiden"),
        (50, "Sjukskriven halva tiden (50 procent)", "Halva tiden"),
        (25, "Sjukskriven en fjärdedel (25 procent)", "Tre fjärdedelar av tiden"),
        (0, "Inte sjukskriven", "Hela tiden"),
        (40, "Sjukskriven 40 procent", "60 procent av tiden"),
    ],
)
def test_a_step_in_words(degree: int, sick_leave: str, work: str) -> None:
    goal = PlanGoal("Åter i arbete", (TaperingStep(date(2026, 12, 1), degree),))
    [ladder] = [
        block
        for section in document(replace(SEEN, plan=replace(PLAN, goals=(goal,)))).sections
        for block in section.blocks
        if isinstance(block, Ladder)
    ]
    [rung] = ladder.rungs

    assert (rung.since, rung.sick_leave, rung.time_for_work, rung.work) == (
        "1 december 2026",
        sick_leave,
        work,
        100 - degree,
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"with_patient": True}, "Du har varit med och gjort planen."),
        ({"with_patient": True, "participants": ("Kim",)}, "Vi har gjort planen tillsammans: du och Kim."),
        ({"with_patient": True, "participants": ("Kim", "Lo")}, "Vi har gjort planen tillsammans: du, Kim och Lo."),
        ({"with_patient": False, "participants": ("Kim", "Lo")}, "Planen är gjord av Kim och Lo."),
        ({"contact": None}, "Kontakta din vårdenhet och säg att det gäller din plan."),
        ({"contact": ContactPerson("")}, "En person är din kontaktperson."),
        ({"start": TODAY}, "Gäller från den 4 maj 2026"),
        ({"end": TODAY}, "Gäller till den 4 maj 2026"),
        ({"measures": (Measure("Promenad", BY_PATIENT),)}, "Vem gör det: Du"),
        ({"measures": (Measure("Promenad", "Kim", patient_first=False),)}, "Första kontakten: Den tar vi."),
        ({"follow_ups": (FollowUp(TODAY, "Samtal"),)}, "4 maj 2026Vad: Samtal"),
        ({"follow_ups": (FollowUp(date(2026, 5, 3)),)}, "Ingen ny dag är bestämd än."),
        ({"follow_ups": (FollowUp(date(2026, 5, 3), done=True),)}, "Vi har följt upp planen den 3 maj 2026."),
        (
            {"kind": PlanKind.SIP, "led_by": "kommunen"},
            "Den som håller ihop planen och ser till att den följs är kommunen.",
        ),
    ],
)
def test_what_is_said(changes: dict[str, object], said: str) -> None:
    assert said in texts(replace(SEEN, plan=replace(PLAN, **changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "said"),
    [("draft", "utkast"), ("on-hold", "vilar"), ("revoked", "gäller inte längre"), ("completed", "avslutad")],
)
def test_a_plan_that_is_not_in_force_says_so(status: str, said: str) -> None:
    assert said in texts(replace(SEEN, status=status))
    assert said not in texts(SEEN)


def test_a_sip_tells_apart_what_others_do() -> None:
    measures = tuple(Measure(f"Åtgärd {each}", "Kim", principal=each) for each in Principal)
    sections = document(replace(SEEN, plan=replace(PLAN, kind=PlanKind.SIP, measures=measures))).sections
    found = {
        section.heading: [
            entry.title for block in section.blocks if isinstance(block, Entries) for entry in block.entries
        ]
        for section in sections
    }

    assert found["Det här gör vården (regionen)"] == ["Åtgärd region"]
    assert found["Det här gör kommunen"] == ["Åtgärd municipality"]
    assert found["Det här gör andra"] == ["Åtgärd other"]


def test_every_defined_word_means_something_to_a_patient() -> None:
    assert set(MEANINGS) == set(MeasureWord)


def test_the_version_bears_the_swedish_day() -> None:
    assert "Version 1, ändrad den 4 maj 2026" in texts(SEEN)
    assert day(date(2026, 12, 31)) == "31 december 2026"
