"""Several processes on one PostgreSQL: what one of them does alone on SQLite holds for all of them together.

Two stores stand for two processes: each has its own connections and its own writer, and they share nothing else.
"""

import asyncio
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from string import ascii_letters
from typing import Any, Final

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from contracts.errors import Conflict, Invalid, Unavailable
from contracts.outbox import DeliveryState
from service.fhir_api.search import parameters
from service.store import postgres as engine
from service.store import tables
from service.store.database import SCHEMA_VERSION
from service.store.migrate import migrate
from service.store.postgres import PostgresDatabase
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from tests import beside
from tests.postgres import TEMPLATE, Cluster
from tests.unit.service.store.samples import (
    NOW,
    UNIT,
    disagreements,
    message,
    open_store,
    person,
    procedure,
    record_all,
)
from tests.unit.service.store.test_writer import in_one_group

pytestmark = pytest.mark.anyio

LEASE: Final = NOW + timedelta(days=9999)


@pytest.fixture
def empty(postgres: Cluster, tmp_path: Path) -> Iterator[str]:
    """A database in which nothing is."""
    yield postgres.database(tmp_path)
    postgres.drop(tmp_path)


@pytest.fixture
def url(postgres: Cluster, tmp_path: Path) -> Iterator[str]:
    """A database with an empty store."""
    yield postgres.database(tmp_path, TEMPLATE)
    postgres.drop(tmp_path)


@pytest.fixture
async def two(url: str, anyio_backend: str) -> AsyncIterator[tuple[SqlStore, SqlStore]]:
    """Two processes on it."""
    stores = open_store(url), open_store(url)
    yield stores
    for store in stores:
        store.close()


# One at a time


async def test_each_sees_what_the_other_has_written_before_it_writes(two: tuple[SqlStore, SqlStore]) -> None:
    def counted(transaction: SqlTransaction) -> int:
        record = transaction.read("Procedure", "a")
        return transaction.save(procedure(), "a", UNIT.value).version if record is None else _next(transaction, record)

    def _next(transaction: SqlTransaction, record: Any) -> int:
        return transaction.save(procedure(note=[{"text": f"{record.version}"}]), "a", UNIT.value).version

    versions = await asyncio.gather(*(two[number % 2].run(counted) for number in range(60)))
    assert sorted(versions) == list(range(1, 61))
    assert await disagreements(two[0]) == []


async def test_row_ids_follow_the_order_of_commits(two: tuple[SqlStore, SqlStore], url: str) -> None:
    """So that whoever has read a history to its end misses nothing that comes later."""
    names = [f"a-{number}" for number in range(40)]
    await asyncio.gather(*(two[number % 2].run(partial(record_all, id=name)) for number, name in enumerate(names)))
    assert beside.rows(url, "SELECT hid FROM history ORDER BY hid") == [(number,) for number in range(1, 41)]
    assert await disagreements(two[1]) == []


async def test_nobody_writes_beside_a_work(two: tuple[SqlStore, SqlStore]) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(transaction: SqlTransaction) -> bool:
        begun.set()
        go_on.wait(10)
        return transaction.read("Procedure", "a") is None

    first = asyncio.ensure_future(two[0].run(slow))
    await asyncio.to_thread(begun.wait)
    others = [
        asyncio.ensure_future(two[1].run(partial(record_all, id="a"))),
        asyncio.ensure_future(two[1].claim(lambda transaction: transaction.due("platform", 5))),
    ]
    await asyncio.sleep(0.1)
    assert not any(other.done() for other in others)
    go_on.set()
    assert await first, "somebody has written meanwhile"
    assert (await others[0], len(await others[1])) == ("a", 1)


async def test_two_that_claim_do_so_beside_each_other_and_take_different_ones(
    two: tuple[SqlStore, SqlStore],
) -> None:
    for number in range(4):
        await two[0].run(partial(_promise, f"m-{number}", f"p-{number}"))
    begun, go_on = threading.Event(), threading.Event()

    def slow(transaction: SqlTransaction) -> list[str]:
        found = transaction.due("platform", 2)
        begun.set()
        go_on.wait(10)
        return [claim.message.id for claim in transaction.claim([each.message for each in found], LEASE)]

    first = asyncio.ensure_future(two[0].claim(slow))
    await asyncio.to_thread(begun.wait)
    second = await asyncio.wait_for(two[1].claim(partial(_claim_all, limit=10)), 5)
    go_on.set()
    assert (await first, second) == (["m-0", "m-1"], ["m-2", "m-3"])


