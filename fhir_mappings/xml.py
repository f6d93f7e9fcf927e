"""FHIR's XML and FHIR's JSON, each made from the other by tables of elements: the schema that judges what arrives, and
beside it the types of our guide, which only leave.

The models would rewrite decimals and characters (decision D26). Here a decimal is its digits, and nothing is judged: what
becomes JSON is judged as JSON. http://hl7.org/fhir/R4/xml.html, http://hl7.org/fhir/R4/json.html
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import zip_longest
from typing import Any, Final, NamedTuple

import msgspec
from lxml import etree

from contracts.errors import Issue, Malformed
from fhir_mappings import guide, r4, safe_xml

FHIR: Final = "http://hl7.org/fhir"
XHTML: Final = "http://www.w3.org/1999/xhtml"
_INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"

_DIGITS: Final = msgspec.json.Decoder(float_hook=str)
_ENCODER: Final = msgspec.json.Encoder()
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)

Json = Mapping[str, Any]


class Member(NamedTuple):
    """An element of a type. ``type`` is the name of its definition, ``kind`` what its JSON is: object, or of a primitive
    string, number, integer or boolean."""

    type: str
    kind: str
    repeats: bool


@cache
def members(type_: str) -> dict[str, Member]:
    """The elements of a type by their JSON names, in R4's order."""
    if type_ in _only_written():
        return {name: _written_member(stated) for name, stated in _only_written()[type_].items()}
    properties = r4.properties(type_)
    return {
        name: _member(schema)
        for name, schema in properties.items()
        if name != "resourceType" and not name.startswith("_")
    }


@cache
def _only_written() -> Mapping[str, Mapping[str, str | list[str]]]:
    """The elements of the types that the judge need not know, each with its type, in a list if it repeats."""
    found: Mapping[str, Mapping[str, str | list[str]]] = msgspec.json.decode(
        (files("contracts") / "wire/fhir/r4.guide-elements.json").read_bytes()
    )
    return found


def _written_member(stated: str | list[str]) -> Member:
    name = stated if isinstance(stated, str) else stated[0]
    return Member(name, "object" if name in _only_written() else r4.kind(name), isinstance(stated, list))


def _member(schema: Json) -> Member:
    repeats = schema.get("type") == "array"
    one = schema["items"] if repeats else schema
    name = one["$ref"].rpartition("/")[2].removesuffix("-or-null") if "$ref" in one else ""
    kind = r4.kind(name) if name else "string"
    return Member(name, kind, repeats)


def _is_attribute(type_: str, name: str) -> bool:
    """``id`` of whatever is no resource, and the address of an extension."""
    return (name == "id" and type_ not in _RESOURCES) or (type_ == "Extension" and name == "url")


_RESOURCES: Final = frozenset((*r4.TYPES, *guide.TYPES))


# ---- JSON to XML -------------------------------------------------------------------------------------------------


def to_xml(body: bytes, *, pretty: bool = False) -> bytes:
    """A judged resource as XML, indented where it is to be read."""
    resource = _DIGITS.decode(body)
    root = etree.Element(f"{{{FHIR}}}{resource['resourceType']}", nsmap={None: FHIR})
    _write(root, resource, resource["resourceType"])
    if pretty:
        _indent(root, "\n")
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def _write(parent: etree._Element, content: Json, type_: str) -> None:
    for name, member in members(type_).items():
        if _is_attribute(type_, name):
            if name in content:
                parent.set(name, content[name])
        elif name in content or f"_{name}" in content:
            for value, more in _pairs(content, name, member):
                _append(parent, name, member, value, more)


def _indent(parent: etree._Element, end: str) -> None:
    """Between the elements of FHIR blanks mean nothing, in a narrative they may."""
    parent.text = f"{end}  "
    for child in parent:
        if len(child) and child.tag != _DIV:
            _indent(child, f"{end}  ")
        child.tail = end if child.getnext() is None else f"{end}  "


def _pairs(content: Json, name: str, member: Member) -> Iterator[tuple[Any, Any]]:
    """Each value with what stands beside it under ``_name``."""
    values, siblings = content.get(name), content.get(f"_{name}")
    if member.repeats:
        return zip_longest(values or (), siblings or ())
    return iter([(values, siblings)])


def _append(parent: etree._Element, name: str, member: Member, value: Any, more: Json | None) -> None:
    if member.type == "xhtml":
        parent.append(_narrative(value))
        return
    child = etree.SubElement(parent, f"{{{FHIR}}}{name}")
    if member.type == "Resource":
        inside = etree.SubElement(child, f"{{{FHIR}}}{value['resourceType']}")
        _write(inside, value, value["resourceType"])
    elif member.kind == "object":
        _write(child, value, member.type)
    else:
        if value is not None:
            child.set("value", _text(value))
        if more is not None:
            _write(child, more, "Element")


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _narrative(text: str) -> etree._Element:
    """The narrative; one that is no XML is shown as the text that it is."""
    try:
        found = etree.fromstring(text.encode(), safe_xml.parser())
    except etree.XMLSyntaxError:
        found = None
    if found is not None and found.tag == _DIV:
        return found
    shown = etree.Element(_DIV, nsmap={None: XHTML})
    shown.text = text
    return shown


_DIV: Final = f"{{{XHTML}}}div"


