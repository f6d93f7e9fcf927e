"""The search index follows what is stored, and its parameters what the program says."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.record import Document, Record
from service.fhir_api.search import index, parameters
from service.store.indexing import IndexRows
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from tests.unit.service.store.samples import UNIT, disagreements, document, open_store, person, procedure

pytestmark = pytest.mark.anyio

ALL = parameters.definitions()
CODE = ("Procedure", "code")
WITHOUT_CODE = {key: text for key, text in ALL.items() if key != CODE}


def rows_without_code(numbers: Mapping[tuple[str, str], int], content: Mapping[str, Any]) -> IndexRows:
    """A program that does not know the parameter."""
    rows = index.rows_of({CODE: -1, **numbers}, content)
    return {kind: [row for row in found if row[0] != -1] for kind, found in rows.items()}


async def save(store: SqlStore, *ids: str, code: str = "GC001") -> None:
    coded = procedure(code={"coding": [{"system": "urn:kva", "code": code}]})
    await store.run(lambda transaction: [transaction.save(coded, id, UNIT.value) for id in ids])


async def coded(store: SqlStore, code: str = "GC001") -> Sequence[Record]:
    return await store.run(lambda each: each.by_token("Procedure", "code", "urn:kva", code, UNIT.value))


async def test_a_new_parameter_finds_old_data_at_once(tmp_path: Path) -> None:
    store = open_store(tmp_path / "reko.db", definitions=WITHOUT_CODE, rows_of=rows_without_code)
    await save(store, "old", "older")
    store.close()
    store = open_store(tmp_path / "reko.db")
    assert [record.id for record in await coded(store)] == ["old", "older"]
    assert await disagreements(store) == []
    store.close()


async def test_a_parameter_that_was_away_knows_what_came_in_between(tmp_path: Path) -> None:
    """An update that is taken back and made again: the older program writes without the parameter's rows."""
    file = tmp_path / "reko.db"
    store = open_store(file)
    await save(store, "a", "b")
    store.close()
    older = open_store(file, definitions=WITHOUT_CODE, rows_of=rows_without_code)
    await save(older, "b", code="GC002")
    await save(older, "c")
    older.close()
    store = open_store(file)
    assert [record.id for record in await coded(store)] == ["a", "c"]
    assert [record.id for record in await coded(store, "GC002")] == ["b"]
    assert await disagreements(store) == []
    store.close()


async def test_a_number_that_is_given_again_means_nothing_old(tmp_path: Path) -> None:
    last = max(ALL, key=lambda key: list(ALL).index(key))
    fewer = {key: text for key, text in ALL.items() if key != last}
    others = {**fewer, ("Procedure", "another"): "token:status"}

    def rows_of(numbers: Mapping[tuple[str, str], int], content: Mapping[str, Any]) -> IndexRows:
        return index.rows_of({last: -1, **numbers}, content)

    file = tmp_path / "reko.db"
    store = open_store(file)
    number = store.numbers[last]
    episode = {"resourceType": last[0], "managingOrganization": {"reference": "Organization/o-1"}}
    await store.run(lambda each: each.save(document(episode), "e", UNIT.value))
    store.close()
    store = open_store(file, definitions=others, rows_of=rows_of)
    assert store.numbers["Procedure", "another"] == number
    assert not await store.run(lambda each: each.by_token("Procedure", "another", "", "", UNIT.value))
    rows = store._reader.execute("SELECT count(*) FROM reference_index WHERE parameter = ?", (number,)).fetchone()
    store.close()
    assert rows == (0,)


async def test_a_parameter_whose_meaning_changed_is_indexed_again(tmp_path: Path) -> None:
    def rows_of(numbers: Mapping[tuple[str, str], int], content: Mapping[str, Any]) -> IndexRows:
        changed = {**content, "code": {"coding": [{"system": "urn:kva", "code": "changed"}]}}
        return index.rows_of(numbers, changed)

    store = open_store(tmp_path / "reko.db")
    await save(store, "a")
    store.close()
    store = open_store(tmp_path / "reko.db", definitions={**ALL, CODE: "changed"}, rows_of=rows_of)
    assert [record.id for record in await coded(store, "changed")] == ["a"]
    assert not await coded(store)
    store.close()


async def test_nothing_is_indexed_again_without_need(tmp_path: Path) -> None:
    def rows_of(numbers: Mapping[tuple[str, str], int], content: Mapping[str, Any]) -> IndexRows:
        raise AssertionError("this would take hours in a large database")

    store = open_store(tmp_path / "reko.db")
    await save(store, "a")
    store.close()
    open_store(tmp_path / "reko.db", rows_of=rows_of).close()


async def test_indexing_that_fails_leaves_everything_as_it_was(tmp_path: Path) -> None:
    def rows_of(numbers: Mapping[tuple[str, str], int], content: Mapping[str, Any]) -> IndexRows:
        raise ValueError("this program cannot read what is stored")

    file = tmp_path / "reko.db"
    store = open_store(file)
    await save(store, "a")
    store.close()
    with pytest.raises(ValueError, match="cannot read"):
        open_store(file, definitions={**ALL, CODE: "changed"}, rows_of=rows_of)
    store = open_store(file)
    assert [record.id for record in await coded(store)] == ["a"]
    assert await disagreements(store) == []
    store.close()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    store = open_store(tmp_path_factory.mktemp("indexing") / "reko.db")
    yield store
    store.close()


_fresh = count()
_writes = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["Procedure", "Patient"]), st.integers(0, 3)), max_size=8
)


@settings(max_examples=25)
@given(_writes)
def test_the_index_agrees_with_the_bodies_whatever_was_written(
    store: SqlStore, writes: list[tuple[str, str, int]]
) -> None:
    """Several versions of a few resources, in one transaction or several, with elements that repeat or are gone."""
    example = next(_fresh)

    def write(transaction: SqlTransaction) -> None:
        for id, type, number in writes:
            transaction.save(_made(type, number), f"{example}-{id}", UNIT.value)

    async def check() -> list[str]:
        await store.run(write)
        return await disagreements(store)

    assert asyncio.run(check()) == []


def _made(type: str, number: int) -> Document:
    if type == "Procedure":
        return procedure(code={"coding": [{"code": "GC001"}, {"code": f"GC{number}"}] * number})
    return person(f"Ek{number}", active=bool(number % 2))
