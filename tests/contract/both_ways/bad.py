"""What a server side must refuse: changes that are made to a good request on its way. Sources: forsakringskassan.md §§ 1.1, 1.6,
2.4; sdk.md; CloudEvents 1.0; FHIR R4."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import orjson
from lxml import etree

from adapters import soap
from adapters.forsakringskassan.wire import CORE

Change = Callable[[httpx.Request], httpx.Request]


def body(change: Callable[[bytes], bytes]) -> Change:
    """Another body; what asks without one is left alone."""

    def altered(request: httpx.Request) -> httpx.Request:
        if not request.content:
            return request
        return httpx.Request(request.method, request.url, headers=_fit(request), content=change(request.content))

    return altered


def headers(**changed: str) -> Change:
    """Other headers; one that is empty goes."""

    def altered(request: httpx.Request) -> httpx.Request:
        names = {name.replace("_", "-"): value for name, value in changed.items()}
        kept = [each for each in _fit(request).multi_items() if each[0] not in names]
        given = [each for each in names.items() if each[1]]
        return httpx.Request(request.method, request.url, headers=[*kept, *given], content=request.content)

    return altered


def _fit(request: httpx.Request) -> httpx.Headers:
    return httpx.Headers([each for each in request.headers.multi_items() if each[0] != "content-length"])


def instead(content: bytes) -> Change:
    """Something else altogether."""
    return body(lambda _: content)


# ---- SOAP ----------------------------------------------------------------------------------------------------------


def element(change: Callable[[etree._Element], object]) -> Change:
    """A change to the element in the envelope's body."""

    def changed(content: bytes) -> bytes:
        envelope = etree.fromstring(content)
        change(_at(envelope, "Body")[0])
        return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")

    return body(changed)


def _at(element: etree._Element, path: str) -> etree._Element:
    """Where the path leads, whatever the namespaces."""
    found = element.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    assert found is not None
    return found


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    assert parent is not None
    return parent


def _remove(element: etree._Element) -> None:
    _parent(element).remove(element)


def text(path: str, said: str) -> Change:
    """Other text where the path leads."""

    def change(asked: etree._Element) -> None:
        _at(asked, path).text = said

    return element(change)


def without(path: str) -> Change:
    """The element that the path leads to is gone."""
    return element(lambda asked: _remove(_at(asked, path)))


def _renamed(asked: etree._Element) -> None:
    asked.tag = f"{{{etree.QName(asked).namespace}}}AnotherOperation"


def _with_a_dtd(content: bytes) -> bytes:
    return content.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY e "x">]>', 1)


def together(*changes: Change) -> Change:
    """One after the other."""

    def altered(request: httpx.Request) -> httpx.Request:
        for change in changes:
            request = change(request)
        return request

    return altered


def before_the_sender(name: str, said: str, *inner: str) -> Change:
    """An element where the contracts have reminders and answers; ``inner`` is its child's name, of the core namespace."""

    def change(asked: etree._Element) -> None:
        made = etree.Element(f"{{{etree.QName(asked).namespace}}}{name}")
        _at(asked, "skickatAv").addprevious(made)
        for each in inner:
            made = etree.SubElement(made, f"{{{CORE}}}{each}")
        made.text = said

    return element(change)


def last(name: str, said: str, namespace: str = "") -> Change:
    """An element at the end, of the message's own namespace if no other is named."""

    def change(asked: etree._Element) -> None:
        made = etree.SubElement(asked, f"{{{namespace or etree.QName(asked).namespace}}}{name}")
        made.text = said

    return element(change)


