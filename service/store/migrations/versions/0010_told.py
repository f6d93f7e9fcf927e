"""Messages to other parties are found by their unit, without reading what goes to the care provider's own systems."""

from alembic import op
from sqlalchemy import text

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Only an index."""
    told = text("kind = 'party-message'")
    op.create_index("outbox_told", "outbox", ["unit"], sqlite_where=told, postgresql_where=told)
