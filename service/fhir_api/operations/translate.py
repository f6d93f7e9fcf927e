"""$translate: https://hl7.org/fhir/R4/conceptmap-operation-translate.html"""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import NotFound
from fhir_mappings import guide, terminology
from fhir_mappings.primitives import Json
from fhir_mappings.terminology import Translation
from service.fhir_api.operations.parameters import OF_A_CODE, Asked, answer, artefact, asked, is_of_version, part
from service.fhir_api.surroundings import Surroundings

_OF_A_MAP: Final = frozenset({"url", "conceptMapVersion", "source", "target", "targetsystem", "reverse"})
_TAKES: Final = OF_A_CODE | {"version", "codeableConcept"} | _OF_A_MAP


async def translate(around: Surroundings, request: Request) -> Response:
    """What a code is mapped to, each with the rule under which the service sets it. ``result`` is false when to nothing."""
    question = await asked(around, request, _TAKES)
    concept_map = _map(request, question)
    found = [
        translation
        for coded in question.coded()
        for translation in terminology.translations(concept_map, coded, reverse=question.is_set("reverse"))
        if _is_wanted(question, translation)
    ]
    message = None if found else "nothing is mapped to that, or from it"
    return answer(result=bool(found), message=message, match=[_match(concept_map, each, question) for each in found])


def _map(request: Request, question: Asked) -> Json:
    """The map that is named; without a name, the one whose value sets are those that are named. Raises ``NotFound``."""
    if "id" in request.path_params or "url" in question:
        return artefact("ConceptMap", request, question, "url")
    fits = (each for each in guide.of_type("ConceptMap") if _fits(each, question))
    found = next(fits, None)
    if found is None:
        raise NotFound("no such ConceptMap is known here: GET ConceptMap lists those that are")
    return found


def _fits(concept_map: Json, question: Asked) -> bool:
    ends = {"source": concept_map["sourceUri"], "target": concept_map["targetUri"]}
    return is_of_version(concept_map, question) and all(question.text(name, uri) == uri for name, uri in ends.items())


def _is_wanted(question: Asked, translation: Translation) -> bool:
    wanted = question.text("targetsystem", translation.coded.system)
    return terminology.canonical(wanted) == translation.coded.system


def _match(concept_map: Json, translation: Translation, question: Asked) -> dict[str, Any]:
    concept = terminology.concept(translation.coded) or {"code": translation.coded.code}
    coding = {
        "system": translation.coded.system,
        "code": translation.coded.code,
        "display": terminology.word(concept, question.language(), question.day()),
    }
    rule = (
        {"extension": [{"url": terminology.MAPPING_RULE, "valueString": translation.rule}]} if translation.rule else {}
    )
    told = part(
        equivalence={"valueCode": translation.equivalence},
        concept={"valueCoding": coding | rule},
        source={"valueUri": concept_map["url"]},
    )
    return {"part": told}
