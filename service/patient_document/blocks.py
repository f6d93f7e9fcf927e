"""A document as both forms of it read it: headings, and below them texts of a few kinds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A text."""

    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list, each point a text."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A thing with what is to be known of it: labels, each with its text."""

    title: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Entries:
    """Several of them."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of the ladder: from when, how much sick leave, how much time for work; ``work`` is that time in percent."""

    since: str
    sick_leave: str
    time_for_work: str
    work: int


@dataclass(frozen=True, slots=True)
class Ladder:
    """The way back, as a table with a picture in it. ``heads`` name its columns."""

    heads: tuple[str, str, str]
    rungs: tuple[Rung, ...]


Block = Paragraph | Points | Entries | Ladder


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what stands below it."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """``about`` are short lines below the title: whose it is, which version; ``foot`` stands at the end."""

    title: str
    about: tuple[str, ...]
    intro: tuple[str, ...]
    sections: tuple[Section, ...]
    foot: str
