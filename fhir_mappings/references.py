"""Links inside a bundle: from the address that an entry has there to the one that it gets here.

https://hl7.org/fhir/R4/http.html#trules, https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Callable, Iterator, Mapping
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


def links(content: Any) -> Iterator[str]:
    """Every link in a resource, as written."""
    for name, value in _members(content):
        if isinstance(value, str):
            yield from [value] if name in _LINKS else _HREF.findall(value) if name == "div" else ()
        else:
            yield from links(value)


def is_conditional(link: str) -> bool:
    """Whether it says by a search what it means: ``Patient?identifier=system|value``."""
    return _CONDITIONAL.match(link) is not None


def without_conditions(body: bytes) -> bytes:
    """The JSON with an id in the place of each condition, so that it can be judged before the conditions are asked."""
    return _CONDITIONS.sub(rb'\1/0"', body)


def relinked(document: Document, renamed: Renamed) -> Document:
    """The document with every link as ``renamed`` says. What holds no such link keeps its bytes."""
    changed = _changed(document.content, renamed)
    return with_elements(document, {name: changed[name] for name in document.content})


def _members(content: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(content, Mapping):
        yield from content.items()
    elif isinstance(content, list):
        yield from (("", each) for each in content)


def _changed(element: Any, renamed: Renamed, name: str = "") -> Any:
    """What does not change is the very same, so that its bytes are kept."""
    if isinstance(element, str):
        if name in _LINKS:
            return renamed(element, name == _REFERENCE)
        return _HREF.sub(lambda found: renamed(found[0], False), element) if name == "div" else element
    if isinstance(element, Mapping):
        news = {key: _changed(value, renamed, key) for key, value in element.items()}
        return element if all(news[key] is element[key] for key in news) else news
    if isinstance(element, list):
        pieces = [_changed(each, renamed) for each in element]
        return element if all(new is old for new, old in zip(pieces, element, strict=True)) else pieces
    return element
