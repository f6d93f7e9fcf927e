"""The timeline: what is certified day by day, and where it is drawn."""

from datetime import date, timedelta
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.sick_leave import CertificatePeriod
from service.console.timeline import AFTER, BEFORE, HEIGHT, STRIP, TODAY, WIDTH, Stretch, course, ticks, timeline

ON: Final = date(2026, 11, 28)


def periods(*spans: tuple[int, int, int]) -> list[CertificatePeriod]:
    """Days from ``ON``, and a degree."""
    return [CertificatePeriod(ON + timedelta(days=a), ON + timedelta(days=b), degree) for a, b, degree in spans]


def stretches(*spans: tuple[int, int, int]) -> tuple[Stretch, ...]:
    return tuple(Stretch(each.start, each.end, each.degree) for each in periods(*spans))


@pytest.mark.parametrize(
    ("certified", "expected"),
    [
        ([], []),
        ([(0, 0, 100)], [(0, 0, 100)]),
        ([(0, 9, 100), (10, 19, 50)], [(0, 9, 100), (10, 19, 50)]),
        ([(10, 19, 50), (0, 9, 50)], [(0, 19, 50)]),
        ([(0, 9, 100), (12, 19, 50)], [(0, 9, 100), (12, 19, 50)]),
        ([(0, 9, 100), (11, 19, 100)], [(0, 9, 100), (11, 19, 100)]),
        ([(0, 19, 50), (5, 9, 75)], [(0, 4, 50), (5, 9, 75), (10, 19, 50)]),
        ([(0, 19, 75), (5, 9, 50)], [(0, 19, 75)]),
        ([(0, 9, 25), (0, 9, 100)], [(0, 9, 100)]),
        ([(9, 0, 100)], []),
    ],
    ids=[
        "none",
        "a day",
        "tapering",
        "same degree",
        "a hole",
        "a free day",
        "more inside",
        "less inside",
        "twice",
        "reversed",
    ],
)
def test_the_course(certified: list[tuple[int, int, int]], expected: list[tuple[int, int, int]]) -> None:
    assert course(periods(*certified)) == stretches(*expected)


SPANS: Final = st.lists(
    st.tuples(st.integers(-30, 30), st.integers(0, 20), st.sampled_from([25, 50, 75, 100])), max_size=6
)


@given(SPANS)
def test_each_day_has_the_highest_degree_that_is_certified(found: list[tuple[int, int, int]]) -> None:
    certified = periods(*((start, start + days, degree) for start, days, degree in found))
    drawn = course(certified)
    for day in (ON + timedelta(days=n) for n in range(-40, 60)):
        wanted = max((each.degree for each in certified if each.start <= day <= each.end), default=0)
        assert sum(each.degree for each in drawn if each.start <= day <= each.end) == wanted
    assert list(drawn) == sorted(drawn, key=lambda each: each.start)


@given(st.lists(st.tuples(st.integers(-4000, 4000), st.integers(0, 900), st.integers(1, 100)), min_size=1, max_size=5))
def test_everything_is_drawn_inside_and_in_order(found: list[tuple[int, int, int]]) -> None:
    drawn = timeline(periods(*((start, start + days, degree) for start, days, degree in found)), ON)
    for bar in drawn.bars:
        assert 0 <= bar.x <= WIDTH
        assert bar.x + bar.width <= WIDTH + 2.5
        assert 0 <= bar.y < HEIGHT
        assert 1 <= bar.shade <= 4
        assert bar.y + bar.height == pytest.approx(HEIGHT)
    assert [bar.x for bar in drawn.bars] == sorted(bar.x for bar in drawn.bars)


def test_today_stands_in_one_place_and_what_is_far_away_is_pressed_together() -> None:
    (short,) = timeline(periods((0, 29, 100)), ON).bars
    (long,) = timeline(periods((-BEFORE - 1000, AFTER + 1000, 50)), ON).bars
    assert short.x == TODAY
    assert (long.x, long.width) == (0, WIDTH)
    before, near = timeline(periods((-BEFORE - 500, -BEFORE - 1, 100), (-BEFORE, 0, 50)), ON).bars
    assert (before.x, before.width) == (0, STRIP)
    assert near.x == STRIP
    assert (short.height, near.height) == (HEIGHT, HEIGHT / 2)


def test_a_bar_that_is_too_narrow_holds_no_number_and_the_words_tell_it() -> None:
    drawn = timeline(periods((0, 0, 100), (1, 40, 50)), ON)
    assert [bar.label for bar in drawn.bars] == ["", "50"]
    assert drawn.told == "100 % 2026-11-28 – 2026-11-28, 50 % 2026-11-29 – 2027-01-07"


def test_days_at_the_end_of_the_calendar_are_drawn() -> None:
    (bar,) = timeline([CertificatePeriod(ON, date.max, 100)], ON).bars
    assert bar.x + bar.width == WIDTH


def test_the_months_of_the_axis() -> None:
    assert [tick.label for tick in ticks(ON)] == ["sep", "okt", "nov", "dec", "jan"]
