"""The schema. Instants are microseconds since 1970 in UTC; bodies are bytes that a read returns unparsed.

Layout and its measurements: docs/adr/0003-store.md. A resource's versions live once, in ``history``; ``resource`` points
at the current one; index tables hold what searches look for.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, MetaData, String, Table, text

metadata: Final = MetaData()

# SQLite makes a row id of a column only when its type is exactly INTEGER.
_RowId: Final = BigInteger().with_variant(Integer, "sqlite")

RESTRICTED: Final = text("restricted = 1")
"""What the index of restricted resources holds; a search that says it in the same words finds it there."""

resource: Final = Table(
    "resource",
    metadata,
    Column("rid", _RowId, primary_key=True),
    Column("type", String, nullable=False),
    Column("id", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("unit", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("hid", BigInteger, nullable=False),
    # 1: its labels leave it to those who have the right to see such data.
    Column("restricted", Integer, nullable=False, server_default=text("0")),
    Index("resource_key", "type", "id", unique=True),
    Index("resource_of_patient", "patient", "type", "rid"),
    Index("resource_of_unit", "unit", "type", "rid", "restricted"),
    # With the column that it is made by: SQLite would else read the unit's other resources too.
    Index(
        "resource_restricted", "unit", "restricted", "type", "id", sqlite_where=RESTRICTED, postgresql_where=RESTRICTED
    ),
)

history: Final = Table(
    "history",
    metadata,
    Column("hid", _RowId, primary_key=True),
    Column("rid", BigInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("updated", BigInteger, nullable=False),
    Column("operation", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    # As the version's own labels say; what the newest says holds for all of them.
    Column("restricted", Integer, nullable=False, server_default=text("0")),
    Index("history_of_resource", "rid", "version", unique=True),
)

search_parameter: Final = Table(
    "search_parameter",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("type", String, nullable=False),
    Column("code", String, nullable=False),
    Column("definition", String, nullable=False),
    Index("search_parameter_key", "type", "code", unique=True),
)

token_index: Final = Table(
    "token_index",
    metadata,
    Column("parameter", Integer, primary_key=True),
    Column("code", String, primary_key=True),
    Column("system", String, primary_key=True),
    Column("rid", BigInteger, primary_key=True),
    Index("token_index_of_resource", "rid"),
    sqlite_with_rowid=False,
)

reference_index: Final = Table(
    "reference_index",
    metadata,
    Column("parameter", Integer, primary_key=True),
    Column("target", String, primary_key=True),
    Column("rid", BigInteger, primary_key=True),
    Index("reference_index_of_resource", "rid"),
    sqlite_with_rowid=False,
)

date_index: Final = Table(
    "date_index",
    metadata,
    Column("parameter", Integer, primary_key=True),
    Column("low", BigInteger, primary_key=True),
    Column("high", BigInteger, primary_key=True),
    Column("rid", BigInteger, primary_key=True),
    Index("date_index_of_resource", "rid"),
    sqlite_with_rowid=False,
)

string_index: Final = Table(
    "string_index",
    metadata,
    Column("parameter", Integer, primary_key=True),
    Column("norm", String, primary_key=True),
    Column("text", String, primary_key=True),
    Column("rid", BigInteger, primary_key=True),
    Index("string_index_of_resource", "rid"),
    sqlite_with_rowid=False,
)

quantity_index: Final = Table(
    "quantity_index",
    metadata,
    Column("parameter", Integer, primary_key=True),
    Column("code", String, primary_key=True),
    Column("low", Double, primary_key=True),
    Column("high", Double, primary_key=True),
    Column("system", String, primary_key=True),
    Column("rid", BigInteger, primary_key=True),
    Index("quantity_index_of_resource", "rid"),
    sqlite_with_rowid=False,
)

uri_index: Final = Table(
    "uri_index",
    metadata,
    Column("parameter", Integer, primary_key=True),
    Column("uri", String, primary_key=True),
    Column("rid", BigInteger, primary_key=True),
    Index("uri_index_of_resource", "rid"),
    sqlite_with_rowid=False,
)

# What one element has for the first part (a token or a reference) beside what it has for the second: a token or a text in
# ``value`` and ``qualifier``, a quantity or a date in ``low`` and ``high`` too.
composite_index: Final = Table(
    "composite_index",
    metadata,
    Column("parameter", Integer, primary_key=True),
    Column("code", String, primary_key=True),
    Column("system", String, primary_key=True),
    Column("value", String, primary_key=True),
    Column("qualifier", String, primary_key=True),
    Column("low", Double, primary_key=True),
    Column("high", Double, primary_key=True),
    Column("rid", BigInteger, primary_key=True),
    Index("composite_index_of_resource", "rid"),
    sqlite_with_rowid=False,
)

position_index: Final = Table(
    "position_index",
    metadata,
    Column("parameter", Integer, primary_key=True),
    Column("latitude", Double, primary_key=True),
    Column("longitude", Double, primary_key=True),
    Column("rid", BigInteger, primary_key=True),
    Index("position_index_of_resource", "rid"),
    sqlite_with_rowid=False,
)

INDEX_TABLES: Final = {
    "token": token_index,
    "reference": reference_index,
    "date": date_index,
    "string": string_index,
    "quantity": quantity_index,
    "uri": uri_index,
    "composite": composite_index,
    "special": position_index,
}
"""By the kind of search parameter. The parameter's number stands first, the row id last."""

