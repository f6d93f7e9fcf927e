"""Opening the file: one owner, one schema, and a fault that is told in a line."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from contracts.errors import Unavailable
from service.store.database import SCHEMA_VERSION
from service.store.sqlite import SqliteDatabase
from tests.unit.service.store.samples import open_store


def test_one_process_owns_the_file(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "down" / "reko.db"
    store = open_store(file)
    with pytest.raises(Unavailable, match="another process has the database file open"):
        open_store(file)
    store.close()
    open_store(file).close()


@pytest.mark.parametrize("linked", ["file", "folder"])
def test_links_lead_to_the_same_owner(tmp_path: Path, linked: str) -> None:
    home, file = tmp_path / "home", tmp_path / "home" / "reko.db"
    store = open_store(file)
    other = tmp_path / "link.db" if linked == "file" else tmp_path / "link" / "reko.db"
    (tmp_path / other.relative_to(tmp_path).parts[0]).symlink_to(file if linked == "file" else home)
    with pytest.raises(Unavailable, match="another process has the database file open"):
        open_store(other)
    store.close()
    open_store(other).close()


def test_a_file_with_two_names_is_refused(tmp_path: Path) -> None:
    """SQLite keeps a log for each name."""
    store = open_store(tmp_path / "reko.db")
    (tmp_path / "other.db").hardlink_to(tmp_path / "reko.db")
    with pytest.raises(Unavailable, match="a second name"):
        open_store(tmp_path / "other.db")
    store.close()
    (tmp_path / "other.db").unlink()
    open_store(tmp_path / "reko.db").close()


def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "reko.db")
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    store.close()
    assert {"reko.db", "reko.db-wal", "reko.db.lock"} <= modes.keys()
    assert set(modes.values()) == {0o600}


def test_closing_leaves_the_file_alone_on_the_disk(tmp_path: Path) -> None:
    open_store(tmp_path / "reko.db").close()
    assert {file.name for file in tmp_path.iterdir()} == {"reko.db", "reko.db.lock"}


@pytest.mark.parametrize("version", ["0000", "9999", "", "åäö"])
def test_another_schema_is_refused_and_the_file_let_go(tmp_path: Path, version: str) -> None:
    file = tmp_path / "reko.db"
    open_store(file).close()
    _execute(file, "UPDATE alembic_version SET version_num = ?", version)
    with pytest.raises(Unavailable, match=f"has schema {version}, this version needs {SCHEMA_VERSION}: run reko db"):
        open_store(file)
    _execute(file, "UPDATE alembic_version SET version_num = ?", SCHEMA_VERSION)
    open_store(file).close()


def test_another_programs_file_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "theirs.db"
    _execute(file, "CREATE TABLE resource (theirs)")
    with pytest.raises(Unavailable, match="something else than this service's data"):
        open_store(file)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("resource",)]


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Hej! " * 1000, encoding="utf-8")
    with pytest.raises(Unavailable, match=r"cannot be opened \(SQLITE_NOTADB\)"):
        open_store(file)
    assert file.read_text(encoding="utf-8").startswith("Hej!")


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match=r"the database's folder cannot be used \(.+\)"):
        open_store(tmp_path / "file" / "reko.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises(Unavailable, match="cannot be opened"):
        open_store(tmp_path / "folder.db")


def test_a_database_that_was_cut_off_as_it_was_made_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "reko.db"
    file.touch()
    open_store(file).close()
    assert _execute(file, "SELECT version_num FROM alembic_version") == [(SCHEMA_VERSION,)]


def test_a_reading_connection_cannot_write(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "reko.db")
    database.prepare()
    with closing(database.connect(read_only=True)) as connection, pytest.raises(sqlite3.OperationalError):
        connection.execute("DELETE FROM resource")
    database.close()


def _execute(file: Path, statement: str, *values: object) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(statement, values).fetchall()


@pytest.mark.parametrize("read_only", [False, True])
def test_what_is_acknowledged_survives_a_power_cut(tmp_path: Path, read_only: bool) -> None:
    """No test can pull the plug: what SQLite promises under these settings is what we promise."""
    database = SqliteDatabase(tmp_path / "reko.db")
    with closing(database.connect(read_only=read_only)) as connection:
        settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    database.close()
    assert settings == ["wal", 2]
