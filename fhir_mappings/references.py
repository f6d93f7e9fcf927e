"""Links inside a bundle: from the address that an entry has there to the one that it gets here.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from contracts.record import Document
from fhir_mappings.document import with_elements

Renamed = Callable[[str, bool], str]
"""From a link, and whether it is a reference, to what is to stand in its place; mostly the very same."""

_REFERENCE: Final = "reference"
_LINKS: Final = frozenset({_REFERENCE, "valueUri", "valueUrl", "valueUuid", "valueOid", "url"})
"""Members that may hold a link. An identifier's value may look like one, and is none."""

_CONDITIONAL: Final = re.compile(r"[A-Z][A-Za-z]+\?")
_CONDITIONS: Final = re.compile(rb'("reference"\s*:\s*"[A-Z][A-Za-z]+)\?(?:[^"\\]|\\.)*"')
_HREF: Final = re.compile(r"""(\s(?:href|src)\s*=\s*(["']))(.+?)(?=\2)""")
"""In XHTML either quotation mark may stand."""


def links(content: Mapping[str, Any]) -> list[str]:
    """Every link in a resource, as written, those of the outer elements first."""
    found: list[str] = []
    elements: list[Any] = [content]
    for element in elements:  # which grows meanwhile
        if isinstance(element, list):
            elements += [each for each in element if isinstance(each, (dict, list))]
            continue
        for name, value in element.items():
            if isinstance(value, (dict, list)):
                elements.append(value)
            elif name in _LINKS and isinstance(value, str):
                found.append(value)
            elif name == "div":
                found += [match[3] for match in _HREF.finditer(value)]
    return found


def is_conditional(link: str) -> bool:
    """Whether it says by a search what it means: ``Patient?identifier=system|value``."""
    return _CONDITIONAL.match(link) is not None


def without_conditions(body: bytes) -> bytes:
    """The JSON with an id in the place of each condition, so that it can be judged before the conditions are asked."""
    return _CONDITIONS.sub(rb'\1/0"', body)


def relinked(document: Document, renamed: Renamed) -> Document:
    """The document with every link as ``renamed`` says. What holds no such link keeps its bytes."""
    changed = _changed(document.content, renamed)
    return with_elements(document, {name: new for name, new in changed.items() if new is not document.content[name]})


def at_home(document: Document, base: str) -> Document:
    """The document with references that begin with the server's own address relative: searches, the access log and whoever
    asks what points where know them by one name. Only references: other links stay as they came (decision D2)."""
    own = f"{base}/"
    if own.encode() not in document.body and b"\\/" not in document.body:  # a slash may be escaped
        return document
    return relinked(document, lambda link, is_reference: link.removeprefix(own) if is_reference else link)


def _changed(element: Any, renamed: Renamed) -> Any:
    """What does not change is the very same, so that its bytes are kept."""
    if isinstance(element, list):
        pieces = [_changed(each, renamed) if isinstance(each, (dict, list)) else each for each in element]
        return element if all(new is old for new, old in zip(pieces, element, strict=True)) else pieces
    news: dict[str, Any] = {}
    for name, value in element.items():
        if isinstance(value, (dict, list)):
            new = _changed(value, renamed)
        elif name in _LINKS and isinstance(value, str):
            new = renamed(value, name == _REFERENCE)
        elif name == "div":
            new = _HREF.sub(lambda found: found[1] + renamed(found[3], False), value)
        else:
            continue
        if new is not value:
            news[name] = new
    return {**element, **news} if news else element
