"""The engine against the known numbers: rehabstod.md § 6.1 (the national engine's own tests), §§ 3.5, 3.7, 3.8, 4.2, 4.3.

What one table says in the mode ``rehabstod`` holds in ``corrected`` too: none of it is a quirk.
"""

from datetime import date
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import Invalid
from service.rules.sick_leave import CORRECTED, MODES, REHABSTOD, Mode, Standing, patient_view, unit_view
from service.rules.sick_leave.diagnosis import CHAPTERS, NO_CHAPTER, Chapter, category, chapter, diagnosis
from service.rules.sick_leave.modes import latest_signed
from service.rules.sick_leave.occupation import LABELS
from service.rules.sick_leave.standing import days, standing
from service.rules.sick_leave.views import chain, to_the_left, to_the_right
from tests.unit.service.rules.sjukfall_forms import Intyg, day, intyg, of

MODE = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)
ON = day("02-16")


def standings(*texts: str, on: date = ON) -> list[Standing[Intyg]]:
    return [standing(each, on.toordinal(), 0) for each in of(*texts)]


def numbers(found: list[Standing[Intyg]]) -> str:
    return " ".join(each.certificate.id for each in found)


# The twelve cases: certificates; first and last day, count, days, which one is active

ENGINE = {
    "1": (("02-01..10", "02-12..20"), ("02-01", "02-20", 2, 19, "2")),
    "2": (("02-01..10", "02-12..20 s 01-30"), ("02-01", "02-20", 2, 19, "2")),
    "3": (("02-01..10", "02-12..20", "02-21..25"), ("02-01", "02-25", 3, 24, "2")),
    "4": (("02-01..10", "02-12..20", "02-21..25 s 02-11"), ("02-01", "02-25", 3, 24, "2")),
    "5": (("02-12..20 s 02-12", "02-12..25 s 02-11"), ("02-12", "02-25", 2, 14, "1")),
    "6": (("02-12..20 s 02-12", "02-15..25 s 02-15"), ("02-12", "02-25", 2, 14, "2")),
    "7": (("02-01..14", "02-18..25"), None),
    "8": (("02-01..05", "02-08..12", "02-15..19"), ("02-01", "02-19", 3, 15, "3")),
    "9": (("02-15..19", "02-22..26", "02-29..03-04"), ("02-15", "03-04", 3, 15, "1")),
    "10": (("02-01..05", "02-15..19", "02-29..03-04"), ("02-15", "02-19", 1, 5, "2")),
    "11": (("02-01..05", "02-08..26", "02-15..19", "02-29..03-04"), ("02-01", "03-04", 4, 29, "3")),
    "12": (("02-01..05", "02-15..19", "02-17..28", "02-29..03-04"), ("02-15", "03-04", 3, 19, "2")),
}
Expected = tuple[str, str, int, int, str] | None


@MODE
@pytest.mark.parametrize(("texts", "expected"), ENGINE.values(), ids=ENGINE)
def test_the_twelve_cases(texts: tuple[str, ...], expected: Expected, mode: Mode) -> None:
    found = unit_view(of(*texts), ON, 5, 0, mode)
    assert [(each.start, each.end, len(each.certificates), each.days, each.shown.id) for each in found] == (
        [(day(expected[0]), day(expected[1]), *expected[2:])] if expected else []
    )
    assert all((each.degree, each.degrees) == (100, [100]) for each in found)


@MODE
@pytest.mark.parametrize("cases", [7, 12])
@given(chance=st.randoms())
@settings(max_examples=20, deadline=None)
def test_all_cases_as_one_units_patients(cases: int, mode: Mode, chance: Random) -> None:
    chosen = list(ENGINE.items())[:cases]
    certificates = [each for name, (texts, _) in chosen for each in of(*texts, patient=name)]
    assert len(certificates) == {7: 16, 12: 33}[cases]
    chance.shuffle(certificates)
    found = {each.shown.patient: each.shown.id for each in unit_view(certificates, ON, 5, 0, mode)}
    assert found == {name: expected[4] for name, (_, expected) in chosen if expected}


@MODE
def test_case_12_in_the_patient_view(mode: Mode) -> None:
    found = patient_view(of(*ENGINE["12"][0]), ON, 5, mode)
    assert [(each.start, each.end, len(each.members), each.days) for each in found] == [
        (day("02-15"), day("03-04"), 3, 19),
        (day("02-01"), day("02-05"), 1, 5),
    ]


