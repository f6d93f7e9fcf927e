"""The SOAP surface: where other parties post messages to care, below ``/soap`` (RIV-TA Basic Profile 2.1).

What is read and answered is each entrance's own (port ``Entrance``). TLS ends in front of the service; whoever ends it there
checks the platform's client certificate and adds the bearer token of a client with the right ``dialogue.receive``. A message
is kept before it is acknowledged: if the process dies in between, the sender sends it again, and it is recognised by its id.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

import contracts
from adapters import soap
from contracts.dialogue import NotTaken, ReceivedMessage, Taken
from contracts.errors import NotSupported, RekoError, Unavailable
from contracts.ports import Entrance, Store
from contracts.record import Right
from service.http_edge import headers_of, loggable, read_body, status_of
from service.security import Clients, require
from service.telemetry import RECEIVED
from service.usecases.context import Context
from service.usecases.receive_message import receive

MEDIA: Final = "text/xml"
_CONTRACTS: Final = Path(contracts.__file__).parent / "wire" / "rivta"

_log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]


def soap_app(store: Store, context: Context, clients: Clients, entrances: Sequence[Entrance]) -> Starlette:
    """Every entrance, with its WSDL and the schemas that it imports."""
    routes: list[BaseRoute] = []
    for entrance in entrances:
        routes += [
            Route(entrance.path, _operation(store, context, clients, entrance), methods=["POST"]),
            Route(entrance.path, _contract(entrance), methods=["GET"]),
            Mount(entrance.path.rpartition("/")[0], StaticFiles(directory=_CONTRACTS)),
        ]
    return Starlette(routes=routes)


def fault(status: int, error: RekoError) -> Response:
    """What stops a request before any entrance judges it, as a SOAP 1.1 fault."""
    code = "Server" if status >= 500 else "Client"
    return Response(soap.fault(code, str(error)), status, headers_of(status), MEDIA)


def _operation(store: Store, context: Context, clients: Clients, entrance: Entrance) -> Handler:
    async def operation(request: Request) -> Response:
        try:
            caller = clients.caller(request.headers.get("authorization", ""), request.state.request_id)
            require(caller, Right.DIALOGUE_RECEIVE)
            body = await read_body(request)
            read = await asyncio.to_thread(entrance.read, body, request.headers.get("soapaction", ""))
        except RekoError as error:
            return fault(status_of(error), error)
        status, answer = await _kept(store, context, entrance, read) if isinstance(read, ReceivedMessage) else read
        return Response(answer, status, media_type=MEDIA)

    return operation


async def _kept(store: Store, context: Context, entrance: Entrance, message: ReceivedMessage) -> tuple[int, bytes]:
    """Kept, and then acknowledged. What nobody foresaw is the sender's to try again: it has told us something."""
    told = {"event": "dialogue.received", "channel": message.channel, "message_id": loggable(message.id)}
    try:
        receipt = await store.run(lambda transaction: receive(transaction, context, message))
    except Exception as error:
        _log.error("a message could not be kept", exc_info=error, extra={**told, "event": "dialogue.not-kept"})
        RECEIVED.labels(message.channel, "failed").inc()
        why = "the database cannot be written" if isinstance(error, Unavailable) else "the message could not be kept"
        return entrance.failure(f"{why} now: send it again later")
    match receipt:
        case Taken(again):
            became = "again" if again else "taken"
        case NotTaken(reasons):
            became, told["reasons"] = "refused", ", ".join(reasons)
    RECEIVED.labels(message.channel, became).inc()
    _log.info("a message has come", extra={**told, "became": became})
    return entrance.answer(receipt)


def _contract(entrance: Entrance) -> Handler:
    async def contract(request: Request) -> Response:
        if "wsdl" not in {name.lower() for name in request.query_params}:
            return fault(405, NotSupported("post a message here, or ask for the contract with ?wsdl"))
        return FileResponse(_CONTRACTS / entrance.wsdl, media_type=MEDIA)

    return contract
