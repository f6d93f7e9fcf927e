"""How the mock computes sick leaves: with the engine that it is given, or plainly, as told here.

An adapter may not know the service's rules, so whoever puts the world together hands the exact engine in (``Compute``).
The plain way joins a patient's certificates by first day while the free days between them fit the gap, and shows the
joined ones that hold a certificate active today or ended within the days. Quirks of the national engine are not in it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from contracts.sick_leave import Certificate, CertificatePeriod, ReportedDiagnosis, ReportedSickLeave

OCCUPATIONS: Final = {
    "NUVARANDE_ARBETE": "Nuvarande arbete",
    "ARBETSSOKANDE": "Arbetssökande",
    "ARBETSLOSHET": "Arbetssökande",
    "FORALDRALEDIG": "Föräldraledighet",
    "FORALDRALEDIGHET": "Föräldraledighet",
    "STUDIER": "Studier",
}
"""Labels of the codes in the feed (rehabstod.md § 4.2)."""


@dataclass(frozen=True, slots=True)
class Computation:
    """What is to be computed: the unit's sick leaves today."""

    today: date
    gap: int
    days_since_end: int


Compute = Callable[[Sequence[Certificate], Computation], Iterable[ReportedSickLeave]]
"""From all certificates of the patients in question on the care unit, names already withheld."""


def plainly(certificates: Sequence[Certificate], computation: Computation) -> list[ReportedSickLeave]:
    """One sick leave for each patient who has one."""
    found = (_of_patient(own, computation) for own in _by_patient(certificates))
    return [sick_leave for sick_leave in found if sick_leave is not None]


def _by_patient(certificates: Iterable[Certificate]) -> Iterable[list[Certificate]]:
    patients: defaultdict[str, list[Certificate]] = defaultdict(list)
    for certificate in certificates:
        patients[certificate.patient.digits].append(certificate)
    return patients.values()


def _of_patient(own: Iterable[Certificate], computation: Computation) -> ReportedSickLeave | None:
    chains = (_shown(chain, computation) for chain in _chains(own, computation.gap))
    return next((_reported(chain, shown, computation.today) for chain, shown in chains if shown is not None), None)


def _chains(own: Iterable[Certificate], gap: int) -> Iterator[list[Certificate]]:
    chain: list[Certificate] = []
    for certificate in sorted(own, key=lambda one: one.start):
        if chain and (certificate.start - max(one.end for one in chain)).days > gap + 1:
            yield chain
            chain = []
        chain.append(certificate)
    yield chain


def _shown(chain: list[Certificate], computation: Computation) -> tuple[list[Certificate], Certificate | None]:
    """The chain, and the certificate that tells of it: the latest signed active one, else the last that ended recently."""
    active = [one for one in chain if _covering(one, computation.today)]
    ended = [one for one in chain if 0 < (computation.today - one.end).days <= computation.days_since_end]
    latest = max(active, key=lambda one: one.signed, default=None)
    return chain, latest or max(ended, key=lambda one: one.end, default=None)


def _covering(certificate: Certificate, day: date) -> list[CertificatePeriod]:
    return [period for period in certificate.periods if period.start <= day <= period.end]


def _reported(chain: Sequence[Certificate], shown: Certificate, today: date) -> ReportedSickLeave:
    periods = [period for one in chain for period in one.periods]
    covering = _covering(shown, today)
    return ReportedSickLeave(
        patient=shown.patient,
        unit=shown.unit,
        start=min(period.start for period in periods),
        end=max(period.end for period in periods),
        days=_days(periods),
        count=len(chain),
        certificates=tuple(one.id for one in chain),
        active=shown.id,
        degree=covering[0].degree if covering else 0,
        degrees=tuple(period.degree for period in sorted(shown.periods, key=lambda period: period.start)),
        patient_name=shown.patient_name,
        unit_name=shown.unit_name,
        provider=shown.provider,
        doctor=shown.doctor,
        doctor_name=shown.doctor_name,
        diagnosis=diagnosis(shown.diagnosis) if shown.diagnosis else None,
        secondary_diagnoses=tuple(map(diagnosis, shown.secondary_diagnoses)),
        occupations=tuple(OCCUPATIONS.get(code, "") for code in shown.occupations),
    )


def _days(periods: Iterable[CertificatePeriod]) -> int:
    return len({day for each in periods for day in range(each.start.toordinal(), each.end.toordinal() + 1)})


def diagnosis(text: str) -> ReportedDiagnosis:
    """The code in the first seven characters, without what no code holds, and the name behind them (§ 3.8)."""
    code = "".join(each for each in text[:7].upper() if each in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
    return ReportedDiagnosis(text, code, text[7:].strip() if len(text) >= 7 else None)
