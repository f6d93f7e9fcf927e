"""The grouping in the mode ``corrected`` (rehabstod.md §§ 3.4, 3.6 Q3, 3.7, 6.1; decision D21)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, CertificatePeriod, SickLeave
from service.rules.sick_leave import group

UNIT = HsaId("SE1111111111-E001")
PEOPLE = tuple(PersonId(f"19700101{serial}{control_digit(f'700101{serial}')}") for serial in ("980", "981"))
JANUARY = date(2016, 1, 1)


def certificate(id: str, start: date, end: date, patient: PersonId = PEOPLE[0], unit: HsaId = UNIT) -> Certificate:
    return Certificate(id, patient, unit, (CertificatePeriod(start, end, 100),), datetime(2016, 1, 1, tzinfo=UTC))


def of(*days: str) -> list[Certificate]:
    """``01-18..22`` and ``03-29..04-05`` in 2016, numbered from 1."""
    return [certificate(str(n), *_span(text)) for n, text in enumerate(days, 1)]


def _span(text: str) -> tuple[date, date]:
    first, _, last = text.partition("..")
    return date.fromisoformat(f"2016-{first}"), date.fromisoformat(f"2016-{last if '-' in last else first[:3] + last}")


def ids(leaves: tuple[SickLeave, ...]) -> list[list[str]]:
    return [[each.id for each in leave.certificates] for leave in leaves]


@pytest.mark.parametrize(
    ("gap", "first", "second", "joined"),
    [
        (0, "02-01..10", "02-11..20", True),
        (0, "02-01..10", "02-12..20", False),
        (5, "01-01..01", "01-07..09", True),
        (5, "01-01..01", "01-08..09", False),
        (0, "02-01..10", "02-10..20", True),
        (0, "02-01..10", "02-01..10", True),
    ],
)
def test_the_gap_counts_free_days(gap: int, first: str, second: str, joined: bool) -> None:
    assert (len(group(of(first, second), gap)) == 1) == joined


@pytest.mark.parametrize(("gap", "groups"), [(0, 4), (1, 3), (2, 2), (3, 2), (9, 2), (10, 1), (11, 1)])
def test_the_known_numbers_of_the_patient_view(gap: int, groups: int) -> None:
    certificates = of("03-01..05", "03-08..12", "03-23..27", "03-29..04-05", "04-06..15")
    assert len(group(certificates, gap)) == groups


def test_the_default_gap_is_five() -> None:
    assert group(of("01-01..01", "01-07..09")) == group(of("01-01..01", "01-07..09"), 5)
    assert len(group(of("01-01..01", "01-08..09"))) == 2


MENDED = {
    "Q3: a short one inside a long one": (of("01-01..30", "01-02..03", "01-11..20"), [["1", "2", "3"]]),
    "Q3: the same before another": (of("01-01..30", "01-02..03", "02-04..20"), [["1", "2", "3"]]),
    "Q1: two with the same days": (of("01-01..10", "01-01..10"), [["1", "2"]]),
    "Q8: one that lies ahead": (of("01-01..10", "01-12..20"), [["1", "2"]]),
}


@pytest.mark.parametrize(("certificates", "expected"), MENDED.values(), ids=MENDED)
def test_quirks_are_mended(certificates: list[Certificate], expected: list[list[str]]) -> None:
    assert ids(group(certificates)) == expected


def test_a_hole_inside_a_certificate_splits_nothing() -> None:
    (first, last) = (
        CertificatePeriod(JANUARY, JANUARY, 100),
        CertificatePeriod(date(2016, 2, 1), date(2016, 2, 2), 50),
    )
    (leave,) = group([replace(certificate("1", JANUARY, JANUARY), periods=(last, first))])
    assert (leave.start, leave.end) == (JANUARY, date(2016, 2, 2))


def test_patients_are_kept_apart_and_mottagningar_are_not() -> None:
    mottagning = HsaId("SE1111111111-E002")
    certificates = [
        certificate("d", date(2016, 1, 12), date(2016, 1, 19), PEOPLE[1], mottagning),
        certificate("b", JANUARY, date(2016, 1, 9), PEOPLE[1]),
        certificate("a", JANUARY, date(2016, 1, 9)),
    ]
    assert ids(group(certificates)) == [["a"], ["b", "d"]]


def test_a_certificate_to_the_end_of_time_breaks_nothing() -> None:
    certificates = [certificate("1", JANUARY, date.max), certificate("2", date.max, date.max)]
    (leave,) = group(certificates, 90)
    assert leave.end == date.max


def test_nothing_gives_nothing_and_a_negative_gap_is_refused() -> None:
    assert group([]) == ()
    with pytest.raises(ValueError, match="gap"):
        group([], -1)


CERTIFICATES = st.lists(
    st.builds(
        lambda n, start, length, patient: certificate(
            f"{n}", JANUARY + timedelta(start), JANUARY + timedelta(start + length), PEOPLE[patient]
        ),
        st.integers(0, 9999),
        st.integers(0, 120),
        st.integers(0, 40),
        st.integers(0, 1),
    ),
    max_size=12,
    unique_by=lambda each: each.id,
)


@given(CERTIFICATES, st.integers(0, 20), st.randoms())
@settings(max_examples=200, deadline=None)
def test_grouping_is_a_partition_whatever_the_order(certificates: list[Certificate], gap: int, chance: Random) -> None:
    leaves = group(certificates, gap)
    shuffled = list(certificates)
    chance.shuffle(shuffled)
    assert group(shuffled, gap) == leaves
    assert sorted(each.id for leave in leaves for each in leave.certificates) == sorted(
        each.id for each in certificates
    )


@given(CERTIFICATES, st.integers(0, 20))
@settings(max_examples=200, deadline=None)
def test_covered_days_of_two_sick_leaves_lie_further_apart_than_the_gap(
    certificates: list[Certificate], gap: int
) -> None:
    """An oracle by days: join covered days that have at most ``gap`` free days between them."""
    leaves = group(certificates, gap)
    for person in PEOPLE:
        covered = sorted({day for each in certificates if each.patient == person for day in _days(each)})
        breaks = sum((b - a).days > gap + 1 for a, b in pairwise(covered))
        own = [leave for leave in leaves if leave.certificates[0].patient == person]
        assert len(own) == (breaks + 1 if covered else 0)


def _days(each: Certificate) -> list[date]:
    return [each.start + timedelta(n) for n in range((each.end - each.start).days + 1)]
