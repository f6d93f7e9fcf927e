"""Migrations: they lead to the schema that the tables state, all the way or not at all, and lose nothing."""

import json
import logging
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from contracts.consent import ConsentDecision, DecisionRecord, Reason
from contracts.errors import Conflict, Unavailable
from contracts.pulling import PullCounts
from fhir_mappings.identifiers import CONFIDENTIALITY
from service.store import tables
from service.store.codec import decode, encode
from service.store.database import SCHEMA_VERSION, Place
from service.store.migrate import SCRIPTS, migrate
from service.store.postgres import PostgresDatabase
from service.store.sqlite import SqliteDatabase
from service.usecases.deciding import decide_as_then
from tests import beside
from tests.postgres import on_either
from tests.unit.service.store.samples import UNIT, message, open_store, procedure

pytestmark = pytest.mark.anyio

NEXT_STEP = """
from alembic import op
from sqlalchemy import Column, String
revision, down_revision = "9999", "NEWEST"
def upgrade() -> None:
    op.create_table("more", Column("id", String, primary_key=True))
    op.execute("INSERT INTO more SELECT id FROM resource")
""".replace("NEWEST", SCHEMA_VERSION)
STUMBLE = '    op.execute("INSERT INTO nowhere VALUES (1)")\n'


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A database in which nothing is."""
    yield from on_either(request, tmp_path)


def test_migrating_leads_to_the_schema_of_the_tables(tmp_path: Path) -> None:
    migrate(tmp_path / "migrated.db")
    database = SqliteDatabase(tmp_path / "made.db")
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


async def test_decisions_without_inputs_are_read_like_those_with(place: Place) -> None:
    """What version 0001 kept was the decision alone."""
    _make_by_hand(place, "0001")
    decision = ConsentDecision(message("m").question, False, (Reason.REFUSED,))
    row = (0, "Procedure/a", "p-1", UNIT.value, 0, encode(decision))
    beside.change(place, "INSERT INTO decision (at, about, patient, unit, permitted, body) VALUES (?,?,?,?,?,?)", *row)
    migrate(place)
    ((body,),) = beside.rows(place, "SELECT body FROM decision")
    assert isinstance(body, bytes)
    assert decode(body, DecisionRecord) == DecisionRecord(decision)
    with pytest.raises(Conflict, match="before inputs were kept"):
        decide_as_then(DecisionRecord(decision))


async def test_a_step_is_taken_on_what_is_stored(place: Place, tmp_path: Path) -> None:
    await _store_one(place)
    assert migrate(place, _scripts(tmp_path, NEXT_STEP)) == "9999"
    assert beside.rows(place, "SELECT id FROM more") == [("a-1",)]


async def test_a_step_that_stumbles_was_never_taken(place: Place, tmp_path: Path) -> None:
    await _store_one(place)
    before = _seen(place)
    with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedTable), match="nowhere"):
        migrate(place, _scripts(tmp_path, NEXT_STEP + STUMBLE))
    assert _seen(place) == before
    assert migrate(place) == SCHEMA_VERSION


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


async def _store_one(place: Place) -> None:
    store = open_store(place)
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


def _rows(file: Path, statement: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement).fetchall()


def _dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def _seen(place: Place) -> object:
    if isinstance(place, Path):
        return _dump(place)
    tables = beside.rows(place, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return [(name, beside.rows(place, f"SELECT * FROM {name}")) for (name,) in tables]  # noqa: S608 - our own tables


def test_pulls_and_certificates_of_the_first_schema_are_kept(place: Place) -> None:
    _make_by_hand(place, "0001")
    certificate = {
        "id": "c-1",
        "patient": "197001019801",
        "periods": [{"start": "2026-05-01", "end": "2026-05-31", "degree": 50}],
    }
    pulled = {"unit": UNIT.value, "certificates": 3, "patients": 2, "changed": 1, "set_aside": [{"certificate": "x"}]}
    whole = json.dumps(certificate).encode()
    beside.change(place, "INSERT INTO certificate VALUES (?, 'c-1', 'p-1', 'd', 'e', ?)", UNIT.value, whole)
    for result, body in (("done", pulled), ("failed", {"reason": "HTTP 503"})):
        row = UNIT.value, result, json.dumps(body).encode()
        beside.change(place, "INSERT INTO pull (unit, at, result, body) VALUES (?, 7, ?, ?)", *row)
    assert migrate(place) == SCHEMA_VERSION
    assert beside.rows(place, "SELECT id, person, first, last FROM certificate") == [
        ("c-1", "197001019801", date(2026, 5, 1).toordinal(), date(2026, 5, 31).toordinal())
    ]
    (done, failed) = beside.rows(place, "SELECT state, ended, reason, body FROM pull ORDER BY number")
    assert (*done[:3], *failed[:3]) == ("done", 7, "", "failed", 7, "HTTP 503")
    assert decode(done[3], PullCounts) == PullCounts(3, 2, 1, 2, 1)


def test_every_message_keeps_its_place_among_those_of_its_key(place: Place) -> None:
    _make_by_hand(place, "0003")
    states = [
        ("a", "delivered"),
        ("a", "parked"),
        ("a", "waiting"),
        ("b", "retrying"),
        ("b", "waiting"),
        ("c", "withheld"),
    ]
    for number, (key, state) in enumerate(states):
        beside.change(
            place,
            "INSERT INTO outbox (id, destination, key, patient, unit, about, state, attempts, created, changed, reason,"
            " fence, kind, question) VALUES (?, 'ehr', ?, 'p', 'u', 'Procedure/a', ?, 3, 1, 1, '', 3, 'k', '{}')",
            *(f"m-{number}", key, state),
        )
    beside.change(place, "INSERT INTO route VALUES ('ehr', 'maintenance', 7)")
    assert migrate(place) == SCHEMA_VERSION
    assert beside.rows(place, "SELECT id FROM outbox WHERE head = 1 ORDER BY number") == [("m-1",), ("m-3",)]
    assert beside.rows(place, "SELECT DISTINCT attempts, uncounted, lost FROM outbox") == [(3, 0, 0)]
    assert beside.rows(place, "SELECT * FROM route") == [("ehr", "maintenance", 7, 0, None)]


def test_labels_hold_for_what_was_stored_before_they_did(place: Place) -> None:
    """Of the last two, one was deleted under its label and the other after it had been lifted."""
    _make_by_hand(place, "0007")
    labels = ["RR", "V-", "NN", "--", "RD", "R-D"]
    for number, versions in enumerate(labels):
        for version, code in enumerate(versions, 1):
            labelled = {"meta": {"security": [{"system": CONFIDENTIALITY, "code": code}]}}
            body = b"" if code == "D" else json.dumps({"note": [{"text": "R"}]} if code == "-" else labelled).encode()
            operation = "delete" if code == "D" else "update"
            row = 10 * number + version, number, version, operation, body
            beside.change(place, "INSERT INTO history VALUES (?, ?, ?, 7, ?, ?)", *row)
        newest = number, f"g-{number}", len(versions), 10 * number + len(versions)
        beside.change(place, "INSERT INTO resource VALUES (?, 'Goal', ?, ?, 7, 'u', 'p', ?)", *newest)
    assert migrate(place) == SCHEMA_VERSION
    restricted = beside.rows(place, "SELECT hid FROM history WHERE restricted = 1 ORDER BY hid")
    assert restricted == [(1,), (2,), (11,), (41,), (42,), (51,)]
    assert beside.rows(place, "SELECT id FROM resource WHERE restricted = 1 ORDER BY id") == [("g-0",), ("g-4",)]


def _make_by_hand(place: Place, revision: str) -> None:
    """A database of an earlier version."""
    url, driver = (SqliteDatabase.url, sqlite3) if isinstance(place, Path) else (PostgresDatabase.url, psycopg)
    connect: Any = partial(driver.connect, place)
    engine = create_engine(url, creator=connect)
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
