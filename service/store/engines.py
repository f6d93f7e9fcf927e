"""Which engine a place is for."""

from pathlib import Path

from service.store.database import Database, Place
from service.store.sqlite import SqliteDatabase


def open_database(place: Place) -> Database:
    """The engine for the place, opened. Raises ``Unavailable`` when it cannot be."""
    if isinstance(place, Path):
        return SqliteDatabase(place)
    from service.store.postgres import PostgresDatabase  # its driver takes time to load, and is needed here alone

    return PostgresDatabase(place)
