"""The only place that knows SOAP 1.1 in RIV-TA Basic Profile 2.1: envelopes, faults, safe XML and schema files.

Sources: forsakringskassan.md §§ 1.1, 2.4; rehabstod.md § 1.3; parser settings from stack.md § 4.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from lxml import etree

import contracts
from fhir_mappings import safe_xml

ENVELOPE: Final = "http://schemas.xmlsoap.org/soap/envelope/"
REGISTRY: Final = "urn:riv:itintegration:registry:1"
CONTENT_TYPE: Final = "text/xml; charset=utf-8"
MAX_BYTES: Final = 15 * 1024 * 1024
"""The national platform's largest answer."""

PLATFORM_CODES: Final[Mapping[str, tuple[Literal["Client", "Server"], str]]] = {
    "VP001": ("Client", "the RIV-TA version is missing or not supported"),
    "VP002": ("Client", "the client certificate is missing or wrong"),
    "VP003": ("Client", "the logical address is missing in the header"),
    "VP004": ("Client", "no route for the address and the contract"),
    "VP005": ("Client", "the producer lacks the RIV-TA version"),
    "VP006": ("Server", "more than one producer matches"),
    "VP007": ("Server", "not authorised for the address and the contract"),
    "VP008": ("Server", "no contact with the address catalogue"),
    "VP009": ("Server", "error when contacting the producer"),
    "VP010": ("Server", "the producer's physical address is empty"),
    "VP011": ("Client", "call outside TLS, or the address is not allowed"),
    "VP012": ("Server", "the platform lacks resources"),
    "VP013": ("Client", "not allowed to name the original consumer"),
    "VP014": ("Server", "routing loop"),
    "VP015": ("Client", "the request could not be read"),
}
"""The national platform's own faults (forsakringskassan.md § 2.4): whom a code blames, and what it means."""

_SCHEMAS: Final = Path(contracts.__file__).parent / "wire" / "rivta"
_PLATFORM_CODE: Final = "VP"
_ADDRESS: Final = f"{{{ENVELOPE}}}Header/{{{REGISTRY}}}LogicalAddress"
_TOLD: Final = re.compile(r"Element '(?:\{[^}]*\})?([^']*)'[^:]*: (.*)", re.DOTALL)
_NAMESPACE: Final = re.compile(r"\{[^}]*\}")
_OF_CONTENT: Final = "SCHEMAV_ELEMENT_CONTENT"
"""What the validator finds wrong with what stands where: it says what the schema expects, in the schema's names."""
_OF_NAMES: Final = ("SCHEMAV_CVC_ELT_1", "SCHEMAV_CVC_COMPLEX_TYPE_")
"""What it finds wrong with elements and attributes themselves: it speaks of their names alone."""
_OF_VALUES: Final[Mapping[str, str]] = {
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": "The value is not of its type.",
    "SCHEMAV_CVC_PATTERN_VALID": "The value has not the form that the schema asks for.",
    "SCHEMAV_CVC_ENUMERATION_VALID": "The value is none of those that the schema lists.",
    "SCHEMAV_CVC_ELT_5_2_2_2_2": "The value is not the one that the schema fixes.",
    "SCHEMAV_CVC_LENGTH_VALID": "The value has not the length that the schema asks for.",
    "SCHEMAV_CVC_MINLENGTH_VALID": "The value is too short.",
    "SCHEMAV_CVC_MAXLENGTH_VALID": "The value is too long.",
    "SCHEMAV_CVC_MININCLUSIVE_VALID": "The value is too small.",
    "SCHEMAV_CVC_MAXINCLUSIVE_VALID": "The value is too large.",
}
"""What it finds wrong with values, in words of ours: its own repeat the value."""


class BadXml(ValueError):
    """The bytes are no acceptable XML document. The message never repeats them."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP 1.1 fault. ``platform_code`` is the national platform's (``VP007``), empty when it is somebody else's."""

    code: str
    text: str

    @property
    def platform_code(self) -> str:
        """The text of a platform fault begins with its code."""
        code = self.text[:5]
        return code if code.startswith(_PLATFORM_CODE) and code[2:].isdigit() else ""


