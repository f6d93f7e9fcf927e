"""$expand: https://hl7.org/fhir/R4/valueset-operation-expand.html"""

from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed
from fhir_mappings import terminology
from fhir_mappings.primitives import Json, to_instant
from service.fhir_api import answers
from service.fhir_api.operations.parameters import WORDS, Asked, artefact, asked
from service.fhir_api.surroundings import Surroundings

_TAKES: Final = WORDS | {"url", "valueSetVersion", "filter", "count", "offset", "includeDesignations", "activeOnly"}


async def expand(around: Surroundings, request: Request) -> Response:
    """The members of a value set, those whose code or words hold ``filter``, from ``offset``, ``count`` of them. All are
    active: none of the guide's codes has been taken out of use."""
    question = await asked(around, request, _TAKES)
    value_set = artefact("ValueSet", request, question, "url")
    members = terminology.matching(terminology.members(value_set), question.text("filter"))
    offset, count = question.number("offset", 0) or 0, question.number("count")
    if "filter" in question and not question.text("filter").strip():
        raise Malformed(Issue(IssueType.VALUE, "filter is a text"))
    chosen = members[offset : None if count is None else offset + count]
    expansion = {
        "identifier": f"urn:uuid:{around.context.ids.new()}",
        "timestamp": to_instant(around.clock.now()),
        "total": len(members),
        "offset": offset,
        "parameter": _told(question, offset, count),
        "contains": [_contained(system, concept, question) for system, concept in chosen],
    }
    written = {name: value for name, value in expansion.items() if value or name in ("total", "offset")}
    return answers.resource(orjson.dumps({**value_set, "expansion": written}))


def _told(question: Asked, offset: int, count: int | None) -> list[dict[str, Any]]:
    """What was obeyed. http://hl7.org/fhir/R4/valueset-definitions.html#ValueSet.expansion.parameter"""
    told: list[dict[str, Any]] = [
        {"name": "displayLanguage", "valueCode": question.language()},
        {"name": "date", "valueDateTime": question.day().isoformat()},
        {"name": "offset", "valueInteger": offset},
    ]
    counted = [] if count is None else [{"name": "count", "valueInteger": count}]
    filtered = [{"name": "filter", "valueString": question.text("filter")}] if "filter" in question else []
    active = [{"name": "activeOnly", "valueBoolean": question.is_set("activeOnly")}] if "activeOnly" in question else []
    return told + counted + filtered + active


def _contained(system: str, concept: Json, question: Asked) -> dict[str, Any]:
    word = terminology.word(concept, question.language(), question.day())
    designations = concept.get("designation") if question.is_set("includeDesignations") else None
    contained = {"system": system, "code": concept["code"], "display": word, "designation": designations}
    return {name: value for name, value in contained.items() if value}
