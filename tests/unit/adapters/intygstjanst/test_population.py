"""The synthetic people: the same for the same seed, nobody real (decision D28), and sick leaves of every kind."""

import random
from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise

import pytest

from adapters.intygstjanst.population import capacity, generate, people
from contracts.errors import Invalid
from contracts.identity import HsaId
from contracts.sick_leave import Certificate

TODAY = date(2026, 3, 2)
UNIT = HsaId("SE1111111111-E001")
PROVIDER = HsaId("SE1111111111-V001")
CERTIFICATES = generate(1, UNIT, PROVIDER, 400, TODAY)
BY_PATIENT: dict[str, list[Certificate]] = defaultdict(list)
for each in CERTIFICATES:
    BY_PATIENT[each.patient.digits].append(each)


def test_a_seed_decides_everything() -> None:
    assert generate(1, UNIT, PROVIDER, 400, TODAY) == CERTIFICATES
    assert generate(2, UNIT, PROVIDER, 400, TODAY) != CERTIFICATES


def test_as_many_patients_as_asked_for() -> None:
    assert len(BY_PATIENT) == 400
    assert generate(1, UNIT, PROVIDER, 0, TODAY) == []


def test_nobody_is_real() -> None:
    serials = Counter(digits[8:11] for digits in BY_PATIENT)
    assert set(serials) == {"980", "981", "238", "239"}
    assert all(certificate.patient.is_synthetic for certificate in CERTIFICATES)


def test_everybody_is_of_working_age() -> None:
    births = [own[0].patient.birth_date for own in BY_PATIENT.values()]
    assert date(1959, 3, 1) <= min(births)
    assert max(births) <= date(2008, 3, 2)


def test_more_than_the_series_hold_is_refused_with_how_many_they_hold() -> None:
    assert capacity(TODAY) > 40_000
    with pytest.raises(Invalid, match=f"hold {capacity(TODAY)} people"):
        generate(1, UNIT, PROVIDER, capacity(TODAY) + 1, TODAY)


def test_everybody_in_the_series_can_be_had() -> None:
    chance = random.Random(1)  # noqa: S311 - as in the population itself
    assert len(set(people(chance, capacity(TODAY), TODAY))) == capacity(TODAY)


def test_before_anybody_of_the_newer_series_works_the_older_hold_everybody() -> None:
    day = date(2000, 1, 1)
    assert capacity(day) == 2 * len({day - timedelta(days=n) for n in range(int(18 * 365.25), int(67 * 365.25) + 1)})


def test_a_person_has_one_name_whatever_the_seed() -> None:
    known = {each.patient: each.patient_name for each in generate(1, UNIT, PROVIDER, 1000, TODAY)}
    again = {each.patient: each.patient_name for each in generate(2, UNIT, PROVIDER, 1000, TODAY)}
    met = known.keys() & again.keys()
    assert met
    assert all(known[patient] == again[patient] for patient in met)


def test_ids_are_unique() -> None:
    assert len({certificate.id for certificate in CERTIFICATES}) == len(CERTIFICATES)


def test_most_are_on_sick_leave_today_and_some_have_ended() -> None:
    ends = [max(own, key=lambda one: one.end).end for own in BY_PATIENT.values()]
    ongoing = sum(end >= TODAY for end in ends) / len(ends)
    recent = sum(TODAY - timedelta(days=14) <= end < TODAY for end in ends) / len(ends)
    assert 0.6 < ongoing < 0.9
    assert 0.05 < recent < 0.3
    assert ongoing + recent < 1


def test_periods_follow_on_each_other_with_falling_degrees() -> None:
    for certificate in CERTIFICATES:
        assert all(period.start <= period.end for period in certificate.periods)
        for one, other in pairwise(certificate.periods):
            assert other.start - one.end == timedelta(days=1)
            assert other.degree < one.degree
    assert {len(certificate.periods) for certificate in CERTIFICATES} == {1, 2, 3, 4}
    assert {period.degree for each in CERTIFICATES for period in each.periods} == {100, 75, 50, 25}


def test_renewals_follow_within_the_gap_overlap_or_begin_anew() -> None:
    chains = [sorted(own, key=lambda one: one.start) for own in BY_PATIENT.values()]
    free = [(b.start - a.end).days - 1 for chain in chains for a, b in pairwise(chain)]
    assert min(free) < 0
    assert {0, 1, 5} < set(free)
    assert max(free) > 5


def test_certificates_are_signed_before_they_begin_or_on_the_day() -> None:
    assert all(0 <= (each.start - each.signed.date()).days <= 3 for each in CERTIFICATES)
