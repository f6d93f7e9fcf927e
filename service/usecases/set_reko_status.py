"""A coordinator says where the coordination of a patient's sick leave stands (RekoStatus, rehabstod.md § 4.1).

Statuses are added, never changed: each is the next version for the patient on the care unit. In two things this is
stricter than the national service: an id that is not known is refused, and setting one leaves a row in the access log
(§§ 0.6, 7.8). And what there only the page prevents is refused here: a doctor sees statuses and sets none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from contracts.errors import Forbidden, Invalid, NotFound
from contracts.ports import Snapshot, Store, Transaction
from contracts.record import Access, AccessAction, Caller, Role
from contracts.sick_leave import RekoStatus, RekoStatusType
from contracts.time import swedish_day
from service.rules.sick_leave import Marking, held
from service.rules.sick_leave.reko_status import status_day
from service.usecases.see_overview import Ask, OnUnit, doctor_of, log_reading, of_patient, own_unit


@dataclass(frozen=True, slots=True)
class StatusSet:
    """``changed`` is false when the newest status already said the same for the same day: then nothing was written."""

    status: RekoStatus
    changed: bool


def set_reko_status(
    transaction: Transaction, caller: Caller, unit: str, patient: str, type: RekoStatusType, ask: Ask
) -> StatusSet:
    """Add a status to the sick leave that the overview shows of the patient with the settings of the question.

    Raises ``NotFound`` for another unit or a patient who is not there for the caller, ``Forbidden`` for a doctor, and
    ``Invalid`` when no sick leave is shown.
    """
    own_unit(caller, unit)
    if caller.role is Role.DOCTOR:
        raise Forbidden("a doctor sees the status of a sick leave; a coordinator sets it")
    there = _visible(transaction, caller, unit, patient)
    question = ask(swedish_day(transaction.at))
    rows = held(there.certificates, there.patients, question).rows
    if not rows:
        raise Invalid("the patient has no sick leave on the unit that these settings show")
    transaction.log_access(Access(caller, AccessAction.WRITE, patient, f"Patient/{patient}", "reko-status"))
    day = status_day(rows[0].end, question.on)
    return _kept(transaction, caller, transaction.reko_statuses(unit, patient), patient, type, day)


async def reko_status_history(store: Store, caller: Caller, unit: str, patient: str) -> Sequence[RekoStatus]:
    """Every status ever set for the patient on the unit, newest first. Raises ``NotFound`` as above."""
    own_unit(caller, unit)

    def look(snapshot: Snapshot) -> Sequence[RekoStatus]:
        _visible(snapshot, caller, unit, patient)
        return snapshot.reko_statuses(unit, patient)[::-1]

    found = await store.look(look)
    await log_reading(store, caller, [patient], "reko-status")
    return found


def _visible(snapshot: Snapshot, caller: Caller, unit: str, patient: str) -> OnUnit:
    """A coordinator may know of everybody with a certificate on the unit who is not protected, a doctor of everybody to whom
    she issued one: the overview's own scope."""
    there, doctor = of_patient(snapshot, caller, patient), doctor_of(caller)
    issued = any(each.doctor == doctor for each in there.certificates)
    protected = any(each.marking is not Marking.NONE for each in there.patients.values())
    if not there.certificates or (not issued if doctor else protected):
        raise NotFound("there is no such patient on the unit")
    return there


def _kept(
    transaction: Transaction,
    caller: Caller,
    earlier: Sequence[RekoStatus],
    patient: str,
    type: RekoStatusType,
    day: date,
) -> StatusSet:
    if earlier and (earlier[-1].type, earlier[-1].day) == (type, day):
        return StatusSet(earlier[-1], changed=False)
    status = RekoStatus(type, patient, caller.unit, day, transaction.at, caller.employee, len(earlier) + 1)
    transaction.set_reko_status(status)
    return StatusSet(status, changed=True)
