"""Who may see a resource is also what its labels say."""

import orjson
from alembic import op
from sqlalchemy import Column, Integer, text

revision = "0008"
down_revision = "0007"

_HIDES = text("restricted = 1")
_SYSTEM = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
_LABELLED = {
    "sqlite": text("SELECT rid, hid, body FROM history WHERE instr(body, :sought) > 0"),
    "postgresql": text("SELECT rid, hid, body FROM history WHERE position(:sought IN body) > 0"),
}


# A deletion keeps the label of what it ended.
_DELETED = text(
    "UPDATE history SET restricted = 1 WHERE rid = :one AND operation = 'delete' AND version = "
    "(SELECT ended.version + 1 FROM history AS ended WHERE ended.hid = :version)"
)
_NEWEST = text(
    "UPDATE resource SET restricted = 1 WHERE rid = :one AND hid IN "
    "(SELECT hid FROM history WHERE rid = :one AND restricted = 1)"
)


def upgrade() -> None:
    """The labels that stored versions have hold from now on. They are looked for in the bodies: whatever a parameter of the
    search index finds is there for the newest versions alone."""
    for table in ("resource", "history"):
        op.add_column(table, Column("restricted", Integer, nullable=False, server_default=text("0")))
    op.drop_index("resource_of_unit", "resource")
    op.create_index("resource_of_unit", "resource", ["unit", "type", "rid", "restricted"])
    op.create_index(
        "resource_restricted",
        "resource",
        ["unit", "restricted", "type", "id"],
        sqlite_where=_HIDES,
        postgresql_where=_HIDES,
    )
    connection = op.get_bind()
    rows = connection.execute(_LABELLED[connection.dialect.name], {"sought": _SYSTEM.encode()})
    labelled = [{"one": rid, "version": hid} for rid, hid, body in rows if _is_restricted(bytes(body))]
    if labelled:
        connection.execute(text("UPDATE history SET restricted = 1 WHERE hid = :version"), labelled)
        connection.execute(_DELETED, labelled)
        connection.execute(_NEWEST, labelled)


def _is_restricted(body: bytes) -> bool:
    labels = orjson.loads(body).get("meta", {}).get("security", ())
    return any(each.get("system") == _SYSTEM and each.get("code") in ("R", "V") for each in labels)
