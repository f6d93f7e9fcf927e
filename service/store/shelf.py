"""Records that come with the service and never change: kept in memory, and searched by the statements that the database is."""

from collections.abc import Iterable
from datetime import datetime

from contracts.record import Operation, Record
from fhir_mappings.document import decode
from service.store import sql
from service.store.codec import to_micros
from service.store.indexing import Definitions, RowsOf, SearchIndex
from service.store.snapshot import SqlSnapshot
from service.store.sqlite import in_memory


def shelf(records: Iterable[Record], at: datetime, definitions: Definitions, rows_of: RowsOf) -> SqlSnapshot:
    """The records in their order, with an index of their own. One thread at a time may ask."""
    connection = in_memory()
    index = SearchIndex({key: number for number, key in enumerate(definitions)}, rows_of)
    for number, record in enumerate(records):
        version = {"rid": number, "hid": number, "version": record.version, "updated": to_micros(record.updated)}
        owned = {"type": record.type, "id": record.id, "unit": record.unit, "patient": record.patient, "restricted": 0}
        connection.execute(sql.INSERT_RESOURCE, version | owned)
        connection.execute(
            sql.INSERT_HISTORY, version | {"operation": Operation.CREATE.value, "body": record.body, "restricted": 0}
        )
        index.write(connection, number, decode(record.body).content)
    return SqlSnapshot(connection, index, at)
