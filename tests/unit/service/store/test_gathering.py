"""What a group writes at its end: the index answers meanwhile as if it were written, and undone work leaves nothing."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from contracts.errors import Conflict, Unavailable
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from tests.unit.service.store.samples import UNIT, access, disagreements, open_new, procedure
from tests.unit.service.store.test_writer import held, in_one_group

pytestmark = pytest.mark.anyio

Work = Callable[[SqlTransaction], Any]


@pytest.fixture
async def store(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SqlStore]:
    store = open_new(tmp_path / "reko.db")
    yield store
    store.close()


def saving(id: str, identifier: str, part_of: str = "") -> Work:
    more = {"partOf": [{"reference": f"Procedure/{part_of}"}]} if part_of else {}
    return lambda transaction: transaction.save(procedure("p-1", identifier=identifier, **more), id, UNIT.value).id


def removing(id: str) -> Work:
    return lambda transaction: transaction.remove("Procedure", id).id


def then_failing(work: Work) -> Work:
    def both(transaction: SqlTransaction) -> None:
        work(transaction)
        raise Conflict("undone")

    return both


def by_identifier(transaction: SqlTransaction, identifier: str) -> list[str]:
    found = transaction.by_token("Procedure", "identifier", "urn:ehr", identifier, UNIT.value)
    return [record.id for record in found]


def finding(identifier: str) -> Work:
    return lambda transaction: by_identifier(transaction, identifier)


async def test_work_finds_what_was_written_before_it_in_its_group(store: SqlStore) -> None:
    found = await in_one_group(
        store,
        finding("1"),
        saving("a", "1"),
        finding("1"),
        lambda transaction: [each.id for each in transaction.by_reference("Procedure", "patient", "Patient/p-1")],
        saving("b", "2", part_of="a"),
        lambda transaction: (transaction.pointed_at("Procedure/a"), transaction.pointed_at("Procedure/b")),
        lambda transaction: transaction.ask("SELECT count(*) FROM reference_index WHERE target = 'Procedure/a'", {}),
    )
    assert found == [[], "a", ["a"], ["a"], "b", (True, False), [(1,)]]


async def test_work_finds_what_it_has_written_itself(store: SqlStore) -> None:
    def work(transaction: SqlTransaction) -> list[str]:
        saving("a", "1")(transaction)
        return by_identifier(transaction, "1")

    assert await store.run(work) == ["a"]


async def test_what_was_undone_is_not_found_nor_what_a_later_version_no_longer_says(store: SqlStore) -> None:
    found = await in_one_group(
        store,
        saving("kept", "1"),
        then_failing(saving("undone", "2")),
        finding("2"),
        then_failing(saving("kept", "3")),
        finding("1"),
        saving("kept", "4"),
        finding("1"),
        finding("4"),
        removing("kept"),
        finding("4"),
    )
    assert [found[at] for at in (2, 4, 6, 7, 9)] == [[], ["kept"], [], ["kept"], []]
    assert await disagreements(store) == []


async def test_what_was_written_early_and_undone_is_written_at_the_end_where_it_was_others(store: SqlStore) -> None:
    """The question in the middle writes the rows of those before it, inside a savepoint that is then undone."""

    def asks_and_fails(transaction: SqlTransaction) -> None:
        transaction.pointed_at("Procedure/none")
        raise Conflict("undone")

    await in_one_group(store, saving("a", "1"), asks_and_fails, saving("b", "2"))
    assert await store.run(lambda each: [by_identifier(each, "1"), by_identifier(each, "2")]) == [["a"], ["b"]]
    assert await disagreements(store) == []


async def test_a_rehearsal_and_a_failed_attempt_leave_no_row(store: SqlStore) -> None:
    def work(transaction: SqlTransaction) -> None:
        saving("a", "1")(transaction)
        transaction.rehearse(lambda: saving("b", "2")(transaction))
        error = transaction.attempt(lambda: then_failing(saving("c", "3"))(transaction))
        assert isinstance(error, Conflict)

    await store.run(work)
    assert await disagreements(store) == []
    assert await store.run(lambda each: [by_identifier(each, number) for number in "123"]) == [["a"], [], []]


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_a_group_does_the_index_says_what_the_records_say(store: SqlStore, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - guards nothing

    def some(_: int) -> Work:
        id, identifier = chance.choice("abcd"), chance.choice("1234")
        works: list[Work] = [saving(id, identifier, chance.choice(["", *"abcd"])), saving(id, identifier)]
        works += [finding(identifier), then_failing(finding(identifier)), then_failing(saving(id, identifier))]

        def remove(transaction: SqlTransaction) -> None:
            if transaction.read("Procedure", id) is not None:
                removing(id)(transaction)

        return chance.choice([*works, remove, then_failing(remove)])

    for _ in range(4):
        await in_one_group(store, *map(some, range(25)))
        assert await disagreements(store) == []


async def test_rows_of_the_log_share_the_group_and_are_durable_when_they_are_told(store: SqlStore) -> None:
    await store.log(access("Procedure/a", patient="p-1"), access("Procedure/b", patient="p-2"))
    found = store._reader.execute("SELECT patient, resource FROM access_log ORDER BY number").fetchall()
    assert found == [("p-1", "Procedure/a"), ("p-2", "Procedure/b")]


async def test_work_that_was_undone_leaves_no_row_in_the_log(store: SqlStore) -> None:
    logging: Work = lambda transaction: transaction.log_access(access("Procedure/undone"))  # noqa: E731
    await in_one_group(store, then_failing(logging), lambda each: each.log_access(access("Procedure/kept")))
    assert store._reader.execute("SELECT resource FROM access_log").fetchall() == [("Procedure/kept",)]


async def test_a_log_that_takes_no_rows_stops_what_is_to_be_shown_and_nothing_else(store: SqlStore) -> None:
    trigger = "CREATE TRIGGER full BEFORE INSERT ON access_log BEGIN SELECT RAISE(ABORT, 'no room'); END"
    store._writer._connection.execute(trigger)
    with held(store):
        asked = [store.log(access("Procedure/a")), store.run(saving("b", "1")), store.log(access("Procedure/c"))]
        waiting = [asyncio.ensure_future(each) for each in asked]
        await asyncio.sleep(0)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(each) for each in results] == [Unavailable, str, Unavailable]
    assert await store.run(finding("1")) == ["b"]
