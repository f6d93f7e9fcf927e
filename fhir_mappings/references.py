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
_HREF: Final = re.compile(r'(?<=(?:href|.src)=")[^"]+(?=")')


def links(content: Any) -> list[str]:
    """Every link in a resource, as written."""
    found: list[str] = []
    for name, value in content.items() if isinstance(content, dict) else (("", each) for each in content):
        if isinstance(value, (dict, list)):
            found += links(value)
        elif name in _LINKS and isinstance(value, str):
            found.append(value)
        elif name == "div":
            found += _HREF.findall(value)
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


def _changed(element: Any, renamed: Renamed, name: str = "") -> Any:
    """What does not change is the very same, so that its bytes are kept."""
    if isinstance(element, str):
        if name in _LINKS:
            return renamed(element, name == _REFERENCE)
        return _HREF.sub(lambda found: renamed(found[0], False), element) if name == "div" else element
    if isinstance(element, dict):
        return _with(
            element, {key: _changed(value, renamed, key) for key, value in element.items() if _may(key, value)}
        )
    if isinstance(element, list):
        pieces = [_changed(each, renamed) for each in element]
        return element if all(new is old for new, old in zip(pieces, element, strict=True)) else pieces
    return element


def _may(name: str, value: Any) -> bool:
    """Whether there may be a link in it."""
    return isinstance(value, (dict, list)) or name in _LINKS or name == "div"


def _with(element: Mapping[str, Any], news: Mapping[str, Any]) -> Mapping[str, Any]:
    return element if all(value is element[key] for key, value in news.items()) else {**element, **news}
