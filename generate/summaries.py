"""Makes contracts/wire/fhir/r4.summaries.json: what ``_summary`` and ``_elements`` leave of each type, from FHIR 4.0.1.

    python generate/summaries.py package/dist/fhir/r4            # as for r4_schema.py

``summary``: the elements that R4 marks as summary. ``within``: what such an element loses below itself. ``always``: what
is required or changes the meaning, and stays whatever was asked for. ``choices``: the names in JSON of a choice; ``every``: all names in JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

from r4_schema import Definitions, Element
from search_parameters import SEARCHED

TARGET = Path(__file__).parents[1] / "contracts/wire/fhir/r4.summaries.json"


def row(source: Definitions, type_: str) -> dict[str, Any]:
    """The table's row of a type."""
    elements = source.elements(type_)
    return {
        "every": [name for each in elements for name in each.members],
        "summary": [name for each in elements if each.is_summary for name in each.members],
        "within": {each.name: lost for each in elements if each.is_summary and (lost := _lost(source, each))},
        "always": [name for each in elements if each.required or each.is_modifier for name in each.members],
        "choices": {each.name: list(each.members) for each in elements if each.is_choice},
    }


def _lost(source: Definitions, element: Element) -> list[str]:
    """The elements of a backbone that are no summary."""
    if "." not in element.types[0]:
        return []
    children = source.elements(element.types[0])
    return [name for each in children if not each.is_summary for name in each.members if name not in _OF_EVERY]


_OF_EVERY = ("id", "extension")


def main(folder: Path) -> None:
    source = Definitions(folder)
    lines = (f"{json.dumps(type_)}: {json.dumps(row(source, type_))}" for type_ in SEARCHED)
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
