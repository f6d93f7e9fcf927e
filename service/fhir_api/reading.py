"""What every read passes: the caller may see it, and the access log has a row per patient before a byte leaves."""

from collections.abc import Sequence

from contracts.errors import NotFound
from contracts.record import Access, AccessAction, Caller, Record
from service.fhir_api.surroundings import Surroundings
from service.store.transaction import SqlTransaction
from service.usecases import keeping


async def shown(around: Surroundings, caller: Caller, type_: str, id: str, interaction: str) -> Record:
    """The current version, read in the transaction that logs it: one step through the writer, and nothing newer is there
    when it commits. Raises ``Gone`` for what has been deleted, and ``NotFound``."""

    def work(transaction: SqlTransaction) -> Record:
        record = keeping.visible(transaction, caller, type_, id)
        transaction.log_access(*rows_of(caller, [record], interaction))
        return record

    return await around.store.run(work)


def visible(record: Record | None, caller: Caller, type_: str) -> Record:
    """The record if it is there for this caller. Raises ``NotFound``: another unit's data is told like none."""
    if record is None or not caller.may_see(record.unit):
        raise NotFound(f"there is no such {type_}")
    return record


async def log_reading(around: Surroundings, caller: Caller, records: Sequence[Record], interaction: str) -> None:
    """Commit one row per patient; a Binary that does not say whom it is about has one of its own. Raises ``Unavailable``
    when the log cannot be written: then nothing is shown."""
    rows = rows_of(caller, records, interaction)
    if rows:
        await around.store.run(lambda transaction: transaction.log_access(*rows))


def rows_of(caller: Caller, records: Sequence[Record], interaction: str) -> Sequence[Access]:
    """The rows of the access log for what is shown."""
    first = {record.patient: record for record in reversed(records) if record.patient or record.type == "Binary"}
    return [
        Access(caller, AccessAction.READ, patient, record.reference, interaction) for patient, record in first.items()
    ]
