"""The national platform and Försäkringskassan behind it: SendMessageToRecipient in, and an officer who sends SendMessageToCare.

It judges in the order of reality: the platform's checks (forsakringskassan.md § 2.4), the schema, then the rules of
§ 1.7 (``mock_rules``). Certificates that the recipient knows are the room's state; a namespace that has registered none
sees those of the empty namespace. What was accepted is remembered as long as the room's ledger: a reset forgets both.
"""

from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from lxml import etree
from lxml.builder import ElementMaker
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters import soap
from adapters.forsakringskassan import inbound, mock_rules, wire
from adapters.forsakringskassan.mock_officer import Officer
from adapters.forsakringskassan.mock_rules import RULES, CertificateAtRecipient, Incoming, Known
from adapters.forsakringskassan.settings import PATH
from adapters.mocking import Answered, Counterpart, Fault, Level, Room, Validation, play
from adapters.mocking.faults import platform_text
from adapters.mocking.people import PEOPLE
from adapters.mocking.rivta import described, fault_text
from contracts.identity import FORSAKRINGSKASSAN

__all__ = ["PATH", "CertificateAtRecipient", "ask", "create", "register"]

_S: Final = ElementMaker(namespace=wire.RESPONDER, nsmap=wire.NAMESPACES)
_C: Final = ElementMaker(namespace=wire.CORE, nsmap=wire.NAMESPACES)


_OF_TEST_PERSONS: Final = {
    person.certificate: CertificateAtRecipient(person.certificate, person.number, "TSTNMT2321000156-E0001")
    for person in PEOPLE.values()
}
"""Test persons have a certificate here, in every namespace."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer as sent, and what the ledger is told of it."""

    answer: bytes
    status: int = 200
    accepted: bool = False
    report: tuple[str, ...] = ()
    rule: str = ""


