"""Synthetic sick leaves for the mock world: the same seed gives the same people and certificates.

Nobody real: personal numbers come from the test series of decision D28 alone.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import accumulate
from typing import Final
from uuid import UUID

from contracts.errors import Invalid
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, CertificatePeriod
from contracts.time import STOCKHOLM

_OLD_SERIES: Final = ("980", "981")
_NEW_SERIES: Final = ("238", "239")
"""Only for those born in 1990 or later."""
_NEW_SERIES_FROM: Final = date(1990, 1, 1)
_AGES: Final = (18, 67)
_YEAR: Final = 365.25

_WOMEN: Final = ("Alma", "Britta", "Disa", "Elsa", "Frida", "Greta", "Hilma", "Ingrid", "Juni", "Klara", "Saga", "Tyra")
_MEN: Final = (
    "Albin",
    "Birger",
    "David",
    "Edvin",
    "Folke",
    "Gustav",
    "Harald",
    "Isak",
    "Jonas",
    "Knut",
    "Sixten",
    "Ture",
)
_FAMILIES: Final = ("Provsson", "Testberg", "Exempelström", "Mönsterlund", "Övningsdal", "Skissgren", "Prövén", "Åsytt")
_DOCTORS: Final = ("Arvid Läkarsson", "Beata Remissén", "Cornelia Journalius", "Dag Provtagare", "Elin Rondgren")

_DIAGNOSES: Final = (
    "F43.9",
    "F43.8A",
    "F32.1",
    "F41.9",
    "M54.5",
    "M75.1",
    "M17.9",
    "S82.6",
    "I63.9",
    "C50.9",
    "G93.3",
    "R53.9",
)
_OCCUPATIONS: Final = (("NUVARANDE_ARBETE",),) * 7 + (
    ("ARBETSSOKANDE",),
    ("FORALDRALEDIG",),
    ("STUDIER",),
    ("NUVARANDE_ARBETE", "STUDIER"),
)
_LENGTHS: Final = (7, 14, 14, 21, 28, 28, 30, 42, 60, 90)
"""Days of one certificate."""
_CHAINS: Final = (1, 1, 1, 2, 2, 3, 3, 4, 6, 9)
"""Certificates of one patient."""
_STEPS: Final = (1, 1, 1, 1, 1, 1, 2, 2, 3, 4)
"""Periods of one certificate, with a falling degree."""
_LADDERS: Final = ((100,), (100,), (100,), (75,), (50,), (50,), (25,))
_FULL_LADDER: Final = (100, 75, 50, 25)
_DAYS_BETWEEN: Final = (0, 0, 0, 0, 1, 2, 3, 5, -2, -5, 12, 40)
"""Free days before a renewal: most follow at once, some overlap, some begin a new sick leave."""
_ENDS: Final = ("ongoing",) * 15 + ("recent",) * 3 + ("ended",) * 2


def generate(seed: int, unit: HsaId, provider: HsaId, patients: int, today: date) -> list[Certificate]:
    """Certificates of that many synthetic patients on the unit, most of them on sick leave today.

    Raises ``Invalid`` for more patients than the test series hold.
    """
    chance = random.Random(seed)  # noqa: S311 - the same people each time is the point, not secrecy
    return [
        certificate
        for person in people(chance, patients, today)
        for certificate in chain(chance, person, unit, provider, today)
    ]


def capacity(today: date) -> int:
    """How many synthetic people of working age the test series hold."""
    return _series(today).size


@dataclass(frozen=True, slots=True)
class _Series:
    """Birth dates of working age, numbered: first with the serials for everybody, then with those for the younger."""

    first: date
    last: date

    @property
    def _everybody(self) -> int:
        return ((self.last - self.first).days + 1) * len(_OLD_SERIES)

    @property
    def _younger_from(self) -> date:
        return max(self.first, _NEW_SERIES_FROM)

    @property
    def size(self) -> int:
        return self._everybody + max((self.last - self._younger_from).days + 1, 0) * len(_NEW_SERIES)

    def person(self, index: int) -> PersonId:
        old = index < self._everybody
        start, serials = (self.first, _OLD_SERIES) if old else (self._younger_from, _NEW_SERIES)
        day, serial = divmod(index if old else index - self._everybody, 2)
        digits = f"{start + timedelta(days=day):%Y%m%d}{serials[serial]}"
        return PersonId(f"{digits}{control_digit(digits[2:])}")


def _series(today: date) -> _Series:
    youngest, oldest = (today - timedelta(days=age * _YEAR) for age in _AGES)
    return _Series(oldest, youngest)


def people(chance: random.Random, count: int, today: date) -> Iterator[PersonId]:
    """Different synthetic people of working age. Raises ``Invalid`` for more than the test series hold."""
    series = _series(today)
    if count > series.size:
        raise Invalid(f"the test series hold {series.size} people of working age; {count} were asked for")
    return map(series.person, chance.sample(range(series.size), count))


def chain(chance: random.Random, person: PersonId, unit: HsaId, provider: HsaId, today: date) -> Iterator[Certificate]:
    """One patient's certificates on a unit, oldest first."""
    write = partial(
        _certificate, chance, person, unit, provider, chance.choice(_DIAGNOSES), chance.choice(_OCCUPATIONS)
    )
    return map(write, _spans(chance, today))


