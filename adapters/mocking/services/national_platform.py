"""The national platform (VP) in front of the other counterparts: its routing, its fault codes, its own resend.

Facts: forsakringskassan.md §§ 2.3, 2.4. What it passes on, it passes on as it came; what goes wrong behind it becomes VP009,
after one more try of its own on a broken connection: so a producer may get the same request twice. A counterpart that
loses its answer (HTTP 504) counts as a broken connection.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import httpx
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters import soap
from adapters.mocking.counterpart import NAMESPACE_HEADER, Counterpart, Room
from adapters.mocking.exchange import Answered, play
from adapters.mocking.faults import Fault, platform_text
from adapters.mocking.rivta import fault_text, platform_fault, xml

TITLE: Final = "Nationella tjänsteplattformen"
INSTANCE: Final = "MOCK-NTJP"
_ORIGINAL: Final = "x-rivta-original-serviceconsumer-hsaid"
_HISTORY: Final = "x-rivta-routing-history"
_SENDER: Final = "x-vp-sender-id"
_PASSED_ON: Final = (
    "content-type",
    "soapaction",
    _ORIGINAL,
    "x-rivta-acting-on-behalf-of-hsaid",
    "x-skltp-correlation-id",
)


class Rules(BaseModel):
    """How the platform treats callers. ``demandSender``: without the header that stands for a client certificate it is
    VP002. ``unauthorised``: senders for whom it is VP007. ``trusted``: who may name the original consumer (``null``: all).
    Seconds are of the wall clock: before the resend, and until a producer has to have answered."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    demand_sender: bool = False
    unauthorised: frozenset[str] = frozenset()
    trusted: frozenset[str] | None = None
    resend_after: Annotated[float, Field(ge=0, le=60)] = 2.0
    producer_seconds: Annotated[float, Field(gt=0, le=300)] = 29.0


@dataclass(frozen=True, slots=True)
class Producer:
    """Who answers for an interaction. ``address`` is the logical address it answers under, ``path`` where it does."""

    address: str
    path: str
    app: ASGIApp


class _Stop(Exception):
    """The platform's own verdict."""

    def __init__(self, code: str, words: str = "") -> None:
        super().__init__(platform_text(code, words))
        self.code, self.words = code, words


class _Broken(Exception):
    """The connection to the producer broke."""


def create(counterpart: Counterpart, producers: Mapping[str, Producer]) -> Starlette:
    """The platform before producers, by the path under which it publishes them."""
    platform = _Platform(counterpart, producers)

    async def pass_on(request: Request) -> Response:
        return await play(counterpart, request, platform.answer)

    return Starlette(routes=[Route("/{path:path}", pass_on, methods=["POST"])])


def rules(counterpart: Counterpart, room: Room) -> Rules:
    """As the namespace wants them, else as everybody does."""
    found: Rules = room.state.get("rules") or counterpart.room().state.get("rules") or Rules()
    return found


class _Platform:
    def __init__(self, counterpart: Counterpart, producers: Mapping[str, Producer]) -> None:
        self._counterpart = counterpart
        self._producers = producers

    async def answer(self, request: Request, room: Room, fault: Fault | None) -> Answered:
        if fault is not None:
            return Answered(xml(fault_text(fault), 500), report=(fault.text,))
        try:
            producer, address = self._route(request, await request.body(), rules(self._counterpart, room))
            response, tries = await self._send(request, producer, room)
        except _Stop as stop:
            return Answered(platform_fault(stop.code, stop.words), rule=stop.code, report=(str(stop),))
        report = ("sent twice: the connection to the producer broke",) if tries > 1 else ()
        return Answered(response, accepted=response.status_code == 200, report=report, summary={"address": address})

    def _route(self, request: Request, body: bytes, rules: Rules) -> tuple[Producer, str]:
        """Who shall have it. Raises ``_Stop``."""
        path: str = "/" + request.path_params["path"]
        if not path.endswith("/rivtabp21"):
            raise _Stop("VP001")
        self._admit(request, rules)
        try:
            _, address = soap.opened(body)
        except soap.BadXml as bad:
            raise _Stop("VP015", str(bad)) from None
        if not address:
            raise _Stop("VP003")
        producer = self._producers.get(path)
        if producer is None or producer.address != address:
            raise _Stop("VP004")
        return producer, address

    def _admit(self, request: Request, rules: Rules) -> None:
        sender = request.headers.get(_SENDER, "")
        if rules.demand_sender and not sender:
            raise _Stop("VP002")
        if sender in rules.unauthorised:
            raise _Stop("VP007")
        if _ORIGINAL in request.headers and rules.trusted is not None and sender not in rules.trusted:
            raise _Stop("VP013")
        if INSTANCE in request.headers.get(_HISTORY, "").split(","):
            raise _Stop("VP014")

    async def _send(self, request: Request, producer: Producer, room: Room) -> tuple[Response, int]:
        wanted = rules(self._counterpart, room)
        for tries in (1, 2):
            try:
                return await self._once(request, producer, room, wanted), tries
            except TimeoutError:
                raise _Stop("VP009", "the producer did not answer in time") from None
            except _Broken:
                if tries == 1:
                    await asyncio.sleep(wanted.resend_after)
        raise _Stop("VP009", "the connection to the producer broke")

    async def _once(self, request: Request, producer: Producer, room: Room, wanted: Rules) -> Response:
        transport = httpx.ASGITransport(producer.app, raise_app_exceptions=False)
        async with asyncio.timeout(wanted.producer_seconds), httpx.AsyncClient(transport=transport) as client:
            url = f"http://producer{producer.path}"
            answer = await client.post(url, content=await request.body(), headers=self._headers(request, room))
        if answer.status_code == 504:
            raise _Broken
        return Response(answer.content, answer.status_code, {"content-type": answer.headers.get("content-type", "")})

    def _headers(self, request: Request, room: Room) -> dict[str, str]:
        kept = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        history = ",".join(filter(None, (request.headers.get(_HISTORY, ""), INSTANCE)))
        sender = request.headers.get(_SENDER)
        original: dict[str, Any] = {_ORIGINAL: sender} if sender and _ORIGINAL not in kept else {}
        return {**kept, **original, _HISTORY: history, NAMESPACE_HEADER: room.namespace}