@MODE
@pytest.mark.parametrize(("gap", "groups"), [(0, 4), (1, 3), (2, 2), (3, 2), (9, 2), (10, 1), (11, 1)])
def test_groups_of_a_patient(gap: int, groups: int, mode: Mode) -> None:
    certificates = of("03-01..05", "03-08..12", "03-23..27", "03-29..04-05", "04-06..15")
    assert len(patient_view(certificates, day("04-15"), gap, mode)) == groups


# Steps 7 and 8 by themselves, and all of 6 to 9

LEFT = [
    ("01-18..22 01-25..29 02-01..05", "1 2 3"),
    ("01-11..15 01-25..29 02-01..05", "2 3"),
    ("01-18..22 01-25..29", ""),
    ("01-18..22 02-01..05 01-25..02-02", "1 3 2"),
    ("01-18..22 01-25..29 02-01..05 01-25..02-07", "1 2 3 4"),
    ("01-18..02-05 01-25..29", "2 1"),
    ("01-11..15 01-18..27 01-25..29 01-25..02-10 02-01..05", "1 2 3 5 4"),
]
RIGHT = [
    ("02-01..05 02-08..12 02-15..19", "1 2 3"),
    ("02-01..05 02-08..12 02-22..26", "1 2"),
    ("02-08..12 02-15..19", ""),
    ("02-01..05 02-04..19 02-08..12", "1 2 3"),
    ("01-27..02-05 02-08..12 02-22..26 01-25..02-14", "4 1 2"),
    ("01-27..02-12 02-08..19 02-29..03-04", "1 2"),
]
REDUCTION = [
    ("02-01..05,02-08..12,02-15..19", "1 2 3"),
    ("01-25..29,02-01..05,02-08..12,02-15..19", "1 2 3 4"),
    ("01-25..29,02-01..05,02-08..12", "1 2 3"),
    ("02-08..12,02-15..19,02-22..26", "1 2 3"),
    ("01-25..29,02-01..19 s 01-30,02-08..12 s 02-08,02-22..26", "1 3 2 4"),
    ("02-01..05,02-03..26 s 02-01,02-08..12 s 02-08,02-11..17 s 02-10,02-22..26", "1 3 2 4 5"),
    ("01-25..29,02-08..12,02-22..26", "2"),
]


@MODE
@pytest.mark.parametrize(("texts", "kept"), LEFT)
def test_to_the_left_of_8_february(texts: str, kept: str, mode: Mode) -> None:
    by_end = sorted(standings(*texts.split()), key=lambda each: each.end)
    assert numbers(to_the_left(by_end, day("02-08").toordinal(), 5, mode)) == kept


@MODE
@pytest.mark.parametrize(("texts", "kept"), RIGHT)
def test_to_the_right_of_31_january(texts: str, kept: str, mode: Mode) -> None:
    by_start = sorted(standings(*texts.split()), key=lambda each: each.start)
    assert numbers(to_the_right(by_start, day("01-31").toordinal(), 5, mode)) == kept


@MODE
@pytest.mark.parametrize(("texts", "kept"), REDUCTION)
def test_the_whole_chain(texts: str, kept: str, mode: Mode) -> None:
    own = sorted(standings(*texts.split(","), on=day("02-10")), key=lambda each: each.end)
    shown = latest_signed([each for each in own if each.active])
    assert numbers(chain(own, shown, 5, mode)) == kept


# One certificate


@pytest.mark.parametrize(
    ("text", "on", "active"),
    [
        ("02-01..10", "02-16", False),
        ("02-12..20", "02-16", True),
        ("02-01..10+02-11..20", "02-16", True),
        ("02-01..10+02-21..25", "02-16", False),
        ("02-01..10+02-12..20+02-21..28", "02-16", True),
        ("02-11..15+02-17..22+02-23..28", "02-16", False),
        ("02-11..15+02-17..22+02-23..28", "02-22", True),
        ("02-11..15+02-17..22+02-23..28", "02-23", True),
        ("02-16..16 s 03-01", "02-16", True),
    ],
)
def test_whether_one_certificate_is_active(text: str, on: str, active: bool) -> None:
    (found,) = standings(text, on=day(on))
    assert found.active is active


@pytest.mark.parametrize("days_since_end", [0, 14])
def test_a_hole_on_the_day_is_neither_active_nor_recent(days_since_end: int) -> None:
    found = standing(intyg("02-01..10+02-21..25"), ON.toordinal(), days_since_end)
    assert (found.active, found.recent) == (False, False)


