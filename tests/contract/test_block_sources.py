"""Every block source of the registry against its counterpart, in-process: the promises of ``contracts.ports.BlockSource``.

A new source gets these cases by its line in the registry and its counterpart's blocks below.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import httpx
import pytest

from adapters.block_service.mock import Block, register
from adapters.mocking import Counterpart, Fault
from adapters.registry import BLOCK_SOURCES, Adapter, OpenBlockSource
from contracts.consent import BlockAnswer, BlockQuestion, InformationSource
from contracts.identity import HsaId, PersonId

pytestmark = pytest.mark.anyio

NOW: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
ALMA, BIRGER = PersonId("197001019806"), PersonId("196002029806")
UNIT, PROVIDER = HsaId("SE1111111111-E001"), HsaId("SE1111111111-V001")
NEIGHBOUR = InformationSource(HsaId("SE1111111111-E002"), PROVIDER)
STRANGER = InformationSource(HsaId("SE2222222222-E001"), HsaId("SE2222222222-V001"))

Knows = Callable[[Counterpart, Sequence[tuple[PersonId, InformationSource, bool]]], None]
"""Lets a counterpart know blocks: whose, on whose information, and whether it is inner."""


def _inera(counterpart: Counterpart, blocks: Sequence[tuple[PersonId, InformationSource, bool]]) -> None:
    known = [
        Block(person.digits, source.provider.value, source.unit.value if inner else "")
        for person, source, inner in blocks
    ]
    register(counterpart, known)


SAMPLES: Final[dict[str, Knows]] = {"block_service": _inera}

every_source = pytest.mark.parametrize("adapter", BLOCK_SOURCES, ids=lambda adapter: adapter.name)


class StillClock:
    """Time that stands."""

    def now(self) -> datetime:
        return NOW


@asynccontextmanager
async def asking(adapter: Adapter[OpenBlockSource]) -> AsyncIterator[tuple[OpenBlockSource, Counterpart]]:
    counterpart = Counterpart(adapter.name, lambda: NOW)
    settings = adapter.settings()(url="http://there", connect_seconds=0.1, timeout_seconds=0.3)
    source = adapter.build(settings, StillClock(), httpx.ASGITransport(app=adapter.mock(counterpart)))
    try:
        yield source, counterpart
    finally:
        await source.aclose()


def question(*sources: InformationSource, person: PersonId = ALMA) -> BlockQuestion:
    return BlockQuestion(HsaId("SE1111111111-P001"), UNIT, PROVIDER, person, sources, NOW)


def test_every_source_has_its_sample() -> None:
    assert SAMPLES.keys() == {adapter.name for adapter in BLOCK_SOURCES}


@every_source
@pytest.mark.parametrize(
    ("blocks", "asked", "answer"),
    [
        ([], (NEIGHBOUR, STRANGER), BlockAnswer.CLEAR),
        ([(ALMA, NEIGHBOUR, True)], (NEIGHBOUR,), BlockAnswer.BLOCKED),
        ([(ALMA, NEIGHBOUR, True)], (STRANGER,), BlockAnswer.CLEAR),
        ([(ALMA, NEIGHBOUR, True)], (STRANGER, NEIGHBOUR), BlockAnswer.BLOCKED),
        ([(ALMA, STRANGER, False)], (STRANGER,), BlockAnswer.BLOCKED),
        ([(ALMA, NEIGHBOUR, False)], (NEIGHBOUR,), BlockAnswer.CLEAR),
        ([(BIRGER, NEIGHBOUR, True)], (NEIGHBOUR,), BlockAnswer.CLEAR),
    ],
    ids=["none", "inner", "on another", "one of two", "outer", "outer, within the provider", "of another patient"],
)
async def test_what_lies_on_information(
    adapter: Adapter[OpenBlockSource],
    blocks: Sequence[tuple[PersonId, InformationSource, bool]],
    asked: tuple[InformationSource, ...],
    answer: BlockAnswer,
) -> None:
    async with asking(adapter) as (source, counterpart):
        SAMPLES[adapter.name](counterpart, blocks)
        assert await source.ask(question(*asked)) is answer
        (entry,) = counterpart.room().ledger.entries
        assert (entry.accepted, entry.report) == (True, ())


@every_source
@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind="http", status=503),
        Fault(kind="http", status=404),
        Fault(kind="http", status=302),
        Fault(kind="result", result_code="ERROR"),
        Fault(kind="result", result_code="OK"),
        Fault(kind="soap-fault", text="VP009 no answer"),
        Fault(kind="lose-answer", seconds=1),
        Fault(kind="delay", seconds=1),
        Fault(kind="nonsense"),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status if fault.kind == 'http' else fault.result_code}",
)
async def test_whatever_is_no_whole_answer_counts_as_none(adapter: Adapter[OpenBlockSource], fault: Fault) -> None:
    async with asking(adapter) as (source, counterpart):
        counterpart.room().order([fault])
        assert await source.ask(question(NEIGHBOUR)) is BlockAnswer.NO_ANSWER
        assert await source.ask(question(NEIGHBOUR)) is BlockAnswer.CLEAR


@every_source
async def test_a_counterpart_that_is_not_there_is_no_answer(adapter: Adapter[OpenBlockSource]) -> None:
    settings = adapter.settings()(url="http://127.0.0.1:9", connect_seconds=0.2, timeout_seconds=0.3)
    source = adapter.build(settings, StillClock())
    try:
        assert await source.ask(question(NEIGHBOUR)) is BlockAnswer.NO_ANSWER
    finally:
        await source.aclose()


@every_source
async def test_a_personal_number_never_stands_in_the_address(adapter: Adapter[OpenBlockSource]) -> None:
    seen: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(503)

    source = adapter.build(adapter.settings()(url="http://there"), StillClock(), httpx.MockTransport(note))
    await source.ask(question(NEIGHBOUR))
    await source.aclose()
    assert seen
    assert not any(ALMA.digits in url for url in seen)
