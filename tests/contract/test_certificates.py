"""Every place where a certificate can be read as a whole, against its counterpart, in-process: the promises of
``contracts.ports.Certificates``.

A new one gets these cases by its line in the registry and its sample below.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

import httpx
import pytest

from adapters.mocking import Counterpart, Fault
from adapters.mocking.faults import CATALOGUE
from adapters.registry import CERTIFICATE_SOURCES, Adapter, OpenCertificateSource
from contracts.certificate import InDays, MedicalCertificate, Occupation, WorkMeasure
from contracts.errors import Invalid, Unavailable
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import CertificatePeriod

NOW: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
UNIT: Final = HsaId("SE1111111111-E001")
Source = Adapter[OpenCertificateSource]

ONE: Final = MedicalCertificate(
    id="3f2a8c1e-6d0b-4c8e-9b1a-5d2f7e4c9a10",
    patient=PersonId(f"19700101980{control_digit('700101980')}"),
    unit=UNIT,
    version=1,
    doctor="SE1111111111-D001",
    doctor_name="Dag Doktor",
    signed=NOW - timedelta(days=10),
    sent_to_fk=NOW - timedelta(days=9),
    occupations=(Occupation.PRESENT_WORK,),
    profession="Snickare",
    periods=(CertificatePeriod(date(2026, 2, 20), date(2026, 3, 20), 75),),
    prognosis=InDays(60),
    measures=(WorkMeasure.AIDS,),
    measures_text="Lättare verktyg",
    contact_wished=True,
    contact_reason="Behov av samordning",
)


class StillClock:
    """Time that stands."""

    def now(self) -> datetime:
        return NOW


@dataclass(frozen=True, slots=True)
class Sample:
    """How the counterpart comes to know what a certificate says, and what it answers that is none of FK 7804."""

    know: Callable[[Counterpart, MedicalCertificate], None]
    another_type: str


def _intygstjanst() -> Sample:
    from adapters import soap
    from adapters.intygstjanst import mock, paper

    other = soap.wrap(paper.response(ONE, None)).replace(b">LISJP<", b">AG7804<")
    return Sample(mock.fill, other.decode())


SAMPLES: Final[Mapping[str, Callable[[], Sample]]] = {"intygstjanst": _intygstjanst}
every_source = pytest.mark.parametrize("adapter", CERTIFICATE_SOURCES, ids=lambda adapter: adapter.name)


@pytest.fixture
def sample(adapter: Source) -> Sample:
    return SAMPLES[adapter.name]()


@pytest.fixture
def counterpart(adapter: Source, sample: Sample) -> Counterpart:
    counterpart = Counterpart(adapter.name, lambda: NOW)
    sample.know(counterpart, ONE)
    return counterpart


@pytest.fixture
async def source(adapter: Source, counterpart: Counterpart) -> AsyncIterator[OpenCertificateSource]:
    transport = httpx.ASGITransport(adapter.mock(counterpart))
    async for opened in _opened(adapter, transport):
        yield opened


async def _opened(adapter: Source, transport: httpx.AsyncBaseTransport) -> AsyncIterator[OpenCertificateSource]:
    settings = adapter.settings().model_validate({"url": "http://counterpart.example", "timeout_seconds": 1})
    source = adapter.build(settings, StillClock(), transport)
    yield source
    await source.aclose()


def test_every_source_has_a_sample() -> None:
    assert SAMPLES.keys() == {adapter.name for adapter in CERTIFICATE_SOURCES}


@every_source
async def test_a_certificate_comes_as_it_is(source: OpenCertificateSource) -> None:
    assert await source.certificate(ONE.id, UNIT) == ONE


@every_source
async def test_what_has_become_of_it_comes_too(
    source: OpenCertificateSource, counterpart: Counterpart, sample: Sample
) -> None:
    since = replace(ONE, revoked=True, sent_to_fk=None)
    sample.know(counterpart, since)
    assert await source.certificate(ONE.id, UNIT) == since


@every_source
async def test_the_question_and_the_answer_keep_to_the_contract(
    source: OpenCertificateSource, counterpart: Counterpart
) -> None:
    await source.certificate(ONE.id, UNIT)
    (entry,) = counterpart.room().ledger.entries
    assert (entry.accepted, entry.id, entry.report) == (True, ONE.id, ())


@every_source
async def test_one_that_is_not_there_is_a_failure(source: OpenCertificateSource) -> None:
    """The contract has no other word for it than a fault."""
    with pytest.raises(Unavailable):
        await source.certificate("nobody-has-issued-this", UNIT)


@every_source
async def test_one_of_another_type_is_refused(
    source: OpenCertificateSource, counterpart: Counterpart, sample: Sample
) -> None:
    counterpart.room().order([Fault(kind="nonsense", body=sample.another_type)])
    with pytest.raises(Invalid, match="another type"):
        await source.certificate(ONE.id, UNIT)


@every_source
async def test_an_answer_about_another_certificate_is_none(
    adapter: Source, source: OpenCertificateSource, counterpart: Counterpart, sample: Sample
) -> None:
    counterpart.room().order([Fault(kind="nonsense", body=sample.another_type.replace(">AG7804<", ">LISJP<"))])
    with pytest.raises(Unavailable, match="another certificate"):
        await source.certificate("another", UNIT)


_PLAYED: Final = sorted(
    name
    for name, row in CATALOGUE.items()
    if row.fault and row.fault.kind in ("result", "soap-fault", "http", "nonsense")
)


@every_source
@pytest.mark.parametrize("name", _PLAYED)
async def test_faults_are_failures_without_their_words(
    source: OpenCertificateSource, counterpart: Counterpart, name: str
) -> None:
    fault = CATALOGUE[name].fault
    assert fault is not None
    counterpart.room().order([fault.model_copy(update={"text": f"{fault.text} om {ONE.patient.digits}"})])
    with pytest.raises(Unavailable) as failure:
        await source.certificate(ONE.id, UNIT)
    assert ONE.patient.digits not in str(failure.value)
    assert await source.certificate(ONE.id, UNIT) == ONE


@every_source
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError])
async def test_broken_connections(adapter: Source, error: type[httpx.RequestError]) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)

    async for source in _opened(adapter, httpx.MockTransport(fail)):
        with pytest.raises(Unavailable):
            await source.certificate(ONE.id, UNIT)


@every_source
async def test_a_cut_off_answer_is_a_failure_wherever_it_is_cut(adapter: Source, counterpart: Counterpart) -> None:
    inner = httpx.ASGITransport(adapter.mock(counterpart))
    whole: list[bytes] = []

    async def tap(request: httpx.Request) -> httpx.Response:
        whole.append(await (await inner.handle_async_request(request)).aread())
        return httpx.Response(200, content=whole[-1])

    async for source in _opened(adapter, httpx.MockTransport(tap)):
        await source.certificate(ONE.id, UNIT)
    for end in range(0, len(whole[0]), 53):
        cut = httpx.MockTransport(lambda _, end=end: httpx.Response(200, content=whole[0][:end]))
        async for source in _opened(adapter, cut):
            with pytest.raises(Unavailable):
                await source.certificate(ONE.id, UNIT)
