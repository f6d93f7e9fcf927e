"""Intygstjänst as a ``CertificateSource`` and as ``Certificates``: asks once, reads the answer as it comes."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Final

import httpx

from adapters import soap
from adapters.http import Sender
from adapters.intygstjanst import certificate, wire
from adapters.intygstjanst.national import NationalEngine
from adapters.intygstjanst.reader import AnswerReader
from adapters.intygstjanst.settings import Settings
from adapters.intygstjanst.wire import Contract, Interaction
from adapters.intygstjanst.wire_rest import Wanted
from contracts.certificate import MedicalCertificate
from contracts.errors import NotSupported, Unavailable
from contracts.identity import HsaId, PersonId
from contracts.ports import Clock
from contracts.sick_leave import Certificate, Judged, ReportedSickLeave, SetAside

_ORIGINAL_CONSUMER: Final = "x-rivta-original-serviceconsumer-hsaid"
_PACKINGS: Final = ("", "identity", "gzip")
"""Of the body. Packings in packings are refused: they unpack without measure."""
_MOST_OF_A_FAILURE: Final = 64 * 1024


class Intygstjanst:
    """Certificates by unit and by person, and one as a whole (``contracts.ports.CertificateSource``, ``Certificates``)."""

    def __init__(self, settings: Settings, sender: Sender, national: NationalEngine | None = None) -> None:
        self._settings = settings
        self._sender = sender
        self._national = national

    def active_for_unit(self, unit: HsaId, max_days_since_end: int = 0) -> AsyncIterator[Judged]:
        """See ``contracts.ports.CertificateSource``."""
        question = wire.care_unit_request(unit, max_days_since_end, self._settings.logical_address)
        return self._records(wire.CARE_UNIT, self._settings.path, question)

    async def for_person(self, person: PersonId) -> AsyncIterator[Judged]:
        """See ``contracts.ports.CertificateSource``."""
        question = wire.person_request(person, self._settings.logical_address)
        async with aclosing(self._records(wire.PERSON, self._settings.person_path, question)) as found:
            async for records in found:
                yield [_if_about(person, record) for record in records]

    async def certificate(self, id: str, unit: HsaId) -> MedicalCertificate | None:
        """See ``contracts.ports.Certificates``."""
        question = wire.certificate_request(id, unit, self._settings.logical_address)
        headers = self._headers(wire.CERTIFICATE)
        path = self._settings.certificate_path
        response = await self._sender.request("POST", path, content=question, headers=headers)
        found = certificate.answer(response.status_code, response.content)
        if found is not None and found.id != id:
            raise Unavailable("the answer is about another certificate")
        return found

    async def computed(self, unit: HsaId, gap: int, max_days_since_end: int) -> Sequence[ReportedSickLeave | SetAside]:
        """See ``contracts.ports.CertificateSource``."""
        if self._national is None:
            raise NotSupported("the national engine is not asked: set REKO_ADAPTERS__INTYGSTJANST__REST_URL")
        return await self._national.active_sick_leaves(unit, Wanted(gap, max_days_since_end))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sender.aclose()
        if self._national is not None:
            await self._national.aclose()

    async def _records(self, contract: Contract, path: str, question: bytes) -> AsyncGenerator[Judged, None]:
        async with self._sender.stream("POST", path, content=question, headers=self._headers(contract)) as response:
            await _refuse_failure(response, contract)
            reader = AnswerReader(contract, self._settings.max_bytes, self._settings.max_depth)
            async for chunk in self._chunks(response):
                if found := reader.feed(chunk):
                    yield found
            yield reader.close()

    async def _chunks(self, response: httpx.Response) -> AsyncIterator[bytes]:
        last = time.monotonic() + self._settings.max_seconds
        async for chunk in response.aiter_bytes():
            if time.monotonic() > last:
                raise Unavailable("the answer takes too long")
            yield chunk

    def _headers(self, contract: Interaction) -> dict[str, str]:
        consumer = self._settings.original_consumer
        known = {_ORIGINAL_CONSUMER: consumer} if consumer else {}
        return {**soap.headers(contract.action), "Accept-Encoding": "gzip", **known}


def build(settings: Settings, clock: Clock, transport: httpx.AsyncBaseTransport | None = None) -> Intygstjanst:
    """The adapter from its settings. The clock is every adapter's to have; this one asks no time of it."""
    national = NationalEngine(Sender(settings.rest, transport)) if settings.rest.enabled else None
    return Intygstjanst(settings, Sender(settings, transport), national)


def _if_about(person: PersonId, record: Certificate | SetAside) -> Certificate | SetAside:
    if isinstance(record, Certificate) and record.patient != person:
        return SetAside(record.id, "the certificate is about another person than was asked for")
    return record


async def _refuse_failure(response: httpx.Response, contract: Contract) -> None:
    if response.headers.get("Content-Encoding", "").strip().lower() not in _PACKINGS:
        raise Unavailable("the answer is packed in a way that was not asked for")
    if response.status_code != 200:
        reason = _why(await _beginning(response), contract)
        raise Unavailable(f"HTTP {response.status_code}: {reason}")


async def _beginning(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MOST_OF_A_FAILURE:
            break
    return body


def _why(body: bytes, contract: Contract) -> str:
    """What a failure says of itself, without its texts (§ 1.8: they may hold personal data)."""
    reader = AnswerReader(contract)
    try:
        reader.feed(body)
        reader.close()
    except Unavailable as error:
        return str(error)
    return "an answer under a failure's status"