decision: Final = Table(
    "decision",
    metadata,
    Column("number", _RowId, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("about", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("permitted", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("decision_about", "about"),
    Index("decision_of_patient", "patient"),
)

access_log: Final = Table(
    "access_log",
    metadata,
    Column("number", _RowId, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("employee", String, nullable=False),
    Column("commission", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("action", String, nullable=False),
    Column("resource", String, nullable=False),
    Column("interaction", String, nullable=False),
    Column("request_id", String, nullable=False),
    Index("access_log_of_patient", "patient", "at"),
)

_CLAIMED: Final = text("state = 'claimed'")
_HEAD: Final = text("head = 1")
BLOCKS: Final = text("state IN ('waiting', 'retrying', 'claimed', 'parked')")
TRYABLE: Final = text("head = 1 AND state IN ('waiting', 'retrying')")
ENDED: Final = text("state IN ('delivered', 'withheld', 'cancelled')")
"""What partial indexes of the outbox hold; a search that says it in the same words finds it there."""
UNDER_WAY: Final = text("state IN ('reading', 'applying', 'closing')")
"""What the index of running pulls holds; a search that says it in the same words finds it there."""
_TOLD: Final = text("kind = 'party-message'")
_WITHHELD: Final = text("state = 'withheld' AND payload IS NOT NULL")

outbox: Final = Table(
    "outbox",
    metadata,
    Column("number", _RowId, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("destination", String, nullable=False),
    Column("key", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("about", String, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Column("next_try", BigInteger),
    Column("reason", String, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("lease_until", BigInteger),
    Column("kind", String, nullable=False),
    Column("question", LargeBinary, nullable=False),
    Column("payload", LargeBinary),
    # 1 for the first of its key that is not over: the only one that may be tried. Kept by SqlOutbox alone.
    Column("head", Integer, nullable=False, server_default=text("0")),
    # Tries that the timetable does not count: those before the last replay, and claims whose worker was lost.
    Column("uncounted", Integer, nullable=False, server_default=text("0")),
    # Claims in a row whose worker was lost.
    Column("lost", Integer, nullable=False, server_default=text("0")),
    Index("outbox_due", "destination", "next_try", "number", sqlite_where=TRYABLE, postgresql_where=TRYABLE),
    Index("outbox_blocking", "key", "number", sqlite_where=BLOCKS, postgresql_where=BLOCKS),
    Index("outbox_head", "key", unique=True, sqlite_where=_HEAD, postgresql_where=_HEAD),
    Index("outbox_ended", "state", "changed", sqlite_where=ENDED, postgresql_where=ENDED),
    Index("outbox_standing", "destination", "state", "created"),
    Index("outbox_of_unit", "unit", "state", "number"),
    # What the audit trail tells of disclosures: few beside the events.
    Index("outbox_told", "unit", sqlite_where=_TOLD, postgresql_where=_TOLD),
    Index("outbox_of_patient", "patient"),
    Index("outbox_about", "about"),
    # The database itself refuses a second claim of a key; and what is claimed is found without reading what is not.
    Index("outbox_claimed", "key", unique=True, sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
    Index("outbox_withheld", "changed", sqlite_where=_WITHHELD, postgresql_where=_WITHHELD),
)

attempt: Final = Table(
    "attempt",
    metadata,
    Column("number", _RowId, primary_key=True),
    Column("message", String, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("outcome", String, nullable=False),
    Column("reason", String, nullable=False),
    Index("attempt_of_message", "message"),
)

route: Final = Table(
    "route",
    metadata,
    Column("destination", String, primary_key=True),
    Column("held", String, nullable=False, server_default=text("''")),
    Column("since", BigInteger, nullable=False),
    # The circuit breaker: faults in a row, and until when nothing is tried.
    Column("faults", Integer, nullable=False, server_default=text("0")),
    Column("open_until", BigInteger),
)
"""``held`` says why an operator, or a broken route, stopped every try; empty when nobody did."""

deed: Final = Table(
    "deed",
    metadata,
    Column("number", _RowId, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("employee", String, nullable=False),
    Column("unit", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("deed", String, nullable=False),
    Column("about", String, nullable=False),
    # Whom the message is about; empty where many, or none, are.
    Column("patient", String, nullable=False),
    Column("why", String, nullable=False),
    Index("deed_of_provider", "provider", "number"),
)
"""What operators did to messages and destinations. Rows are only ever added."""

certificate: Final = Table(
    "certificate",
    metadata,
    Column("unit", String, primary_key=True),
    Column("id", String, primary_key=True),
    Column("patient", String, nullable=False),
    Column("episode", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("person", String, nullable=False, server_default=text("''")),
    # Days since the year 1 (``date.toordinal``).
    Column("first", Integer, nullable=False, server_default=text("0")),
    Column("last", Integer, nullable=False, server_default=text("0")),
    Index("certificate_id", "id"),
    Index("certificate_of_patient", "patient"),
    Index("certificate_of_unit", "unit", "patient"),
    Index("certificate_lasting", "unit", "last", "patient"),
)

reko_status: Final = Table(
    "reko_status",
    metadata,
    Column("number", _RowId, primary_key=True),
    Column("unit", String, nullable=False),
    Column("patient", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", String, nullable=False),
    Column("day", String, nullable=False),
    Column("registered", BigInteger, nullable=False),
    Column("staff", String, nullable=False),
    Index("reko_status_of_patient", "unit", "patient", "version", unique=True),
)
"""Rows are only ever added (rehabstod.md § 4.1). ``day`` is YYYY-MM-DD."""

pull: Final = Table(
    "pull",
    metadata,
    Column("number", _RowId, primary_key=True),
    Column("unit", String, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("provider", String, nullable=False, server_default=text("''")),
    Column("caller", LargeBinary, nullable=False, server_default=text("'{}'")),
    Column("days", Integer, nullable=False, server_default=text("0")),
    Column("cursor", String, nullable=False, server_default=text("''")),
    Column("ended", BigInteger),
    Column("reason", String, nullable=False, server_default=text("''")),
    Index("pull_of_unit", "unit", "number"),
    Index("pull_of_provider", "provider", "number"),
    # The database itself refuses a second one of the same unit.
    Index("pull_under_way", "unit", unique=True, sqlite_where=UNDER_WAY, postgresql_where=UNDER_WAY),
)

staged: Final = Table(
    "staged",
    metadata,
    Column("number", _RowId, primary_key=True),
    Column("pull", BigInteger, nullable=False),
    Column("person", String, nullable=False),
    Column("certificate", String, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("staged_of_person", "pull", "person"),
    # Tells ids that come twice without sorting, which would take memory as the answer grows.
    Index("staged_certificate", "pull", "certificate"),
)

set_aside: Final = Table(
    "set_aside",
    metadata,
    Column("number", _RowId, primary_key=True),
    Column("pull", BigInteger, nullable=False),
    Column("certificate", String, nullable=False),
    Column("reason", String, nullable=False),
    Index("set_aside_of_pull", "pull", "certificate"),
)

secret: Final = Table(
    "secret",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
