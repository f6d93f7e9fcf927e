"""The outbox: order per key, one claim of a key at a time, and claims that end (architecture.md D5, D19;
delivery_consent_security.md § 1.3)."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.dialects.sqlite import dialect

from contracts.outbox import BLOCKING, DUE, Claim, DeliveryState, Erased, Queued
from service.store import sql_outbox
from service.store.database import Connection, create_schema
from service.store.indexing import SearchIndex
from service.store.postgres import PostgresDatabase
from service.store.sqlite import SqliteDatabase
from service.store.transaction import RowIds, SqlTransaction
from tests.postgres import TEMPLATE, Cluster
from tests.unit.service.store.samples import NOW, message, party_message

LEASE = timedelta(seconds=90)
WAITING, RETRYING, CLAIMED = DeliveryState.WAITING, DeliveryState.RETRYING, DeliveryState.CLAIMED
PARKED, DELIVERED, CANCELLED = DeliveryState.PARKED, DeliveryState.DELIVERED, DeliveryState.CANCELLED
WITHHELD, ELSEWHERE = DeliveryState.WITHHELD, DeliveryState.NEEDS_OTHER_CHANNEL


def opened() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    create_schema(connection, SqliteDatabase.url, dialect())
    return connection


@pytest.fixture(params=["sqlite", "postgres"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Connection]]:
    """Opens an empty outbox; what was done with one is never seen by the next."""
    if request.param == "sqlite":
        yield opened
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    database = PostgresDatabase(cluster.database(TEMPLATE))

    def in_a_transaction() -> Connection:
        connection = database.connect()
        connection.execute("BEGIN")  # ends undone when the connection is closed
        return connection

    yield in_a_transaction


def at(connection: Connection, now: datetime = NOW) -> SqlTransaction:
    return SqlTransaction(connection, SearchIndex({}, lambda _, __: {}), now, RowIds(1, 1))


@pytest.fixture
def connection(open_one: Callable[[], Connection]) -> Iterator[Connection]:
    with closing(open_one()) as connection:
        yield connection


@pytest.fixture
def outbox(connection: Connection) -> SqlTransaction:
    return at(connection)


def ids(found: Sequence[Queued]) -> list[str]:
    return [queued.message.id for queued in found]


def state_of(outbox: SqlTransaction, id: str) -> DeliveryState:
    queued = outbox.message(id)
    assert queued is not None
    return queued.state


def orphans(outbox: SqlTransaction, real_now: datetime) -> list[str]:
    return [lost.id for lost in outbox.orphans(real_now)]


def claim(outbox: SqlTransaction, id: str) -> Claim:
    queued = outbox.message(id)
    assert queued is not None
    return outbox.claim([queued.message], outbox.at + LEASE)[0]


def test_a_promise_comes_back_as_it_was(outbox: SqlTransaction) -> None:
    outbox.promise(message("a"), WAITING, "a reason")
    assert outbox.queued("p-1") == [Queued(message("a"), WAITING, 0, NOW, "a reason")]
    assert outbox.due("platform", 5) == outbox.queued("p-1")


@pytest.mark.parametrize("state", set(DeliveryState) - {DELIVERED, CANCELLED})
def test_what_has_no_end_is_queued(outbox: SqlTransaction, state: DeliveryState) -> None:
    outbox.promise(message("a"), state)
    assert ids(outbox.queued("p-1")) == ["a"]
    assert ids(outbox.due("platform", 5)) == (["a"] if state in DUE else [])


@pytest.mark.parametrize("state", DeliveryState)
def test_what_holds_back_later_ones_of_its_key(outbox: SqlTransaction, state: DeliveryState) -> None:
    outbox.promise(message("a"), WAITING)
    outbox.promise(message("b"), WAITING)
    outbox.promise(message("other key", patient="p-2"), WAITING)
    outbox.promise(message("elsewhere", destination="ehr"), WAITING)
    outbox.move("a", state, next_try=NOW + timedelta(days=1))
    free = [] if state in BLOCKING else ["b"]
    assert ids(outbox.due("platform", 5)) == [*free, "other key"]
    assert ids(outbox.due("ehr", 5)) == ["elsewhere"]


@pytest.mark.parametrize("state", [PARKED, WITHHELD, CANCELLED, ELSEWHERE])
def test_one_that_comes_back_waits_until_its_key_is_free(outbox: SqlTransaction, state: DeliveryState) -> None:
    """An earlier one that is released while a later one is being sent: the two may not travel at once."""
    outbox.promise(message("early"), WAITING)
    outbox.move("early", state if state is not PARKED else WITHHELD)
    outbox.promise(message("late"), WAITING)
    sent = claim(outbox, "late")
    outbox.move("early", WAITING)
    assert outbox.due("platform", 5) == []
    assert outbox.holds(sent)
    outbox.move("late", DELIVERED)
    assert ids(outbox.due("platform", 5)) == ["early"]


def test_the_database_itself_refuses_a_second_claim_of_a_key(outbox: SqlTransaction) -> None:
    outbox.promise(message("a"), WAITING)
    outbox.promise(message("b"), WAITING)
    claim(outbox, "a")
    with pytest.raises(outbox.connection.Error, match="key"):
        claim(outbox, "b")


def test_what_was_due_first_goes_first(connection: Connection) -> None:
    outbox = at(connection)
    for number, minutes in enumerate([30, 10, 20, 10]):
        outbox.promise(message(f"m-{number}", patient=f"p-{number}"), WAITING)
        outbox.move(f"m-{number}", RETRYING, next_try=NOW + timedelta(minutes=minutes))
    assert outbox.due("platform", 5) == []
    later = at(connection, NOW + timedelta(minutes=20))
    assert ids(later.due("platform", 5)) == ["m-1", "m-3", "m-2"]
    assert ids(later.due("platform", 2)) == ["m-1", "m-3"]


def test_each_claim_has_a_newer_fence(outbox: SqlTransaction) -> None:
    outbox.promise(message("a"), WAITING)
    first = claim(outbox, "a")
    outbox.move("a", RETRYING)
    second = claim(outbox, "a")
    assert [(each.attempt, each.fence) for each in (first, second)] == [(1, 1), (2, 2)]
    assert (outbox.holds(first), outbox.holds(second)) == (False, True)
    outbox.move("a", DELIVERED)
    assert not outbox.holds(second)


def test_a_claim_ends_with_its_lease(outbox: SqlTransaction) -> None:
    outbox.promise(message("a"), WAITING)
    claim(outbox, "a")
    assert orphans(outbox, NOW + LEASE - timedelta(microseconds=1)) == []
    assert orphans(outbox, NOW + LEASE) == ["a"]
    outbox.move("a", RETRYING)
    assert outbox.orphans(datetime.max.replace(tzinfo=NOW.tzinfo)) == []


def test_a_held_route_sends_nothing_until_it_is_released(outbox: SqlTransaction) -> None:
    outbox.promise(message("a"), WAITING)
    outbox.promise(message("b", destination="ehr"), WAITING)
    outbox.hold("platform", "the certificate has ended")
    assert outbox.held("platform") == "the certificate has ended"
    assert (outbox.due("platform", 5), ids(outbox.due("ehr", 5))) == ([], ["b"])
    outbox.release("platform")
    assert (outbox.held("platform"), ids(outbox.due("platform", 5))) == ("", ["a"])


def test_a_message_is_fixed_anew(outbox: SqlTransaction) -> None:
    outbox.promise(message("a"), ELSEWHERE)
    news = message("a", about="Procedure/a")
    outbox.fix(news, WAITING, "it is known now")
    assert outbox.due("platform", 5) == [Queued(news, WAITING, 0, NOW, "it is known now")]


def test_what_was_promised_is_remembered_unless_cancelled(outbox: SqlTransaction) -> None:
    assert not outbox.was_promised("Procedure/a")
    outbox.promise(message("a"), DELIVERED)
    assert outbox.was_promised("Procedure/a")
    outbox.move("a", CANCELLED)
    assert not outbox.was_promised("Procedure/a")


def test_a_later_version_that_was_tried_overtakes_an_earlier_one(outbox: SqlTransaction) -> None:
    for id, destination, about in (
        ("v1", "platform", "Procedure/a"),
        ("elsewhere", "ehr", "Procedure/a"),
        ("other", "platform", "Procedure/b"),
        ("v2", "platform", "Procedure/a"),
    ):
        outbox.promise(message(id, destination=destination, about=about), WITHHELD)
    outbox.move("v2", WAITING)
    assert not outbox.is_overtaken("v1"), "it is the older one that would go first"
    claim(outbox, "v2")
    assert [id for id in ("v1", "elsewhere", "other", "v2") if outbox.is_overtaken(id)] == ["v1"]


# What cannot be read back


SPOILT = {
    "payload = '{'": "a payload that was cut off",
    "payload = NULL": "a payload that was erased",
    "payload = '{}'": "a payload of another shape",
    "kind = 'pigeon'": "a kind of a newer version",
    "question = '[]'": "a question of another shape",
}


@pytest.mark.parametrize("spoilt", SPOILT, ids=SPOILT.values())
def test_one_that_cannot_be_read_is_parked_and_the_others_go_on(
    outbox: SqlTransaction, spoilt: str, caplog: pytest.LogCaptureFixture
) -> None:
    for id, patient in (("bad", "p-1"), ("behind it", "p-1"), ("good", "p-2")):
        outbox.promise(message(id, patient), WAITING)
    outbox.connection.execute(f"UPDATE outbox SET {spoilt} WHERE id = 'bad'")  # noqa: S608 - our own table
    assert ids(outbox.due("platform", 5)) == ["good"]
    assert outbox.standing("bad") == ("SE2321000016-1001", PARKED)
    assert ids(outbox.due("platform", 5)) == ["good"]
    assert [record.__dict__["event"] for record in caplog.records] == ["outbox.unreadable"]
    outbox.move("bad", CANCELLED)
    assert ids(outbox.due("platform", 5)) == ["behind it", "good"]


def test_one_that_cannot_be_read_hides_none_of_the_patients_others(outbox: SqlTransaction) -> None:
    """A withdrawal asks about each of the patient's messages: it must always be possible to record one."""
    outbox.promise(message("bad"), WAITING)
    outbox.promise(message("good"), WAITING)
    outbox.connection.execute("UPDATE outbox SET payload = '{' WHERE id = 'bad'")
    assert ids(outbox.queued("p-1")) == ["good"]
    assert outbox.standing("bad") == ("SE2321000016-1001", PARKED)


