"""Bringing a database to the newest schema. Alembic is imported here alone: the service never needs it."""

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
from service.store.database import Connection, Database, Place
from service.store.engines import open_database

SCRIPTS: Final = Path(__file__).parent / "migrations"


def migrate(place: Place, scripts: Path = SCRIPTS) -> str:
    """Bring the database to the newest revision, all the way or not at all, and tell which that is; a file that is not
    there is made. Raises ``Unavailable`` while a service has the file, and when it holds what this version does not know.
    Services of an earlier version on a shared database write nothing any more from then on."""
    database = open_database(place)
    try:
        with closing(database.connect(hurried=False)) as connection:
            database.schema_version(connection)
            _upgrade(database, connection, scripts)
            return str(database.schema_version(connection))
    finally:
        database.close()


def _upgrade(database: Database, connection: Connection, scripts: Path) -> None:
    engine = create_engine(database.url, creator=lambda: database.driven(connection), poolclass=StaticPool)
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    with database.telling("written"), engine.begin() as speaking:
        database.begin(connection)  # the driver itself would begin after the first changes of the schema
        config.attributes["connection"] = speaking
        try:
            command.upgrade(config, "head")
        except DBAPIError as error:
            raise error.orig or error from error
        except CommandError as error:
            raise Unavailable("the database has a schema that this version does not know") from error
        database.learn(connection)
