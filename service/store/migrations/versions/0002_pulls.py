"""Pulls that are staged and can be resumed; the days of certificates. A revision that has been released never changes."""

import json
from collections.abc import Iterator
from datetime import date

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, text

revision = "0002"
down_revision = "0001"

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")
_UNDER_WAY = text("state IN ('reading', 'applying', 'closing')")


def upgrade() -> None:
    """Keep every pull and certificate that there is."""
    _pulls()
    _staging()
    _certificates()


def _pulls() -> None:
    op.execute("ALTER TABLE pull RENAME COLUMN result TO state")
    for column in (
        Column("provider", String, nullable=False, server_default=text("''")),
        Column("caller", LargeBinary, nullable=False, server_default=text("'{}'")),
        Column("days", Integer, nullable=False, server_default=text("0")),
        Column("cursor", String, nullable=False, server_default=text("''")),
        Column("ended", BigInteger),
        Column("reason", String, nullable=False, server_default=text("''")),
    ):
        op.add_column("pull", column)
    op.create_index("pull_of_provider", "pull", ["provider", "number"])
    op.create_index(
        "pull_under_way", "pull", ["unit"], unique=True, sqlite_where=_UNDER_WAY, postgresql_where=_UNDER_WAY
    )
    connection = op.get_bind()
    for number, body in connection.execute(text("SELECT number, body FROM pull")).fetchall():
        told = json.loads(body)
        counts = {
            name: told.get(name, 0) for name in ("certificates", "patients", "changed", "vanished", "sick_leaves")
        }
        counts |= {"set_aside": len(told.get("set_aside", ())), "applied": counts["patients"]}
        connection.execute(
            text("UPDATE pull SET body = :body, reason = :reason, ended = at WHERE number = :number"),
            {"number": number, "reason": told.get("reason", ""), "body": json.dumps(counts).encode()},
        )


def _staging() -> None:
    op.create_table(
        "staged",
        Column("number", _ROW_ID, primary_key=True),
        Column("pull", BigInteger, nullable=False),
        Column("person", String, nullable=False),
        Column("certificate", String, nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
    op.create_index("staged_of_person", "staged", ["pull", "person"])
    op.create_index("staged_certificate", "staged", ["pull", "certificate"])
    op.create_table(
        "set_aside",
        Column("number", _ROW_ID, primary_key=True),
        Column("pull", BigInteger, nullable=False),
        Column("certificate", String, nullable=False),
        Column("reason", String, nullable=False),
    )
    op.create_index("set_aside_of_pull", "set_aside", ["pull", "certificate"])


def _certificates() -> None:
    op.drop_column("certificate", "digest")
    op.add_column("certificate", Column("person", String, nullable=False, server_default=text("''")))
    for name in ("first", "last"):
        op.add_column("certificate", Column(name, Integer, nullable=False, server_default=text("0")))
    op.create_index("certificate_of_unit", "certificate", ["unit", "patient"])
    connection = op.get_bind()
    for unit, id, body in connection.execute(text("SELECT unit, id, body FROM certificate")).fetchall():
        told = json.loads(body)
        days = list(_ordinals(told["periods"]))
        connection.execute(
            text(
                "UPDATE certificate SET person = :person, first = :first, last = :last WHERE unit = :unit AND id = :id"
            ),
            {"unit": unit, "id": id, "person": told["patient"], "first": min(days), "last": max(days)},
        )


def _ordinals(periods: list[dict[str, str]]) -> Iterator[int]:
    for period in periods:
        yield date.fromisoformat(period["start"]).toordinal()
        yield date.fromisoformat(period["end"]).toordinal()