@pytest.mark.parametrize("deed", ["move", "promise", "save", "remove"])
async def test_who_claims_and_does_more_does_it_again_alone(two: tuple[SqlStore, SqlStore], deed: str) -> None:
    await two[0].run(partial(_promise, "m", "p-1"))
    await two[0].run(lambda transaction: transaction.save(person(), "p-1", UNIT.value))
    deeds: dict[str, Callable[[SqlTransaction], Any]] = {
        "move": lambda transaction: transaction.move("m", DeliveryState.WITHHELD, "not any more"),
        "promise": partial(_promise, "n", "p-1"),
        "save": lambda transaction: transaction.save(procedure(), "a", UNIT.value),
        "remove": lambda transaction: transaction.remove("Patient", "p-1"),
    }
    beside_others: list[bool] = []

    def work(transaction: SqlTransaction) -> str:
        beside_others.append(transaction.beside)
        deeds[deed](transaction)
        return "done"

    assert await two[0].claim(work) == "done"
    assert beside_others == [True, False], "it has done it while others might claim"


def _promise(id: str, patient: str, transaction: SqlTransaction) -> None:
    transaction.promise(message(id, patient), DeliveryState.WAITING)


def _claim_all(transaction: SqlTransaction, limit: int) -> list[str]:
    due = [each.message for each in transaction.due("platform", limit)]
    return [claim.message.id for claim in transaction.claim(due, LEASE)]


async def test_no_message_is_claimed_twice_and_none_before_its_turn(two: tuple[SqlStore, SqlStore]) -> None:
    """Four that claim and deliver as fast as they can, over keys with several messages each."""
    expected = [f"m-{number}" for number in range(60)]
    for id in expected:
        await two[0].run(partial(_promise, id, f"p-{int(id[2:]) % 7}"))
    delivered: list[str] = []

    async def work(store: SqlStore) -> None:
        while len(delivered) < len(expected):
            for id in await store.claim(partial(_claim_all, limit=3)):
                delivered.append(id)
                await store.run(lambda transaction, id=id: transaction.move(id, DeliveryState.DELIVERED))  # type: ignore[misc]

    await asyncio.wait_for(asyncio.gather(*(work(two[number % 2]) for number in range(4))), 60)
    assert Counter(delivered) == Counter(expected)
    for key in range(7):
        ours = [int(id[2:]) for id in delivered if int(id[2:]) % 7 == key]
        assert ours == sorted(ours)


async def test_a_withdrawal_comes_wholly_before_or_wholly_after_a_claim(two: tuple[SqlStore, SqlStore]) -> None:
    """Consent is here a Patient resource that is there; a claim asks for it, a withdrawal takes it away and withholds."""
    broken = []
    for number in range(40):
        patient, id = f"p-{number}", f"m-{number}"
        await two[0].run(partial(_consented, patient, id))
        _, left = await asyncio.gather(
            two[0].run(partial(_withdrawn, patient)), two[1].claim(partial(_sent_if_consented, patient))
        )
        state = await two[0].run(lambda transaction, id=id: transaction.standing(id))  # type: ignore[misc]
        assert state is not None
        if (state[1] is DeliveryState.CLAIMED) != bool(left):
            broken.append(id)
        queued = await two[0].run(lambda transaction, id=id: transaction.message(id))  # type: ignore[misc]
        if left and queued is not None and queued.reason == "withdrawn":
            broken.append(id)
    assert broken == []


def _consented(patient: str, id: str, transaction: SqlTransaction) -> None:
    transaction.save(person(), patient, UNIT.value)
    _promise(id, patient, transaction)


def _withdrawn(patient: str, transaction: SqlTransaction) -> None:
    transaction.remove("Patient", patient)
    for queued in transaction.queued(patient):
        if queued.state in (DeliveryState.WAITING, DeliveryState.RETRYING):
            transaction.move(queued.message.id, DeliveryState.WITHHELD, "withdrawn")


def _sent_if_consented(patient: str, transaction: SqlTransaction) -> list[str]:
    due = [each.message for each in transaction.due("platform", 100) if each.message.key.endswith(patient)]
    claims = transaction.claim([each for each in due if transaction.read("Patient", patient)], LEASE)
    return [claim.message.id for claim in claims]


async def test_what_the_server_refuses_at_the_end_of_a_group_fails_alone(two: tuple[SqlStore, SqlStore]) -> None:
    """An index row of PostgreSQL has a limit, and no piece of work is to suffer for its neighbour's."""
    letters = Random(1)  # noqa: S311 - guards nothing
    long = "".join(letters.choices(ascii_letters, k=9000))

    def refused(transaction: SqlTransaction) -> None:
        transaction.save(procedure(identifier=long), "refused", UNIT.value)

    results = await in_one_group(two[0], partial(record_all, id="a"), refused, partial(record_all, id="b"))
    assert [type(each) for each in results] == [str, Invalid, str]
    assert await disagreements(two[1]) == []


