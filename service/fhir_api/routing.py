"""Which interaction an address means: the parts of the path are looked up one after the other, names before patterns.

Starlette asks every route in turn, each with a regular expression: with all that stands here, that took a third of the time
of a read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from contracts.errors import NotFound, NotSupported

T = TypeVar("T")

_PATTERN: Final = re.compile(r"\{(\w+)(:id)?\}")
_ID: Final = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""What may be an id: no operation and no history can be taken for one."""


@dataclass(slots=True)
class _Place(Generic[T]):
    """Where a path has come to. ``pattern`` is the place behind a part that has no name of its own here."""

    ends: dict[str, T] = field(default_factory=dict)
    named: "dict[str, _Place[T]]" = field(default_factory=dict)
    pattern: "_Place[T] | None" = None
    parameter: str = ""
    is_id: bool = False


class Routes(Generic[T]):
    """What answers, by method and path. In a path ``{type:id}`` stands for whatever may be an id, ``{vid}`` for anything."""

    def __init__(self, routes: Iterable[tuple[str, str, T]]) -> None:
        self._root: _Place[T] = _Place()
        for method, path, end in routes:
            self._place(_parts(path)).ends.setdefault(method, end)

    def find(self, method: str, path: str) -> tuple[T, Mapping[str, str]]:
        """What answers, and what stands in the path where its pattern has names. HEAD is a GET. Raises ``NotFound``, and
        ``NotSupported`` where other methods are answered."""
        wanted, is_there = "GET" if method == "HEAD" else method, False
        for place, parameters in _ways(self._root, _parts(path)):
            if wanted in place.ends:
                return place.ends[wanted], parameters
            is_there = is_there or bool(place.ends)
        if is_there:
            raise NotSupported("this is not done here: see /metadata")
        raise NotFound("there is no such address")

    def ends(self, path: str) -> Iterator[tuple[str, T, Mapping[str, str]]]:
        """Everything that answers there: by which method, and what stands in the path where its pattern has names."""
        for place, parameters in _ways(self._root, _parts(path)):
            yield from ((method, end, parameters) for method, end in place.ends.items())

    def _place(self, parts: Sequence[str]) -> "_Place[T]":
        place = self._root
        for part in parts:
            pattern = _PATTERN.fullmatch(part)
            place = place.named.setdefault(part, _Place()) if pattern is None else _behind(place, *pattern.groups())
        return place


def _behind(place: _Place[T], name: str, id: str | None) -> _Place[T]:
    if place.pattern is None:
        place.pattern, place.parameter, place.is_id = _Place(), name, id is not None
    if (place.parameter, place.is_id) != (name, id is not None):
        raise ValueError(f"one place in a path has two patterns: {place.parameter}, {name}")
    return place.pattern


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/")


def _ways(place: _Place[T], parts: Sequence[str]) -> Iterator[tuple[_Place[T], dict[str, str]]]:
    """Every place that the parts lead to, with what was taken by patterns; names first."""
    if not parts:
        yield place, {}
        return
    first, *rest = parts
    if first in place.named:
        yield from _ways(place.named[first], rest)
    if place.pattern is not None and (_ID.fullmatch(first) if place.is_id else first):
        for end, taken in _ways(place.pattern, rest):
            yield end, {place.parameter: first, **taken}
