"""The database looked at, and spoilt, beside whoever works on it. Statements are those of both engines, with ``?``."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

Place = Path | str


def rows(place: Place, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What a statement answers."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(f"file:{place}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(statement, values).fetchall()
    with closing(psycopg.connect(place, autocommit=True)) as shared:
        return shared.execute(_as_theirs(statement), values).fetchall()


def change(place: Place, statement: str, *values: object) -> None:
    """Let a statement be done."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            connection.execute(statement, values)
        return
    with closing(psycopg.connect(place, autocommit=True)) as shared:
        shared.execute(_as_theirs(statement), values)


@contextmanager
def no_room(place: Place, table: str) -> Iterator[None]:
    """The table takes no row any more."""
    begin, end = _NO_ROOM[isinstance(place, Path)]
    for statement in begin:
        change(place, statement.format(table=table))
    try:
        yield
    finally:
        change(place, end.format(table=table))


_NO_ROOM: Final = {
    True: (
        ("CREATE TRIGGER no_room BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no room'); END",),
        "DROP TRIGGER no_room",
    ),
    False: (
        (
            "CREATE OR REPLACE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no room''; END'",
            "CREATE TRIGGER no_room BEFORE INSERT ON {table} EXECUTE FUNCTION no_room()",
        ),
        "DROP TRIGGER no_room ON {table}",
    ),
}


def _as_theirs(statement: str) -> bytes:
    return statement.replace("%", "%%").replace("?", "%s").encode()
