"""The national platform and Försäkringskassan behind it, as far as SendMessageToRecipient goes.

It judges in the order of reality: the platform's checks (forsakringskassan.md § 2.4), the schema, then the rules of
§ 1.7. Certificates that the recipient knows are the room's state; a namespace that has registered none sees those of
the empty namespace. What was accepted is remembered as long as the room's ledger: a reset forgets both.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from lxml import etree
from lxml.builder import ElementMaker
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

import contracts
from adapters import soap
from adapters.forsakringskassan import wire
from adapters.forsakringskassan.settings import PATH
from adapters.mocking import Counterpart, Entry, Fault, Room, play
from contracts.identity import FORSAKRINGSKASSAN

PLATFORM: Final = "MOCK-NTJP"
CLIENT_CODES: Final = frozenset({"VP001", "VP002", "VP003", "VP004", "VP005", "VP011", "VP013", "VP015"})
"""Platform codes that blame the caller (§ 2.4); the others blame the platform or the producer."""

_CONTRACT: Final = Path(contracts.__file__).parent / "wire" / "rivta"
_S: Final = ElementMaker(namespace=wire.RESPONDER, nsmap=wire.NAMESPACES)
_C: Final = ElementMaker(namespace=wire.CORE, nsmap=wire.NAMESPACES)


@dataclass(frozen=True, slots=True)
class CertificateAtRecipient:
    """What the recipient knows of a certificate. ``patient`` is twelve digits; ``unit`` issued it."""

    id: str
    patient: str = field(repr=False)
    unit: str
    sent: bool = True
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as read; empty where it holds nothing."""

    id: str = ""
    subject: str = ""
    certificate: str = ""
    certificate_unit: str = ""
    patient: str = field(default="", repr=False)
    recipient: str = ""
    reminder_of: str = ""
    answer_to: str = ""
    answer_before: str = ""
    address: str = ""


_WHERE: Final[Mapping[str, str]] = {
    "id": "s:meddelande-id",
    "subject": "s:amne/t:code",
    "certificate": "s:intygs-id/t:extension",
    "certificate_unit": "s:intygs-id/t:root",
    "patient": "s:patientPerson-id/t:extension",
    "recipient": "s:logiskAdressMottagare",
    "reminder_of": "s:paminnelseMeddelande-id",
    "answer_to": "s:svarPa/c:meddelande-id",
    "answer_before": "s:sistaDatumForSvar",
}


@dataclass(frozen=True, slots=True)
class Known:
    """What the recipient goes by: certificates by id, and the subject of each message by id."""

    certificates: Mapping[str, CertificateAtRecipient]
    messages: Mapping[str, str]

    def certificate(self, incoming: Incoming) -> CertificateAtRecipient | None:
        """The certificate that the message is about."""
        return self.certificates.get(incoming.certificate)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule beyond the schema. ``error_id`` is empty where the recipient does not mind and the ledger still tells."""

    name: str
    error_id: str
    broken: Callable[[Incoming, Known], bool]
    words: str


_Doubt = Callable[[CertificateAtRecipient, Incoming], bool]


def _about(doubt: _Doubt) -> Callable[[Incoming, Known], bool]:
    """A rule about the certificate, silent when there is none: that is another rule's matter."""

    def broken(incoming: Incoming, known: Known) -> bool:
        certificate = known.certificate(incoming)
        return certificate is not None and doubt(certificate, incoming)

    return broken


_SUBJECTS: Final = ("AVSTMN", "KONTKT", "OVRIGT", "KOMPLT", "PAMINN")
_WRONG: Final = "VALIDATION_ERROR"

