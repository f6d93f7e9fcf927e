"""What every read passes: the caller may see it, and the access log has a row per patient before a byte leaves."""

from collections.abc import Sequence

from contracts.errors import NotFound
from contracts.record import Access, AccessAction, Caller, Record
from service.fhir_api.surroundings import Surroundings


def visible(record: Record | None, caller: Caller, type_: str) -> Record:
    """The record if it is there for this caller. Raises ``NotFound``: another unit's data is told like none."""
    if record is None or not caller.may_see(record.unit):
        raise NotFound(f"there is no such {type_}")
    return record


async def log_reading(around: Surroundings, caller: Caller, records: Sequence[Record], interaction: str) -> None:
    """Commit one row per patient. Raises ``Unavailable`` when the log cannot be written: then nothing is shown."""
    rows = {
        record.patient: Access(caller, AccessAction.READ, record.patient, record.reference, interaction)
        for record in reversed(records)
        if record.patient
    }
    if rows:
        await around.store.run(lambda transaction: transaction.log_access(*rows.values()))
