"""The adapter as the core sees it: certificates by unit and by person, or one error that says what failed and repeats
nothing."""

import gzip
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import httpx
import pytest

from adapters import soap
from adapters.http import NoAnswer, NotReached
from adapters.intygstjanst import answers, mock, wire
from adapters.intygstjanst.adapter import Intygstjanst, build
from adapters.intygstjanst.register import Asked, select
from adapters.intygstjanst.settings import CARE_UNIT_PATH, PERSON_PATH, Settings
from adapters.mocking import Counterpart, Fault
from contracts.errors import Invalid, NotSupported, Unavailable
from contracts.identity import HsaId, PersonId
from contracts.ports import CertificateSource
from contracts.sick_leave import Certificate, SetAside

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
UNIT = HsaId("SE1111111111-E001")
CERTIFICATES = mock.generate(3, UNIT, HsaId("SE1111111111-V001"), 30, date(2026, 3, 2))
SETTINGS = Settings(url="http://intygstjanst.test/inera-certificate", logical_address="SE1111111111-L001")
PERSON = CERTIFICATES[0].patient
OF_PERSON = [each for each in CERTIFICATES if each.patient == PERSON]
WHOLE = b"".join(answers.certificates(wire.CARE_UNIT, CERTIFICATES, "real"))
WHOLE_OF_PERSON = b"".join(answers.certificates(wire.PERSON, OF_PERSON, "real"))
PRIVATE = f"Patienten {CERTIFICATES[0].patient.digits} saknas"

Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    def now(self) -> datetime:
        return NOW


def adapter(transport: httpx.AsyncBaseTransport | Handler, settings: Settings = SETTINGS) -> Intygstjanst:
    ready = transport if isinstance(transport, httpx.AsyncBaseTransport) else httpx.MockTransport(transport)
    return build(settings, Clock(), ready)


async def pull(source: Intygstjanst, days: int = 0) -> list[Certificate | SetAside]:
    try:
        return [record async for records in source.active_for_unit(UNIT, days) for record in records]
    finally:
        await source.aclose()


async def pull_person(source: Intygstjanst, person: PersonId = PERSON) -> list[Certificate | SetAside]:
    try:
        return [record async for records in source.for_person(person) for record in records]
    finally:
        await source.aclose()


async def reason(transport: httpx.AsyncBaseTransport | Handler, settings: Settings = SETTINGS) -> str:
    with pytest.raises(Unavailable) as caught:
        await pull(adapter(transport, settings))
    assert "Patienten" not in repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)
    return str(caught.value)


def test_it_is_a_certificate_source() -> None:
    source: CertificateSource = adapter(lambda _: httpx.Response(200))
    assert isinstance(source, Intygstjanst)


# ---- Against the counterpart -------------------------------------------------------------------------------------


@pytest.fixture
def counterpart() -> Counterpart:
    counterpart = Counterpart("intygstjanst", lambda: NOW)
    mock.register(counterpart, CERTIFICATES)
    return counterpart


@pytest.fixture
def world(counterpart: Counterpart) -> httpx.ASGITransport:
    return httpx.ASGITransport(mock.create(counterpart))


DIRECT = SETTINGS.model_copy(update={"url": "http://intygstjanst.test"})


@pytest.mark.parametrize("mode", ["real", "valid"])
@pytest.mark.parametrize("path", [CARE_UNIT_PATH, wire.CARE_UNIT.platform_path])
async def test_it_reads_what_the_counterpart_has(
    world: httpx.ASGITransport, counterpart: Counterpart, mode: answers.Mode, path: str
) -> None:
    mock.configure(counterpart, mode)
    expected = select(CERTIFICATES, Asked(UNIT.value, 14), date(2026, 3, 2))
    found = await pull(adapter(world, DIRECT.model_copy(update={"path": path})), 14)
    assert found == expected
    assert 0 < len(found) < len(CERTIFICATES)


@pytest.mark.parametrize("mode", ["real", "valid"])
@pytest.mark.parametrize("path", [PERSON_PATH, wire.PERSON.platform_path])
async def test_it_reads_what_the_counterpart_has_of_a_person(
    world: httpx.ASGITransport, counterpart: Counterpart, mode: answers.Mode, path: str
) -> None:
    mock.configure(counterpart, mode)
    elsewhere = replace(
        OF_PERSON[0], id="elsewhere", unit=HsaId("SE2222222222-E001"), provider=HsaId("SE2222222222-V1")
    )
    mock.register(counterpart, [elsewhere])
    found = await pull_person(adapter(world, DIRECT.model_copy(update={"person_path": path})))
    assert found == [*OF_PERSON, elsewhere]


