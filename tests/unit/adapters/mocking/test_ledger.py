"""Memory is bounded, and what is dropped is told."""

from datetime import UTC, datetime

import httpx
from hypothesis import given
from hypothesis import strategies as st

from adapters.mocking import Entry, Ledger
from adapters.mocking.ledger import KEPT_OF_ANSWER, KEPT_OF_REQUEST, Budget, Remembered, masked
from adapters.mocking.world import World

NOW = datetime(2026, 5, 4, tzinfo=UTC)


def entry(id: str, size: int = 0) -> Entry:
    return Entry(NOW, id, accepted=True, raw=b"x" * size, answer_headers={"content-length": "0"})


def test_a_ring_keeps_the_newest_and_tells_what_it_dropped() -> None:
    ledger = Ledger(size=3)
    for number in range(10):
        ledger.write(entry(str(number)))
    assert [each.id for each in ledger.entries] == ["7", "8", "9"]
    assert (ledger.received, ledger.dropped) == (10, 7)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3000)), max_size=200))
def test_all_ledgers_together_never_weigh_more_than_the_budget(written: list[tuple[int, int]]) -> None:
    budget = Budget(limit=20_000)
    ledgers = [Ledger(100, budget) for _ in range(3)]
    for which, size in written:
        ledgers[which].write(entry("a", size))
        assert sum(ledger.weight for ledger in ledgers) == budget.used <= 20_000
    assert all(ledger.received == ledger.dropped + len(ledger.entries) for ledger in ledgers)


def test_the_largest_ledger_pays() -> None:
    budget = Budget(limit=20_000)
    small, large = Ledger(100, budget), Ledger(100, budget)
    small.write(entry("kept", 100))
    for _ in range(50):
        large.write(entry("a", 1000))
    assert [each.id for each in small.entries] == ["kept"]
    assert large.dropped > 0


def test_a_cleared_ledger_weighs_nothing() -> None:
    budget = Budget()
    ledger = Ledger(10, budget)
    ledger.write(entry("a", 500))
    ledger.clear()
    assert (ledger.entries, ledger.received, ledger.weight, budget.used) == ([], 0, 0, 0)


def test_what_is_remembered_is_bounded() -> None:
    known: Remembered[int, bool] = Remembered(3)
    for number in range(10):
        known[number] = True
    assert list(known) == [7, 8, 9]


def test_secrets_in_headers_are_masked() -> None:
    told = masked([("Authorization", "Bearer abc"), ("X-Api-Key", "k"), ("Cookie", "c"), ("SOAPAction", "a")])
    assert told == {"authorization": "***", "x-api-key": "***", "cookie": "***", "soapaction": "a"}


async def test_everything_of_an_exchange_is_kept(client: httpx.AsyncClient, world: World) -> None:
    await client.post("/echo/in", content=b"\xe5<a/>", headers={"Id": "1", "Authorization": "Bearer secret"})
    (found,) = (await client.get("/_control/ledger/echo")).json()
    assert found["requestBase64"] == "5TxhLz4="
    assert (found["method"], found["path"], found["status"], found["answer"]) == ("POST", "/echo/in", 200, "<ok/>")
    assert found["headers"]["authorization"] == "***"
    assert (found["number"], found["id"], found["accepted"], found["summary"]) == (1, "1", True, {"length": 5})
    assert (await client.get("/_control/ledger/echo/1")).json() == found
    assert (await client.get("/_control/ledger/echo/2")).status_code == 404
    assert (await client.get("/_control/ledger/echo/x")).status_code == 404


async def test_a_large_body_is_cut_and_its_length_told(client: httpx.AsyncClient, world: World) -> None:
    await client.post("/echo/in", content=b"x" * (KEPT_OF_REQUEST + 1))
    (found,) = world.counterpart("echo").room().ledger.entries
    assert (len(found.raw), found.size) == (KEPT_OF_REQUEST, KEPT_OF_REQUEST + 1)
    assert len(found.answer) <= KEPT_OF_ANSWER


async def test_memory_stays_bounded_however_long_it_runs(client: httpx.AsyncClient, world: World) -> None:
    for number in range(60):
        await client.post("/echo/in", content=str(number).encode())
    assert (await client.get("/_control/ledger")).json()["echo"] == {"received": 60, "dropped": 40, "accepted": [""]}
    assert len(world.counterpart("echo").room().remembered("known")) == 20


async def test_namespaces_are_bounded_and_everybodys_stays(client: httpx.AsyncClient, world: World) -> None:
    world.around.namespaces = 3
    echo = world.counterpart("echo")
    await client.post("/echo/in")
    for name in "abcde":
        await client.post(f"/_ns/{name}/echo/in")
    assert sorted(echo.namespaces) == ["", "c", "d", "e"]
    assert echo.forgotten == 2
    assert len(echo.room().ledger.entries) == 1


async def test_a_person_who_may_be_real_is_turned_away_and_not_kept(client: httpx.AsyncClient, world: World) -> None:
    real = "19121212" + "1212"  # put together here: no committed text may hold one
    answer = await client.post("/echo/in", content=f"<id>{real}</id>".encode())
    (found,) = world.counterpart("echo").room().ledger.entries
    assert answer.status_code == 403
    assert (await client.post(f"/echo/in?person={real}")).status_code == 403
    assert (found.accepted, found.rule, found.raw) == (False, "REAL_PERSON", b"")
    assert real not in answer.text
