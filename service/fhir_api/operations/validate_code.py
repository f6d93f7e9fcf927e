"""$validate-code: https://hl7.org/fhir/R4/codesystem-operation-validate-code.html and, for value sets,
https://hl7.org/fhir/R4/valueset-operation-validate-code.html"""

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from fhir_mappings import terminology
from fhir_mappings.primitives import Json
from fhir_mappings.terminology import Coded
from service.fhir_api.operations.parameters import OF_A_CODE, Asked, answer, artefact, asked
from service.fhir_api.surroundings import Surroundings

_TAKES: Final = OF_A_CODE | {"url", "display", "codeableConcept"}


async def validate_code_in_system(around: Surroundings, request: Request) -> Response:
    """Whether a code, and the word that is given for it, are of a code system."""
    question = await asked(around, request, _TAKES | {"version"})
    names = () if "id" in request.path_params else ("url", "system")
    system = artefact("CodeSystem", request, question, *names)
    return _answer(question, lambda coded: coded.system in ("", system["url"]), system["url"])


async def validate_code_in_set(around: Surroundings, request: Request) -> Response:
    """Whether a code is in a value set, and the word that is given for it one of the code's. A code without its system is
    looked for under the only system of the set."""
    question = await asked(around, request, _TAKES | {"systemVersion", "valueSetVersion"})
    value_set = artefact("ValueSet", request, question, "url")
    systems = {system for system, _ in terminology.members(value_set)}
    return _answer(
        question, lambda coded: terminology.is_member(value_set, coded), systems.pop() if len(systems) == 1 else ""
    )


def _answer(question: Asked, belongs: Callable[[Coded], bool], default: str) -> Response:
    """The first coding that belongs decides: of several in a CodeableConcept one is enough."""
    codings = [each._replace(system=terminology.canonical(each.system or default)) for each in question.coded()]
    known = [(each, _concept(each)) for each in codings if belongs(each)]
    coded, concept = next(((each, found) for each, found in known if found is not None), (codings[0], None))
    if concept is None:
        return answer(result=False, message="the code is not among those that are asked about")
    right = terminology.word(concept, question.language(), question.day())
    if coded.display and not terminology.is_word(concept, coded.display):
        return answer(
            result=False, message=f"the code is right, but is not called so: it is called {right}", display=right
        )
    return answer(result=True, display=right)


def _concept(coded: Coded) -> Json | None:
    """Of a code system of ours; what a value set takes from another's is known by its code alone."""
    found = terminology.concept(coded)
    return found if found is not None or terminology.is_ours(coded.system) else {"code": coded.code}
