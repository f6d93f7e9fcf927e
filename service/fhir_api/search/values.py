"""Values of search parameters as they are written, and what they match once they are read.
https://hl7.org/fhir/R4/search.html#ptypes"""

import re
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, String

TEXT: Final = String()

Condition = ColumnElement[bool]
Columns = Any
"""The columns of a table or of its alias, by name."""

Binds = Iterator[Any]
"""The parameters of a statement that is being built, in the order of its values."""


@dataclass(frozen=True, slots=True)
class Match:
    """A condition on the columns of an index table. Of one parameter, matches of the same ``shape`` differ in their
    ``values`` alone: what was written for one is asked again for the other."""

    shape: Hashable
    values: tuple[Any, ...]
    on: Callable[[Columns, Sequence[Any]], Condition]

    def condition(self, c: Columns, binds: Binds) -> Condition:
        """The condition, its values standing for themselves as parameters."""
        return self.on(c, [next(binds) for _ in self.values])


def one_of(column: ColumnElement[Any], values: Sequence[Any]) -> Condition:
    """Whether the column has one of the values: of a single one by a plain comparison, which plans are made best for."""
    return column == values[0] if len(values) == 1 else column.in_(values)


# Values. https://hl7.org/fhir/R4/search.html#escaping


def split(text: str, separator: str) -> list[str]:
    """The parts between separators that no backslash escapes."""
    if "\\" not in text:
        return text.split(separator)
    return re.findall(rf"(?:^|{re.escape(separator)})((?:\\.|[^{re.escape(separator)}])*)", text, re.DOTALL)


def plain(text: str) -> str:
    """The text without its escapes."""
    return text if "\\" not in text else re.sub(r"\\([\\,|$])", r"\1", text)
