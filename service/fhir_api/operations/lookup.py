"""$lookup: https://hl7.org/fhir/R4/codesystem-operation-lookup.html"""

from collections.abc import Collection, Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import NotFound
from fhir_mappings import guide, terminology
from fhir_mappings.primitives import Json, extension_value
from service.fhir_api.operations.parameters import OF_A_CODE, answer, asked, part
from service.fhir_api.surroundings import Surroundings


async def lookup(around: Surroundings, request: Request) -> Response:
    """A code's words on a day, in all languages and of all times, and what else is known of it; of both what ``property``
    names, where it names something. 404 for a code, or a version of its system, that is not known."""
    question = await asked(around, request, OF_A_CODE | {"version", "property"})
    coded = question.coded()[0]
    system = guide.by_url("CodeSystem", terminology.canonical(coded.system))
    concept = terminology.concept(coded)
    if system is None or concept is None:
        raise NotFound("no such code is known here: the code systems are listed by GET CodeSystem")
    wanted = question.texts("property")
    return answer(
        name=system["title"],
        version=system["version"],
        display=terminology.word(concept, question.language(), question.day()),
        designation=list(_designations(concept, wanted)),
        property=list(_properties(concept, wanted)),
    )


def _designations(concept: Json, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    for each in concept.get("designation", ()):
        if wanted and not {"designation", f"lang.{each['language']}"}.intersection(wanted):
            continue
        since = extension_value(each, terminology.DISPLAY_SINCE)
        dated = {"extension": [{"url": terminology.DISPLAY_SINCE, "valueDate": since}]} if since else {}
        yield dated | {"part": part(language={"valueCode": each["language"]}, value=each["value"])}


def _properties(concept: Json, wanted: Collection[str]) -> Iterator[dict[str, Any]]:
    for each in concept.get("property", ()):
        value = {name: value for name, value in each.items() if name.startswith("value")}
        if not wanted or each["code"] in wanted:
            yield {"part": part(code={"valueCode": each["code"]}, value=value)}