async def test_what_raises_undoes_its_own_and_the_other_process_goes_on(two: tuple[SqlStore, SqlStore]) -> None:
    def fails(transaction: SqlTransaction) -> None:
        record_all(transaction, "b")
        raise Conflict("its own")

    works = (two[0].run(partial(record_all, id="a")), two[0].run(fails), two[1].run(partial(record_all, id="c")))
    results = await asyncio.gather(*works, return_exceptions=True)
    assert [type(result) for result in results] == [str, Conflict, str]
    assert two[1].read("Procedure", "b") is None
    assert await disagreements(two[0]) == []


async def test_a_ring_is_heard_in_the_other_process(two: tuple[SqlStore, SqlStore]) -> None:
    rung = threading.Semaphore(0)
    two[1].on_outbox_change(rung.release)
    assert await asyncio.to_thread(rung.acquire, timeout=5), "it looks once when it begins to listen"
    await two[0].run(partial(_promise, "m", "p-1"))
    assert await asyncio.to_thread(rung.acquire, timeout=5)


async def test_a_process_that_stands_still_holds_up_the_others_for_a_while_only(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_HURRIED", engine._HURRIED.replace("'10s'", "'300ms'"))
    still, other = open_store(url), open_store(url)
    begun, go_on = threading.Event(), threading.Event()

    def stands_still(transaction: SqlTransaction) -> None:
        record_all(transaction, "a")
        begun.set()
        go_on.wait(10)
        record_all(transaction, "b")

    first = asyncio.ensure_future(still.run(stands_still))
    await asyncio.to_thread(begun.wait)
    assert await asyncio.wait_for(other.run(partial(record_all, id="c")), 5) == "c"
    go_on.set()
    with pytest.raises(Unavailable):
        await first
    assert await still.run(partial(record_all, id="d")) == "d"
    assert sorted(beside.rows(url, "SELECT id FROM resource")) == [("c",), ("d",)]
    still.close()
    other.close()


# A server that goes and comes


def _cut(url: str) -> None:
    """Every connection to the database is dropped."""
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid != pg_backend_pid()"
        )


async def test_a_connection_that_was_dropped_is_made_anew_and_nobody_hears_of_it(url: str) -> None:
    store = open_store(url)
    await store.run(partial(record_all, id="a"))
    await store.look(lambda snapshot: snapshot.read("Procedure", "a"))
    _cut(url)
    assert store.read("Procedure", "a") is not None
    assert await store.look(lambda snapshot: snapshot.read("Procedure", "a")) is not None
    assert await store.run(partial(record_all, id="b")) == "b"
    assert await disagreements(store) == []
    store.close()


async def test_a_connection_that_is_dropped_in_the_middle_undoes_the_work(url: str) -> None:
    store = open_store(url)

    def cut_off(transaction: SqlTransaction) -> None:
        record_all(transaction, "a")
        _cut(url)
        record_all(transaction, "b")

    with pytest.raises(Unavailable):
        await store.run(cut_off)
    assert await store.run(partial(record_all, id="c")) == "c"
    assert beside.rows(url, "SELECT id FROM resource") == [("c",)]
    store.close()


async def test_while_the_server_is_away_callers_are_told_and_afterwards_all_is_there(
    own_postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "PAUSE", 0.0)
    store = open_store(own_postgres.database("restarted"))
    acknowledged = []
    for turn in range(3):
        acknowledged.append(await store.run(partial(record_all, id=f"a-{turn}")))
        own_postgres.stop((signal.SIGINT, signal.SIGQUIT)[turn % 2])
        for asked in (store.run(partial(record_all, id="lost")), store.look(lambda snapshot: snapshot.at)):
            with pytest.raises(Unavailable):
                await asked
        with pytest.raises(Unavailable):
            store.read("Procedure", "a-0")
        own_postgres.start()
        assert [store.read("Procedure", id) is not None for id in acknowledged] == [True] * len(acknowledged)
    assert await store.run(partial(record_all, id="after")) == "after"
    assert await disagreements(store) == []
    store.close()


# Versions


def test_of_many_that_start_at_once_one_makes_the_schema(empty: str) -> None:
    with ThreadPoolExecutor(6) as threads:
        stores = list(threads.map(open_store, [empty] * 6))
    for store in stores:
        store.close()
    assert beside.rows(empty, "SELECT version_num FROM alembic_version") == [(SCHEMA_VERSION,)]
    assert beside.rows(empty, "SELECT count(*) FROM search_parameter") == [(len(parameters.definitions()),)]


def test_of_many_that_migrate_at_once_one_does(empty: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(migrate, [empty] * 4)) == [SCHEMA_VERSION] * 4


