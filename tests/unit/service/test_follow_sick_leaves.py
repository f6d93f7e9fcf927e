"""Pulls that meet each other, the end of the day and a store that fails, on a real store with a source in memory."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from contracts.errors import Conflict, Unavailable
from contracts.identity import PersonId, control_digit
from contracts.pulling import Pull, PullState
from contracts.sick_leave import Certificate, CertificatePeriod, Judged
from fhir_mappings import sick_leave
from service.clock import Uuid7
from service.rules.region import RegionalProfile
from service.store.store import SqlStore
from service.usecases.context import Context
from service.usecases.follow_sick_leaves import abandon, follow_sick_leaves, take_up
from tests.unit.service.store.samples import CALLER, NOW, UNIT, StillClock, open_new

pytestmark = pytest.mark.anyio

TODAY: Final = date(2026, 5, 4)
CONTEXT: Final = Context(RegionalProfile("pulls", frozenset()), Uuid7(), frozenset())


class Source:
    """Answers with its certificates; ``meanwhile`` happens while the answer comes."""

    def __init__(self, *certificates: Certificate, meanwhile: Callable[[], object] = lambda: None) -> None:
        self._certificates, self._meanwhile = certificates, meanwhile

    async def active_for_unit(self, *_: Any) -> AsyncIterator[Judged]:
        self._meanwhile()
        yield list(self._certificates)


def certificate(id: str, end: date = TODAY + timedelta(days=9)) -> Certificate:
    """Each of a patient of its own."""
    born = f"700101{980 + (id == 'c-2')}"
    patient = PersonId(f"19{born}{control_digit(born)}")
    period = CertificatePeriod(TODAY - timedelta(days=30), end, 50)
    return Certificate(id, patient, UNIT, (period,), datetime(2026, 4, 4, 9, tzinfo=UTC))


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def store(tmp_path: Path, clock: StillClock) -> Iterator[SqlStore]:
    store = open_new(tmp_path / "reko.db", clock)
    yield store
    store.close()


async def pull(store: SqlStore, *certificates: Certificate, **more: Any) -> Pull:
    return await follow_sick_leaves(store, Source(*certificates, **more), CONTEXT, CALLER)  # type: ignore[arg-type]


async def newest(store: SqlStore, number: int) -> Pull:
    return await store.run(lambda transaction: transaction.pulls.read(number))


async def kept(store: SqlStore) -> list[str]:
    def read(transaction: Any) -> list[str]:
        patients = transaction.patients_of_unit(UNIT.value, "", 9)
        return sorted(id for each in patients for id in transaction.known_certificates(UNIT.value, each))

    return await store.run(read)


async def sealed(store: SqlStore, *certificates: Certificate) -> Pull:
    """As a process leaves it that dies before the first slice."""
    begun = await store.run(lambda transaction: transaction.pulls.begin(CALLER, 0))
    await store.run(lambda transaction: transaction.pulls.stage(begun.number, certificates))
    return await store.run(lambda transaction: transaction.pulls.seal(begun.number))


async def test_a_pull_that_another_has_ended_is_not_taken_for_an_empty_answer(store: SqlStore) -> None:
    """At the start many are taken up one by one; by the turn of the last, the unit may have been pulled by hand."""
    left = await sealed(store, certificate("c-1"), certificate("c-2"))
    assert (await pull(store, certificate("c-1"), certificate("c-2"))).state is PullState.DONE
    ended = await newest(store, left.number)
    await take_up(store, CONTEXT, left)
    assert await newest(store, left.number) == ended
    assert await kept(store) == ["c-1", "c-2"]


async def test_an_answer_that_has_come_whole_is_not_abandoned(store: SqlStore) -> None:
    left = await sealed(store, certificate("c-1"))
    await abandon(store, left, "told to stop")
    assert await newest(store, left.number) == left
    await take_up(store, CONTEXT, left)
    assert await kept(store) == ["c-1"]


async def test_an_answer_over_midnight_is_no_answer(store: SqlStore, clock: StillClock) -> None:
    """The source may have answered for the new day, on which what ended on the old one is left out."""
    clock.at = NOW.replace(hour=21, minute=59)  # 23:59 in Sweden
    await pull(store, certificate("c-1", TODAY), certificate("c-2"))
    with pytest.raises(Conflict, match="midnight"):
        await pull(store, certificate("c-2"), meanwhile=lambda: clock.advance(minutes=2))
    assert await kept(store) == ["c-1", "c-2"]
    assert (await pull(store, certificate("c-2"))).counts.vanished == 0


async def test_a_whole_answer_that_cannot_be_sealed_is_given_up_at_once(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Pull:
        raise Unavailable("the database cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr("service.store.pulls.SqlPulls.seal", fails)
        with pytest.raises(Unavailable, match="cannot be written"):
            await pull(store, certificate("c-1"))
    assert (await pull(store, certificate("c-1"))).state is PullState.DONE, "nothing is in its way"


def patients(number: int) -> list[Certificate]:
    """A certificate of each."""
    people = [f"19{60 + each}0101980" for each in range(number)]
    return [
        replace(certificate(f"c-{each}"), id=f"c-{each}", patient=PersonId(f"{each}{control_digit(each[2:])}"))
        for each in people
    ]


async def test_a_patient_on_whom_the_service_fails_stops_nobody_else(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = patients(3)
    real = sick_leave.document_reference

    def failing(one: Certificate, *rest: Any) -> bytes:
        if one.id == everybody[1].id:
            raise KeyError(one.patient.digits)
        return real(one, *rest)

    monkeypatch.setattr(sick_leave, "document_reference", failing)
    done = await pull(store, *everybody)
    assert (done.state, done.counts.applied, done.counts.changed, done.counts.set_aside) == (PullState.DONE, 3, 2, 1)
    (aside,) = await store.run(lambda transaction: transaction.pulls.set_aside(done.number))
    assert (aside.certificate, aside.reason) == (everybody[1].id, "the service failed on it (KeyError)")
    kept = await store.run(lambda transaction: transaction.certificates_of_unit(UNIT.value, TODAY))
    assert {each.certificate.id for _, each in kept} == {everybody[0].id, everybody[2].id}
    monkeypatch.undo()
    assert (await pull(store, *everybody)).counts.changed == 1, "mended, it is there with the next pull"


@pytest.mark.parametrize(("number", "refused"), [(4, False), (5, True)])
async def test_an_empty_answer_that_would_take_back_everything_needs_a_persons_word(
    store: SqlStore, number: int, refused: bool
) -> None:
    await pull(store, *patients(number))
    if refused:
        with pytest.raises(Conflict, match="accept_empty"):
            await pull(store)
        kept = await store.run(lambda transaction: transaction.certificates_of_unit(UNIT.value, TODAY))
        assert len(kept) == number
        source: Any = Source()
        done = await follow_sick_leaves(store, source, CONTEXT, CALLER, accept_empty=True)
    else:
        done = await pull(store)
    assert done.counts.vanished == number
