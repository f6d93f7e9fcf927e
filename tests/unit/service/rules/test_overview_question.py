"""What may be asked of the overview, how it is written, and how each fault is told."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import Invalid
from service.rules.sick_leave import Interval, Question
from service.rules.sick_leave.order import Place
from service.rules.sick_leave.question import MEMBERS, PARAMETERS, RANGES, interval, read, written

ON = date(2016, 2, 16)


def told(*pairs: tuple[str, str]) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read(pairs, ON)
    return {issue.expression: issue.text for issue in refused.value.issues}


def test_the_defaults_are_the_national_ones() -> None:
    question = read([], ON)
    assert question == Question(ON)
    assert (question.mode, question.gap, question.max_days_since_end) == ("rehabstod", 5, 0)


def test_every_part_is_read() -> None:
    sent = {
        "mode": "corrected",
        "gap": "0",
        "maxDaysSinceEnd": "14",
        "unit": "SE1-E2",
        "endFrom": "2016-02-01",
        "endTo": "2016-02-29",
        "endsWithin": "7",
        "ageFrom": "18",
        "ageTo": "64",
        "text": "ek",
        "sort": "-length",
        "offset": "10",
        "limit": "20",
    }
    repeated = [
        *(("doctor", "D1"), ("doctor", "D2"), ("length", "15-30"), ("length", "730-"), ("chapter", "F00-F99")),
        *(("status", "REKO_1"), ("occupation", "STUDIER")),
    ]
    assert {*sent, *(name for name, _ in repeated)} == {each.name for each in PARAMETERS}
    assert read([*sent.items(), *repeated], ON) == Question(
        on=ON,
        mode="corrected",
        gap=0,
        max_days_since_end=14,
        unit="SE1-E2",
        doctors=("D1", "D2"),
        lengths=(Interval(15, 30), Interval(730, None)),
        end_from=date(2016, 2, 1),
        end_to=date(2016, 2, 29),
        ends_within=7,
        age_from=18,
        age_to=64,
        chapters=("F00-F99",),
        statuses=("REKO_1",),
        occupations=("STUDIER",),
        text="ek",
        sort="length",
        descending=True,
        offset=10,
        limit=20,
    )


def test_an_empty_field_of_a_form_is_not_asked() -> None:
    assert read([(each.name, "") for each in PARAMETERS], ON) == Question(ON)


@pytest.mark.parametrize(("field", "span"), RANGES.items())
def test_ranges_are_inclusive_and_told(field: str, span: tuple[int, int]) -> None:
    least, most = span
    (name,) = [each.name for each in PARAMETERS if each.field == field]
    for value in span:
        assert getattr(read([(name, str(value))], ON), field) == value
    takes = {name: f"{name} takes a whole number from {least} to {most}"}
    assert told((name, str(most + 1))) == takes
    below: dict[str, Any] = {field: least - 1}
    with pytest.raises(Invalid):
        Question(ON, **below)


REFUSED = {
    "no number": ({"gap": "fem"}, {"gap": "gap takes a whole number"}),
    "a sign": ({"gap": "-1"}, {"gap": "gap takes a whole number from 0 to 90"}),
    "a number in other digits": ({"gap": "٥"}, {"gap": "gap takes a whole number"}),
    "no date": ({"endFrom": "2016-02-30"}, {"endFrom": "endFrom takes a date, YYYY-MM-DD"}),
    "another date": ({"endTo": "20160220"}, {"endTo": "endTo takes a date, YYYY-MM-DD"}),
    "no interval": ({"length": "30"}, {"length": "length takes days from-to, either of which may be left out"}),
    "an empty interval": ({"length": "-"}, {"length": "length takes days from-to, either of which may be left out"}),
    "a reversed interval": (
        {"length": "30-15"},
        {"length": "length takes days from-to, the first not more than the last"},
    ),
    "reversed days": (
        {"endFrom": "2016-02-02", "endTo": "2016-02-01"},
        {"endFrom": "endFrom takes not more than endTo"},
    ),
    "reversed ages": ({"ageFrom": "3", "ageTo": "2"}, {"ageFrom": "ageFrom takes not more than ageTo"}),
    "a long text": ({"text": "x" * 201}, {"text": "text takes at most 200 characters"}),
    "two at once": (
        {"gap": "91", "maxDaysSinceEnd": "15"},
        {
            "gap": "gap takes a whole number from 0 to 90",
            "maxDaysSinceEnd": "maxDaysSinceEnd takes a whole number from 0 to 14",
        },
    ),
}


@pytest.mark.parametrize(("sent", "issues"), REFUSED.values(), ids=REFUSED)
def test_faults_are_told(sent: dict[str, str], issues: dict[str, str]) -> None:
    assert told(*sent.items()) == issues


@pytest.mark.parametrize(("field", "known"), MEMBERS.items())
def test_what_may_be_chosen_is_told(field: str, known: tuple[str, ...]) -> None:
    (name,) = [each.name for each in PARAMETERS if each.field == field]
    assert told((name, "19710101-9806")) == {name: f"{name} takes one of " + ", ".join(known)}


def test_one_value_where_one_is_wanted_and_not_too_many_elsewhere() -> None:
    assert told(("gap", "1"), ("gap", "2")) == {"gap": "gap takes one value"}
    assert told(*[("doctor", f"D{n}") for n in range(101)]) == {"doctor": "doctor takes at most 100 values"}


@pytest.mark.parametrize("name", ["communication", "risk"])
def test_what_no_contract_gives_is_refused_with_the_reason(name: str) -> None:
    assert "inget kontrakt" in told((name, "1"))[name]


def test_an_unknown_name_is_refused_and_not_repeated() -> None:
    assert told(("19710101-9806", "")) == {"": "a parameter that is not known here"}


@given(st.lists(st.tuples(st.sampled_from([each.name for each in PARAMETERS]) | st.text(), st.text()), max_size=4))
def test_whatever_is_sent_is_read_or_refused_without_repeating_it(pairs: list[tuple[str, str]]) -> None:
    told = _refusal(pairs)
    assert not [value for _, value in pairs if len(value) > 3 and value in told]


def _refusal(pairs: list[tuple[str, str]]) -> str:
    try:
        read(pairs, ON)
    except Invalid as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize("text", ["0-14", "730-", "-14", "7-7"])
def test_an_interval_is_written_as_it_is_read(text: str) -> None:
    assert interval(text).id == text


QUESTIONS: list[dict[str, Any]] = [
    {},
    {"mode": "corrected", "gap": 0, "sort": "name", "descending": True, "limit": 3},
    {"lengths": (Interval(1, None), Interval(3, 4)), "end_from": ON, "age_from": 0, "ends_within": 0},
    {"doctors": ("D1", "D2"), "text": "Å & =", "chapters": ("none",), "statuses": ("REKO_8",), "offset": 4},
]


@pytest.mark.parametrize("asked", QUESTIONS)
def test_what_is_written_asks_the_same(asked: dict[str, Any]) -> None:
    question = Question(ON, **asked)
    assert read(written(question), ON) == question


def test_settings_are_always_written_and_a_place_never() -> None:
    pairs = written(Question(ON, after=Place("x", "197101019806")))
    assert pairs == [("mode", "rehabstod"), ("gap", "5"), ("maxDaysSinceEnd", "0"), ("sort", "end")]
