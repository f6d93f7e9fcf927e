"""Statements as text: what is a parameter, and what is a constant that only looks like one."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import bindparam, literal, null, select, text, update

from service.store import sql, sql_outbox, sql_pulls
from service.store.postgres import PostgresDatabase, written
from service.store.sqlite import SqliteDatabase
from service.store.tables import outbox
from tests.postgres import TEMPLATE, Cluster


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        yield connection


@example("it's :given and %(given)s, 100 %")
@example("--")
@example("'; DROP TABLE outbox; --")
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_a_constant_is_never_taken_for_a_parameter(connection: sqlite3.Connection, constant: str) -> None:
    statement = sql.compiled(select(literal(constant), bindparam("given"), literal(7)))
    assert connection.execute(statement, {"given": ":other"}).fetchone() == (constant, ":other", 7)


def test_constants_of_an_update_are_written_out() -> None:
    statement = update(outbox).where(outbox.c.id == bindparam("message"), text("reason = ':no'"))
    written = sql.compiled(statement.values(state="a:message's", attempts=outbox.c.attempts + 1, lease_until=null()))
    assert written == (
        "UPDATE outbox SET state='a:message''s', attempts=(outbox.attempts + 1), lease_until=NULL "
        "WHERE outbox.id = :message AND reason = ':no'"
    )


def _statements() -> Iterator[sql.Statement]:
    for value in (vars(sql) | vars(sql_outbox) | vars(sql_pulls)).values():
        several = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
        yield from (each for each in several if isinstance(each, sql.Statement))


def test_every_statement_fits_the_schema(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "reko.db")
    database.prepare()
    with closing(database.connect()) as connection:
        for statement in _statements():
            connection.execute(f"EXPLAIN {statement}", _nothing(statement))
    database.close()


def test_every_statement_fits_the_schema_of_the_other_engine(postgres: Cluster) -> None:
    database = PostgresDatabase(postgres.database(TEMPLATE))
    with closing(database.connect()) as connection:
        for statement in _statements():
            connection.raw.execute(f"EXPLAIN {written(statement)}", _nothing(statement))


def _nothing(statement: sql.Statement) -> dict[str, None] | list[None]:
    return [None] * statement.count("?") if statement.is_positional else _Names()


class _Names(dict[str, None]):
    """Any parameter, with no value."""

    def __missing__(self, name: str) -> None:
        return None


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (sql.READ, "resource_key"),
        (sql_outbox.DUE_MESSAGES, "outbox_due"),
        (sql_outbox.DUE_MESSAGES, "outbox_claimed"),
        (sql_outbox.ORPHANS, "outbox_claimed"),
        (sql_outbox.FIRST_OF_KEY, "outbox_blocking"),
        (sql_outbox.UNSEAT, "outbox_head"),
        (sql_outbox.CLAIMED_FOR, "outbox_standing"),
        (sql_outbox.ENDED_MESSAGES, "outbox_ended"),
        (sql_outbox.FITTING, "outbox_of_unit"),
        (sql_outbox.FITTING, "COVERING INDEX resource_restricted"),
        (sql_outbox.MESSAGES_OF_PATIENT, "outbox_of_patient"),
        (sql_outbox.PROMISED, "outbox_about"),
    ],
)
def test_hot_statements_read_no_whole_table(tmp_path: Path, statement: str, index: str) -> None:
    """Where only the claimed are asked for, what was delivered years ago is not looked at."""
    database = SqliteDatabase(tmp_path / "reko.db")
    database.prepare()
    with closing(database.connect()) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", _Names())]
    database.close()
    assert any(index in step for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN") and "INDEX" not in step and "CONSTANT" not in step], (
        plan
    )
