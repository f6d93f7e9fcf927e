"""What the directory holds from the beginning, and how it comes to know whom the other counterparts' certificates name.

The same seed gives the same people. Nobody is real: personal numbers are of the test series (decision D28).
"""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Final

from adapters.mocking.services.hsa_directory.content import CareProvider, Commission, Directory, Employee, Unit
from contracts.identity import control_digit
from contracts.sick_leave import Certificate

SEED: Final = 1
_HSA: Final = "TSTNMT2321000156-"
_REGION, _PRIVATE, _FEIGNED = f"{_HSA}S0001", f"{_HSA}S0002", f"{_HSA}S0009"
_RIGHTS: Final = (("Läsa", "alla", "VE"), ("Läsa", "alla", "VG"), ("Läsa", "alla", "SJF"), ("Skriva", "alla", "VE"))
_DOCTOR: Final = (("LK", "Läkare"),)
_COORDINATES: Final = "INTYG;Rehab-"
"""The system role of a coordinator on a care unit begins so; the unit's HSA-id follows."""


def founded(seed: int = SEED) -> Directory:
    """The directory of the mock world: the units and staff that the demonstration names, and one of each kind that a client
    has to tell apart."""
    chance = random.Random(seed)  # noqa: S311 - the same directory each time is the point, not secrecy
    people = _staff(chance)
    return Directory(
        {each.id: each for each in _PROVIDERS},
        {each.id: replace(each, telephone=_telephone(chance)) for each in _UNITS},
        {each.id: each for each in people},
    )


def _telephone(chance: random.Random) -> str:
    """One of the hundred in Stockholm that Post- och telestyrelsen keeps for fiction (08-465 004 00 and on): nobody's."""
    return f"08465004{chance.randrange(100):02}"


def learn(directory: Directory, certificates: Iterable[Certificate]) -> None:
    """Let it know every care provider, unit and doctor that the certificates name. What it knows stays as it is; a doctor
    gets a commission on each unit."""
    seen: set[tuple[str, str]] = set()
    for certificate in certificates:
        met = certificate.doctor, certificate.unit.value
        if met not in seen:
            seen.add(met)
            _meet(directory, certificate)


def _meet(directory: Directory, certificate: Certificate) -> None:
    unit, suffix = certificate.unit.value, certificate.unit.value.rpartition("-")[2]
    provider = certificate.provider.value if certificate.provider else f"{certificate.unit.issuer}-S0000"
    if unit not in directory.units:
        name = certificate.unit_name or f"Vårdcentralen {suffix}"
        directory.units[unit] = Unit(unit, name, provider=provider, workplace_codes=("0000000",))
    provider = directory.units[unit].provider
    if provider not in directory.providers:
        number = certificate.unit.issuer[-10:]
        directory.providers[provider] = CareProvider(
            provider, f"Vårdgivaren {provider.rpartition('-')[2]}", organisation_number=number
        )
    if certificate.doctor:
        _meet_doctor(directory, certificate, provider)


def _meet_doctor(directory: Directory, certificate: Certificate, provider: str) -> None:
    """A doctor whose name is withheld has a protected identity."""
    unit, id = certificate.unit.value, certificate.doctor
    given, _, surname = certificate.doctor_name.rpartition(" ")
    known = directory.people.get(id) or Employee(
        id, surname or "Skyddad", given, title="Läkare", licences=_DOCTOR, protected=not certificate.doctor_name
    )
    if all(each.unit != unit for each in known.commissions):
        commission = Commission(
            f"{certificate.unit.issuer}-M{unit.rpartition('-')[2]}", "Vård", provider, unit, rights=_RIGHTS
        )
        known = replace(known, commissions=(*known.commissions, commission))
    directory.people[id] = known


