"""Synthetic sick leaves of many units, with what a unit's own feed does not show: certificates that are held out of it,
persons and doctors with protected identity, patients who are certified on two units.

As ``population``: the same seed gives the same region, and nobody in it is real (decision D28).
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final, Literal
from uuid import UUID

from adapters.intygstjanst.population import chain, people
from contracts.identity import HsaId, PersonId
from contracts.sick_leave import Certificate, CertificatePeriod

Cause = Literal["revoked", "replaced", "complemented"]

_ORGANISATION: Final = "SE1111111111"
_UNITS_OF_A_PROVIDER: Final = 25
_SHARED: Final = 0.08
"""Of a unit's patients: those who have certificates on an earlier unit too."""
_PROTECTED: Final = 0.01
"""Of the patients."""
_PROTECTED_DOCTORS: Final = 0.03
_HELD_OUT: Final = 0.05
"""Of the certificates: those that have a forerunner, which the feed leaves out."""
_TWINS: Final = 0.01
"""Of the certificates: those that were written twice for the same days."""
_CAUSES: Final[tuple[Cause, ...]] = ("revoked", "replaced", "replaced", "complemented")


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A certificate that the service knows and leaves out (rehabstod.md § 1.9), and the one that took its place."""

    certificate: Certificate
    cause: Cause
    by: str


@dataclass(frozen=True, slots=True)
class UnitPopulation:
    """What there is on one unit. The names of the ``protected`` are withheld."""

    provider: HsaId
    certificates: tuple[Certificate, ...]
    held_out: tuple[HeldOut, ...]
    protected: frozenset[PersonId]


def generate_region(seed: int, units: int, patients_per_unit: int, today: date) -> dict[HsaId, UnitPopulation]:
    """So many units with so many patients each. Raises ``Invalid`` for more people than the test series hold."""
    chance = random.Random(seed)  # noqa: S311 - the same region each time is the point, not secrecy
    shared = int(patients_per_unit * _SHARED)
    everybody = list(people(chance, shared + units * (patients_per_unit - shared), today))
    protected = frozenset(person for person in everybody if chance.random() < _PROTECTED)
    patients = (_patients(chance, everybody, number, shared, patients_per_unit - shared) for number in range(units))
    return {
        _unit_id(number): _unit(chance, number, own, protected, today) for number, own in enumerate(patients, start=1)
    }


def _patients(
    chance: random.Random, everybody: Sequence[PersonId], number: int, shared: int, new: int
) -> list[PersonId]:
    """The first ones of everybody are of all units: nobody has been on an earlier unit than the first."""
    begin = shared + number * new
    return [*chance.sample(everybody[:begin], shared), *everybody[begin : begin + new]]


def _unit_id(number: int) -> HsaId:
    return HsaId(f"{_ORGANISATION}-E{number:04}")


def _unit(
    chance: random.Random, number: int, patients: Sequence[PersonId], protected: frozenset[PersonId], today: date
) -> UnitPopulation:
    provider = HsaId(f"{_ORGANISATION}-V{(number - 1) // _UNITS_OF_A_PROVIDER + 1:03}")
    chains = (chain(chance, person, _unit_id(number), provider, today) for person in patients)
    written = [each for certificates in chains for one in certificates for each in _with_twin(chance, one)]
    hidden = {doctor for doctor in sorted({each.doctor for each in written}) if chance.random() < _PROTECTED_DOCTORS}
    shown = tuple(_withheld(each, number, protected, hidden) for each in written)
    return UnitPopulation(provider, shown, tuple(_forerunners(chance, shown)), protected & frozenset(patients))


def _with_twin(chance: random.Random, certificate: Certificate) -> Iterator[Certificate]:
    yield certificate
    if chance.random() < _TWINS:
        yield replace(certificate, id=_id(chance), signed=certificate.signed + timedelta(hours=1))


def _withheld(certificate: Certificate, number: int, protected: frozenset[PersonId], doctors: set[str]) -> Certificate:
    """By a doctor of this unit, without the names that are protected (§§ 1.6, 1.8)."""
    return replace(
        certificate,
        doctor=f"{certificate.doctor}U{number:04}",
        doctor_name="" if certificate.doctor in doctors else certificate.doctor_name,
        patient_name="" if certificate.patient in protected else certificate.patient_name,
    )


def _forerunners(chance: random.Random, certificates: Sequence[Certificate]) -> Iterator[HeldOut]:
    for certificate in certificates:
        if chance.random() < _HELD_OUT:
            signed = certificate.signed - timedelta(days=chance.choice((0, 0, 1)), hours=1)
            mistaken = replace(certificate, id=_id(chance), signed=signed, periods=_mistaken(certificate.periods))
            yield HeldOut(mistaken, chance.choice(_CAUSES), certificate.id)


def _mistaken(periods: tuple[CertificatePeriod, ...]) -> tuple[CertificatePeriod, ...]:
    """With an end ten years off, as a slip of the finger makes it (§ 3.6, Q9)."""
    return (*periods[:-1], replace(periods[-1], end=periods[-1].end + timedelta(days=3653)))


def _id(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
