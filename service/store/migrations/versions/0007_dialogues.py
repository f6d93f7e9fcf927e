"""A certificate is found by its id alone: that is how another party names it."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Only an index; dialogues themselves are resources."""
    op.create_index("certificate_id", "certificate", ["id"])
