"""Every certificate source of the registry against its counterpart, in-process: the promises of
``contracts.ports.CertificateSource``.

A new source gets these cases by its line in the registry and its sample below.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import httpx
import pytest

from adapters.mocking import Counterpart, Fault
from adapters.registry import CERTIFICATE_SOURCES, Adapter, OpenCertificateSource
from contracts.errors import Invalid, NotSupported, Unavailable
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, CertificatePeriod, ReportedSickLeave, SetAside

NOW: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
TODAY: Final = date(2026, 3, 2)
UNIT, ELSEWHERE = HsaId("SE1111111111-E001"), HsaId("SE2222222222-E001")
Record = Certificate | SetAside


class StillClock:
    """Time that stands."""

    def now(self) -> datetime:
        return NOW


def person(birth: str) -> PersonId:
    return PersonId(f"{birth}980{control_digit(f'{birth[2:]}980')}")


ALMA, BIRGER, DISA = person("19700101"), person("19600202"), person("19900330")


def certificate(id: str, patient: PersonId, first: int, last: int, unit: HsaId = UNIT) -> Certificate:
    """Days from today, both inclusive."""
    return Certificate(
        id,
        patient,
        unit,
        (CertificatePeriod(TODAY + timedelta(first), TODAY + timedelta(last), 50),),
        datetime(2026, 1, 1, 9, tzinfo=UTC),
        "Alma Provsson",
        "Vårdcentralen",
        HsaId(f"{unit.value.partition('-')[0]}-V001"),
        "SE1111111111-D001",
        "Beata Remissén",
        "F43.9",
        ("M54.5",),
        ("STUDIER",),
    )


CERTIFICATES: Final = (
    certificate("alma-now", ALMA, -3, 3),
    certificate("alma-old", ALMA, -4000, -3990),
    certificate("alma-next", ALMA, 4, 40),
    certificate("alma-elsewhere", ALMA, -90, -60, ELSEWHERE),
    certificate("birger-ended", BIRGER, -30, -14),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """How the counterpart of a source comes to know certificates, and in how many ways it answers."""

    know: Callable[[Counterpart, Iterable[Certificate]], None]
    ways: Mapping[str, Callable[[Counterpart], None]]
    computing: Mapping[str, str]
    """Settings with which it is asked for what it computes itself."""


def _intygstjanst() -> Sample:
    from adapters.intygstjanst import mock

    return Sample(
        mock.register,
        {
            "valid": lambda counterpart: mock.configure(counterpart, "valid"),
            "real": lambda counterpart: mock.configure(counterpart, "real"),
        },
        {"rest_url": f"http://counterpart.example{mock.INTERNAL}"},
    )


SAMPLES: Final[Mapping[str, Callable[[], Sample]]] = {"intygstjanst": _intygstjanst}
CASES: Final = [(adapter, way) for adapter in CERTIFICATE_SOURCES for way in SAMPLES[adapter.name]().ways]
every_source = pytest.mark.parametrize(("adapter", "way"), CASES, ids=[f"{a.name}-{way}" for a, way in CASES])
either_question = pytest.mark.parametrize("question", ["unit", "person"])
Source = Adapter[OpenCertificateSource]


@asynccontextmanager
async def opened(
    adapter: Source, transport: httpx.AsyncBaseTransport, **more: str
) -> AsyncIterator[OpenCertificateSource]:
    settings = adapter.settings().model_validate({"url": "http://counterpart.example", **more})
    source = adapter.build(settings, StillClock(), transport)
    try:
        yield source
    finally:
        await source.aclose()


@pytest.fixture
def counterpart(adapter: Source, way: str) -> Counterpart:
    counterpart, sample = Counterpart(adapter.name, lambda: NOW), SAMPLES[adapter.name]()
    sample.know(counterpart, CERTIFICATES)
    sample.ways[way](counterpart)
    return counterpart


@pytest.fixture
async def source(adapter: Source, counterpart: Counterpart) -> AsyncIterator[OpenCertificateSource]:
    async with opened(adapter, httpx.ASGITransport(adapter.mock(counterpart))) as source:
        yield source


async def pulled(source: OpenCertificateSource, question: str, days: int = 0) -> list[Record]:
    asked = source.active_for_unit(UNIT, days) if question == "unit" else source.for_person(ALMA)
    return [record async for records in asked for record in records]


def ids(records: Iterable[Record]) -> set[str]:
    return {record.id for record in records if isinstance(record, Certificate)}


def test_every_source_has_a_sample() -> None:
    assert SAMPLES.keys() == {adapter.name for adapter in CERTIFICATE_SOURCES}


@every_source
async def test_by_unit_come_the_patients_who_count_with_all_they_have_there(source: OpenCertificateSource) -> None:
    found = await pulled(source, "unit")
    assert ids(found) == {"alma-now", "alma-old", "alma-next"}


@every_source
@pytest.mark.parametrize(("days", "counts"), [(0, False), (13, False), (14, True)])
async def test_days_since_the_end_are_counted(source: OpenCertificateSource, days: int, counts: bool) -> None:
    assert ("birger-ended" in ids(await pulled(source, "unit", days))) is counts


@every_source
async def test_by_person_comes_everything_everywhere(source: OpenCertificateSource) -> None:
    found = await pulled(source, "person")
    assert ids(found) == {"alma-now", "alma-old", "alma-next", "alma-elsewhere"}


@every_source
@either_question
async def test_certificates_come_as_they_are(source: OpenCertificateSource, question: str) -> None:
    known = {each.id: each for each in CERTIFICATES}
    for record in await pulled(source, question):
        assert isinstance(record, Certificate)
        assert record == known[record.id]


@every_source
@either_question
async def test_the_same_question_has_the_same_answer(source: OpenCertificateSource, question: str) -> None:
    assert await pulled(source, question) == await pulled(source, question)


@every_source
async def test_nobody_is_an_answer(source: OpenCertificateSource) -> None:
    assert [record async for records in source.active_for_unit(HsaId("SE1111111111-E009")) for record in records] == []
    assert [record async for records in source.for_person(DISA) for record in records] == []


@every_source
@either_question
async def test_what_cannot_be_used_is_set_aside_and_hides_nothing(
    adapter: Source, counterpart: Counterpart, source: OpenCertificateSource, question: str
) -> None:
    reversed_period = CertificatePeriod(TODAY, TODAY - timedelta(1), 50)
    bad = replace(CERTIFICATES[0], id="bad", periods=(reversed_period,))
    SAMPLES[adapter.name]().know(counterpart, [bad])
    found = await pulled(source, question)
    (aside,) = (record for record in found if isinstance(record, SetAside))
    assert aside.certificate == "bad"
    assert "alma-now" in ids(found)


@every_source
@pytest.mark.parametrize("days", [-1, 15])
async def test_days_outside_the_contract_are_refused(source: OpenCertificateSource, days: int) -> None:
    with pytest.raises(Invalid):
        await pulled(source, "unit", days)


PRIVATE: Final = f"Patienten {ALMA.digits} saknas"
FAULTS: Final = (
    {"kind": "result"},
    {"kind": "result", "result_code": "INFO"},
    {"kind": "soap-fault"},
    {"kind": "http", "status": 401},
    {"kind": "http", "status": 404},
    {"kind": "http", "status": 503},
    {"kind": "nonsense", "body": f"<html>{PRIVATE}</html>"},
    {"kind": "nonsense", "body": ""},
)


@every_source
@either_question
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(map(str, list(fault.values())[:2])))
async def test_a_failure_is_told_and_copies_nothing(
    counterpart: Counterpart, source: OpenCertificateSource, question: str, fault: dict[str, object]
) -> None:
    counterpart.room().order([Fault.model_validate({"text": PRIVATE, **fault})])
    with pytest.raises(Unavailable) as caught:
        await pulled(source, question)
    assert ALMA.digits not in repr(caught.value) + repr(caught.value.__context__) + repr(caught.value.__cause__)
    assert ids(await pulled(source, question))


async def collect(source: OpenCertificateSource, question: str, came: list[Record]) -> None:
    async for records in source.active_for_unit(UNIT) if question == "unit" else source.for_person(ALMA):
        came.extend(records)


@every_source
@either_question
async def test_a_cut_off_answer_is_a_failure_wherever_it_is_cut(
    adapter: Source, counterpart: Counterpart, source: OpenCertificateSource, question: str
) -> None:
    whole, body = await pulled(source, question), bytearray()
    async with opened(adapter, _Cutting(httpx.ASGITransport(adapter.mock(counterpart)), body, 10**9)) as tapped:
        await pulled(tapped, question)
    for end in range(0, len(body), 37):
        cutting = _Cutting(httpx.ASGITransport(adapter.mock(counterpart)), bytearray(), end)
        came: list[Record] = []
        async with opened(adapter, cutting) as cut:
            with pytest.raises(Unavailable):
                await collect(cut, question, came)
        assert came == whole[: len(came)]


class _Cutting(httpx.AsyncBaseTransport):
    """Keeps the body of an answer, and lets so many of its bytes through."""

    def __init__(self, inner: httpx.AsyncBaseTransport, body: bytearray, end: int) -> None:
        self._inner = inner
        self._body = body
        self._end = end

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        self._body += await response.aread()
        return httpx.Response(response.status_code, content=bytes(self._body[: self._end]))


@every_source
@either_question
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
async def test_broken_connections(adapter: Source, way: str, question: str, error: type[httpx.RequestError]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    async with opened(adapter, httpx.MockTransport(fail)) as source:
        with pytest.raises(Unavailable):
            await pulled(source, question)


@every_source
async def test_what_it_computes_is_told_where_it_may_be_asked(
    adapter: Source, counterpart: Counterpart, source: OpenCertificateSource
) -> None:
    with pytest.raises(NotSupported):
        await source.computed(UNIT, 5, 0)
    mocks = httpx.ASGITransport(adapter.mock(counterpart))
    async with opened(adapter, mocks, **SAMPLES[adapter.name]().computing) as asked:
        (found,) = await asked.computed(UNIT, 5, 0)
        assert isinstance(found, ReportedSickLeave)
        assert (found.patient, found.certificates, found.active) == (ALMA, ("alma-now", "alma-next"), "alma-now")
        assert {each.patient for each in await asked.computed(UNIT, 5, 14) if isinstance(each, ReportedSickLeave)} == {
            ALMA,
            BIRGER,
        }
        counterpart.room().order([Fault(kind="http", status=500)])
        with pytest.raises(Unavailable):
            await asked.computed(UNIT, 5, 0)
