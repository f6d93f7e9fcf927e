"""Decisions are kept with their inputs, and withheld messages that still have content are found without reading others.

A decision that was kept before says its answer and no inputs: it is wrapped, so that both are read alike.
"""

from alembic import op
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, bindparam, select, text, update

revision = "0004"
down_revision = "0003"

_decision = Table("decision", MetaData(), Column("number", Integer, primary_key=True), Column("body", LargeBinary))


def upgrade() -> None:
    """Wrap what is kept, and add the index."""
    connection = op.get_bind()
    kept = connection.execute(select(_decision.c.number, _decision.c.body)).all()
    wrapped = [{"row": number, "whole": b'{"decision":' + bytes(body) + b"}"} for number, body in kept]
    if wrapped:
        statement = update(_decision).where(_decision.c.number == bindparam("row")).values(body=bindparam("whole"))
        connection.execute(statement, wrapped)
    has_content = text("state = 'withheld' AND payload IS NOT NULL")
    op.create_index("outbox_withheld", "outbox", ["changed"], sqlite_where=has_content, postgresql_where=has_content)