_PROVIDERS: Final = (
    CareProvider(_REGION, "Exempelregionen", organisation_number="2321000156"),
    CareProvider(_PRIVATE, "Exempelvård AB", organisation_number="5569999997", end=date(2020, 12, 31), archived=True),
    CareProvider(_FEIGNED, "Fingerade regionen", organisation_number="2321000156", feigned=True),
)
_UNITS: Final = (
    Unit(
        f"{_HSA}E0001",
        "Vårdcentralen Exempel",
        provider=_REGION,
        workplace_codes=("1234567890123",),
        address=("Vårdcentralen Exempel", "Exempelgatan 1", "123 45 Exempelstad"),
        postal_code="12345",
    ),
    Unit(f"{_HSA}E0011", "Rehabmottagningen Exempel", provider=_REGION, part_of=f"{_HSA}E0001"),
    Unit(f"{_HSA}E0012", "Barnmottagningen Exempel", provider=_REGION, part_of=f"{_HSA}E0001", end=date(2022, 6, 30)),
    Unit(f"{_HSA}E0091", "Mottagningen Arkiv", provider=_REGION, part_of=f"{_HSA}E0001", archived=True),
    Unit(f"{_HSA}E0092", "Övningsmottagningen", provider=_REGION, part_of=f"{_HSA}E0001", feigned=True),
    Unit(f"{_HSA}E0801", "Vårdcentralen Grannen", provider=_REGION),
    Unit(f"{_HSA}E0802", "Vårdcentralen Övning", provider=_REGION, feigned=True),
    Unit(f"{_HSA}E0803", "Vårdcentralen Förr", provider=_PRIVATE, end=date(2020, 12, 31), archived=True),
    Unit(f"{_HSA}E0804", "Regionens växel", provider=_REGION, care_unit=False),
)


def _at(unit: str, id: str, name: str = "Rehabkoordinering", *, feigned: bool = False) -> Commission:
    provider = next(each.provider for each in _UNITS if each.id == f"{_HSA}{unit}")
    return Commission(f"{_HSA}{id}", name, provider, f"{_HSA}{unit}", rights=_RIGHTS, feigned=feigned)


def _coordinator(number: int, name: str, *commissions: Commission, on: tuple[str, ...] = ("E0001",)) -> Employee:
    """With the system role of a coordinator on those care units."""
    given, _, surname = name.partition(" ")
    return Employee(
        f"P{number:04}",
        surname,
        given,
        title="Rehabiliteringskoordinator",
        titles=(("302050", "Rehabiliteringskoordinator"),),
        system_roles=tuple(f"{_COORDINATES}{_HSA}{unit}" for unit in on),
        commissions=commissions or (_at("E0001", "M0001"),),
    )


def _doctor(number: int, name: str) -> Employee:
    given, _, surname = name.partition(" ")
    return Employee(
        f"D{number:04}",
        surname,
        given,
        title="Läkare",
        titles=(("202010", "Specialistläkare"),),
        licences=_DOCTOR,
        specialities=(("LK", "199", "Allmänmedicin"),),
        commissions=(_at("E0001", "ME0001", "Vård"),),
    )


def _staff(chance: random.Random) -> list[Employee]:
    """Coordinators, doctors, and one of each kind of person that makes a difference."""
    everywhere = (
        _at("E0001", "M0001"),
        _at("E0801", "M0002"),
        Commission(f"{_HSA}M0003", "Administration", _REGION, f"{_HSA}E0001", "Administration"),
        Commission(f"{_HSA}M0004", "Regionens rehabstöd", _REGION, rights=_RIGHTS),
    )
    nowhere = _at("E0803", "M0006"), _at("E0802", "M0007"), _at("E0001", "M0008", feigned=True)
    people = [
        _coordinator(1, "Karin Koordinator"),
        _coordinator(2, "Fia Flersson", *everywhere, on=("E0001", "E0801")),
        replace(_coordinator(3, "Sanna Skyddsson"), protected=True),
        replace(_coordinator(4, "Frej Fingersson"), feigned=True),
        _coordinator(5, "Ulla Utansson", on=()),
        _coordinator(6, "Folke Förrsson", *nowhere, on=("E0803",)),
        Employee("P0007", "Ledigsson", "Lo", title="Handläggare"),
        _doctor(1, "Dag Doktor"),
        replace(_doctor(2, "Disa Dubbelsson"), system_roles=(f"{_COORDINATES}{_HSA}E0001",)),
    ]
    return [_rounded(chance, number, each) for number, each in enumerate(people)]


def _rounded(chance: random.Random, number: int, person: Employee) -> Employee:
    """With a whole id, a personal number of the test series, and ways to reach."""
    born = f"{chance.randrange(1960, 1989)}{chance.randrange(1, 13):02}{number + 1:02}"
    digits = f"{born}{chance.choice(('980', '981'))}"
    return replace(
        person,
        id=f"{_HSA}{person.id}",
        personal_number=f"{digits}{control_digit(digits[2:])}",
        mail=f"{person.id.lower()}@example.org",
        telephone=_telephone(chance),
    )
