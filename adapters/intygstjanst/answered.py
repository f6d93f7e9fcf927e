"""The answers in a certificate: ``svar`` with their ``delsvar``, by the numbers of the form (forsakringskassan.md § 1.4). Pure.

A part of a question is named as the form numbers it: ``26.1``. An answer may come several times, one for each instance.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from lxml import etree

T = TypeVar("T")
FoundT = TypeVar("FoundT")
Parts = Mapping[str, etree._Element]
"""One answer: its parts by number."""

_LONGEST: Final = 20_000
"""Characters of a text. The form allows 4,000."""


class Unread(dict[str, None]):
    """Names of what could not be read, each once, in the order in which it was met."""

    def add(self, name: str) -> None:
        """``name`` is an element's or a part's, never anything that stands in it."""
        self[name] = None


class Answers:
    """What was answered. A part that cannot be read goes to ``unread``, and is as if it were not there."""

    def __init__(self, certificate: etree._Element, unread: Unread) -> None:
        self._unread = unread
        self._given: defaultdict[str, list[Parts]] = defaultdict(list)
        for answer in certificate.findall("{*}svar"):
            self._given[answer.get("id", "").strip()] += _parts(answer)

    def has(self, part: str) -> bool:
        """Whether the part is there, readable or not."""
        return bool(self._all(part))

    def miss(self, part: str) -> None:
        """Note a part that another answer calls for and that is not there."""
        self._unread.add(part)

    def one(self, part: str, parse: Callable[[etree._Element], T]) -> T | None:
        """The part's value. Of several that do not say the same none can be told."""
        found = self.each(part, parse)
        if len(found) > 1:
            self._unread.add(part)
        return found[0] if found and part not in self._unread else None

    def each(self, part: str, parse: Callable[[etree._Element], T]) -> tuple[T, ...]:
        """The part's different values, in the order in which they stand."""
        values = (self._read(part, parse, element) for element in self._all(part))
        return tuple(dict.fromkeys(value for value in values if value is not None))

    def rows(self, question: str, parse: Callable[[Parts], T]) -> tuple[T, ...]:
        """What is made of each answer to a question, all its parts at once."""
        values = (self._read(question, parse, parts) for parts in self._given[question])
        return tuple(value for value in values if value is not None)

    def _all(self, part: str) -> list[etree._Element]:
        return [parts[part] for parts in self._given[part.partition(".")[0]] if part in parts]

    def _read(self, name: str, parse: Callable[[FoundT], T], found: FoundT) -> T | None:
        try:
            return parse(found)
        except (ValueError, KeyError):
            self._unread.add(name)
            return None


def _parts(answer: etree._Element) -> list[Parts]:
    """An answer; a part that stands in it once more is one by itself."""
    first: dict[str, etree._Element] = {}
    again: list[Parts] = []
    for each in answer.findall("{*}delsvar"):
        number = each.get("id", "").strip()
        again += [{number: each}] if number in first else []
        first.setdefault(number, each)
    return [first, *again]


# What stands in an element. Each raises ``ValueError`` when it does not.


def text(element: etree._Element) -> str:
    """Plain text, without the space around it."""
    found = (element.text or "").strip()
    if len(found) > _LONGEST:
        raise ValueError("the text is longer than any form allows")
    return found


def text_at(element: etree._Element, path: str) -> str:
    """Of the first element at the path, in any namespace; empty when there is none."""
    found = element.find("/".join(f"{{*}}{step}" for step in path.split("/")))
    return "" if found is None else text(found)


def code(element: etree._Element | None) -> str:
    """Of a coded element; empty when there is none. The code system is not looked at: real senders write it in several
    ways (§ 2.2), and each place has its own codes."""
    return "" if element is None else text_at(element, "code").upper()


def coded(element: etree._Element) -> str:
    """The code of the ``cv`` in a part."""
    return code(element.find("{*}cv"))


def truth(element: etree._Element) -> bool:
    """A yes or no."""
    try:
        return _TRUTHS[text(element).lower()]
    except KeyError:
        raise ValueError("neither true nor false") from None


_TRUTHS: Final = {"true": True, "1": True, "false": False, "0": False}
