"""The overview's filters (rehabstod.md § 4.5): each by a table, and all of them against a second, plain reading."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.sick_leave import RekoStatus, RekoStatusType
from service.rules.sick_leave import FILTERS, Question, Row
from service.rules.sick_leave.diagnosis import CHAPTERS, NO_CHAPTER, chapter, diagnosis
from service.rules.sick_leave.filters import LENGTHS, filtered
from service.rules.sick_leave.question import PARAMETERS, UNAVAILABLE, Interval, interval, read, written
from service.rules.sick_leave.reko_status import NAMES
from tests.unit.service.rules.overview_forms import ON, UNIT, row
from tests.unit.service.rules.sjukfall_forms import day


def status(type: str) -> RekoStatus:
    return RekoStatus(RekoStatusType(type), "p", UNIT, ON, datetime(2016, 2, 16, tzinfo=UTC), UNIT, 1)


def coded(text: str | None) -> dict[str, Any]:
    found = diagnosis(text) if text else None
    return {"diagnosis": found, "chapter": chapter(found.code) if found else NO_CHAPTER}


def lets(asked: dict[str, Any], **elements: Any) -> bool:
    return bool(filtered([row(**elements)], Question(ON, **asked)))


# Lengths


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (0, {"0-14"}),
        (14, {"0-14"}),
        (15, {"15-30"}),
        (30, {"15-30"}),
        (31, {"31-60"}),
        (60, {"31-60"}),
        (61, {"61-90"}),
        (90, {"61-90"}),
        (91, {"91-180"}),
        (180, {"91-180"}),
        (181, {"181-365"}),
        (364, {"181-365"}),
        (365, {"181-365", "365-730"}),
        (366, {"365-730"}),
        (729, {"365-730"}),
        (730, {"365-730", "730-"}),
        (9999, {"730-"}),
    ],
)
def test_lengths_are_inclusive_and_two_days_lie_in_two_each(days: int, found: set[str]) -> None:
    assert {each.id for each, _ in LENGTHS if lets({"lengths": (each,)}, days=days)} == found


def test_several_values_are_alternatives_and_several_filters_are_not() -> None:
    lengths = {"lengths": (interval("0-14"), interval("31-60"))}
    assert [lets(lengths, days=days) for days in (14, 20, 31)] == [True, False, True]
    assert not lets({**lengths, "text": "Ek"}, days=14, name="Ask")


# The other filters

DECISIONS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "end, first day": ({"end_from": day("02-20")}, {"end": day("02-20")}, True),
    "end, before": ({"end_from": day("02-21")}, {"end": day("02-20")}, False),
    "end, last day": ({"end_to": day("02-20")}, {"end": day("02-20")}, True),
    "end, after": ({"end_to": day("02-19")}, {"end": day("02-20")}, False),
    "ends today": ({"ends_within": 0}, {"days_left": 0}, True),
    "ends tomorrow, today asked for": ({"ends_within": 0}, {"days_left": 1}, False),
    "ends on the last day asked for": ({"ends_within": 7}, {"days_left": 7}, True),
    "ended: nothing to renew": ({"ends_within": 7}, {"days_left": -1}, False),
    "age, lowest": ({"age_from": 45, "age_to": 50}, {"age": 45}, True),
    "age, highest": ({"age_from": 40, "age_to": 45}, {"age": 45}, True),
    "age, too old": ({"age_to": 44}, {"age": 45}, False),
    "age, too young": ({"age_from": 46}, {"age": 45}, False),
    "nobody's age is hidden unless asked": ({}, {"age": 0}, True),
    "age 0 is hidden where 1 is asked": ({"age_from": 1, "age_to": 150}, {"age": 0}, False),
    "chapter": ({"chapters": ("F00-F99",)}, coded("F43.8A"), True),
    "another chapter": ({"chapters": ("G00-G99",)}, coded("F43.8A"), False),
    "one of the chapters": ({"chapters": ("G00-G99", "F00-F99")}, coded("F43.8A"), True),
    "a hole between chapters": ({"chapters": ("none",)}, coded("T99"), True),
    "no code": ({"chapters": ("none",)}, coded(None), True),
    "no code, a chapter asked for": ({"chapters": ("F00-F99",)}, coded(None), False),
    "doctor": ({"doctors": ("D2", "D1")}, {"doctor": "D1"}, True),
    "another doctor": ({"doctors": ("D2",)}, {"doctor": "D1"}, False),
    "status": ({"statuses": ("REKO_3",)}, {"status": status("REKO_3")}, True),
    "another status": ({"statuses": ("REKO_2",)}, {"status": status("REKO_3")}, False),
    "REKO_1 is itself": ({"statuses": ("REKO_1",)}, {"status": status("REKO_1")}, True),
    "REKO_1 is also none": ({"statuses": ("REKO_1",)}, {"status": None}, True),
    "no other is also none": ({"statuses": ("REKO_2", "REKO_5")}, {"status": None}, False),
    "occupation": ({"occupations": ("ARBETSSOKANDE",)}, {"occupations": ("Studier", "Arbetssökande")}, True),
    "another occupation": ({"occupations": ("STUDIER",)}, {"occupations": ("Arbetssökande",)}, False),
    "a label that contains it": ({"occupations": ("STUDIER",)}, {"occupations": ("Studier på distans",)}, True),
    "an unknown code breaks nothing": ({"occupations": ("STUDIER",)}, {"occupations": ("NYTT", "Studier")}, True),
    "an unknown code alone": ({"occupations": ("STUDIER",)}, {"occupations": ("NYTT",)}, False),
    "no occupation": ({"occupations": ("STUDIER",)}, {"occupations": ()}, False),
}


@pytest.mark.parametrize(("asked", "elements", "let"), DECISIONS.values(), ids=DECISIONS)
def test_decisions(asked: dict[str, Any], elements: dict[str, Any], let: bool) -> None:
    assert lets(asked, **elements) is let


# Free text

PLAIN: dict[str, Any] = {
    "name": "Åsa Ek",
    "age": 45,
    "gender": "Kvinna",
    **coded("F43.8A Utmattningssyndrom"),
    "secondary": (diagnosis("M54.5"),),
    "start": date(2016, 2, 1),
    "end": date(2016, 2, 20),
    "days": 19,
    "certificates": ("a", "b", "c"),
    "degree": 75,
    "doctor": "SE123-D9",
    "doctor_name": "Dag Doktor",
    "occupations": ("Studier",),
    "unit_name": "Enheten",
    "active": "intyg-7",
}
FOUND = [
    *("45 år", "åsa", "ÅSA EK", "kvinna", "f438a", "Utmattning", "m545", "F438A Utmattningssyndrom M545", "2016-02-01"),
    *("-02-20", "19 dagar", "3", "75%", "dag doktor", "19710101-9", "197101019", "studier", "ingen", " ek ", ""),
]
NOT_FOUND = ["75 %", "F43.8A", "Enheten", "intyg-7", "SE123", "Ek Dag", "46", "Man", "Arbetssökande", "Kontaktad"]


@pytest.mark.parametrize("text", FOUND)
def test_free_text_finds(text: str) -> None:
    assert lets({"text": text}, **PLAIN)


@pytest.mark.parametrize("text", NOT_FOUND)
def test_free_text_does_not_find(text: str) -> None:
    assert not lets({"text": text}, **PLAIN)


@pytest.mark.parametrize(("id", "name"), NAMES.items())
def test_free_text_finds_a_status_by_name(id: str, name: str) -> None:
    assert lets({"text": name}, **PLAIN, status=status(id))
    assert not lets({"text": "Ingen"}, **PLAIN, status=status(id))


# All of them against a plain reading


def naive(row: Row, q: Question) -> bool:
    """As the facts say it, one sentence at a time."""
    days = [i for i in q.lengths if (i.first or 0) <= row.days <= (10**9 if i.last is None else i.last)]
    if len(q.lengths) > 0 and len(days) == 0:
        return False
    if (q.end_from and row.end < q.end_from) or (q.end_to and row.end > q.end_to):
        return False
    if q.ends_within is not None and not (q.on <= row.end and (row.end - q.on).days <= q.ends_within):
        return False
    if (q.age_from is not None and row.age < q.age_from) or (q.age_to is not None and row.age > q.age_to):
        return False
    names = [(c.first, c.last, c.name) for c in (*CHAPTERS, NO_CHAPTER) if c.id in q.chapters]
    if q.chapters and (row.chapter.first, row.chapter.last, row.chapter.name) not in names:
        return False
    if q.statuses:
        wanted = set(q.statuses)
        if row.status is None and "REKO_1" not in wanted:
            return False
        if row.status is not None and row.status.type.value not in wanted:
            return False
    shown = {"NUVARANDE_ARBETE": "Nuvarande arbete", "ARBETSSOKANDE": "Arbetssökande"}
    shown |= {"FORALDRALEDIG": "Föräldraledighet", "STUDIER": "Studier"}
    if q.occupations and not [label for label in row.occupations if [o for o in q.occupations if shown[o] in label]]:
        return False
    return not q.doctors or row.doctor in q.doctors


def _maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


def _some(*values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), max_size=2).map(tuple)


DAYS = st.dates(date(2016, 2, 10), date(2016, 2, 24))
NUMBERS = st.sampled_from([0, 1, 14, 15, 364, 365, 366, 730, 731])
QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "lengths": _some(*(each for each, _ in LENGTHS), Interval(None, 15), Interval(7, 7)),
        "end_from": _maybe(st.dates(date(2016, 2, 10), date(2016, 2, 16))),
        "end_to": _maybe(st.dates(date(2016, 2, 17), date(2016, 2, 24))),
        "ends_within": _maybe(st.integers(0, 8)),
        "age_from": _maybe(st.integers(0, 2)),
        "age_to": _maybe(st.integers(2, 4)),
        "chapters": _some("F00-F99", "G00-G99", "none"),
        "statuses": _some("REKO_1", "REKO_2", "REKO_8"),
        "occupations": _some("NUVARANDE_ARBETE", "ARBETSSOKANDE", "FORALDRALEDIG", "STUDIER"),
        "doctors": _some("D1", "D2"),
    },
)
PLAIN_ROW = row()
ROWS = st.builds(
    lambda end, code, **rest: replace(PLAIN_ROW, end=end, days_left=(end - ON).days, **coded(code), **rest),
    end=DAYS,
    code=st.sampled_from(["F43", "G44.1", "T99", None]),
    days=NUMBERS,
    age=st.integers(0, 4),
    status=_maybe(st.sampled_from([status("REKO_1"), status("REKO_2"), status("REKO_8")])),
    occupations=_some("Studier", "Nuvarande arbete", "Föräldraledighet", "Arbetssökande", "NYTT"),
    doctor=st.sampled_from(["D1", "D2", "D3"]),
)


@given(asked=QUESTIONS, rows=st.lists(ROWS, max_size=6))
@settings(max_examples=400, deadline=None)
def test_filters_are_what_a_plain_reading_says(asked: dict[str, Any], rows: list[Row]) -> None:
    question = Question(ON, **asked)
    assert filtered(rows, question) == [each for each in rows if naive(each, question)]


# The table


def test_every_filter_parameter_is_in_the_table_once_and_what_is_missing_says_why() -> None:
    settings_and_order = {"mode", "gap", "maxDaysSinceEnd", "sort", "offset", "limit"}
    filtering = [name for each in FILTERS for name in each.parameters]
    assert sorted(filtering) == sorted({each.name for each in PARAMETERS} - settings_and_order)
    assert {each.id: each.unavailable for each in FILTERS if each.unavailable} == dict(UNAVAILABLE)
    assert all(not each.parameters for each in FILTERS if each.unavailable)


def test_every_option_can_be_asked_for() -> None:
    for each in FILTERS:
        for option in each.options:
            (name,) = each.parameters
            assert (name, option.id) in written(read([(name, option.id)], ON))
