"""What operators do is kept: who, when, to what and why."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, String

revision = "0009"
down_revision = "0008"

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Make the table. What was done before stands among the tries of messages, and with the destinations that are held."""
    op.create_table(
        "deed",
        Column("number", _ROW_ID, primary_key=True),
        Column("at", BigInteger, nullable=False),
        Column("employee", String, nullable=False),
        Column("unit", String, nullable=False),
        Column("provider", String, nullable=False),
        Column("deed", String, nullable=False),
        Column("about", String, nullable=False),
        Column("patient", String, nullable=False),
        Column("why", String, nullable=False),
        Index("deed_of_provider", "provider", "number"),
    )
