"""The unit's sick leaves as last pulled."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

from contracts.errors import NotFound
from contracts.record import Access, AccessAction, Caller
from contracts.sick_leave import CertificatePeriod, SickLeave, StoredCertificate
from contracts.time import swedish_day
from service.api import models
from service.rules.sick_leave import GAP, group, ongoing
from service.store.transaction import SqlTransaction


def ongoing_on(caller: Caller, unit: str) -> Callable[[SqlTransaction], models.SickLeavesOut]:
    """The sick leaves that hold today, each patient's row in the access log. Raises ``NotFound`` for another unit."""

    def story(transaction: SqlTransaction) -> models.SickLeavesOut:
        if unit != caller.unit.value:
            raise NotFound("there is no such unit")
        today = swedish_day(transaction.at)
        found = [
            _out(patient, leave, stored, today)
            for patient, stored in _by_patient(transaction, unit).items()
            for leave in group([each.certificate for each in stored], GAP)
            if ongoing(leave, today)
        ]
        transaction.log_access(*(_read(caller, leave.patient) for leave in found))
        return models.SickLeavesOut(unit=unit, on=today, mode="corrected", gap=GAP, sick_leaves=tuple(found))

    return story


def _by_patient(transaction: SqlTransaction, unit: str) -> dict[str, list[StoredCertificate]]:
    found: defaultdict[str, list[StoredCertificate]] = defaultdict(list)
    for patient, stored in transaction.certificates_of_unit(unit):
        found[patient].append(stored)
    return found


def _read(caller: Caller, patient: str) -> Access:
    return Access(caller, AccessAction.READ, patient, f"Patient/{patient}", "sick-leaves")


def _out(patient: str, leave: SickLeave, stored: list[StoredCertificate], today: date) -> models.SickLeaveOut:
    members = {certificate.id for certificate in leave.certificates}
    periods = [period for certificate in leave.certificates for period in certificate.periods]
    return models.SickLeaveOut(
        episode=next(each.episode for each in stored if each.certificate.id in members),
        patient=patient,
        start=leave.start,
        end=leave.end,
        days=_days(periods),
        degree=max((period.degree for period in periods if period.start <= today <= period.end), default=0),
        certificates=tuple(certificate.id for certificate in leave.certificates),
    )


def _days(periods: Sequence[CertificatePeriod]) -> int:
    """Days that some period covers, each once."""
    days, counted_to = 0, 0
    for period in sorted(periods, key=lambda period: period.start):
        first, last = max(period.start.toordinal(), counted_to + 1), period.end.toordinal()
        days += max(last - first + 1, 0)
        counted_to = max(counted_to, last)
    return days
