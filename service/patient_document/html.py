"""The document as a page: one file that asks for nothing else, made for screen, screen reader and A4."""

from collections.abc import Callable, Iterable
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final

from contracts.plan import PlanSeen
from service.patient_document.blocks import Document, Entries, Entry, Ladder, Paragraph, Points, Rung, Section
from service.patient_document.words import document

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
"""Of an answer that is the page."""

_BAR: Final = 120
_HEIGHT: Final = 14


def page(seen: PlanSeen) -> str:
    """The whole page."""
    title = escape(document(seen).title)
    return (
        f'<!doctype html>\n<html lang="sv">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>\n{style()}</style>\n</head>\n<body>\n<main>\n{article(seen)}</main>\n</body>\n</html>\n"
    )


def article(seen: PlanSeen) -> str:
    """What the page says, to be set in another. Everything is escaped: names and words are data, never markup."""
    said = document(seen)
    return f'<article class="plan" lang="sv">\n{"".join(_parts(said))}</article>\n'


@cache
def style() -> str:
    """Its style sheet."""
    return (files(__package__) / "plan.css").read_text(encoding="utf-8")


def _parts(said: Document) -> Iterable[str]:
    yield f"<h1>{escape(said.title)}</h1>\n"
    yield f'<p class="about">{"<br>".join(map(escape, said.about))}</p>\n'
    yield from (f"<p>{escape(each)}</p>\n" for each in said.intro)
    yield from map(_section, said.sections)
    yield f'<p class="foot">{escape(said.foot)}</p>\n'


def _section(section: Section) -> str:
    blocks = "".join(_BLOCKS[type(each)](each) for each in section.blocks)
    return f"<section>\n<h2>{escape(section.heading)}</h2>\n{blocks}</section>\n"


def _paragraph(block: Paragraph) -> str:
    return f"<p>{escape(block.text)}</p>\n"


def _points(block: Points) -> str:
    return f"<ul>{''.join(f'<li>{escape(each)}</li>' for each in block.texts)}</ul>\n"


def _entries(block: Entries) -> str:
    return "".join(map(_entry, block.entries))


def _entry(entry: Entry) -> str:
    facts = "".join(f"<div><dt>{escape(label)}:</dt> <dd>{escape(said)}</dd></div>" for label, said in entry.facts)
    listed = f"<dl>{facts}</dl>" if facts else ""
    return f'<div class="entry"><h3>{escape(entry.title)}</h3>{listed}</div>\n'


def _ladder(block: Ladder) -> str:
    heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in block.heads)
    rows = "".join(map(_rung, block.rungs))
    return f'<table class="ladder">\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n'


def _rung(rung: Rung) -> str:
    """The bar says what the words beside it say: nobody has to see it."""
    bar = (
        f'<svg viewBox="0 0 {_BAR} {_HEIGHT}" width="{_BAR}" height="{_HEIGHT}" aria-hidden="true">'
        f'<rect class="all" x=".5" y=".5" width="{_BAR - 1}" height="{_HEIGHT - 1}"/>'
        f'<rect class="work" x=".5" y=".5" width="{(_BAR - 1) * rung.work / 100:g}" height="{_HEIGHT - 1}"/></svg>'
    )
    return (
        f'<tr><th scope="row">{escape(rung.since)}</th><td>{escape(rung.sick_leave)}</td>'
        f"<td>{bar}{escape(rung.time_for_work)}</td></tr>\n"
    )


_BLOCKS: Final[dict[type, Callable[[Any], str]]] = {
    Paragraph: _paragraph,
    Points: _points,
    Entries: _entries,
    Ladder: _ladder,
}