def parse(body: bytes) -> etree._Element:
    """The root element. Raises ``BadXml``: not XML, too large, or with a DTD (an entity would be lost silently)."""
    if len(body) > MAX_BYTES:
        raise BadXml("the document is too large")
    try:
        root = etree.fromstring(body, safe_xml.parser())
    except etree.XMLSyntaxError:
        raise BadXml("the document is not well-formed XML") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadXml("a document type declaration is not accepted")
    return root


def wrap(content: etree._Element, logical_address: str | None = None) -> bytes:
    """The envelope around a body element, as bytes; requests carry the recipient's logical address."""
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE})
    if logical_address is not None:
        header = etree.SubElement(envelope, f"{{{ENVELOPE}}}Header")
        address = etree.SubElement(header, f"{{{REGISTRY}}}LogicalAddress", nsmap={"itr": REGISTRY})
        address.text = logical_address
    etree.SubElement(envelope, f"{{{ENVELOPE}}}Body").append(content)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def unwrap(body: bytes) -> etree._Element | Fault:
    """The body's only element, or the fault in its place. Raises ``BadXml``."""
    return _content(parse(body))


def opened(body: bytes) -> tuple[etree._Element | Fault, str]:
    """``unwrap`` and ``logical_address`` of a request in one reading. Raises ``BadXml``."""
    envelope = parse(body)
    return _content(envelope), envelope.findtext(_ADDRESS, default="").strip()


def _content(envelope: etree._Element) -> etree._Element | Fault:
    content = envelope.find(f"{{{ENVELOPE}}}Body")
    if envelope.tag != f"{{{ENVELOPE}}}Envelope" or content is None or len(content) != 1:
        raise BadXml("the document is no SOAP 1.1 envelope with one body element")
    element = content[0]
    return _fault(element) if element.tag == f"{{{ENVELOPE}}}Fault" else element


def logical_address(body: bytes) -> str:
    """The recipient's logical address of a request, empty when the header lacks it."""
    return parse(body).findtext(_ADDRESS, default="").strip()


def fault(code: str, text: str) -> bytes:
    """A fault envelope (sent with HTTP 500). ``code`` is ``Client`` or ``Server``."""
    element = etree.Element(f"{{{ENVELOPE}}}Fault")
    etree.SubElement(element, "faultcode").text = f"soap:{code}"
    etree.SubElement(element, "faultstring").text = text
    return wrap(element)


@cache
def schema(file: str) -> etree.XMLSchema:
    """A compiled schema of ``contracts/wire/rivta`` by its file name."""
    return etree.XMLSchema(etree.parse(_SCHEMAS / file))


def schema_errors(file: str, element: etree._Element) -> tuple[str, ...]:
    """Where the element breaks the schema, and how: names only, never values. Empty when it is valid."""
    compiled = schema(file)
    if compiled.validate(element):
        return ()
    return tuple(f"line {entry.line}: {_said(entry.type_name, entry.message)}" for entry in compiled.error_log)


def errors_in(file: str, body: bytes) -> tuple[str, ...]:
    """Where an envelope's content breaks the schema, or why it cannot be read. A fault breaks no contract."""
    try:
        content = unwrap(body)
    except BadXml as bad:
        return (str(bad),)
    return () if isinstance(content, Fault) else schema_errors(file, content)


def headers(action: str) -> dict[str, str]:
    """The HTTP headers of a request."""
    return {"Content-Type": CONTENT_TYPE, "SOAPAction": f'"{action}"'}


def _said(kind: str, told: str) -> str:
    """The element that the validator speaks of, and what is wrong with it."""
    match = _TOLD.match(told)
    element, words = match.groups() if match else ("?", "")
    if match and kind == _OF_CONTENT:
        return f"{element}: {words}"
    if match and kind.startswith(_OF_NAMES):
        return f"{element}: {_NAMESPACE.sub('', words)}"
    return f"{element}: {_OF_VALUES.get(kind, kind)}"


def _fault(element: etree._Element) -> Fault:
    code = (element.findtext("faultcode") or "").rpartition(":")[2]
    return Fault(code, (element.findtext("faultstring") or "").strip())
