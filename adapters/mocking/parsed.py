"""A body as people read it: a line for each element or member."""

from collections.abc import Iterator
from typing import Any

import orjson
from lxml import etree

from adapters import soap


def parsed_lines(body: str) -> Iterator[tuple[int, str, str]]:
    """A body as lines: how deep, which element, which text. Nothing for what is neither XML nor JSON."""
    if body.lstrip().startswith("<"):
        try:
            yield from _elements(soap.parse(body.encode()), 0)
        except soap.BadXml:
            return
    elif body.lstrip().startswith(("{", "[")):
        try:
            yield from _members("", orjson.loads(body), 0)
        except orjson.JSONDecodeError:
            return


def _elements(element: etree._Element, depth: int) -> Iterator[tuple[int, str, str]]:
    yield depth, etree.QName(element).localname, (element.text or "").strip()
    for child in element:
        yield from _elements(child, depth + 1)


def _members(name: str, value: Any, depth: int) -> Iterator[tuple[int, str, str]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    yield depth, name, "" if members is not None else _written(value)
    for inner, content in members or ():
        yield from _members(str(inner), content, depth + 1)


def _written(value: Any) -> str:
    """Text as it is read, everything else as JSON writes it."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
