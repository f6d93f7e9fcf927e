"""Records that are in no table, kept in memory for as long as they are searched, by the statements that the database is."""

from collections.abc import Mapping
from datetime import datetime

from contracts.record import Operation, Record
from fhir_mappings.document import decode
from service.store import sql
from service.store.codec import to_micros
from service.store.indexing import SearchIndex
from service.store.snapshot import SqlSnapshot
from service.store.sqlite import in_memory


def shelf(records: Mapping[int, Record], at: datetime, index: SearchIndex) -> SqlSnapshot:
    """The records by their row ids, with index rows of their own. One thread at a time may ask; the connection is the
    caller's to close."""
    connection = in_memory()
    for rid, record in records.items():
        version = {"rid": rid, "hid": rid, "version": record.version, "updated": to_micros(record.updated)}
        version["restricted"] = int(record.restricted)
        owned = {"type": record.type, "id": record.id, "unit": record.unit, "patient": record.patient}
        connection.execute(sql.INSERT_RESOURCE, version | owned)
        connection.execute(sql.INSERT_HISTORY, version | {"operation": Operation.CREATE.value, "body": record.body})
        index.write(connection, rid, decode(record.body).content)
    return SqlSnapshot(connection, index, at)
