"""The exact engine as the mock of Intygstjänst computes with it: an adapter may not know the rules, so it is handed in here."""

from collections.abc import Sequence

from adapters.intygstjanst.mock import Computation
from contracts.sick_leave import Certificate, ReportedDiagnosis, ReportedSickLeave
from service.rules.sick_leave import REHABSTOD, UnitSickLeave, unit_view
from service.rules.sick_leave.diagnosis import diagnosis
from service.rules.sick_leave.occupation import LABELS


def exactly(certificates: Sequence[Certificate], asked: Computation) -> list[ReportedSickLeave]:
    """As the national engine does (mode ``rehabstod``), by patient."""
    found = unit_view(certificates, asked.today, asked.gap, asked.days_since_end, REHABSTOD)
    return sorted(map(_reported, found), key=lambda each: each.patient.digits)


def _reported(found: UnitSickLeave[Certificate]) -> ReportedSickLeave:
    shown = found.shown
    return ReportedSickLeave(
        patient=shown.patient,
        unit=shown.unit,
        start=found.start,
        end=found.end,
        days=found.days,
        count=len(found.certificates),
        certificates=tuple(each.id for each in found.certificates),
        active=shown.id,
        degree=found.degree,
        degrees=tuple(found.degrees),
        patient_name=shown.patient_name,
        unit_name=shown.unit_name,
        provider=shown.provider,
        doctor=shown.doctor,
        doctor_name=shown.doctor_name,
        diagnosis=_diagnosis(shown.diagnosis) if shown.diagnosis else None,
        secondary_diagnoses=tuple(map(_diagnosis, shown.secondary_diagnoses)),
        occupations=tuple(LABELS.get(code) or "" for code in shown.occupations),
    )


def _diagnosis(text: str) -> ReportedDiagnosis:
    found = diagnosis(text)
    return ReportedDiagnosis(found.original, found.code, found.name)
