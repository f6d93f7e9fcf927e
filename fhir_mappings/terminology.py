"""What the guide's code systems, value sets and concept map answer: words, membership, translations.

Pure over ``guide``: nobody else's terminology is known here. A word may have changed on a day (KVÅ: GC001, domain rule 20); the
guide then dates it by the extension ``display-since``. http://hl7.org/fhir/R4/terminology-service.html
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from fhir_mappings import guide
from fhir_mappings.identifiers import BASE, EXT_CODING_RULE, canonical_token
from fhir_mappings.primitives import Json, extension_value

DISPLAY_SINCE: Final = f"{BASE}/StructureDefinition/display-since"
MAPPING_RULE: Final = EXT_CODING_RULE
"""On the Coding of a translation, as on a Coding that the service gave: the rule that gives it."""
LANGUAGES: Final = ("sv", "en")
"""In which every concept has words."""


class Coded(NamedTuple):
    """A code as somebody asks of it. ``display``, and the ``version`` of the system, are empty when none was given."""

    system: str
    code: str
    display: str = ""
    version: str = ""


class Translation(NamedTuple):
    """One match of the concept map, in the words of R4's equivalence, with the rule that it comes from."""

    coded: Coded
    equivalence: str
    rule: str


def concept(coded: Coded) -> Json | None:
    """The concept of a code system of ours, however its system is written; ``None`` when there is none, or none of the
    version."""
    address = canonical(coded.system)
    system = guide.by_url("CodeSystem", f"{address}|{coded.version}" if coded.version else address)
    return None if system is None else next((each for each in system["concept"] if each["code"] == coded.code), None)


def is_ours(system: str) -> bool:
    """Whether a code system is one of the guide's."""
    return guide.by_url("CodeSystem", canonical(system)) is not None


def canonical(system: str) -> str:
    """The one spelling of a system that the guide uses."""
    return canonical_token(system, "")[0]


def word(concept: Json, language: str, on: date) -> str:
    """How a concept is called in a language on a day: in the words that were the newest then, the oldest before all of
    them, and in the concept's own where the language has none."""
    named = sorted(_named(concept, language), key=lambda each: each[0])
    in_force = [value for since, value in named if since <= on.isoformat()]
    return in_force[-1] if in_force else named[0][1] if named else str(concept.get("display", concept["code"]))


def _named(concept: Json, language: str) -> Iterator[tuple[str, str]]:
    """Since when (an ISO day, empty from the start), and how."""
    for each in concept.get("designation", ()):
        if each.get("language") == language:
            yield str(extension_value(each, DISPLAY_SINCE) or ""), each["value"]


def is_word(concept: Json, display: str) -> bool:
    """Whether a display is one of the concept's, in any language and of any time."""
    return display in {concept.get("display"), *(each["value"] for each in concept.get("designation", ()))}


def members(value_set: Json) -> list[tuple[str, Json]]:
    """System and concept of every member, with all the words that are known of it."""
    listed = guide.members(value_set)
    return [(system, concept(Coded(system, each["code"])) or each) for system, each in listed]


def matching(found: list[tuple[str, Json]], text: str) -> list[tuple[str, Json]]:
    """Those whose code or any word holds the text, whatever its case."""
    wanted = text.casefold()
    return [(system, each) for system, each in found if any(wanted in said.casefold() for said in _said(each))]


def _said(concept: Json) -> list[str]:
    return [concept["code"], concept.get("display", ""), *(each["value"] for each in concept.get("designation", ()))]


def is_member(value_set: Json, coded: Coded) -> bool:
    """Whether a code is in the value set."""
    return any((system, each["code"]) == (canonical(coded.system), coded.code) for system, each in members(value_set))


def translations(concept_map: Json, coded: Coded, *, reverse: bool = False) -> list[Translation]:
    """What a code is mapped to; ``reverse`` asks which codes are mapped to it. An equivalence read backwards is turned."""
    asked = (canonical(coded.system), coded.code)
    rows = _reversed(concept_map) if reverse else _rows(concept_map)
    return [translation for source, translation in rows if source == asked]


def _rows(concept_map: Json) -> Iterator[tuple[tuple[str, str], Translation]]:
    for group in concept_map["group"]:
        for element in group["element"]:
            for target in element["target"]:
                found = Coded(group["target"], target["code"])
                told = Translation(found, target["equivalence"], target.get("comment", ""))
                yield (group["source"], element["code"]), told


def _reversed(concept_map: Json) -> Iterator[tuple[tuple[str, str], Translation]]:
    for (system, code), told in _rows(concept_map):
        turned = _TURNED.get(told.equivalence, told.equivalence)
        yield (told.coded.system, told.coded.code), Translation(Coded(system, code), turned, told.rule)


_TURNED: Final[Mapping[str, str]] = {"wider": "narrower", "narrower": "wider", "subsumes": "specializes"}
"""http://hl7.org/fhir/R4/valueset-concept-map-equivalence.html"""


def find(type: str, id: str, url: str) -> Json | None:
    """The artefact that is named, by its id or, where that is empty, by its canonical address."""
    return guide.artefacts().get(f"{type}/{id}") if id else guide.by_url(type, url)
