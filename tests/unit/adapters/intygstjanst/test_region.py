"""Many units: everything that a feed shows and all that it holds out, the same for the same seed, nobody real (D28)."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from adapters.intygstjanst import mock
from adapters.intygstjanst.adapter import Intygstjanst, build
from adapters.intygstjanst.population import capacity
from adapters.intygstjanst.region import UnitPopulation, generate_region
from adapters.intygstjanst.settings import Settings
from adapters.mocking import Counterpart
from contracts.errors import Invalid
from contracts.identity import HsaId
from contracts.sick_leave import Certificate

TODAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
REGION: Mapping[HsaId, UnitPopulation] = generate_region(1, 30, 50, TODAY)
EVERYTHING = [certificate for unit in REGION.values() for certificate in unit.certificates]


def patients(unit: UnitPopulation) -> set[str]:
    return {certificate.patient.digits for certificate in unit.certificates}


def test_a_seed_decides_everything() -> None:
    assert generate_region(1, 3, 10, TODAY) == generate_region(1, 3, 10, TODAY)
    assert generate_region(1, 3, 10, TODAY) != generate_region(2, 3, 10, TODAY)


@pytest.mark.parametrize(("units", "each"), [(0, 10), (1, 0), (1, 1), (3, 13), (2, 100)])
def test_as_many_units_and_patients_as_asked_for(units: int, each: int) -> None:
    region = generate_region(1, units, each, TODAY)
    assert [len(patients(unit)) for unit in region.values()] == [each] * units


def test_every_unit_has_its_own_certificates_and_care_provider() -> None:
    for id, unit in REGION.items():
        assert {each.unit for each in unit.certificates} == {id}
        assert {each.provider for each in unit.certificates} == {unit.provider}
    assert len({unit.provider for unit in REGION.values()}) == 2


def test_nobody_is_real_and_ids_are_unique() -> None:
    assert all(each.patient.is_synthetic for each in EVERYTHING)
    held_out = [each.certificate for unit in REGION.values() for each in unit.held_out]
    ids = [each.id for each in (*EVERYTHING, *held_out)]
    assert len(set(ids)) == len(ids)


def test_some_patients_are_certified_on_two_units() -> None:
    units = Counter(digits for unit in REGION.values() for digits in patients(unit))
    assert 0.05 < sum(count > 1 for count in units.values()) / len(units) < 0.15


def test_five_hundred_units_of_a_hundred_patients_fit_into_the_test_series() -> None:
    with pytest.raises(Invalid, match=f"hold {capacity(TODAY)} people"):
        generate_region(1, 540, 100, TODAY)
    assert capacity(TODAY) >= 8 + 500 * 92


def test_what_is_held_out_has_a_certificate_in_its_place() -> None:
    shown = {each.id: each for each in EVERYTHING}
    held_out = [each for unit in REGION.values() for each in unit.held_out]
    assert {each.cause for each in held_out} == {"revoked", "replaced", "complemented"}
    assert 0.03 < len(held_out) / len(shown) < 0.07
    for each in held_out:
        successor = shown[each.by]
        assert each.certificate.id not in shown
        assert each.certificate.patient == successor.patient
        assert each.certificate.signed < successor.signed
        assert each.certificate.end - successor.end > timedelta(days=3000)


def test_names_of_protected_persons_and_doctors_are_withheld() -> None:
    hidden = {each.patient for each in EVERYTHING if not each.patient_name}
    assert hidden == frozenset().union(*(unit.protected for unit in REGION.values()))
    assert 0 < len(hidden) < 0.03 * len({each.patient for each in EVERYTHING})
    names = {each.doctor: each.doctor_name for each in EVERYTHING}
    assert 0 < sum(not name for name in names.values()) < 0.1 * len(names)
    assert all(names[each.doctor] == each.doctor_name for each in EVERYTHING)


def test_some_certificates_were_written_twice_for_the_same_days() -> None:
    spans = Counter((each.patient, each.unit, each.start, each.end) for each in EVERYTHING)
    assert 0 < sum(count > 1 for count in spans.values()) < 0.03 * len(spans)


# ---- Pulled ------------------------------------------------------------------------------------------------------


class Clock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
async def source() -> AsyncIterator[Intygstjanst]:
    counterpart = Counterpart("intygstjanst", lambda: NOW)
    mock.register_region(counterpart, REGION)
    transport = httpx.ASGITransport(mock.create(counterpart))
    source = build(Settings(url="http://mock"), Clock(), transport)
    yield source
    await source.aclose()


async def test_a_unit_is_pulled_as_it_was_generated(source: Intygstjanst) -> None:
    id, unit = next(iter(REGION.items()))
    found = [each async for records in source.active_for_unit(id, 14) for each in records]
    assert 0 < len(found) < len(unit.certificates)
    assert {each.id for each in found if isinstance(each, Certificate)} <= {each.id for each in unit.certificates}
    assert all(isinstance(each, Certificate) for each in found)


async def test_a_person_is_pulled_from_every_unit(source: Intygstjanst) -> None:
    units = Counter(digits for unit in REGION.values() for digits in patients(unit))
    digits, count = units.most_common(1)[0]
    own = [each for each in EVERYTHING if each.patient.digits == digits]
    found = [each async for records in source.for_person(own[0].patient) for each in records]
    assert found == own
    assert len({each.unit for each in own}) == count > 1