RULES: Final = (
    Rule(
        "SUBJECT_NOT_SUPPORTED_ERROR",
        _WRONG,
        lambda incoming, _: incoming.subject not in _SUBJECTS,
        "amne is none of the five codes",
    ),
    Rule(
        "RECIPIENT_INCONSISTENCY_ERROR",
        _WRONG,
        lambda incoming, _: incoming.recipient != incoming.address,
        "logiskAdressMottagare differs from the header",
    ),
    Rule(
        "MESSAGE_TYPE_CONSISTENCY_ERROR",
        _WRONG,
        lambda incoming, _: bool(incoming.answer_before and (incoming.answer_to or incoming.reminder_of)),
        "sistaDatumForSvar stands on questions only",
    ),
    Rule(
        "MEDDELANDE_ID_NOT_UNIQUE_ERROR",
        _WRONG,
        lambda incoming, known: incoming.id in known.messages,
        "meddelande-id has been received before",
    ),
    Rule(
        "PAMINNELSE_ID_INCONSISTENCY_ERROR",
        _WRONG,
        lambda incoming, _: (incoming.subject == "PAMINN") != bool(incoming.reminder_of),
        "paminnelseMeddelande-id goes with PAMINN and with nothing else",
    ),
    Rule(
        "REFERENCED_MESSAGE_NOT_FOUND_ERROR",
        _WRONG,
        lambda incoming, known: any(
            id not in known.messages for id in (incoming.reminder_of, incoming.answer_to) if id
        ),
        "the message that is reminded of or answered is not known",
    ),
    Rule(
        "SUBJECT_CONSISTENCY_ERROR",
        _WRONG,
        lambda incoming, known: known.messages.get(incoming.answer_to, incoming.subject) != incoming.subject,
        "an answer has the subject of its question",
    ),
    Rule(
        "CERTIFICATE_NOT_FOUND_ERROR",
        "APPLICATION_ERROR",
        lambda incoming, known: known.certificate(incoming) is None,
        "the certificate is not known",
    ),
    Rule(
        "CIVIC_REGISTRATION_NUMBER_INCONSISTENCY_ERROR",
        _WRONG,
        _about(lambda certificate, incoming: certificate.patient != incoming.patient),
        "the patient is not the certificate's",
    ),
    Rule(
        "CERTIFICATE_NOT_SENT_ERROR",
        _WRONG,
        _about(lambda certificate, _: not certificate.sent),
        "the certificate has not been sent to the recipient",
    ),
    Rule(
        "CERTIFICATE_REVOKED_ERROR",
        "REVOKED",
        _about(lambda certificate, _: certificate.revoked),
        "the certificate is revoked",
    ),
    Rule(
        "CERTIFICATE_UNIT_NOTE",
        "",
        _about(lambda certificate, incoming: certificate.unit != incoming.certificate_unit),
        "the root of intygs-id is not the issuing unit (noted, not refused)",
    ),
)
"""§ 1.7, in the order in which the recipient speaks; names as far as they are known from reality."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer as sent, and what the ledger is told of it."""

    answer: bytes
    status: int = 200
    accepted: bool = False
    report: tuple[str, ...] = ()


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
    _messages(counterpart.room(namespace))[message_id] = subject


def create(counterpart: Counterpart, logical_address: str = FORSAKRINGSKASSAN.value) -> Starlette:
    """The counterpart as an application: the interaction's one operation, its WSDL and its schemas."""

    async def answer(request: Request, room: Room, fault: Fault | None) -> Response:
        body = await request.body()
        known = Known(_certificates(counterpart, room), _messages(room))
        incoming, verdict = _judge(request.headers.get("SOAPAction", ""), body, known, logical_address)
        if fault is not None:
            verdict = replace(_on_order(fault), report=verdict.report)
        if verdict.accepted:
            _messages(room)[incoming.id] = incoming.subject
        room.ledger.write(_entry(counterpart, body, incoming, verdict, fault))
        return Response(verdict.answer, verdict.status, media_type="text/xml")

    async def operation(request: Request) -> Response:
        return await play(counterpart, request, answer)

    async def wsdl(request: Request) -> Response:
        return FileResponse(_CONTRACT / "send_message_to_recipient_2.wsdl", media_type="text/xml")

    return Starlette(
        routes=[
            Route(PATH, operation, methods=["POST"]),
            Route(PATH, wsdl, methods=["GET"]),
            Mount(PATH.rpartition("/")[0], StaticFiles(directory=_CONTRACT)),  # what the WSDL imports by relative name
        ]
    )


