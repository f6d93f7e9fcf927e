"""The head of each key, tries that do not count, lost workers, and the circuit breaker."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, text

revision = "0006"
down_revision = "0005"

_BLOCKS = text("state IN ('waiting', 'retrying', 'claimed', 'parked')")
_TRYABLE = text("head = 1 AND state IN ('waiting', 'retrying')")
_ENDED = text("state IN ('delivered', 'withheld', 'cancelled')")
_HEAD = text("head = 1")


def upgrade() -> None:
    """Every message keeps its place and its tries."""
    for name in ("head", "uncounted", "lost"):
        op.add_column("outbox", Column(name, Integer, nullable=False, server_default=text("0")))
    op.execute(
        "UPDATE outbox SET head = 1 WHERE number IN (SELECT min(number) FROM outbox "
        "WHERE state IN ('waiting', 'retrying', 'claimed', 'parked') GROUP BY key)"
    )
    _indexes()
    op.add_column("route", Column("faults", Integer, nullable=False, server_default=text("0")))
    op.add_column("route", Column("open_until", BigInteger))


def _indexes() -> None:
    for name in ("outbox_due", "outbox_key"):
        op.drop_index(name, "outbox")
    for name, columns, where in (
        ("outbox_due", ["destination", "next_try", "number"], _TRYABLE),
        ("outbox_blocking", ["key", "number"], _BLOCKS),
        ("outbox_ended", ["state", "changed"], _ENDED),
    ):
        op.create_index(name, "outbox", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("outbox_head", "outbox", ["key"], unique=True, sqlite_where=_HEAD, postgresql_where=_HEAD)
    op.create_index("outbox_standing", "outbox", ["destination", "state", "created"])
    op.create_index("outbox_of_unit", "outbox", ["unit", "state", "number"])