@pytest.mark.parametrize("mode", ["real", "valid"])
@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "result"}, "ERROR"),
        ({"kind": "result", "result_code": "INFO"}, "INFO"),
        ({"kind": "http", "status": 502}, "HTTP 502"),
        ({"kind": "nonsense"}, "XML"),
    ],
)
async def test_failures_that_the_counterpart_plays(
    world: httpx.ASGITransport, counterpart: Counterpart, mode: answers.Mode, fault: dict[str, object], said: str
) -> None:
    mock.configure(counterpart, mode)
    counterpart.room().order([Fault.model_validate({"text": PRIVATE, **fault})])
    assert said in await reason(world, DIRECT)


@pytest.mark.parametrize(
    ("mode", "said"),
    [("real", "the answer's result is ERROR"), ("valid", "HTTP 500: the answer is a SOAP fault VP007")],
)
async def test_a_fault_is_a_result_in_the_real_way(
    world: httpx.ASGITransport, counterpart: Counterpart, mode: answers.Mode, said: str
) -> None:
    mock.configure(counterpart, mode)
    counterpart.room().order([Fault(kind="soap-fault", text=f"VP007 [vp] {PRIVATE}")])
    assert await reason(world, DIRECT) == said


async def test_a_bad_record_comes_as_set_aside() -> None:
    bad = replace(CERTIFICATES[0], periods=())
    body = b"".join(answers.certificates(wire.CARE_UNIT, [bad, *CERTIFICATES[1:]], "real"))
    found = await pull(adapter(lambda _: httpx.Response(200, content=body)))
    assert found == [SetAside(bad.id, "the certificate has no periods"), *CERTIFICATES[1:]]


async def test_somebody_elses_certificate_is_set_aside() -> None:
    other = next(each for each in CERTIFICATES if each.patient != PERSON)
    body = b"".join(answers.certificates(wire.PERSON, [other, *OF_PERSON], "real"))
    aside, *rest = await pull_person(adapter(lambda _: httpx.Response(200, content=body)))
    assert aside == SetAside(other.id, "the certificate is about another person than was asked for")
    assert rest == OF_PERSON


@pytest.mark.parametrize("mode", ["real", "valid"])
@pytest.mark.parametrize("kind", ["result", "soap-fault", "http", "nonsense"])
async def test_failures_by_person(
    world: httpx.ASGITransport, counterpart: Counterpart, mode: answers.Mode, kind: str
) -> None:
    mock.configure(counterpart, mode)
    counterpart.room().order([Fault.model_validate({"kind": kind, "text": PRIVATE})])
    with pytest.raises(Unavailable) as caught:
        await pull_person(adapter(world, DIRECT))
    assert "Patienten" not in repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__)


# ---- What is sent ------------------------------------------------------------------------------------------------


async def sent(settings: Settings) -> httpx.Request:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=WHOLE)

    await pull(adapter(handler, settings), 5)
    return seen[0]


async def test_the_request_goes_under_the_services_context() -> None:
    request = await sent(SETTINGS)
    assert (request.method, request.url.path) == ("POST", f"/inera-certificate{CARE_UNIT_PATH}")
    assert request.headers["SOAPAction"] == f'"{wire.CARE_UNIT.action}"'
    assert request.headers["Content-Type"] == soap.CONTENT_TYPE
    assert request.headers["Accept-Encoding"] == "gzip"
    assert request.content == wire.care_unit_request(UNIT, 5, "SE1111111111-L001")
    assert "x-rivta-original-serviceconsumer-hsaid" not in request.headers


async def test_a_person_is_asked_for_in_the_body_alone() -> None:
    seen: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=WHOLE_OF_PERSON)

    assert await pull_person(adapter(handler)) == OF_PERSON
    (request,) = seen
    assert (request.method, request.url.path) == ("POST", f"/inera-certificate{PERSON_PATH}")
    assert request.headers["SOAPAction"] == f'"{wire.PERSON.action}"'
    assert request.content == wire.person_request(PERSON, "SE1111111111-L001")
    assert PERSON.digits not in str(request.url) + str(request.headers.raw)