def _certificates(counterpart: Counterpart, room: Room) -> dict[str, CertificateAtRecipient]:
    own: dict[str, CertificateAtRecipient] = room.state.get("certificates", {})
    return own or counterpart.room().state.get("certificates", {})


def _messages(room: Room) -> dict[str, str]:
    if room.state.get("messages_of") is not room.ledger:
        room.state |= {"messages_of": room.ledger, "messages": {}}
    messages: dict[str, str] = room.state["messages"]
    return messages


def _judge(action: str, body: bytes, known: Known, logical_address: str) -> tuple[Incoming, Verdict]:
    try:
        element, address = _delivered(action, body, logical_address)
    except NotDelivered as stop:
        return Incoming(), Verdict(soap.fault(stop.code, str(stop)), status=500, report=(str(stop),))
    incoming = _read(element, address)
    errors = soap.schema_errors(wire.SCHEMA, element)
    if errors:
        return incoming, Verdict(_result("ERROR", f"Validation error: {'; '.join(errors)}", _WRONG), report=errors)
    return incoming, _ruled(incoming, known)


def _delivered(action: str, body: bytes, logical_address: str) -> tuple[etree._Element, str]:
    """The operation's element and the address in the header. Raises ``NotDelivered``."""
    try:
        element = soap.unwrap(body)
    except soap.BadXml as bad:
        raise NotDelivered("Client", _platform_text("VP015", str(bad))) from None
    address = soap.logical_address(body)
    if not address:
        raise NotDelivered("Client", _platform_text("VP003"))
    if address != logical_address:
        raise NotDelivered("Client", _platform_text("VP004"))
    if action.strip('"') not in ("", wire.ACTION):
        raise NotDelivered("Client", "The given SOAPAction does not match an operation.")
    if isinstance(element, soap.Fault) or element.tag != wire.REQUEST:
        raise NotDelivered("Client", "Unmarshalling Error: unexpected element in the body")
    return element, address


def _read(element: etree._Element, address: str) -> Incoming:
    found = {name: element.findtext(path, "", wire.NAMESPACES).strip() for name, path in _WHERE.items()}
    return Incoming(**found, address=address)


def _ruled(incoming: Incoming, known: Known) -> Verdict:
    """The first broken rule answers; the ledger is told of all."""
    broken = [rule for rule in RULES if rule.broken(incoming, known)]
    report = tuple(f"{rule.name}: {rule.words}" for rule in broken)
    for rule in broken:
        if rule.error_id:
            return Verdict(_result("ERROR", f"{rule.name}: {rule.words}", rule.error_id), report=report)
    return Verdict(_result("OK"), accepted=True, report=report)


def _on_order(fault: Fault) -> Verdict:
    if fault.kind == "result":
        answer = _result(fault.result_code, fault.text, fault.error_id or "")
        return Verdict(answer, accepted=fault.result_code != "ERROR")
    code, _, words = fault.text.partition(" ")
    if code not in wire.BY_PLATFORM_CODE:
        return Verdict(soap.fault(fault.fault_code, fault.text), status=500)
    blamed = "Client" if code in CLIENT_CODES else "Server"
    return Verdict(soap.fault(blamed, _platform_text(code, words)), status=500)


def _platform_text(code: str, words: str = "") -> str:
    return f"{code} [{PLATFORM}] {words or wire.BY_PLATFORM_CODE[code][1]}"


def _result(code: str, words: str = "", error_id: str = "") -> bytes:
    result = _S("result", _C("resultCode", code))
    if words:
        result.append(_C("resultText", words))
    if error_id:
        result.append(_C("errorId", error_id))
    return soap.wrap(_S("SendMessageToRecipientResponse", result))


def _entry(counterpart: Counterpart, body: bytes, incoming: Incoming, verdict: Verdict, fault: Fault | None) -> Entry:
    return Entry(
        at=counterpart.now(),
        id=incoming.id,
        accepted=verdict.accepted,
        request=body.decode(errors="replace"),
        report=verdict.report,
        fault=fault.kind if fault else "",
        summary={
            "subject": incoming.subject,
            "certificate": incoming.certificate,
            "logicalAddress": incoming.address,
        },
    )
