"""One suite for the port ``Pulls``, over every engine of ``engines``."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

from contracts.errors import Conflict
from contracts.identity import HsaId, PersonId, control_digit
from contracts.ports import Pulls, Transaction
from contracts.pulling import Pull, PullCounts, PullState
from contracts.sick_leave import Certificate, CertificatePeriod, SetAside
from tests.contract.engines import Open, OpenStore
from tests.unit.service.store.samples import CALLER, NOW, UNIT, StillClock

pytestmark = pytest.mark.anyio

T = TypeVar("T")


def person(birth: str) -> PersonId:
    return PersonId(f"{birth}980{control_digit(f'{birth[2:]}980')}")


ALMA, BIRGER = person("19700101"), person("19600202")


def certificate(id: str, patient: PersonId = ALMA, **changes: Any) -> Certificate:
    period = CertificatePeriod(date(2026, 5, 1), date(2026, 5, 31), 50)
    return replace(Certificate(id, patient, UNIT, (period,), datetime(2026, 5, 1, 9, tzinfo=UTC)), **changes)


ASIDE: Final = SetAside("x-1", "a period ends before it starts")
OTHER_CALLER: Final = replace(CALLER, unit=HsaId("SE2321000016-1009"))


async def do(store: OpenStore, work: Callable[[Pulls], T]) -> T:
    return await store.run(lambda transaction: work(transaction.pulls))


async def begun(store: OpenStore, *records: Certificate | SetAside) -> Pull:
    pull = await do(store, lambda pulls: pulls.begin(CALLER, 14))
    await do(store, lambda pulls: pulls.stage(pull.number, records))
    return pull


async def sealed(store: OpenStore, *records: Certificate | SetAside) -> Pull:
    pull = await begun(store, *records)
    return await do(store, lambda pulls: pulls.seal(pull.number))


async def end(store: OpenStore, pull: Pull, state: PullState = PullState.DONE) -> None:
    over = replace(pull, state=state)
    await do(store, lambda pulls: pulls.save(over))


async def test_a_new_pull_reads(store: OpenStore) -> None:
    pull = await do(store, lambda pulls: pulls.begin(CALLER, 14))
    assert pull == Pull(pull.number, CALLER, 14, NOW, PullState.READING)
    assert await do(store, lambda pulls: pulls.read(pull.number)) == pull
    assert (pull.unit, pull.day) == (UNIT.value, date(2026, 5, 4))


@pytest.mark.parametrize("state", [PullState.READING, PullState.APPLYING, PullState.CLOSING])
async def test_a_unit_has_one_pull_at_a_time(store: OpenStore, state: PullState) -> None:
    pull = await begun(store)
    await end(store, pull, state)
    with pytest.raises(Conflict):
        await do(store, lambda pulls: pulls.begin(CALLER, 0))
    assert (await do(store, lambda pulls: pulls.begin(OTHER_CALLER, 0))).state is PullState.READING


async def test_one_that_has_lost_its_reader_fails_when_the_next_begins(store: OpenStore, clock: StillClock) -> None:
    lost = await begun(store, certificate("c-1"))
    clock.advance(hours=1)
    await do(store, lambda pulls: pulls.begin(CALLER, 0))
    assert (await do(store, lambda pulls: pulls.read(lost.number))).state is PullState.FAILED
    for late in (lambda pulls: pulls.stage(lost.number, [certificate("c-2")]), lambda pulls: pulls.seal(lost.number)):
        with pytest.raises(Conflict):
            await do(store, late)


@pytest.mark.parametrize("state", [PullState.DONE, PullState.FAILED])
async def test_the_next_one_begins_when_it_is_over(store: OpenStore, state: PullState) -> None:
    pull = await begun(store)
    await end(store, pull, state)
    assert (await do(store, lambda pulls: pulls.begin(CALLER, 0))).number > pull.number


async def test_a_whole_answer_is_counted(store: OpenStore) -> None:
    pull = await sealed(store, certificate("c-1"), certificate("c-2"), ASIDE, certificate("c-3", BIRGER))
    assert (pull.state, pull.cursor) == (PullState.APPLYING, "")
    assert pull.counts == PullCounts(certificates=3, patients=2, set_aside=1)
    assert await do(store, lambda pulls: pulls.set_aside(pull.number)) == [ASIDE]


async def test_of_certificates_with_one_id_the_first_counts(store: OpenStore) -> None:
    first, second = certificate("c-1"), certificate("c-1", BIRGER)
    pull = await sealed(store, first, second, certificate("c-2"), replace(second, diagnosis="F43.9"))
    assert pull.counts == PullCounts(certificates=2, patients=1, set_aside=2)
    reason = "a second certificate with the same id"
    assert await do(store, lambda pulls: pulls.set_aside(pull.number)) == [SetAside("c-1", reason)] * 2
    assert await do(store, lambda pulls: pulls.of_person(pull.number, ALMA.digits)) == [first, certificate("c-2")]


async def test_what_a_person_has_is_read_back_in_order(store: OpenStore) -> None:
    full = certificate(
        "c-2",
        unit=HsaId("SE2321000016-1002"),
        patient_name="Alma Provsson",
        diagnosis="F43.9",
        secondary_diagnoses=("M54.5",),
        occupations=("STUDIER",),
    )
    pull = await sealed(store, full, certificate("c-9", BIRGER), certificate("c-1"))
    found = await do(store, lambda pulls: pulls.of_person(pull.number, ALMA.digits))
    assert found == [full, certificate("c-1")]
    assert list(await do(store, lambda pulls: pulls.contents(pull.number, ALMA.digits))) == ["c-2", "c-1"]


OTHERS: Final[dict[str, Any]] = {
    "id": "another",
    "patient": BIRGER,
    "unit": HsaId("SE1111111111-E002"),
    "periods": (CertificatePeriod(date(2026, 5, 1), date(2026, 5, 31), 75),),
    "signed": datetime(2026, 5, 1, 9, 0, 1, tzinfo=UTC),
    "patient_name": "Alma Testberg",
    "unit_name": "Vårdcentralen 2",
    "provider": HsaId("SE1111111111-V002"),
    "doctor": "SE1111111111-D002",
    "doctor_name": "Beata",
    "diagnosis": "F43.9",
    "secondary_diagnoses": ("M545",),
    "occupations": ("STUDIER",),
}


async def test_every_field_has_a_part_in_the_content(store: OpenStore) -> None:
    assert OTHERS.keys() == set(Certificate.__dataclass_fields__)
    one = certificate("c-1")
    contents = [await content(store, each) for each in (one, one, *(replace(one, **{n: x}) for n, x in OTHERS.items()))]
    assert len(set(contents)) == len(OTHERS) + 1


async def content(store: OpenStore, each: Certificate) -> bytes:
    pull = await sealed(store, each)
    found = await do(store, lambda pulls: pulls.contents(pull.number, each.patient.digits))
    await end(store, pull)
    return found[each.id]


async def test_persons_come_in_pages(store: OpenStore) -> None:
    everybody = sorted(person(f"19{year}0101").digits for year in range(60, 75))
    pull = await sealed(store, *(certificate(f"c-{each}", PersonId(each)) for each in reversed(everybody)))

    async def page(after: str) -> Sequence[str]:
        return await do(store, lambda pulls: pulls.persons(pull.number, after, 6))

    assert await page("") == everybody[:6]
    assert await page(everybody[5]) == everybody[6:12]
    assert await page(everybody[11]) == everybody[12:]
    assert await page(everybody[-1]) == []


async def test_what_was_set_aside_is_known(store: OpenStore) -> None:
    pull = await sealed(store, certificate("c-1"), ASIDE)
    assert set(await do(store, lambda pulls: pulls.unusable(pull.number, ["c-1", "c-2", "x-1"]))) == {"x-1"}


async def test_pulls_do_not_see_each_others_answers(store: OpenStore) -> None:
    one = await sealed(store, certificate("c-1"))
    other = await do(store, lambda pulls: pulls.begin(OTHER_CALLER, 0))
    assert await do(store, lambda pulls: pulls.contents(other.number, ALMA.digits)) == {}
    assert await do(store, lambda pulls: pulls.persons(other.number, "", 9)) == []
    assert await do(store, lambda pulls: pulls.persons(one.number, "", 9)) == [ALMA.digits]


async def test_a_failed_pull_says_why_and_when(store: OpenStore, clock: StillClock) -> None:
    pull = await begun(store, certificate("c-1"))
    clock.advance(minutes=2)
    await do(store, lambda pulls: pulls.fail(pull.number, "the answer is cut off"))
    failed = await do(store, lambda pulls: pulls.read(pull.number))
    assert (failed.state, failed.reason, failed.ended) == (PullState.FAILED, "the answer is cut off", clock.now())
    assert await do(store, lambda pulls: pulls.last_day(UNIT.value)) is None


async def test_what_was_staged_is_forgotten_piece_by_piece(store: OpenStore) -> None:
    pull = await sealed(store, *(certificate(f"c-{n}") for n in range(5)), ASIDE)
    cleared = [await do(store, lambda pulls: pulls.clear(pull.number, 2)) for _ in range(3)]
    assert cleared == [True, True, False]
    assert await do(store, lambda pulls: pulls.persons(pull.number, "", 9)) == []
    assert await do(store, lambda pulls: pulls.set_aside(pull.number)) == [ASIDE], "the report stays"


async def test_a_pull_is_found_again_where_it_stood(open_it: Open, clock: StillClock, tmp_path: Path) -> None:
    store = open_it(tmp_path, clock)
    pull = replace(await sealed(store, certificate("c-1")), cursor=ALMA.digits)
    await do(store, lambda pulls: pulls.save(pull))
    store.close()
    again = open_it(tmp_path, clock)
    assert await do(again, lambda pulls: pulls.under_way()) == [pull]
    again.close()


async def test_the_last_day_is_that_of_the_newest_done(store: OpenStore, clock: StillClock) -> None:
    for state in (PullState.DONE, PullState.DONE, PullState.FAILED):
        pull = await begun(store)
        await end(store, pull, state)
        clock.advance(days=1)
    assert await do(store, lambda pulls: pulls.last_day(UNIT.value)) == date(2026, 5, 5)


async def test_a_hundred_pulls_of_a_unit_are_kept_beside_the_newest(store: OpenStore) -> None:
    numbers = []
    for _ in range(105):
        pull = await begun(store, ASIDE)
        numbers.append(pull.number)
        await end(store, pull)
    aside = await do(store, lambda pulls: [pulls.set_aside(number) for number in numbers])
    assert [bool(each) for each in aside] == [False] * 4 + [True] * 101


# Certificates as they are known


async def test_known_certificates_tell_their_days(store: OpenStore) -> None:
    spread = certificate(
        "c-1",
        periods=(
            CertificatePeriod(date(2026, 6, 1), date(2026, 6, 30), 50),
            CertificatePeriod(date(2026, 5, 1), date(2026, 5, 10), 100),
        ),
    )
    await store.run(lambda transaction: transaction.keep_certificate(UNIT.value, spread, "p-1", "e-1"))
    (known,) = (await store.run(lambda transaction: transaction.known_certificates(UNIT.value, "p-1"))).values()
    assert (known.person, known.first, known.last) == (ALMA.digits, date(2026, 5, 1), date(2026, 6, 30))
    pull = await sealed(store, spread)
    assert await do(store, lambda pulls: pulls.contents(pull.number, ALMA.digits)) == {"c-1": known.content}
    assert await store.run(lambda transaction: transaction.known_certificates(UNIT.value, "p-2")) == {}


async def test_a_units_patients_come_in_pages(store: OpenStore) -> None:
    def keep(transaction: Transaction) -> None:
        for patient in ("p-3", "p-1", "p-2"):
            for id in ("a", "b"):
                transaction.keep_certificate(UNIT.value, certificate(f"{id}-{patient}"), patient, "e")

    await store.run(keep)

    async def page(after: str) -> Sequence[str]:
        return await store.run(lambda transaction: transaction.patients_of_unit(UNIT.value, after, 2))

    assert [await page(""), await page("p-2"), await page("p-3")] == [["p-1", "p-2"], ["p-3"], []]


def test_days_are_swedish() -> None:
    late = Pull(1, CALLER, 0, NOW.replace(hour=22, minute=30), PullState.DONE)
    assert late.day == NOW.date() + timedelta(days=1)
