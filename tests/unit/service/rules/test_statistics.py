"""The summary (rehabstod.md §§ 4.3, 4.6)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.rules.sick_leave import Gender, Row, summary
from service.rules.sick_leave.diagnosis import diagnosis
from service.rules.sick_leave.statistics import GROUPS, NO_GROUP, Share, diagnosis_group
from tests.unit.service.rules.overview_forms import row

PLAIN = row()
SOMATIC, MUSCLES, OTHER, FACTORS, MENTAL, PREGNANCY, SYMPTOMS = (each.name for each in GROUPS)


def of(
    gender: Gender, code: str | None = None, degrees: Sequence[int] = (100,), days: int = 10, degree: int = -1
) -> Row:
    return replace(
        PLAIN,
        gender=gender,
        diagnosis=diagnosis(code) if code else None,
        degrees=tuple(degrees),
        degree=degrees[0] if degree < 0 else degree,
        days=days,
    )


def shown(shares: Sequence[Share]) -> list[tuple[str, str, int, float]]:
    return [(each.id, each.name, each.count, round(each.percentage, 1)) for each in shares]


BORDERS = {
    **dict.fromkeys(["A00", "D49", "E90", "G00", "L99", "N00", "N99", "H96", "K94"], SOMATIC),
    **dict.fromkeys(["M00", "M545", "M99"], MUSCLES),
    **dict.fromkeys(["P00", "P96", "Q00", "Q99", "S00", "T99", "V00", "W19", "Y98", "U071"], OTHER),
    **dict.fromkeys(["Z00", "Z99"], FACTORS),
    **dict.fromkeys(["F00", "F99"], MENTAL),
    **dict.fromkeys(["O00", "O99"], PREGNANCY),
    **dict.fromkeys(["R00", "R99"], SYMPTOMS),
    **dict.fromkeys(["E91", "E99", "P97", "Y99", "", "F4", "f43", "12", "ÅÄÖ"], NO_GROUP),
}


@pytest.mark.parametrize(("code", "group"), BORDERS.items())
def test_diagnosis_groups(code: str, group: str) -> None:
    assert diagnosis_group(code) == group


def test_a_units_summary() -> None:
    found = summary(
        [
            of(Gender.WOMAN, "F43", [100], 89),
            of(Gender.WOMAN, "F32", [50, 50], 90),
            of(Gender.WOMAN, "M54", [50], 180),
            of(Gender.MAN, None, [75, 25], 366),
        ]
    )
    assert found.total == 4
    assert shown(found.genders) == [("F", "Kvinna", 3, 75.0), ("M", "Man", 1, 25.0)]
    assert shown(found.everybody.groups) == [
        (MENTAL, MENTAL, 2, 50.0),
        (MUSCLES, MUSCLES, 1, 25.0),
        (NO_GROUP, NO_GROUP, 1, 25.0),
    ]
    assert shown(found.everybody.degrees) == [
        ("50", "50 %", 2, 50.0),
        ("75", "75 %", 1, 25.0),
        ("100", "100 %", 1, 25.0),
    ]
    assert shown(found.everybody.degree_counts) == [("1", "En", 2, 50.0), ("2", "Flera", 2, 50.0)]
    assert shown(found.everybody.lengths) == [
        ("1", "< 90", 1, 25.0),
        ("2", "Dag 90-180", 2, 50.0),
        ("4", "> 365", 1, 25.0),
    ]
    assert shown(found.women.groups) == [(MENTAL, MENTAL, 2, 66.7), (MUSCLES, MUSCLES, 1, 33.3)]
    assert shown(found.men.degrees) == [("75", "75 %", 1, 100.0)]


@pytest.mark.parametrize(
    ("days", "id"), [(0, "1"), (89, "1"), (90, "2"), (180, "2"), (181, "3"), (365, "3"), (366, "4"), (9999, "4")]
)
def test_lengths(days: int, id: str) -> None:
    assert [each.id for each in summary([of(Gender.MAN, days=days)]).men.lengths] == [id]


def test_one_that_has_ended_has_degree_0() -> None:
    assert shown(summary([of(Gender.MAN, degree=0)]).everybody.degrees) == [("0", "0 %", 1, 100.0)]


def test_nobody_is_still_two_genders() -> None:
    found = summary([])
    assert shown(found.genders) == [("F", "Kvinna", 0, 0.0), ("M", "Man", 0, 0.0)]
    assert found.total == 0
    assert found.everybody == found.men == found.women
    assert not any((found.men.groups, found.men.degrees, found.men.degree_counts, found.men.lengths))


ROWS = st.lists(
    st.builds(
        of,
        st.sampled_from(Gender),
        st.sampled_from(["F43", "M54", "Z73", None]),
        st.lists(st.sampled_from([25, 50, 75, 100]), min_size=1, max_size=3),
        st.sampled_from([1, 90, 181, 400]),
    ),
    max_size=12,
)


@given(ROWS)
def test_every_list_adds_up_for_everybody_and_by_gender(rows: list[Row]) -> None:
    found = summary(rows)
    sizes = (len(rows), found.genders[1].count, found.genders[0].count)
    for breakdown, size in zip((found.everybody, found.men, found.women), sizes, strict=True):
        for shares in (breakdown.groups, breakdown.degrees, breakdown.degree_counts, breakdown.lengths):
            assert sum(each.count for each in shares) == size
            assert sum(each.percentage for each in shares) == pytest.approx(100 if size else 0)
