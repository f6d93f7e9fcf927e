"""The first schema: what service/store/tables.py said when it was made. A revision that has been released never changes."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, text

revision = "0001"
down_revision = None

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")
_CLAIMED = text("state = 'claimed'")


def upgrade() -> None:
    """Make every table."""
    _records()
    _search_index()
    _decisions_and_access()
    _outbox()
    _feed()
    op.create_table("secret", Column("name", String, primary_key=True), Column("value", LargeBinary, nullable=False))


def _records() -> None:
    op.create_table(
        "resource",
        Column("rid", _ROW_ID, primary_key=True),
        Column("type", String, nullable=False),
        Column("id", String, nullable=False),
        Column("version", Integer, nullable=False),
        Column("updated", BigInteger, nullable=False),
        Column("unit", String, nullable=False),
        Column("patient", String, nullable=False),
        Column("hid", BigInteger, nullable=False),
        Index("resource_key", "type", "id", unique=True),
        Index("resource_of_patient", "patient", "type", "rid"),
        Index("resource_of_unit", "unit", "type", "rid"),
    )
    op.create_table(
        "history",
        Column("hid", _ROW_ID, primary_key=True),
        Column("rid", BigInteger, nullable=False),
        Column("version", Integer, nullable=False),
        Column("updated", BigInteger, nullable=False),
        Column("operation", String, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Index("history_of_resource", "rid", "version", unique=True),
    )


def _search_index() -> None:
    op.create_table(
        "search_parameter",
        Column("number", Integer, primary_key=True),
        Column("type", String, nullable=False),
        Column("code", String, nullable=False),
        Column("definition", String, nullable=False),
        Index("search_parameter_key", "type", "code", unique=True),
    )
    _index_table("token_index", Column("code", String, primary_key=True), Column("system", String, primary_key=True))
    _index_table("reference_index", Column("target", String, primary_key=True))
    _index_table(
        "date_index", Column("low", BigInteger, primary_key=True), Column("high", BigInteger, primary_key=True)
    )
    _index_table("string_index", Column("norm", String, primary_key=True), Column("text", String, primary_key=True))


def _index_table(name: str, *columns: Column[str] | Column[int]) -> None:
    op.create_table(
        name,
        Column("parameter", Integer, primary_key=True),
        *columns,
        Column("rid", BigInteger, primary_key=True),
        Index(f"{name}_of_resource", "rid"),
        sqlite_with_rowid=False,
    )


def _decisions_and_access() -> None:
    op.create_table(
        "decision",
        Column("number", _ROW_ID, primary_key=True),
        Column("at", BigInteger, nullable=False),
        Column("about", String, nullable=False),
        Column("patient", String, nullable=False),
        Column("unit", String, nullable=False),
        Column("permitted", Integer, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Index("decision_about", "about"),
        Index("decision_of_patient", "patient"),
    )
    op.create_table(
        "access_log",
        Column("number", _ROW_ID, primary_key=True),
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


def _outbox() -> None:
    op.create_table(
        "outbox",
        Column("number", _ROW_ID, primary_key=True),
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
        Index("outbox_due", "destination", "state", "next_try"),
        Index("outbox_key", "key", "number"),
        Index("outbox_of_patient", "patient"),
        Index("outbox_about", "about"),
        Index("outbox_claimed", "key", unique=True, sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
    )
    op.create_table(
        "attempt",
        Column("number", _ROW_ID, primary_key=True),
        Column("message", String, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("outcome", String, nullable=False),
        Column("reason", String, nullable=False),
        Index("attempt_of_message", "message"),
    )
    op.create_table(
        "route",
        Column("destination", String, primary_key=True),
        Column("held", String, nullable=False, server_default=text("''")),
        Column("since", BigInteger, nullable=False),
    )


def _feed() -> None:
    op.create_table(
        "certificate",
        Column("unit", String, primary_key=True),
        Column("id", String, primary_key=True),
        Column("patient", String, nullable=False),
        Column("digest", String, nullable=False),
        Column("episode", String, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Index("certificate_of_patient", "patient"),
    )
    op.create_table(
        "pull",
        Column("number", _ROW_ID, primary_key=True),
        Column("unit", String, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("result", String, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Index("pull_of_unit", "unit", "number"),
    )
