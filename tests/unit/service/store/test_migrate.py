"""Migrations: they lead to the schema that the tables state, all the way or not at all, and lose nothing."""

import logging
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from contracts.consent import ConsentDecision, DecisionRecord, Reason
from contracts.errors import Conflict, Unavailable
from service.store import tables
from service.store.codec import decode, encode
from service.store.database import SCHEMA_VERSION, Database
from service.store.migrate import SCRIPTS, migrate
from service.usecases.deciding import decide_as_then
from tests.unit.service.store.samples import UNIT, message, open_store, procedure

pytestmark = pytest.mark.anyio

NEXT_STEP = """
from alembic import op
from sqlalchemy import Column, String
revision, down_revision = "9999", "@"
def upgrade() -> None:
    op.create_table("more", Column("id", String, primary_key=True))
    op.execute("INSERT INTO more SELECT id FROM resource")
""".replace("@", SCHEMA_VERSION)
STUMBLE = '    op.execute("INSERT INTO nowhere VALUES (1)")\n'


def test_migrating_leads_to_the_schema_of_the_tables(tmp_path: Path) -> None:
    migrate(tmp_path / "migrated.db")
    database = Database(tmp_path / "made.db")
    database.prepare()
    database.close()
    assert _schema(tmp_path / "migrated.db") == _schema(tmp_path / "made.db")


def test_alembic_finds_nothing_to_do(tmp_path: Path) -> None:
    migrate(tmp_path / "reko.db")
    engine = create_engine(f"sqlite:///{tmp_path / 'reko.db'}")
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), tables.metadata)
    engine.dispose()
    assert differences == []


def test_the_newest_revision_is_the_one_that_the_service_needs(tmp_path: Path) -> None:
    assert ScriptDirectory(str(SCRIPTS)).get_heads() == [SCHEMA_VERSION]
    assert migrate(tmp_path / "reko.db") == SCHEMA_VERSION
    assert migrate(tmp_path / "reko.db") == SCHEMA_VERSION


async def test_migrating_keeps_what_is_stored(tmp_path: Path) -> None:
    await _store_one(tmp_path / "reko.db")
    before = _dump(tmp_path / "reko.db")
    migrate(tmp_path / "reko.db")
    assert _dump(tmp_path / "reko.db") == before


async def test_decisions_without_inputs_are_read_like_those_with(tmp_path: Path) -> None:
    """What version 0001 kept was the decision alone."""
    file = tmp_path / "reko.db"
    migrate(file)
    decision = ConsentDecision(message("m").question, False, (Reason.REFUSED,))
    row = (0, "Procedure/a", "p-1", UNIT.value, 0, encode(decision))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("INSERT INTO decision (at, about, patient, unit, permitted, body) VALUES (?,?,?,?,?,?)", row)
        connection.execute("DROP INDEX outbox_withheld")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    migrate(file)
    ((body,),) = _rows(file, "SELECT body FROM decision")
    assert isinstance(body, bytes)
    assert decode(body, DecisionRecord) == DecisionRecord(decision)
    with pytest.raises(Conflict, match="before inputs were kept"):
        decide_as_then(DecisionRecord(decision))


async def test_a_step_is_taken_on_what_is_stored(tmp_path: Path) -> None:
    await _store_one(tmp_path / "reko.db")
    assert migrate(tmp_path / "reko.db", _scripts(tmp_path, NEXT_STEP)) == "9999"
    assert _rows(tmp_path / "reko.db", "SELECT id FROM more") == [("a-1",)]


async def test_a_step_that_stumbles_was_never_taken(tmp_path: Path) -> None:
    await _store_one(tmp_path / "reko.db")
    before = _dump(tmp_path / "reko.db")
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        migrate(tmp_path / "reko.db", _scripts(tmp_path, NEXT_STEP + STUMBLE))
    assert _dump(tmp_path / "reko.db") == before
    assert migrate(tmp_path / "reko.db") == SCHEMA_VERSION


def test_a_running_service_keeps_its_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "reko.db")
    with pytest.raises(Unavailable, match="another process has the database file open"):
        migrate(tmp_path / "reko.db")
    store.close()
    migrate(tmp_path / "reko.db")


def test_the_service_keeps_out_what_it_does_not_know(tmp_path: Path) -> None:
    file = tmp_path / "reko.db"
    migrate(file, _scripts(tmp_path, NEXT_STEP))
    with pytest.raises(Unavailable, match="does not know"):
        migrate(file)
    with pytest.raises(Unavailable, match=f"has schema 9999, this version needs {SCHEMA_VERSION}"):
        open_store(file)


def test_another_programs_file_is_left_as_it_was(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    before = _dump(tmp_path / "theirs.db")
    with pytest.raises(Unavailable, match="something else"):
        migrate(tmp_path / "theirs.db")
    assert _dump(tmp_path / "theirs.db") == before


def test_our_loggers_still_speak(tmp_path: Path) -> None:
    before = [(logger.level, logger.disabled, logger.handlers) for logger in _loggers()]
    migrate(tmp_path / "reko.db")
    assert [(logger.level, logger.disabled, logger.handlers) for logger in _loggers()] == before


def _loggers() -> list[logging.Logger]:
    return [logging.getLogger(name) for name in (None, "service", "service.store.writer", "service.outbox.relay")]


def test_the_service_never_loads_alembic() -> None:
    asked = "import sys, service.store.store; print('alembic' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


async def _store_one(file: Path) -> None:
    store = open_store(file)
    await store.run(lambda transaction: transaction.save(procedure(), "a-1", UNIT.value))
    store.close()


def _scripts(tmp_path: Path, step: str) -> Path:
    """Our migrations, and one more."""
    scripts = tmp_path / "migrations % 2"
    shutil.copytree(SCRIPTS, scripts)
    (scripts / "versions" / "9999_more.py").write_text(step, encoding="utf-8")
    return scripts


def _schema(file: Path) -> dict[str, str]:
    """Every table and index as its statement, whatever the blanks."""
    rows = _rows(file, "SELECT name, sql FROM sqlite_master")
    return {str(name): "".join(str(sql).split()) for name, sql in rows}


def _rows(file: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def _dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())