def test_nobody_stands_where_there_is_no_message(outbox: SqlTransaction) -> None:
    assert (outbox.standing("a"), outbox.message("a")) == (None, None)


# Whatever happens, in whatever order


@dataclass
class Known:
    """A message as the model knows it."""

    number: int
    key: tuple[str, str]
    state: DeliveryState
    next_try: datetime | None
    fence: int = 0
    lease_until: datetime | None = None


class Outbox(RuleBasedStateMachine):
    """The outbox against a model of a few lines, under promises, claims, outcomes, lost workers and operators."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self.connection = connection
        self.now = NOW
        self.known: dict[str, Known] = {}
        self.claims: list[Claim] = []
        self.held: set[str] = set()

    def teardown(self) -> None:
        self.connection.close()

    @property
    def outbox(self) -> SqlTransaction:
        return at(self.connection, self.now)

    @initialize(keys=st.lists(st.sampled_from(["p-1", "p-2"]), min_size=2, max_size=5))
    def start(self, keys: list[str]) -> None:
        for patient in keys:
            self.promise(patient, "platform", WAITING)

    @rule(
        patient=st.sampled_from(["p-1", "p-2", "p-3"]),
        destination=st.sampled_from(["platform", "ehr"]),
        state=st.sampled_from([WAITING, WAITING, WAITING, ELSEWHERE, WITHHELD]),
    )
    def promise(self, patient: str, destination: str, state: DeliveryState) -> None:
        id = f"m-{len(self.known)}"
        self.outbox.promise(message(id, patient, destination), state)
        due = self.now if state is WAITING else None
        self.known[id] = Known(len(self.known), (destination, patient), state, due)

    @rule(destination=st.sampled_from(["platform", "ehr"]), slots=st.integers(1, 3))
    def claim_what_is_due(self, destination: str, slots: int) -> None:
        found = self.outbox.due(destination, slots)
        assert ids(found) == self._due(destination)[:slots]
        for queued in found:
            known = self.known[queued.message.id]
            known.state, known.fence, known.lease_until = CLAIMED, known.fence + 1, self.now + LEASE
            (made,) = self.outbox.claim([queued.message], self.now + LEASE)
            assert (made.fence, made.message) == (known.fence, queued.message)
            self.claims.append(made)

    def _due(self, destination: str) -> list[str]:
        """The head of each key that is free, earliest due first."""
        heads = [
            (known.next_try, known.number, id)
            for id, known in self.known.items()
            if known.key[0] == destination
            and known.state in DUE
            and known.next_try is not None
            and known.next_try <= self.now
            and not any(
                other.key == known.key
                and (other.state is CLAIMED or (other.number < known.number and other.state in BLOCKING))
                for other in self.known.values()
            )
        ]
        return [] if destination in self.held else [id for _, _, id in sorted(heads)]

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), state=st.sampled_from([DELIVERED, DELIVERED, RETRYING, PARKED]), minutes=st.integers(0, 3))
    def settle(self, data: Any, state: DeliveryState, minutes: int) -> None:
        """Any worker that ever claimed may come back with an outcome: only the newest holder may write it."""
        made = data.draw(st.sampled_from(self.claims))
        known = self.known[made.message.id]
        assert self.outbox.holds(made) == (known.state is CLAIMED and known.fence == made.fence)
        if self.outbox.holds(made):
            next_try = self.now + timedelta(minutes=minutes) if state is RETRYING else None
            self._move(made.message.id, state, next_try)

    @precondition(lambda self: self.known)
    @rule(data=st.data(), state=st.sampled_from([WAITING, WITHHELD, CANCELLED]))
    def operate(self, data: Any, state: DeliveryState) -> None:
        """An operator, a withdrawal or a certificate moves what is not being sent."""
        movable = [id for id, known in self.known.items() if known.state not in (CLAIMED, DELIVERED)]
        if movable:
            self._move(data.draw(st.sampled_from(movable)), state, self.now if state is WAITING else None)

    def _move(self, id: str, state: DeliveryState, next_try: datetime | None) -> None:
        self.outbox.move(id, state, next_try=next_try)
        self._know(id, state, next_try)

    def _know(self, id: str, state: DeliveryState, next_try: datetime | None) -> None:
        self.known[id].state, self.known[id].next_try, self.known[id].lease_until = state, next_try, None

    @rule(seconds=st.sampled_from([1, 60, 91, 180]))
    def let_time_pass(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def look_for_lost_workers(self) -> None:
        lost = self.outbox.orphans(self.now)
        leases = ((id, known.lease_until) for id, known in self.known.items() if known.state is CLAIMED)
        assert {each.id for each in lost} == {id for id, until in leases if until is not None and until <= self.now}
        for each in lost:
            self.outbox.lose(each, RETRYING, "lost", self.now)
            self._know(each.id, RETRYING, self.now)

    @rule(destination=st.sampled_from(["platform", "ehr"]), release=st.booleans())
    def hold_or_release(self, destination: str, release: bool) -> None:
        if release:
            self.outbox.release(destination)
            self.held.discard(destination)
        else:
            self.outbox.hold(destination, "a test")
            self.held.add(destination)

    @invariant()
    def no_key_is_claimed_twice(self) -> None:
        claimed = [known.key for known in self.known.values() if known.state is CLAIMED]
        assert len(claimed) == len(set(claimed))

    @invariant()
    def the_first_of_each_key_that_is_not_over_is_its_head(self) -> None:
        first: dict[tuple[str, str], str] = {}
        for id, known in self.known.items():
            if known.state in BLOCKING:
                first.setdefault(known.key, id)
        heads = {id for (id,) in self.connection.execute("SELECT id FROM outbox WHERE head = 1")}
        assert heads == set(first.values())

    @invariant()
    def states_are_as_the_model_says(self) -> None:
        rows = self.connection.execute("SELECT id, state, fence FROM outbox").fetchall()
        assert {id: (state, fence) for id, state, fence in rows} == {
            id: (known.state.value, known.fence) for id, known in self.known.items()
        }


def test_it_does_as_the_model_whatever_happens(open_one: Callable[[], Connection]) -> None:
    often = settings(max_examples=40, stateful_step_count=30, deadline=None)
    made: Any = lambda: Outbox(open_one())  # noqa: E731 - the type is wider than hypothesis says
    run_state_machine_as_test(made, settings=often)


# What a message says is not kept for ever


def is_erased(outbox: SqlTransaction, id: str) -> bool:
    queued = outbox.message(id)
    return queued is not None and isinstance(queued.message.payload, Erased)


def test_content_is_erased_of_what_has_not_been_told_for_long_enough(connection: Connection) -> None:
    early, late = at(connection), at(connection, NOW + timedelta(days=29))
    for state in DeliveryState:
        early.promise(message(state.value, patient=state.value), state, "because")
    late.promise(message("later"), WITHHELD)
    assert early.erase_untold(NOW - timedelta(seconds=1), 9) == 0
    assert late.erase_untold(NOW, 9) == 2
    assert late.erase_untold(NOW, 9) == 0
    erased = {id for (id,) in connection.execute("SELECT id FROM outbox").fetchall() if is_erased(late, id)}
    assert erased == {"withheld", "cancelled"}
    row = connection.execute("SELECT state, reason, question IS NULL FROM outbox WHERE id = 'withheld'").fetchone()
    assert row == ("withheld", "because", 0)


def test_so_much_is_erased_at_a_time_and_no_more(connection: Connection) -> None:
    for number in range(7):
        at(connection).promise(message(f"{number}"), WITHHELD if number < 4 else CANCELLED)
    later = at(connection, NOW + timedelta(days=1))
    assert [later.erase_untold(NOW, 3) for _ in range(4)] == [3, 3, 1, 0]


def test_being_withheld_again_begins_the_time_anew(connection: Connection) -> None:
    at(connection).promise(message("a"), WITHHELD)
    at(connection, NOW + timedelta(days=20)).move("a", WITHHELD, "and still not")
    assert at(connection).erase_untold(NOW + timedelta(days=10), 9) == 0


@pytest.mark.parametrize(
    ("statement", "index"),
    [(sql_outbox.ERASE_WITHHELD, "outbox_withheld"), (sql_outbox.ERASE_CANCELLED, "outbox_ended")],
)
def test_what_is_to_be_erased_is_found_without_reading_the_rest(statement: str, index: str) -> None:
    plan = opened().execute(f"EXPLAIN QUERY PLAN {statement}", {"before": 0, "most": 9}).fetchall()
    assert any(index in str(step) for step in plan), plan


@pytest.mark.parametrize("state", [DELIVERED, CANCELLED])
def test_of_what_another_party_was_told_the_words_alone_are_forgotten(
    connection: Connection, state: DeliveryState
) -> None:
    """The AuditEvents of disclosures are made of the rest."""
    outbox = at(connection)
    for each in (party_message("a"), message("b"), party_message("c")):
        outbox.promise(each, state, "because")
        outbox.note_deed(each.id, "told", "by telephone")
    assert outbox.prune(state, NOW, NOW, 9) is None, "their time is not out"
    later = NOW + timedelta(days=1)
    assert outbox.prune(state, NOW, later, 2) == NOW
    assert outbox.prune(state, NOW, later, 2) is None
    rows = connection.execute("SELECT id, state, reason, payload FROM outbox ORDER BY id").fetchall()
    assert rows == [(id, state.value, "because", None) for id in ("a", "c")]
    assert [is_erased(outbox, id) for id in ("a", "c")] == [True, True]
    assert sorted(connection.execute("SELECT message FROM attempt").fetchall()) == [("a",), ("c",)]


def test_one_that_was_erased_is_no_fault(outbox: SqlTransaction, caplog: pytest.LogCaptureFixture) -> None:
    outbox.promise(party_message("a"), WITHHELD)
    outbox.erase_untold(NOW, 9)
    erased = replace(party_message("a"), payload=Erased())
    assert outbox.message("a") == Queued(erased, WITHHELD, 0, None, "")
    assert caplog.records == []