UNREADABLE: Final[Mapping[str, Change]] = {
    "no XML": instead(b"hej"),
    "half of it": body(lambda content: content[: len(content) // 2]),
    "a DTD": body(_with_a_dtd),
    "another charset than it says": body(lambda content: content.replace(b"</", "å</".encode("latin-1"), 1)),
    "no envelope": instead(b"<Envelope><Body><x/></Body></Envelope>"),
    "an empty body": element(_remove),
    "two in the body": element(lambda asked: etree.SubElement(_parent(asked), "x")),
    "a fault": instead(soap.fault("Client", "nej")),
    "another operation": element(_renamed),
    "too large": body(lambda content: content + b" " * soap.MAX_BYTES),
}
AGAINST_THE_SCHEMA: Final[Mapping[str, Change]] = {
    "its first element is missing": element(lambda asked: asked.remove(asked[0])),
    "an element that no contract knows, last": element(lambda asked: etree.SubElement(asked, "x")),
    "its first element twice": element(lambda asked: asked.insert(0, etree.fromstring(etree.tostring(asked[0])))),
}
OF_MESSAGES: Final[Mapping[str, Change]] = {
    "another list of subjects": text("amne/codeSystem", "ffa59d80-8d7e-46ae-ac9e-31804e8e8499"),
    "a reserve number": text("patientPerson-id/root", "1.2.752.74.9.1"),
    "a number with a hyphen": text("patientPerson-id/extension", "19800101-9804"),
    "a time with a zone": text("skickatTidpunkt", "2026-05-04T10:30:00Z"),
    "a time with a fraction": text("skickatTidpunkt", "2026-05-04T10:30:00.000"),
    "a day that there is not": text("skickatTidpunkt", "2026-02-30T10:30:00"),
    "no text": without("meddelande"),
    "no sender": without("skickatAv"),
    "no certificate": without("intygs-id"),
}
"""§ 1.6, what the two message contracts have in common."""

# ---- JSON ----------------------------------------------------------------------------------------------------------


def member(path: str, said: Any) -> Change:
    """Another value where the path leads; ``None``: none."""

    def changed(content: bytes) -> bytes:
        whole = orjson.loads(content)
        *steps, last = path.split(".")
        at = whole
        for step in steps:
            at = at[step]
        at.pop(last, None)
        return orjson.dumps(whole if said is None else (at.update({last: said}) or whole))

    return body(changed)


_NO_JSON: Final[Mapping[str, Change]] = {
    "no JSON": instead(b"<html/>"),
    "half of it": body(lambda content: content[: len(content) // 2]),
    "a list": instead(b"[]"),
}
_SDK: Final = "data.attributes"
JSON: Final[Mapping[str, Mapping[str, Change]]] = {
    "sdk": {
        **_NO_JSON,
        "another type": member("data.type", "message"),
        "no sender": member(f"{_SDK}.sender", None),
        "an organisation of no scheme": member(f"{_SDK}.recipient", "af.example"),
        "an id that is no UUID": member(f"{_SDK}.messageId", "1"),
        "a time without a zone": member(f"{_SDK}.creationDateTime", "2026-05-04T10:30:00"),
        "a label that is too long": member(f"{_SDK}.label", "x" * 257),
        "an address that is too long": member(f"{_SDK}.senderAttention.subOrganization.extension", "x" * 257),
        "a member that the interface does not know": member(f"{_SDK}.subject", "x"),
        "too large": body(lambda content: content + b" " * 30 * 1024 * 1024),
    },
    "regional_platform": {
        **_NO_JSON,
        "no id": member("id", None),
        "no source": member("source", None),
        "another version": member("specversion", "0.3"),
        "a type that was not agreed on": member("type", "se.rekobryggan.activity.read.v1"),
        "data without what it is about": member("data.subject", None),
        "data with a note": member("data.note", [{"text": "x"}]),
        "another media type": headers(content_type="text/plain"),
        "too large": body(lambda content: content + b" " * 64 * 1024),
    },
    "ehr": {
        **_NO_JSON,
        "another type": member("resourceType", "Observation"),
        "no status": member("status", None),
        "a member that R4 does not know": member("whatever", "x"),
        "a member twice": body(lambda content: content.replace(b"{", b'{"status": "completed", ', 1)),
        "another media type": headers(content_type="text/plain"),
    },
    "sickleave/active": {
        **_NO_JSON,
        "no unit": member("careUnitId", None),
        "too many days": member("maxDaysSinceSickLeaveCompleted", 15),
        "a member that it does not know": member("name", "x"),
    },
}
