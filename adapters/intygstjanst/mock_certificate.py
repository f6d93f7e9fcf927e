"""The mock's third SOAP contract: one certificate as a whole. It has no result: whoever is not there is a fault."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters import soap
from adapters.intygstjanst import paper, wire
from adapters.intygstjanst.mock_soap import BadQuestion, question_in
from adapters.intygstjanst.register import registered
from adapters.intygstjanst.settings import CERTIFICATE_PATH
from adapters.mocking import Answered, Counterpart, Fault, Level, Room, play
from adapters.mocking.rivta import described, fault_text, xml

_CONTRACT = wire.CERTIFICATE
_NAMES = {"r": _CONTRACT.responder, "t": wire.CERTIFICATE_TYPES}


def routes(counterpart: Counterpart) -> list[Route]:
    """At the service's own path and at the platform's."""

    async def answer(request: Request, room: Room, fault: Fault | None) -> Answered:
        if fault is not None:
            # The contract has no result to play: such a fault is a SOAP fault with its words.
            return Answered(xml(fault_text(fault), 500))
        return _answered(counterpart, room, request.headers.get("SOAPAction", ""), await request.body())

    async def ask(request: Request) -> Response:
        return await play(counterpart, request, answer)

    return [
        route
        for path in (CERTIFICATE_PATH, _CONTRACT.platform_path)
        for route in (Route(path, ask, methods=["POST"]), described(path, _CONTRACT.file))
    ]


def _answered(counterpart: Counterpart, room: Room, action: str, body: bytes) -> Answered:
    level = counterpart.validation(room).schema_
    try:
        question, wrong = question_in(_CONTRACT, body, action)
    except BadQuestion as error:
        return _stopped("SCHEMA", *map(str, error.args))
    if wrong and level is Level.STRICT:
        return _stopped("SCHEMA", *wrong)
    id = question.findtext("r:intygs-id/t:extension", "", _NAMES)
    known = registered(counterpart, room)
    form = known.form(id)
    if form is None:
        return _stopped("NOT-FOUND", "there is no such certificate")
    return Answered(
        xml(soap.wrap(paper.response(form, known.certificate(id)))),
        id=id,
        accepted=True,
        report=() if level is Level.OFF else tuple(wrong),
        summary={"version": form.version},
        judge=partial(soap.errors_in, _CONTRACT.schema),
    )


def _stopped(rule: str, *reasons: str) -> Answered:
    return Answered(xml(soap.fault("Server", "; ".join(reasons)), 500), report=reasons, rule=rule)