async def test_the_platform_hears_who_asks() -> None:
    request = await sent(SETTINGS.model_copy(update={"original_consumer": "SE1111111111-S001"}))
    assert request.headers["x-rivta-original-serviceconsumer-hsaid"] == "SE1111111111-S001"


async def test_days_outside_the_contract_never_leave() -> None:
    with pytest.raises(Invalid):
        await pull(adapter(lambda _: httpx.Response(200, content=WHOLE)), 15)


# ---- Answers of every kind ---------------------------------------------------------------------------------------


async def test_a_zipped_answer_is_read() -> None:
    headers = {"Content-Encoding": "gzip"}
    assert (
        await pull(adapter(lambda _: httpx.Response(200, headers=headers, content=gzip.compress(WHOLE))))
        == CERTIFICATES
    )


async def test_packings_in_packings_are_refused_unread() -> None:
    content, headers = gzip.compress(gzip.compress(WHOLE)), {"Content-Encoding": "gzip, gzip"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=Pieces(content)))
    assert "packed" in await reason(transport)


async def test_an_answer_under_a_failures_status_is_none() -> None:
    assert await reason(lambda _: httpx.Response(203, content=WHOLE)) == "HTTP 203: an answer under a failure's status"


async def test_a_long_failure_is_not_read_to_its_end() -> None:
    assert "HTTP 500" in await reason(lambda _: httpx.Response(500, stream=Endless()))


async def test_an_answer_larger_than_the_limit_is_refused() -> None:
    small = SETTINGS.model_copy(update={"max_bytes": 5000})
    assert "larger than the limit" in await reason(lambda _: httpx.Response(200, content=WHOLE), small)


async def test_an_answer_that_only_drips_comes_to_an_end() -> None:
    hasty = SETTINGS.model_copy(update={"max_seconds": 0.0})
    assert "too long" in await reason(lambda _: httpx.Response(200, content=WHOLE), hasty)


async def collect(source: Intygstjanst, found: list[Certificate | SetAside]) -> None:
    async for records in source.active_for_unit(UNIT):
        found.extend(records)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
async def test_a_cut_off_answer_raises_after_what_came(share: float) -> None:
    source = adapter(lambda _: httpx.Response(200, content=WHOLE[: int(len(WHOLE) * share)]))
    found: list[Certificate | SetAside] = []
    with pytest.raises(Unavailable):
        await collect(source, found)
    assert found == CERTIFICATES[: len(found)]
    await source.aclose()


async def test_a_connection_that_breaks_is_no_answer() -> None:
    with pytest.raises(NoAnswer):
        await pull(adapter(lambda _: httpx.Response(200, stream=Pieces(WHOLE[:5000], httpx.ReadError("reset")))))


async def test_no_connection_is_told_apart() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(NotReached):
        await pull(adapter(refuse))


async def test_a_reader_who_leaves_early_closes_the_answer() -> None:
    stream = Pieces(WHOLE)
    source = adapter(lambda _: httpx.Response(200, stream=stream))
    records = source.active_for_unit(UNIT)
    async for _ in records:
        break
    await records.aclose()  # type: ignore[attr-defined]
    assert stream.closed
    await source.aclose()


async def test_so_does_one_who_leaves_a_person() -> None:
    stream = Pieces(WHOLE_OF_PERSON)
    source = adapter(lambda _: httpx.Response(200, stream=stream))
    records = source.for_person(PERSON)
    async for _ in records:
        break
    await records.aclose()  # type: ignore[attr-defined]
    assert stream.closed
    await source.aclose()


async def test_it_has_the_national_engine_only_when_there_is_an_address() -> None:
    without = adapter(lambda _: httpx.Response(200))
    with pytest.raises(NotSupported):
        await without.computed(UNIT, 5, 0)
    answer = httpx.Response(200, json={"content": []})
    source = adapter(lambda _: answer, SETTINGS.model_copy(update={"rest_url": "http://internal.test"}))
    assert await source.computed(UNIT, 5, 0) == []
    await source.aclose()


class Pieces(httpx.AsyncByteStream):
    """A body in pieces, with an error at its end if one is given."""

    def __init__(self, body: bytes, error: Exception | None = None) -> None:
        self._body = body
        self._error = error
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 1000):
            yield self._body[start : start + 1000]
        if self._error is not None:
            raise self._error

    async def aclose(self) -> None:
        self.closed = True


class Endless(httpx.AsyncByteStream):
    """A body without end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            yield b"<p>" * 1000
