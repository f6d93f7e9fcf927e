"""The judges: what a contract says of a request and of an answer as they stand on the line, whoever wrote them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import httpx
from lxml import etree

import contracts
from adapters import soap
from adapters.intygstjanst.mock_rest import BadQuestion, question
from adapters.mocking.validation import wrong
from adapters.regional_platform import schemas
from adapters.regional_platform import wire as events
from adapters.sdk.mock_model import Body, One
from contracts.errors import RekoError
from contracts.outbox import EventType
from fhir_mappings import r4

_RIVTA: Final = Path(contracts.__file__).parent / "wire" / "rivta"

Judge = Callable[[bytes], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Contract:
    """``headers`` a request has, to the letter; ``media`` an answer has; the two judges tell what is wrong with a body."""

    headers: Mapping[str, str]
    media: str
    request: Judge
    answer: Judge

    def wrong_request(self, request: httpx.Request) -> list[str]:
        """Everything that is wrong with a request."""
        headers = [name for name, value in self.headers.items() if request.headers.get(name) != value]
        return [*headers, *self.request(request.content)]

    def wrong_answer(self, answer: httpx.Response) -> list[str]:
        """Everything that is wrong with an answer that the contract describes."""
        media = [] if answer.headers.get("Content-Type") == self.media else ["Content-Type"]
        return [*media, *self.answer(answer.content)]


def _soap(file: str) -> Contract:
    """RIV-TA Basic Profile 2.1 (forsakringskassan.md § 1.1). The action and the name are the WSDL's to say, not the adapter's."""
    (operation,) = etree.parse(_RIVTA / f"{file}.wsdl").iterfind(".//{http://schemas.xmlsoap.org/wsdl/soap/}operation")
    action, schema = operation.get("soapAction", ""), f"{file}.xsd"
    response = f"{action.rpartition(':')[2]}Response"
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
    return Contract(
        headers, "text/xml; charset=utf-8", partial(_wrong_question, schema), partial(_wrong_words, schema, response)
    )


def _wrong_question(schema: str, body: bytes) -> tuple[str, ...]:
    element, address = soap.opened(body)
    if isinstance(element, soap.Fault):
        return ("a fault is no request",)
    return (*([] if address else ["LogicalAddress"]), *_charset(body), *soap.schema_errors(schema, element))


def _wrong_words(schema: str, response: str, body: bytes) -> tuple[str, ...]:
    """The contract's response, or a SOAP 1.1 fault that says whom it blames and why."""
    content = soap.unwrap(body)
    if isinstance(content, soap.Fault):
        right = content.code in ("Client", "Server") and bool(content.text)
        return _charset(body) if right else ("a fault blames the client or the server, and says why",)
    other = () if etree.QName(content).localname == response else ("another element than the response",)
    return (*other, *_charset(body), *soap.schema_errors(schema, content))


def _charset(body: bytes) -> tuple[str, ...]:
    declared = soap.parse(body).getroottree().docinfo.encoding or ""
    return () if declared.upper() == "UTF-8" else ("UTF-8",)


def _json(media: str, request: Judge, answer: Judge, **headers: str) -> Contract:
    return Contract({"Content-Type": media, **headers}, "application/json", request, answer)


def _wrong_event(body: bytes) -> tuple[str, ...]:
    read = events.read({"content-type": events.STRUCTURED_TYPE}, body)
    missing = tuple(name for name in events.REQUIRED if not read.attributes.get(name))
    return (*missing, *schemas.broken_places(EventType(read.attributes["type"]), read.data))


def _wrong_resource(body: bytes) -> tuple[str, ...]:
    try:
        return tuple(str(issue) for issue in r4.check(r4.parse(body, expected="Procedure")))
    except RekoError as error:
        return (str(error),)


def _wrong_wish(body: bytes) -> tuple[str, ...]:
    try:
        question(body)
    except BadQuestion as bad:
        return tuple(map(str, bad.args))
    return ()


def _nothing(_: bytes) -> tuple[str, ...]:
    return ()


CONTRACTS: Final[Mapping[str, Contract]] = {
    "SendMessageToRecipient": _soap("send_message_to_recipient_2"),
    "SendMessageToCare": _soap("send_message_to_care_2"),
    "ListActiveSickLeavesForCareUnit": _soap("list_active_sick_leaves_for_care_unit_1"),
    "ListSickLeavesForPerson": _soap("list_sick_leaves_for_person_1"),
    "GetCertificate": _soap("get_certificate_2"),
    "CheckBlocks": _soap("check_blocks_4"),
    "sickleave/active": _json("application/json", _wrong_wish, _nothing),
    "MT-MK": _json("application/json", partial(wrong, Body), partial(wrong, One), Authorization="Bearer any"),
    "CloudEvents": _json("application/cloudevents+json; charset=utf-8", _wrong_event, _nothing),
    "FHIR R4": Contract(
        {"Content-Type": "application/fhir+json"}, "application/fhir+json", _wrong_resource, _wrong_resource
    ),
}
