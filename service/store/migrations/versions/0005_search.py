"""Searches by quantity, by address, by composite and by position. The rows are made at the next start, when parameters are compared."""

from alembic import op
from sqlalchemy import BigInteger, Column, Double, Index, Integer, String

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the four index tables."""
    _index_table("quantity_index", _text("code"), _number("low"), _number("high"), _text("system"))
    _index_table("uri_index", _text("uri"))
    _index_table("position_index", _number("latitude"), _number("longitude"))
    _index_table(
        "composite_index",
        _text("code"),
        _text("system"),
        _text("value"),
        _text("qualifier"),
        _number("low"),
        _number("high"),
    )


def _text(name: str) -> Column[str]:
    return Column(name, String, primary_key=True)


def _number(name: str) -> Column[float]:
    return Column(name, Double, primary_key=True)


def _index_table(name: str, *columns: Column[str] | Column[float]) -> None:
    op.create_table(
        name,
        Column("parameter", Integer, primary_key=True),
        *columns,
        Column("rid", BigInteger, primary_key=True),
        Index(f"{name}_of_resource", "rid"),
        sqlite_with_rowid=False,
    )
