"""RekoStatus of patients on a care unit, and a way to the patients whose certificates last."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, String

revision = "0003"
down_revision = "0002"

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")


def upgrade() -> None:
    """Make the table and the index."""
    op.create_table(
        "reko_status",
        Column("number", _ROW_ID, primary_key=True),
        Column("unit", String, nullable=False),
        Column("patient", String, nullable=False),
        Column("version", Integer, nullable=False),
        Column("status", String, nullable=False),
        Column("day", String, nullable=False),
        Column("registered", BigInteger, nullable=False),
        Column("staff", String, nullable=False),
        Index("reko_status_of_patient", "unit", "patient", "version", unique=True),
    )
    op.create_index("certificate_lasting", "certificate", ["unit", "last", "patient"])
