"""The national engine's quirks (rehabstod.md § 3.6), each with its documented example, in both modes.

Q1-Q5 differ between the modes, Q6-Q11 do not.
"""

from dataclasses import replace
from datetime import date

import pytest

from contracts.errors import Invalid
from service.rules.sick_leave import CORRECTED, MODES, REHABSTOD, Mode, UnitSickLeave, patient_view, unit_view
from tests.unit.service.rules.sjukfall_forms import Intyg, day, intyg, of

MODE = pytest.mark.parametrize("mode", MODES.values(), ids=MODES)


def one(certificates: list[Intyg], on: str, mode: Mode, gap: int = 5, days_since_end: int = 0) -> UnitSickLeave[Intyg]:
    (found,) = unit_view(certificates, day(on), gap, days_since_end, mode)
    return found


def ids(sick_leave: UnitSickLeave[Intyg]) -> str:
    return " ".join(each.id for each in sick_leave.certificates)


def groups(certificates: list[Intyg], on: str, mode: Mode, gap: int = 5) -> list[str]:
    found = patient_view(certificates, day(on), gap, mode)
    return [" ".join(each.certificate.id for each in leave.members) for leave in found]


# Q1: two with the same dates, the active one later


@pytest.mark.parametrize(
    ("texts", "rehabstod", "corrected"),
    [
        (("02-01..20 s 02-01", "02-01..20 s 02-02"), "2 2", "1 2"),
        (("02-01..20 s 02-02", "02-01..20 s 02-01"), "1 2", "1 2"),
        (("02-01..20 s 02-01", "02-01..20 s 02-02", "02-01..20 s 02-03"), "3 2 3", "1 2 3"),
    ],
)
def test_q1_certificates_with_the_same_dates(texts: tuple[str, ...], rehabstod: str, corrected: str) -> None:
    assert ids(one(of(*texts), "02-10", REHABSTOD)) == rehabstod
    assert ids(one(of(*texts), "02-10", CORRECTED)) == corrected


def test_q1_does_not_change_the_length() -> None:
    certificates = of("02-01..20 s 02-01", "02-01..20 s 02-02")
    assert {one(certificates, "02-10", mode).days for mode in MODES.values()} == {20}


# Q2: a short one inside a long one, before the active one

Q2 = of("2015-12-20..2015-12-31", "01-08..09", "01-01..10", "01-12..20")


def test_q2_the_chain_goes_on_from_the_short_one() -> None:
    found = one(Q2, "01-15", REHABSTOD)
    assert (ids(found), found.start, found.days) == ("3 2 4", date(2016, 1, 1), 19)


def test_q2_mended_the_earliest_start_so_far_counts() -> None:
    found = one(Q2, "01-15", CORRECTED)
    assert (ids(found), found.start, found.days) == ("1 3 2 4", date(2015, 12, 20), 31)


# Q3: the same in a patient's groups, and after the active one

Q3 = of("01-01..30", "01-02..03", "01-11..20")


def test_q3_a_patients_groups_overlap() -> None:
    assert groups(Q3, "01-15", REHABSTOD) == ["3", "2 1"]


def test_q3_mended_they_are_one() -> None:
    assert groups(Q3, "01-15", CORRECTED) == ["3 2 1"]


Q3B = of("01-01..10", "01-05..30", "01-06..12", "02-01..05")


def test_q3b_a_short_one_after_the_active_one_cuts_off_what_follows() -> None:
    found = one(Q3B, "01-04", REHABSTOD)
    assert (ids(found), found.end) == ("1 2 3", day("01-30"))


def test_q3b_mended_the_latest_end_so_far_counts() -> None:
    found = one(Q3B, "01-04", CORRECTED)
    assert (ids(found), found.end) == ("1 2 3 4", day("02-05"))


# Q4: none active, two ended recently

Q4 = of("01-01..08@50", "01-09..15@25")


@pytest.mark.parametrize(("mode", "shown", "degrees"), [(REHABSTOD, "1", [50]), (CORRECTED, "2", [25])])
def test_q4_which_of_those_that_ended_is_shown(mode: Mode, shown: str, degrees: list[int]) -> None:
    found = one(Q4, "01-20", mode, days_since_end=14)
    assert (found.shown.id, found.degrees, found.degree, found.end) == (shown, degrees, 0, day("01-15"))


def test_q4_mended_of_those_that_ended_the_same_day_the_latest_signed_is_shown() -> None:
    certificates = of("01-01..08", "01-02..15 s 01-03", "01-09..15 s 01-09", "01-03..15 s 01-09")
    assert one(certificates, "01-20", CORRECTED, days_since_end=14).shown.id == "3"


def test_q4_mended_reads_signing_times_only_among_those() -> None:
    certificates = [replace(each, signed=None) for each in Q4]
    assert one(certificates, "01-20", CORRECTED, days_since_end=14).shown.id == "2"
    with pytest.raises(Invalid, match="signing"):
        unit_view([*certificates, intyg("01-10..15", "3")], day("01-20"), 5, 14, CORRECTED)