def test_degrees_come_by_the_start_of_their_periods_and_all_stay() -> None:
    (found,) = standings("02-11..15@50+02-01..10@100+02-11..12@25+02-16..20@50")
    assert found.degrees == [100, 50, 25, 50]


# § 3.7


@MODE
@pytest.mark.parametrize(
    ("gap", "first", "second", "joined"),
    [
        (0, "02-01..10", "02-11..20", True),
        (0, "02-01..10", "02-12..20", False),
        (5, "01-01..01", "01-07..09", True),
        (5, "01-01..01", "01-08..09", False),
        (90, "01-01..01", "04-01..01", True),
        (90, "01-01..01", "04-02..02", False),
    ],
)
def test_how_many_free_days_join(gap: int, first: str, second: str, joined: bool, mode: Mode) -> None:
    certificates = of(first, second)
    (early,) = unit_view(certificates, certificates[0].periods[0].end, gap, 0, mode)
    (late,) = unit_view(certificates, certificates[1].periods[0].end, gap, 0, mode)
    of_patient = patient_view(certificates, certificates[1].periods[0].end, gap, mode)
    assert (len(early.certificates), len(late.certificates), len(of_patient)) == ((2, 2, 1) if joined else (1, 1, 2))


@MODE
@pytest.mark.parametrize(
    ("days_since_end", "on", "shown"),
    [(0, "01-16", False), (4, "01-20", False), (5, "01-20", True), (14, "01-29", True), (14, "01-30", False)],
)
def test_how_long_an_ended_one_is_shown(days_since_end: int, on: str, shown: bool, mode: Mode) -> None:
    found = unit_view(of("01-01..15@75"), day(on), 5, days_since_end, mode)
    assert [(each.degree, each.degrees) for each in found] == ([(0, [75])] if shown else [])


@MODE
def test_a_patient_view_asks_for_no_days_since_the_end(mode: Mode) -> None:
    (found,) = patient_view(of("01-01..15"), day("01-16"), 5, mode)
    assert [(each.active, each.recent) for each in found.members] == [(False, False)]


# Length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("02-12..20+02-21..26+02-26..03-19", 37),
        ("01-20..02-10", 22),
        ("01-20..02-10+02-02..10", 22),
        ("01-20..02-10+02-02..10+01-25..02-12+02-20..03-10", 44),
        ("01-20..02-10+02-02..10+01-25..02-12+02-20..03-10+01-02..03-08", 69),
    ],
)
def test_days_in_the_union_of_periods(text: str, length: int) -> None:
    assert standings(text)[0].days == length
    assert days(standings(*text.split("+")), 90) == length


@MODE
@pytest.mark.parametrize(
    ("second", "gap", "length"),
    [("02-12..20", 0, 9), ("02-12..20", 1, 19), ("02-16..20", 4, 5), ("02-16..20", 5, 15)],
)
def test_days_of_the_last_chain(second: str, gap: int, length: int, mode: Mode) -> None:
    assert days(standings("02-01..10", second), gap) == length
    assert patient_view(of("02-01..10", second), day("02-20"), gap, mode)[0].days == length


REVERSED = {
    "one day less than none": ("02-10..08", -1),
    "absorbed by what it begins in": ("02-01..10+02-05..03", 10),
    "not absorbed by what begins with it, listed later": ("02-05..03+02-05..08", 3),
    "absorbed by what begins with it, listed first": ("02-05..08+02-05..03", 4),
    "beside another": ("02-20..10+02-25..28", -5),
    "listed before one that it lies in": ("02-20..10+02-15..18+02-19..28", 14),
}


@pytest.mark.parametrize(("text", "length"), REVERSED.values(), ids=REVERSED)
def test_periods_that_end_before_they_start_count_as_they_do_nationally(text: str, length: int) -> None:
    assert standings(text)[0].days == length


def test_a_sick_leave_merges_reversed_blocks_once_more_newest_first() -> None:
    (alone,) = standings("02-05..03+02-05..08")
    assert (alone.days, days([alone], 5)) == (3, 4)


def test_a_reversed_certificate_may_break_the_chain_that_is_counted() -> None:
    own = standings("01-05..03", "01-07..03")
    assert days(own, 2) == -3
    assert days(own, 3) == -4


# The ends of the input


@MODE
def test_nothing_gives_nothing(mode: Mode) -> None:
    assert unit_view([], ON, 5, 0, mode) == []
    assert patient_view([], ON, 5, mode) == []


@MODE
def test_a_negative_gap_gives_nothing_whatever_is_asked(mode: Mode) -> None:
    broken = [Intyg("1", (), None)]
    assert unit_view(broken, ON, -1, 0, mode) == []
    assert patient_view(broken, ON, -1, mode) == []


