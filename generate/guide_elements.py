"""Makes contracts/wire/fhir/r4.guide-elements.json, by which the guide's artefacts are written as XML, from FHIR 4.0.1.

    python generate/guide_elements.py package/dist/fhir/r4       # as for r4_schema.py

Each type, data type and backbone that the guide needs and r4.schema.json does not judge, with its elements by their JSON
names in R4's order: an element's type, in a list if it repeats. Held against fhir.resources R4B as the schema is.
"""

import json
import sys
from pathlib import Path

from r4_schema import Definitions, Element, Writer, differences

from fhir_mappings import guide, r4

TARGET = Path(__file__).parents[1] / "contracts/wire/fhir/r4.guide-elements.json"

KNOWN = {
    f"ElementDefinition.{value}{difference}"
    for value in ("defaultValue", "example.value", "fixed", "pattern")
    for difference in ("CodeableReference: only in R4B", "RatioRange: only in R4B", "Meta: only in R4")
}
"""Where R4B differs from R4 in these types: which types an open choice may have."""


def row(elements: list[Element]) -> dict[str, str | list[str]]:
    """The table's row of a type."""
    return {name: [type_] if each.repeats else type_ for each in elements for name, type_ in each.members.items()}


def main(folder: Path) -> None:
    source = Definitions(folder)
    judged, needed = Writer(source), Writer(source)
    judged.schema(r4.TYPES)
    needed.schema(guide.TYPES)
    needed.complex = {path: each for path, each in sorted(needed.complex.items()) if path not in judged.complex}
    if (found := set(differences(source, needed))) != KNOWN:
        sys.exit("\n".join(["Not as known:", *sorted(found ^ KNOWN)]))
    lines = (f"{json.dumps(path)}: {json.dumps(row(elements))}" for path, elements in needed.complex.items())
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
