"""$lookup: https://hl7.org/fhir/R4/codesystem-operation-lookup.html"""

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import NotFound
from fhir_mappings import guide, terminology
from fhir_mappings.primitives import Json, extension_value
from service.fhir_api.operations.parameters import OF_A_CODE, answer, asked, part
from service.fhir_api.surroundings import Surroundings


async def lookup(around: Surroundings, request: Request) -> Response:
    """A code's words on a day, in all languages and of all times, and what else is known of it. 404 for one that is not."""
    question = await asked(around, request, OF_A_CODE)
    coded = question.coded()[0]
    system = guide.by_url("CodeSystem", terminology.canonical(coded.system))
    concept = terminology.concept(coded)
    if system is None or concept is None:
        raise NotFound("no such code is known here: the code systems are listed by GET CodeSystem")
    return answer(
        name=system["title"],
        version=system["version"],
        display=terminology.word(concept, question.language(), question.day()),
        designation=list(_designations(concept)),
        property=list(_properties(concept)),
    )


def _designations(concept: Json) -> Iterator[dict[str, Any]]:
    for each in concept.get("designation", ()):
        since = extension_value(each, terminology.DISPLAY_SINCE)
        dated = {"extension": [{"url": terminology.DISPLAY_SINCE, "valueDate": since}]} if since else {}
        yield dated | {"part": part(language={"valueCode": each["language"]}, value=each["value"])}


def _properties(concept: Json) -> Iterator[dict[str, Any]]:
    for each in concept.get("property", ()):
        value = {name: value for name, value in each.items() if name.startswith("value")}
        yield {"part": part(code={"valueCode": each["code"]}, value=value)}
