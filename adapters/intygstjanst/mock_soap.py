"""The mock's two SOAP contracts: questions judged by their schema, answers in two ways, faults on order, and the WSDL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from lxml import etree
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from adapters import soap
from adapters.intygstjanst import answers, wire
from adapters.intygstjanst.answers import Mode
from adapters.intygstjanst.register import Asked, Register, registered, select, setting
from adapters.intygstjanst.settings import CARE_UNIT_PATH, PERSON_PATH
from adapters.intygstjanst.wire import Contract, Interaction
from adapters.mocking import Answered, Counterpart, Fault, Level, Room, play
from adapters.mocking.exchange import nothing_wrong
from adapters.mocking.rivta import described, xml
from contracts.sick_leave import Certificate
from contracts.time import swedish_day


def routes(counterpart: Counterpart) -> list[Route]:
    """Each contract at the service's own path and at the platform's."""
    return [
        route
        for operation in _OPERATIONS
        for path in (operation.path, operation.contract.platform_path)
        for route in _routes(counterpart, operation, path)
    ]


@dataclass(frozen=True, slots=True)
class _Found:
    certificates: Sequence[Certificate]
    summary: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _Operation:
    """One contract, and how its questions are answered."""

    contract: Contract
    path: str
    find: Callable[[etree._Element, Register, date], _Found]


def _by_care_unit(question: etree._Element, register: Register, today: date) -> _Found:
    names = {"r": wire.CARE_UNIT.responder, "t": wire.TYPES}
    asked = Asked(
        unit=question.findtext("r:enhets-id/t:extension", "", names),
        max_days=int(question.findtext("r:max-dagar-sedan-avslut", "0", names)),
        person=question.findtext("r:person-id/t:extension", "", names),
    )
    found = select(register.on(register.units(asked.unit)), asked, today)
    return _Found(found, {"unit": asked.unit, "maxDays": asked.max_days})


def _by_person(question: etree._Element, register: Register, _: date) -> _Found:
    names = {"r": wire.PERSON.responder, "t": wire.TYPES}
    return _Found(register.of(question.findtext("r:person-id/t:extension", "", names)), {})


_OPERATIONS: Final = (
    _Operation(wire.CARE_UNIT, CARE_UNIT_PATH, _by_care_unit),
    _Operation(wire.PERSON, PERSON_PATH, _by_person),
)


class BadQuestion(ValueError):
    """Why a request is refused; several reasons in ``args``."""


def question_in(contract: Interaction, body: bytes, action: str) -> tuple[etree._Element, list[str]]:
    """The question, and what is wrong with it. Raises ``BadQuestion`` for what is no question of the contract."""
    try:
        content = soap.unwrap(body)
    except soap.BadXml as error:
        raise BadQuestion(str(error)) from None
    if isinstance(content, soap.Fault):
        raise BadQuestion("a fault is no question")
    reasons = [*_header_faults(contract, body, action), *soap.schema_errors(contract.schema, content)]
    if content.tag != f"{{{contract.responder}}}{contract.name}":
        raise BadQuestion(*(reasons or ["the element is no question of this contract"]))
    return content, reasons


def _header_faults(contract: Interaction, body: bytes, action: str) -> list[str]:
    missing = [] if soap.logical_address(body) else ["the header has no LogicalAddress"]
    wrong = [] if action.strip('"') in ("", contract.action) else ["the SOAPAction is another one"]
    return missing + wrong


class _Exchange:
    """One request and its answer."""

    def __init__(
        self, counterpart: Counterpart, operation: _Operation, request: Request, room: Room, fault: Fault | None
    ) -> None:
        self._counterpart = counterpart
        self._operation = operation
        self._contract = operation.contract
        self._request = request
        self._room = room
        self._fault = fault
        self._mode: Mode = setting(counterpart, room, "mode", "real")

    async def answer(self) -> Answered:
        body = await self._request.body()
        if self._fault is not None:
            return self._play(self._fault)
        level = self._counterpart.validation(self._room).schema_
        try:
            question, wrong = question_in(self._contract, body, self._request.headers.get("SOAPAction", ""))
        except BadQuestion as error:
            return self._refusal(*map(str, error.args))
        if wrong and level is Level.STRICT:
            return self._refusal(*wrong)
        return self._certificates(question, () if level is Level.OFF else tuple(wrong))

    def _play(self, fault: Fault) -> Answered:
        if fault.kind == "result":
            return Answered(xml(answers.failure(self._contract, fault.result_code, fault.text, self._mode)))
        return Answered(self._soap_fault(fault.fault_code, fault.text))

    def _refusal(self, *reasons: str) -> Answered:
        return Answered(self._soap_fault("Client", "; ".join(reasons)), report=reasons, rule="SCHEMA")

    def _soap_fault(self, code: str, text: str) -> Response:
        """The real service turns every fault into an answer under HTTP 200 (§ 0, surprise 3)."""
        if self._mode == "real":
            return xml(answers.turned_fault(self._contract, text))
        return xml(soap.fault(code, text), 500)

    def _certificates(self, question: etree._Element, report: tuple[str, ...]) -> Answered:
        today = swedish_day(self._counterpart.now())
        found = self._operation.find(question, registered(self._counterpart, self._room), today)
        told = {"mode": self._mode, "certificates": len(found.certificates)}
        pieces = answers.certificates(self._contract, found.certificates, self._mode)
        response = StreamingResponse(pieces, media_type=soap.CONTENT_TYPE)
        # What the real service sends breaks the schema in known ways: only the other mode's answers are held to it.
        judge = partial(soap.errors_in, self._contract.schema) if self._mode == "valid" else nothing_wrong
        return Answered(response, accepted=True, report=report, summary={**found.summary, **told}, judge=judge)


def _routes(counterpart: Counterpart, operation: _Operation, path: str) -> list[Route]:
    async def answer(request: Request, room: Room, fault: Fault | None) -> Answered:
        return await _Exchange(counterpart, operation, request, room, fault).answer()

    async def ask(request: Request) -> Response:
        return await play(counterpart, request, answer)

    return [Route(path, ask, methods=["POST"]), described(path, operation.contract.file)]