# Q5: none active, one ended recently, one to come within the gap

Q5 = of("01-01..10", "01-14..25")


def test_q5_a_sick_leave_that_has_ended_ends_in_the_future() -> None:
    found = one(Q5, "01-12", REHABSTOD, days_since_end=5)
    assert (ids(found), found.end, found.days, found.degree) == ("1 2", day("01-25"), 22, 0)
    assert groups(Q5, "01-12", REHABSTOD) == ["2 1"]


def test_q5_mended_what_starts_after_the_day_is_no_member_when_nothing_is_active() -> None:
    found = one(Q5, "01-12", CORRECTED, days_since_end=5)
    assert (ids(found), found.end, found.days, found.degree) == ("1", day("01-10"), 10, 0)
    assert groups(Q5, "01-12", CORRECTED) == ["1"]


@MODE
def test_q5_with_something_active_what_is_to_come_stays(mode: Mode) -> None:
    assert ids(one(Q5, "01-10", mode)) == "1 2"
    assert groups(Q5, "01-10", mode) == ["2 1"]


def test_q5_mended_a_hole_on_the_day_is_not_active_either() -> None:
    certificates = of("01-01..10+01-20..25", "01-02..11", "01-21..30")
    assert ids(one(certificates, "01-12", REHABSTOD, days_since_end=5)) == "1 2 3"
    assert ids(one(certificates, "01-12", CORRECTED, days_since_end=5)) == "1 2"


def test_q5_mended_keeps_the_one_that_is_shown_even_with_reversed_periods() -> None:
    assert ids(one(of("01-20..10"), "01-12", CORRECTED, days_since_end=5)) == "1"


# What stays as it is


@MODE
def test_q6_of_overlapping_periods_the_first_listed_gives_the_degree(mode: Mode) -> None:
    assert one(of("01-05..20@25+01-01..31@100"), "01-10", mode).degree == 25


@MODE
def test_q7_the_sick_leave_starts_with_a_neighbour_that_ends_later(mode: Mode) -> None:
    found = one(of("01-05..20 s 01-05", "01-10..15 s 01-10"), "01-12", mode)
    assert (found.shown.id, found.start, found.end) == ("2", day("01-05"), day("01-20"))


@MODE
def test_q8_one_to_come_within_the_gap_counts(mode: Mode) -> None:
    found = one(of("01-01..10", "01-12..31"), "01-05", mode)
    assert (ids(found), found.end, found.days) == ("1 2", day("01-31"), 30)


@MODE
def test_q9_a_mistyped_end_keeps_a_certificate_active_for_years(mode: Mode) -> None:
    found = one(of("01-01..2046-01-20"), "2031-05-01", mode)
    assert (found.degree, found.end) == (100, date(2046, 1, 20))


@MODE
def test_q10_of_equal_signing_times_the_earlier_ended_is_active(mode: Mode) -> None:
    assert one(of("01-01..20 s 01-01", "01-02..15 s 01-01"), "01-10", mode).shown.id == "2"
    assert one(of("01-01..20 s 01-01", "01-02..20 s 01-01"), "01-10", mode).shown.id == "1"


@MODE
def test_q11_a_certificate_without_periods_fails_the_whole_call(mode: Mode) -> None:
    certificates = [*of("01-01..20"), Intyg("2", (), None, "another")]
    with pytest.raises(Invalid, match="no periods"):
        unit_view(certificates, day("01-10"), 5, 0, mode)
    with pytest.raises(Invalid, match="no periods"):
        patient_view(certificates, day("01-10"), 5, mode)


# Signing times are asked for only where they decide


@MODE
def test_a_missing_signing_time_fails_between_several_active_ones(mode: Mode) -> None:
    several = [intyg("01-01..20", "1"), replace(intyg("01-02..20", "2"), signed=None)]
    for view in (
        lambda: unit_view(several, day("01-10"), 5, 0, mode),
        lambda: patient_view(several, day("01-10"), 5, mode),
    ):
        with pytest.raises(Invalid, match="signing"):
            view()


@MODE
def test_a_missing_signing_time_is_not_missed_where_one_alone_is_active(mode: Mode) -> None:
    single = [replace(each, signed=None) for each in of("01-01..20", "01-21..30")]
    assert one(single, "01-10", mode).shown.id == "1"
    assert groups(single, "01-10", mode) == ["2 1"]


@MODE
def test_a_patients_groups_without_an_active_one_ask_for_it_even_before_they_have_begun(mode: Mode) -> None:
    ended = [replace(each, signed=None) for each in of("01-01..05", "01-06..10")]
    ahead = [replace(each, signed=None) for each in of("03-01..05", "03-06..10")]
    with pytest.raises(Invalid, match="signing"):
        patient_view(ended, day("02-01"), 5, mode)
    active = of("01-20..02-10")
    with pytest.raises(Invalid, match="signing"):
        patient_view([*active, *ahead], day("02-01"), 5, mode)