@MODE
def test_a_patient_view_leaves_out_what_has_not_begun(mode: Mode) -> None:
    found = patient_view(of("02-01..05", "02-17..20", "03-01..05"), day("02-17"), 5, mode)
    assert [[each.certificate.id for each in leave.members] for leave in found] == [["2"], ["1"]]


@MODE
def test_a_patients_diagnosis_is_the_latest_signed_active_ones_or_the_latest_signed_of_all(mode: Mode) -> None:
    certificates = of("02-01..20 s 02-03", "02-01..20 s 02-04", "02-02..20 s 02-04", "02-01..04 s 02-09")
    (active,) = patient_view(certificates, day("02-10"), 5, mode)
    (ended,) = patient_view(certificates, day("03-10"), 5, mode)
    assert (active.diagnosed.id, ended.diagnosed.id) == ("2", "4")


@MODE
def test_members_of_a_patients_sick_leave_come_newest_first_and_alike_ones_as_they_came(mode: Mode) -> None:
    certificates = of("02-01..20", "02-03..20", "02-01..10", "02-03..04")
    (found,) = patient_view(certificates, day("02-10"), 5, mode)
    assert numbers(found.members) == "2 4 1 3"
    assert found.first.id == "1"


@MODE
def test_patient_ids_are_taken_as_they_are_given(mode: Mode) -> None:
    certificates = [intyg("02-01..20", "1", "X"), intyg("02-01..20", "2", " X ")]
    assert [each.shown.id for each in unit_view(certificates, ON, 5, 0, mode)] == ["1", "2"]


def test_the_two_modes_have_names() -> None:
    assert MODES == {"rehabstod": REHABSTOD, "corrected": CORRECTED}


# § 3.8, § 4.2, § 4.3


@pytest.mark.parametrize(
    ("text", "code", "name"),
    [
        ("M80-", "M80-", None),
        ("M80-P", "M80-P", None),
        ("M80.", "M80", None),
        ("M80.-", "M80-", None),
        ("M80.1", "M801", None),
        ("M.80.01", "M8001", ""),
        ("aÅÄÖ!?", "A", None),
        ("f43.9", "F439", None),
        (" F43.9", "F439", None),
        ("M123   Palindrom reumatism ", "M123", "Palindrom reumatism"),
        ("F32.1  ", "F321", ""),
        ("F32.1  \x00\t ", "F321", ""),
        ("F32.1  \xa0", "F321", "\xa0"),
        ("ß", "SS", None),
        ("\xa0", "", None),
        ("åäö", "", None),
    ],
)
def test_what_is_written_as_a_diagnosis(text: str, code: str, name: str | None) -> None:
    found = diagnosis(text)
    assert (found.original, found.code, found.name) == (text, code, name)


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u2003", "\x1c", "        "])
def test_a_blank_diagnosis_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="blank"):
        diagnosis(text)


@pytest.mark.parametrize(
    ("code", "expected"),
    [("F439", "F43"), ("F43", "F43"), ("F4", None), ("", None), ("4F3", None), ("FF43", None), ("F-43", None)],
)
def test_the_category_of_a_clean_code(code: str, expected: str | None) -> None:
    assert category(code) == expected


@pytest.mark.parametrize("each", CHAPTERS, ids=lambda each: each.first)
def test_a_chapter_holds_its_ends(each: Chapter) -> None:
    assert chapter(each.first) == chapter(each.last + "9") == each


@pytest.mark.parametrize(
    "code", ["D49", "D90", "D99", "E91", "H96", "K94", "P97", "P99", "T99", "V00", "Y99", "W0", "", "43"]
)
def test_holes_between_chapters_and_what_is_no_code(code: str) -> None:
    assert chapter(code) is NO_CHAPTER


def test_there_are_22_chapters_in_order_without_overlap() -> None:
    ends = [end for each in CHAPTERS for end in (each.first, each.last)]
    assert (len(CHAPTERS), ends) == (22, sorted(ends))


def test_two_spellings_of_an_occupation_have_one_label() -> None:
    assert LABELS["ARBETSLOSHET"] == LABELS["ARBETSSOKANDE"] == "Arbetssökande"
    assert LABELS["FORALDRALEDIG"] == LABELS["FORALDRALEDIGHET"] == "Föräldraledighet"
    assert (LABELS["NUVARANDE_ARBETE"], LABELS["STUDIER"], len(LABELS)) == ("Nuvarande arbete", "Studier", 6)