class NotDelivered(Exception):
    """The platform or the SOAP layer stops the request before anybody judges its content."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def register(counterpart: Counterpart, certificates: Iterable[CertificateAtRecipient], namespace: str = "") -> None:
    """Let the recipient know certificates; one with a known id replaces it."""
    state = counterpart.room(namespace).state
    state.setdefault("certificates", {}).update((certificate.id, certificate) for certificate in certificates)


def ask(counterpart: Counterpart, message_id: str, subject: str, namespace: str = "") -> None:
    """Let the recipient have sent a question of its own, so that it can be answered or reminded of; until a reset."""
    counterpart.room(namespace).remembered("messages")[message_id] = subject


def create(counterpart: Counterpart, logical_address: str = FORSAKRINGSKASSAN.value) -> Starlette:
    """The counterpart as an application: the interaction's one operation with its contract, and the contract of the other
    way, which care has to serve."""
    counterpart.plays.add("dialogue")
    counterpart.has_result_codes = True
    recipient = _Recipient(counterpart, logical_address)

    async def operation(request: Request) -> Response:
        return await play(counterpart, request, recipient.answer)

    return Starlette(
        routes=[
            Route(PATH, operation, methods=["POST"]),
            described(PATH, wire.SCHEMA.removesuffix(".xsd")),
            described(inbound.PATH, inbound.SCHEMA.removesuffix(".xsd")),
        ]
    )


class _Recipient:
    """Försäkringskassan as a whole: who judges, who remembers, and who takes it up."""

    def __init__(self, counterpart: Counterpart, logical_address: str) -> None:
        self._counterpart = counterpart
        self._address = logical_address
        self._officer = Officer(counterpart)

    async def answer(self, request: Request, room: Room, fault: Fault | None) -> Answered:
        known = Known(self._certificates(room), room.remembered("messages"))
        incoming, verdict = _judge(
            request, await request.body(), known, self._address, self._counterpart.validation(room)
        )
        if fault is not None and fault.kind != "dialogue":
            verdict = _on_order(fault, verdict.report)
        if verdict.accepted:
            await self._take(room, incoming, known, fault)
        return Answered(
            Response(verdict.answer, verdict.status, media_type="text/xml"),
            id=incoming.id,
            accepted=verdict.accepted,
            report=verdict.report,
            rule=verdict.rule,
            summary=_summary(incoming),
            judge=partial(soap.errors_in, wire.SCHEMA),
        )

    def _certificates(self, room: Room) -> Mapping[str, CertificateAtRecipient]:
        own: dict[str, CertificateAtRecipient] = room.state.get("certificates", {})
        return ChainMap(own or self._counterpart.room().state.get("certificates", {}), _OF_TEST_PERSONS)

    async def _take(self, room: Room, incoming: Incoming, known: Known, fault: Fault | None) -> None:
        again = incoming.id in known.messages
        room.remembered("messages")[incoming.id] = incoming.subject
        certificate = known.certificate(incoming)
        if not again and not (certificate and certificate.test):
            await self._officer.take_up(room, incoming, fault.twist if fault else "")


def _judge(
    request: Request, body: bytes, known: Known, logical_address: str, validation: Validation
) -> tuple[Incoming, Verdict]:
    try:
        element, address = _delivered(request.headers.get("SOAPAction", ""), body, logical_address)
    except NotDelivered as stop:
        text = str(stop)
        return Incoming(), Verdict(soap.fault(stop.code, text), status=500, report=(text,), rule=text.partition(" ")[0])
    incoming = mock_rules.read(element, address)
    errors = () if validation.schema_ is Level.OFF else soap.schema_errors(wire.SCHEMA, element)
    if errors and validation.schema_ is Level.STRICT:
        answer = _result("ERROR", f"Validation error: {'; '.join(errors)}", mock_rules.WRONG)
        return incoming, Verdict(answer, report=errors, rule="SCHEMA")
    return incoming, _ruled(incoming, known, validation.rules, errors)


def _delivered(action: str, body: bytes, logical_address: str) -> tuple[etree._Element, str]:
    """The operation's element and the address in the header. Raises ``NotDelivered``."""
    try:
        element, address = soap.opened(body)
    except soap.BadXml as bad:
        raise NotDelivered("Client", platform_text("VP015", str(bad))) from None
    if not address:
        raise NotDelivered("Client", platform_text("VP003"))
    if address != logical_address:
        raise NotDelivered("Client", platform_text("VP004"))
    if action.strip('"') not in ("", wire.ACTION):
        raise NotDelivered("Client", "The given SOAPAction does not match an operation.")
    if isinstance(element, soap.Fault) or element.tag != wire.REQUEST:
        raise NotDelivered("Client", "Unmarshalling Error: unexpected element in the body")
    return element, address


def _ruled(incoming: Incoming, known: Known, level: Level, report: tuple[str, ...]) -> Verdict:
    """The first broken rule answers; the ledger is told of all."""
    broken = [rule for rule in RULES if rule.broken(incoming, known)] if level is not Level.OFF else []
    report = (*report, *map(str, broken))
    for rule in broken:
        if rule.error_id and level is Level.STRICT:
            return Verdict(_result("ERROR", str(rule), rule.error_id), report=report, rule=rule.name)
    return Verdict(_result("OK"), accepted=True, report=report)


def _on_order(fault: Fault, report: tuple[str, ...]) -> Verdict:
    if fault.kind == "result":
        answer = _result(fault.result_code, fault.text, fault.error_id or "")
        return Verdict(answer, accepted=fault.result_code in ("OK", "INFO"), report=report)
    return Verdict(fault_text(fault), status=500, report=report)


def _result(code: str, words: str = "", error_id: str = "") -> bytes:
    result = _S("result", *([_C("resultCode", code)] if code else []))
    if words:
        result.append(_C("resultText", words))
    if error_id:
        result.append(_C("errorId", error_id))
    return soap.wrap(_S("SendMessageToRecipientResponse", result))


def _summary(incoming: Incoming) -> dict[str, str]:
    return {
        "subject": incoming.subject,
        "certificate": incoming.certificate,
        "logicalAddress": incoming.address,
    }