def test_migrating_leads_to_the_schema_of_the_tables(empty: str, url: str) -> None:
    migrate(empty)
    schema = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexname"
    columns = (
        "SELECT table_name, column_name, data_type, collation_name, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'public' ORDER BY table_name, column_name"
    )
    assert beside.rows(empty, schema) == beside.rows(url, schema)
    assert beside.rows(empty, columns) == beside.rows(url, columns)
    connect: Callable[[], Any] = partial(psycopg.connect, empty)
    bind = create_engine(PostgresDatabase.url, creator=connect)
    with bind.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    bind.dispose()


def test_another_versions_schema_is_left_alone(url: str) -> None:
    beside.change(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match=f"has schema 9999, this version needs {SCHEMA_VERSION}"):
        open_store(url)
    with pytest.raises(Unavailable, match="does not know"):
        migrate(url)


def test_another_programs_database_is_left_alone(empty: str) -> None:
    beside.change(empty, "CREATE TABLE theirs (x integer)")
    for opens in (open_store, migrate):
        with pytest.raises(Unavailable, match="something else"):
            opens(empty)


async def test_a_process_that_a_newer_version_has_overtaken_writes_nothing_more(url: str) -> None:
    old = open_store(url)
    newer = {**parameters.definitions(), ("Procedure", "status"): "read in another way"}
    new = open_store(url, definitions=newer)
    with pytest.raises(Unavailable, match="start this one again"):
        await old.run(partial(record_all, id="a"))
    assert await new.run(partial(record_all, id="b")) == "b"
    beside.change(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Unavailable, match="has schema 9999"):
        await new.run(partial(record_all, id="c"))
    old.close()
    new.close()


# What searches are planned by. The tests' server looks at nothing by itself.


def record_many(transaction: SqlTransaction, names: list[str]) -> None:
    for name in names:
        record_all(transaction, id=name)


def planned_for(url: str) -> dict[str, float]:
    """How many rows the server takes a table to have, where it has looked at it."""
    asked = "SELECT relname::text, reltuples::float8 FROM pg_class WHERE reltuples > 0 AND relkind = 'r'"
    with closing(psycopg.connect(url)) as connection:
        return {name: rows for name, rows in connection.execute(asked) if name in tables.metadata.tables}


async def test_a_young_database_is_looked_at_as_it_grows(two: tuple[SqlStore, SqlStore], url: str) -> None:
    for number in range(3):
        for store in two:
            await store.run(partial(record_many, names=[f"{number}-{id(store)}-{each}" for each in range(200)]))
    for store in two:
        store.close()
    assert planned_for(url)["resource"] == 1000


async def test_what_is_indexed_anew_is_looked_at(url: str) -> None:
    first = open_store(url)
    await first.run(partial(record_all, id="a"))
    first.close()
    assert "token_index" not in planned_for(url)
    open_store(url, definitions={**parameters.definitions(), ("Procedure", "status"): "read in another way"}).close()
    assert planned_for(url)["token_index"] > 0


async def test_what_is_migrated_is_looked_at(url: str) -> None:
    store = open_store(url)
    await store.run(partial(record_all, id="a"))
    store.close()
    migrate(url)
    assert planned_for(url)["resource"] == 1


# How it is spoken to


def test_a_place_that_cannot_be_reached_is_told_without_its_password() -> None:
    for url in ("postgresql://reko:sesame@127.0.0.1:1/reko", "postgresql://reko:sesame@[broken/reko"):
        with pytest.raises(Unavailable) as told:
            PostgresDatabase(url)
        assert "sesame" not in f"{told.value} {told.value.__cause__}"


async def test_text_is_put_in_order_by_its_bytes(url: str) -> None:
    """The server's language is Swedish, in which å comes after z and capitals beside small letters."""
    store = open_store(url)
    for family in ("Z", "a", "Å", "b", "z", "A"):
        await store.run(partial(_named, family))
    found = await store.select(
        tables.string_index.select().with_only_columns(tables.string_index.c.text).order_by(tables.string_index.c.text)
    )
    texts = [text for (text,) in found if len(text) == 1]
    assert texts == sorted(texts)
    store.close()


def _named(family: str, transaction: SqlTransaction) -> None:
    transaction.save(person(family), f"p-{ord(family)}", UNIT.value)


async def test_text_with_a_nul_is_kept_and_looked_for(url: str) -> None:
    store = open_store(url)
    await store.run(lambda transaction: transaction.save(procedure(identifier="a\0b"), "a", UNIT.value))
    found = await store.run(
        lambda transaction: transaction.by_token("Procedure", "identifier", "urn:ehr", "a\0b", UNIT.value)
    )
    assert [record.id for record in found] == ["a"]
    store.close()


def test_the_embedded_engine_loads_no_driver_of_the_other() -> None:
    asked = "import sys, service.wiring; print('psycopg' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
