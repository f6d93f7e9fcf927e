"""The document on paper: a tagged PDF (PDF/UA-1), which a screen reader reads as well as the page.

Typst sets it. It is imported when the first PDF is asked for, asks the system for no library, and reads nothing but what it is
given here: the words are data to it, never markup.
"""

import json
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from contracts.plan import PlanSeen
from contracts.time import day_start
from service.patient_document.blocks import Block, Entries, Ladder, Paragraph, Points
from service.patient_document.words import document

MEDIA: Final = "application/pdf"
_NAMES: Final[dict[type, str]] = {Paragraph: "paragraph", Points: "points", Entries: "entries", Ladder: "ladder"}


def paper(seen: PlanSeen) -> bytes:
    """The PDF, the same whenever it is made of the same. It takes some milliseconds of work: callers that serve others meanwhile
    run it in a thread.

    Typst's own fonts have the letters of Europe. Where a text has others, no PDF/UA can be made: it comes tagged all the same,
    with what fonts the system has.
    """
    import typst  # not at the start: nobody who wants no paper waits for it

    said = document(seen)
    sections = [{"heading": each.heading, "blocks": [_block(one) for one in each.blocks]} for each in said.sections]
    given = json.dumps(asdict(said) | {"sections": sections})
    at = int(day_start(seen.on).timestamp())

    def made(standard: Literal["ua-1"] | None) -> bytes:
        return typst.compile(
            _template(),
            format="pdf",
            pdf_standards=standard,
            ignore_system_fonts=standard is not None,
            sys_inputs={"document": given},
            timestamp=at,
        )

    try:
        return made("ua-1")
    except typst.TypstError:
        return made(None)


def _block(block: Block) -> dict[str, Any]:
    return {"kind": _NAMES[type(block)], **asdict(block)}


@cache
def _template() -> bytes:
    return (files(__package__) / "plan.typ").read_bytes()
