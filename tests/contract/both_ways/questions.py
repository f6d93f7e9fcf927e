"""Who asks whom: the adapters of the feed, of whole certificates and of blocks, each to its mock."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, get_args

import httpx

from adapters.block_service import adapter as block_adapter
from adapters.block_service import mock as block_mock
from adapters.block_service.settings import Settings as BlockSettings
from adapters.intygstjanst import adapter as feed_adapter
from adapters.intygstjanst import mock as feed_mock
from adapters.intygstjanst.adapter import Intygstjanst
from adapters.intygstjanst.settings import Settings as FeedSettings
from adapters.mocking import Counterpart
from contracts.consent import BlockAnswer, BlockQuestion, InformationSource
from contracts.errors import Invalid, Unavailable
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, Judged
from tests.contract.both_ways.judges import CONTRACTS, Contract
from tests.contract.both_ways.line import Line
from tests.contract.both_ways.meeting import Direction, Meaning, Meeting
from tests.contract.test_certificate_sources import ALMA, CERTIFICATES, ELSEWHERE, NOW, UNIT, StillClock

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

COORDINATED: Final = PersonId(f"19800161980{control_digit('800161980')}")
_ALL: Final = (*CERTIFICATES, replace(CERTIFICATES[0], id="of-coordinated", patient=COORDINATED))


def _meeting(line: Line, counterpart: Counterpart, is_whole: Callable[[Any], Awaitable[bool]]) -> Meeting:
    said: list[Any] = []

    async def ask(sample: Any) -> Meaning:
        said[:] = [sample]
        try:
            return Meaning.ANSWERED if await is_whole(sample) else Meaning.NO_ANSWER
        except (Unavailable, Invalid):
            return Meaning.NO_ANSWER

    async def again() -> Meaning:
        return await ask(said[0])

    async def kept() -> int:
        return len([entry for entry in counterpart.room().ledger.entries if entry.accepted])

    return Meeting(line, ask, again, kept, counterpart.room().order)


_Ask = Callable[[Intygstjanst, Any], Awaitable[bool]]


@asynccontextmanager
async def _feed(way: feed_mock.Mode, ask: _Ask, _: "Flow") -> AsyncIterator[Meeting]:
    counterpart = Counterpart("intygstjanst", lambda: NOW)
    feed_mock.register(counterpart, _ALL)
    feed_mock.configure(counterpart, way)
    line = Line(httpx.ASGITransport(feed_mock.create(counterpart)))
    settings = FeedSettings(url="http://there", rest_url=f"http://there{feed_mock.INTERNAL}")
    source = feed_adapter.build(settings, StillClock(), line)
    try:
        yield _meeting(line, counterpart, partial(ask, source))
    finally:
        await source.aclose()


def _tells(records: list[Judged], *ids: str) -> bool:
    told = [each.id for judged in records for each in judged if isinstance(each, Certificate)]
    return set(ids) <= set(told)


async def _by_unit(source: Intygstjanst, days: int) -> bool:
    found = [each async for each in source.active_for_unit(UNIT, days)]
    return _tells(found, "alma-now", *(["birger-ended"] if days == 14 else []))


async def _by_person(source: Intygstjanst, person: PersonId) -> bool:
    found = [each async for each in source.for_person(person)]
    return _tells(found, "alma-now" if person == ALMA else "of-coordinated")


async def _whole(source: Intygstjanst, certificate: Certificate) -> bool:
    found = await source.certificate(certificate.id, certificate.unit)
    return found is not None and (found.patient, found.unit) == (certificate.patient, certificate.unit)


async def _computed(source: Intygstjanst, days: int) -> bool:
    return bool(await source.computed(UNIT, 5, days))


@asynccontextmanager
async def _blocks(_: "Flow") -> AsyncIterator[Meeting]:
    counterpart = Counterpart("block_service", lambda: NOW)
    line = Line(httpx.ASGITransport(block_mock.create(counterpart)))
    source = block_adapter.build(BlockSettings(url="http://there"), StillClock(), line)

    async def ask(question: BlockQuestion) -> bool:
        return await source.ask(question) is BlockAnswer.CLEAR

    try:
        yield _meeting(line, counterpart, ask)
    finally:
        await source.aclose()


_PROVIDER: Final = HsaId("SE1111111111-V001")
_OF_ONE: Final = BlockQuestion(
    HsaId("SE1111111111-P001"), UNIT, _PROVIDER, ALMA, (InformationSource(ELSEWHERE, _PROVIDER),), NOW
)
_QUESTIONS_OF_BLOCKS: Final = {
    "one unit": _OF_ONE,
    "many units": replace(_OF_ONE, sources=_OF_ONE.sources * 40),
    "a samordningsnummer": replace(_OF_ONE, person=COORDINATED),
}
_WAYS: Final[tuple[feed_mock.Mode, ...]] = get_args(feed_mock.Mode)
_DAYS: Final = {"today": 0, "two weeks": 14}
_PEOPLE: Final = {"a personnummer": ALMA, "a samordningsnummer": COORDINATED}


def _as_it_is(contract: Contract) -> Contract:
    """What the real service answers breaks the schema in known ways (rehabstod.md § 1.8): nobody judges it."""
    return replace(contract, answer=lambda _: ())


def _of(name: str, way: feed_mock.Mode, ask: _Ask, samples: Mapping[str, Any], contract: str = "") -> Direction:
    judge = CONTRACTS[contract or name]
    meet: Any = partial(_feed, way, ask)
    return Direction(f"{name}, {way}", judge if way == "valid" else _as_it_is(judge), meet, samples)


QUESTIONS: Final = (
    *(_of("ListActiveSickLeavesForCareUnit", way, _by_unit, _DAYS) for way in _WAYS),
    *(_of("ListSickLeavesForPerson", way, _by_person, _PEOPLE) for way in _WAYS),
    _of("GetCertificate", "valid", _whole, {each.id: each for each in _ALL}),
    _of("sickleave/active", "valid", _computed, _DAYS),
    Direction("CheckBlocks", CONTRACTS["CheckBlocks"], _blocks, _QUESTIONS_OF_BLOCKS),
)
