"""Bringing a database file to the newest schema. Alembic is imported here alone: the service never needs it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from contracts.errors import Unavailable
from service.store.database import Database, schema_version, telling

SCRIPTS: Final = Path(__file__).parent / "migrations"


def migrate(file: Path, scripts: Path = SCRIPTS) -> str:
    """Bring the file to the newest revision, all the way or not at all, and tell which that is; a file that is not there is
    made. Raises ``Unavailable`` while a service has the file, and when it holds what this version does not know."""
    database = Database(file)
    try:
        with closing(database.connect()) as connection:
            schema_version(connection)
            _upgrade(connection, scripts)
            return str(schema_version(connection))
    finally:
        database.close()


def _upgrade(connection: sqlite3.Connection, scripts: Path) -> None:
    engine = create_engine("sqlite://", creator=lambda: connection, poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    with telling("written"), engine.begin() as speaking:
        connection.execute("BEGIN IMMEDIATE")  # the driver itself would begin after the first changes of the schema
        config.attributes["connection"] = speaking
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            raise error.orig or error from error
        except CommandError as error:
            raise Unavailable("the database has a schema that this version does not know") from error