def _spans(chance: random.Random, today: date) -> list[tuple[date, int]]:
    """First day and length of each certificate, oldest first, laid out backwards from the last one's end."""
    lengths = [chance.choice(_LENGTHS) for _ in range(chance.choice(_CHAINS))]
    end = today + timedelta(days=_days_to_end(chance, lengths[0]))
    back = accumulate(lengths[1:], lambda start, length: start - length - chance.choice(_DAYS_BETWEEN), initial=0)
    last = end - timedelta(days=lengths[0] - 1)
    return [(last + timedelta(days=days), length) for days, length in zip(back, lengths, strict=True)][::-1]


def _days_to_end(chance: random.Random, length: int) -> int:
    match chance.choice(_ENDS):
        case "ongoing":
            return chance.randrange(length)
        case "recent":
            return -chance.randint(1, 14)
        case _:
            return -chance.randint(15, 400)


def _certificate(
    chance: random.Random,
    person: PersonId,
    unit: HsaId,
    provider: HsaId,
    diagnosis: str,
    occupations: tuple[str, ...],
    span: tuple[date, int],
) -> Certificate:
    start, length = span
    doctor = chance.randrange(len(_DOCTORS))
    return Certificate(
        id=str(UUID(int=chance.getrandbits(128), version=4)),
        patient=person,
        unit=unit,
        periods=_periods(chance, start, length),
        signed=_signed(chance, start),
        patient_name=_name(person),
        unit_name=f"Vårdcentralen {unit.value.rpartition('-')[2]}",
        provider=provider,
        doctor=f"{unit.value.partition('-')[0]}-D{doctor:03}",
        doctor_name=_DOCTORS[doctor],
        diagnosis=diagnosis,
        secondary_diagnoses=tuple(chance.sample(_DIAGNOSES, chance.choice((0, 0, 0, 1, 2)))),
        occupations=occupations,
    )


def _periods(chance: random.Random, start: date, length: int) -> tuple[CertificatePeriod, ...]:
    """Back to back, the degree falling from one to the next; each has a week or more."""
    steps = min(chance.choice(_STEPS), max(length // 7, 1))
    degrees: Sequence[int] = chance.choice(_LADDERS) if steps == 1 else _FULL_LADDER[-steps:]
    starts = [start + timedelta(days=length * step // steps) for step in range(steps + 1)]
    ends = [after - timedelta(days=1) for after in starts[1:]]
    return tuple(map(CertificatePeriod, starts, ends, degrees))


def _signed(chance: random.Random, start: date) -> datetime:
    day = start - timedelta(days=chance.choice((0, 0, 0, 1, 2, 3)))
    at = time(chance.randint(8, 16), chance.randrange(60), chance.randrange(60))
    return datetime.combine(day, at, STOCKHOLM).astimezone(UTC)


def _name(person: PersonId) -> str:
    """The same for the same person, whatever the seed."""
    number = int(person.digits)
    given = _MEN if int(person.digits[10]) % 2 else _WOMEN
    return f"{given[number % len(given)]} {_FAMILIES[number // len(given) % len(_FAMILIES)]}"