# ---- XML to JSON -------------------------------------------------------------------------------------------------


def to_json(body: bytes) -> bytes:
    """The resource as JSON, to be judged: what R4 does not know is handed on, and the judge tells it with all else. Raises
    ``Malformed`` for what is no FHIR XML, with everything that JSON cannot hold."""
    try:
        root = etree.fromstring(body, safe_xml.parser())
    except (etree.XMLSyntaxError, ValueError):
        raise Malformed("this is not XML, or nested too deep") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Malformed("a document type declaration is not read here")
    for name in [name for name in root.attrib if str(name).startswith(_INSTANCE)]:
        del root.attrib[name]
    if not _is_resource(root):
        raise Malformed(f"a resource that is served is wanted, in the namespace {FHIR}")
    reading = _Reading()
    resource = reading.resource(root)
    if reading.faults:
        raise Malformed(*(_issue(element, words) for element, words in reading.faults))
    return _ENCODER.encode(resource)


def _is_resource(element: etree._Element) -> bool:
    name = etree.QName(element)
    return name.namespace == FHIR and name.localname in _RESOURCES


class _Reading:
    """One reading of a document. ``faults`` are the elements in which something is that JSON cannot hold, in words."""

    def __init__(self) -> None:
        self.faults: list[tuple[etree._Element, str]] = []

    def resource(self, element: etree._Element) -> dict[str, Any]:
        """A resource with all that stands in it."""
        type_ = etree.QName(element).localname
        return {"resourceType": type_, **self._object(element, type_)}

    def _object(self, element: etree._Element, type_: str) -> dict[str, Any]:
        """An object's members. A primitive's ``value`` is read by whoever knows that it is one."""
        known = members(type_)
        found: dict[str, Any] = {}
        for each, text in element.attrib.items():
            attribute = str(each)
            found[attribute if _is_attribute(type_, attribute) else _stranger(attribute, type_)] = text
        self._expect_no_text(element)
        for child in element:
            name = etree.QName(child)
            member = None if _is_attribute(type_, name.localname) else known.get(name.localname)
            if member is None or name.namespace != (XHTML if member.type == "xhtml" else FHIR):
                found[_stranger(name.localname if name.namespace == FHIR else "", type_)] = {}
            else:
                self._put(found, name.localname, member, child)
        return found

    def _put(self, found: dict[str, Any], name: str, member: Member, child: etree._Element) -> None:
        value, more = self._value(child, member)
        if not member.repeats:
            if name in found or f"_{name}" in found:
                self._fault(child, "stands twice")
            found.update({each: it for each, it in ((name, value), (f"_{name}", more)) if it is not None})
            return
        found.setdefault(name, []).append(value)
        if more is not None or f"_{name}" in found:
            siblings = found.setdefault(f"_{name}", [])
            siblings += [None] * (len(found[name]) - 1 - len(siblings)) + [more]

    def _value(self, child: etree._Element, member: Member) -> tuple[Any, dict[str, Any] | None]:
        """What a child is in JSON, and what stands under ``_name``: of a primitive without a value, even if it is nothing."""
        if member.type == "xhtml":
            etree.cleanup_namespaces(child)
            return etree.tostring(child, encoding="unicode", with_tail=False), None
        if member.type == "Resource":
            return self._inside(child), None
        if member.kind == "object":
            return self._object(child, member.type), None
        text = child.attrib.pop("value", None)
        more = self._object(child, "Element")
        return (None, more) if text is None else (_primitive(str(text), member.kind), more or None)

    def _inside(self, child: etree._Element) -> dict[str, Any]:
        self._expect_no_text(child)
        if len(child) == 1 and not child.attrib and _is_resource(child[0]):
            return self.resource(child[0])
        self._fault(child, "must hold one resource that is served, and nothing else")
        return {}

    def _expect_no_text(self, element: etree._Element) -> None:
        if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
            self._fault(element, "has text between its elements")

    def _fault(self, element: etree._Element, words: str) -> None:
        if len(self.faults) < r4.MOST_ISSUES:
            self.faults.append((element, words))


def _stranger(name: str, type_: str) -> str:
    """A name for what is no member here, under which the judge will know it for none."""
    is_taken = not name or name == "resourceType" or name.startswith("_") or name in members(type_)
    return "(unknown)" if is_taken else name


def _issue(element: etree._Element, words: str) -> Issue:
    """What is wrong with an element, said at its place: every step up to it is known."""
    root, *steps = [*reversed([*element.iterancestors()]), element]
    path: r4.Path = []
    type_ = resource = etree.QName(root).localname
    for step in steps:
        name = etree.QName(step).localname
        if type_ == "Resource":
            type_ = name
            continue
        member = members(type_)[name]
        before = len([*step.itersiblings(str(step.tag), preceding=True)])
        path += [name, before] if member.repeats else [name]
        type_ = member.type if member.kind == "object" else "Element"
    return r4.issue_at(resource, path, words)


def _primitive(text: str, kind: str) -> Any:
    """A number keeps its digits. What is none stays a text, which the judge then refuses."""
    if kind in ("integer", "number") and _NUMBER.fullmatch(text):
        return msgspec.Raw(text.encode())
    return _BOOLEANS.get(text, text) if kind == "boolean" else text


_BOOLEANS: Final = {"true": True, "false": False}
