"""A RIV-TA service as a counterpart: one table row per operation, and what every such service does with a request.

Order of judgement: can it be read, has it an address, is it the operation (SOAP faults, with the platform's codes where
they are the platform's to say); the schema; then the operation's own rules.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import contracts
from adapters import soap
from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.describing import WSDL
from adapters.mocking.exchange import Answered, play
from adapters.mocking.faults import Fault, platform_text
from adapters.mocking.validation import Level

_FILES: Final = {file.name: file for file in (Path(contracts.__file__).parent / "wire" / "rivta").iterdir()}


@dataclass(frozen=True, slots=True)
class Spoken:
    """What an operation says: the response element. ``rule`` is what decided that it was not accepted, if so."""

    response: etree._Element
    id: str = ""
    rule: str = ""
    report: tuple[str, ...] = ()
    summary: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Operation:
    """One interaction. ``answer`` gets the element of a request; ``fail`` makes the response with a result code (which may
    be empty) and words; ``invalid`` is the code for what breaks the schema. A contract without a result has no ``fail``: what
    fails is a SOAP fault."""

    domain: str
    name: str
    major: int
    file: str
    answer: Callable[[Counterpart, Room, etree._Element], Spoken]
    fail: Callable[[str, str], etree._Element] | None = None
    invalid: str = "VALIDATION_ERROR"

    @property
    def responder(self) -> str:
        """Its namespace."""
        return f"urn:riv:{self.domain}:{self.name}Responder:{self.major}"

    @property
    def action(self) -> str:
        """Its SOAPAction."""
        return f"{self.responder}:{self.name}"

    @property
    def path(self) -> str:
        """Where the platform publishes it (the pattern of forsakringskassan.md § 1.1)."""
        return f"/{self.domain.replace(':', '/')}/{self.name}/{self.major}/rivtabp21"


def service(counterpart: Counterpart, operations: Iterable[Operation]) -> Starlette:
    """The operations as an application, each with its WSDL (``?wsdl``) and schemas (``?xsd=<file>``)."""
    operations = tuple(operations)
    counterpart.has_result_codes = any(operation.fail is not None for operation in operations)
    return Starlette(routes=[route for operation in operations for route in _routes(counterpart, operation)])


def _routes(counterpart: Counterpart, operation: Operation) -> list[Route]:
    async def answer(request: Request, room: Room, fault: Fault | None) -> Answered:
        if fault is not None:
            return on_order(operation, fault)
        return _judged(counterpart, operation, room, request.headers.get("SOAPAction", ""), await request.body())

    async def ask(request: Request) -> Response:
        return await play(counterpart, request, answer)

    return [Route(operation.path, ask, methods=["POST"]), described(operation.path, operation.file)]


def described(path: str, file: str) -> Route:
    """A contract at the address of its operation: the WSDL under ``?wsdl``, a schema under ``?xsd=<file>``."""

    async def describe(request: Request) -> Response:
        return _description(f"{file}.wsdl", request)

    return Route(path, describe, methods=["GET"], name=WSDL)


def _description(wsdl: str, request: Request) -> Response:
    """They name each other by address, not by file."""
    name = request.query_params.get("xsd", wsdl)
    if name not in _FILES or not request.query_params.keys() & {"wsdl", "xsd"}:
        return PlainTextResponse("ask for ?wsdl, or for a schema with ?xsd=<file>", 404)
    text = _FILES[name].read_text(encoding="utf-8").replace('schemaLocation="', 'schemaLocation="?xsd=')
    return xml(text.replace("http://tempuri.org", str(request.url.replace(query=""))).encode())


def xml(body: bytes, status: int = 200) -> Response:
    """A SOAP answer."""
    return Response(body, status, media_type=soap.CONTENT_TYPE)


def fault_text(fault: Fault) -> bytes:
    """A fault on order: the platform's own words where the text begins with one of its codes."""
    code, _, words = fault.text.partition(" ")
    if code not in soap.PLATFORM_CODES:
        return soap.fault(fault.fault_code, fault.text or "refused on order")
    return soap.fault(soap.PLATFORM_CODES[code][0], platform_text(code, words))


def platform_fault(code: str, words: str = "") -> Response:
    """The national platform's verdict."""
    return xml(soap.fault(soap.PLATFORM_CODES[code][0], platform_text(code, words)), 500)


def on_order(operation: Operation, fault: Fault) -> Answered:
    """The two faults that speak this service's language."""
    if fault.kind != "result" or operation.fail is None:
        return Answered(xml(fault_text(fault), 500))
    accepted = fault.result_code in ("OK", "INFO")
    return Answered(xml(soap.wrap(_failed(operation, operation.fail, fault))), accepted=accepted)


def _failed(operation: Operation, fail: Callable[[str, str], etree._Element], fault: Fault) -> etree._Element:
    """An errorId is the message contracts' way: here it is the result code, if the contract has one of that name."""
    if fault.result_code != "ERROR" or not fault.error_id:
        return fail(fault.result_code, fault.text)
    code = operation.invalid if fault.error_id == "VALIDATION_ERROR" else fault.error_id
    response = fail(code, fault.text)
    unknown = soap.schema_errors(f"{operation.file}.xsd", response)
    return fail("ERROR", fault.text) if unknown else response


def _judged(counterpart: Counterpart, operation: Operation, room: Room, action: str, body: bytes) -> Answered:
    try:
        element, address = soap.opened(body)
    except soap.BadXml as bad:
        return _stopped("VP015", str(bad))
    if not address:
        return _stopped("VP003")
    if isinstance(element, soap.Fault) or element.tag != f"{{{operation.responder}}}{operation.name}":
        return _unknown("Unmarshalling Error: unexpected element in the body")
    if action.strip('"') not in ("", operation.action):
        return _unknown("The given SOAPAction does not match an operation.")
    return _spoken(counterpart, operation, room, element)


def _stopped(code: str, words: str = "") -> Answered:
    return Answered(platform_fault(code, words), rule=code, report=(platform_text(code, words),))


def _unknown(words: str) -> Answered:
    return Answered(xml(soap.fault("Client", words), 500), rule="SOAP", report=(words,))


def _spoken(counterpart: Counterpart, operation: Operation, room: Room, element: etree._Element) -> Answered:
    level = counterpart.validation(room).schema_
    errors = () if level is Level.OFF else soap.schema_errors(f"{operation.file}.xsd", element)
    if errors and level is Level.STRICT:
        return _invalid(operation, errors)
    spoken = operation.answer(counterpart, room, element)
    return Answered(
        xml(soap.wrap(spoken.response)),
        id=spoken.id,
        accepted=not spoken.rule,
        report=(*errors, *spoken.report),
        rule=spoken.rule,
        summary=spoken.summary,
        judge=partial(soap.errors_in, f"{operation.file}.xsd"),
    )


def _invalid(operation: Operation, errors: tuple[str, ...]) -> Answered:
    if operation.fail is None:
        return Answered(
            xml(soap.fault("Client", f"Unmarshalling Error: {'; '.join(errors)}"), 500), report=errors, rule="SCHEMA"
        )
    response = operation.fail(operation.invalid, f"Validation error: {'; '.join(errors)}")
    return Answered(xml(soap.wrap(response)), report=errors, rule="SCHEMA")
