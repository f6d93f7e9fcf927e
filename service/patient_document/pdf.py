"""The document on paper: a tagged PDF (PDF/UA-1), which a screen reader reads as well as the page.

Typst sets it. It is imported when the first PDF is asked for, asks the system for no font and no library, and reads nothing
but what it is given here: the words are data to it, never markup.
"""

import json
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from typing import Any, Final

from contracts.plan import PlanSeen
from service.patient_document.blocks import Block, Entries, Ladder, Paragraph, Points
from service.patient_document.words import document

MEDIA: Final = "application/pdf"
_NAMES: Final[dict[type, str]] = {Paragraph: "paragraph", Points: "points", Entries: "entries", Ladder: "ladder"}


def paper(seen: PlanSeen) -> bytes:
    """The PDF. It takes some milliseconds of work: callers that serve others meanwhile run it in a thread."""
    import typst

    said = document(seen)
    given = asdict(said) | {
        "sections": [
            {"heading": each.heading, "blocks": [_block(one) for one in each.blocks]} for each in said.sections
        ]
    }
    made: bytes = typst.compile(
        _template(),
        format="pdf",
        pdf_standards="ua-1",
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(given)},
    )
    return made


def _block(block: Block) -> dict[str, Any]:
    return {"kind": _NAMES[type(block)], **asdict(block)}


@cache
def _template() -> bytes:
    return (files(__package__) / "plan.typ").read_bytes()
