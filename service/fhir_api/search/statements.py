"""Questions to the store. Two of one shape differ in their values alone, and are written once: putting a statement together
and compiling it costs fifty times what the database needs to answer it (docs/benchmarks.md)."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, TypeVar

from sqlalchemy import Select, bindparam

from service.fhir_api.search.values import Binds
from service.store import sql

MOST: Final = 1000
"""Statements that are kept. More shapes than this are met by nobody but somebody who tries."""

V = TypeVar("V")

_written: Final[dict[Hashable, str]] = {}


@dataclass(frozen=True, slots=True)
class Question:
    """A statement with named parameters, and their values."""

    text: str
    values: dict[str, Any]


def question(shape: Hashable, values: Sequence[Any], build: Callable[[Binds], Select[Any]]) -> Question:
    """The statement of the shape, which ``build`` makes of one parameter for each value, in their order."""
    text = _written.get(shape)
    if text is None:
        if len(_written) >= MOST:
            _written.clear()
        text = _written[shape] = _write(len(values), build)
    return Question(text, {f"v{number}": value for number, value in enumerate(values)})


def _write(wanted: int, build: Callable[[Binds], Select[Any]]) -> str:
    numbers = count()
    text = sql.compiled(build(bindparam(f"v{number}") for number in numbers))
    taken = next(numbers)
    if taken != wanted:
        raise RuntimeError(f"a search takes {taken} values and has {wanted}")
    return text


def padded(values: Sequence[V]) -> list[V]:
    """The values, the last repeated until they are as many as a power of two: lists of any length have few shapes."""
    missing = (1 << (len(values) - 1).bit_length()) - len(values) if values else 0
    return [*values, *(values[-1] for _ in range(missing))]
