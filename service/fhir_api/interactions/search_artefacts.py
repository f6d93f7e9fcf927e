"""search-type, of the guide's artefacts: https://hl7.org/fhir/R4/http.html#search, by GET and by POST ``_search``"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed
from contracts.record import Right
from fhir_mappings import guide
from fhir_mappings.primitives import Json
from service.fhir_api import answers
from service.fhir_api.formats import posted
from service.fhir_api.surroundings import Surroundings
from service.http_edge import read_body

Match = Callable[[str, str], bool]
"""Whether a stated value is found by an asked one."""


def _same(stated: str, asked: str) -> bool:
    return stated == asked


def _begins(stated: str, asked: str) -> bool:
    """R4: a string begins with what is asked for, whatever its case."""
    return stated.casefold().startswith(asked.casefold())


PARAMETERS: Final[Mapping[str, tuple[str, str, Match]]] = {
    "_id": ("id", "token", _same),
    "url": ("url", "uri", _same),
    "version": ("version", "token", _same),
    "status": ("status", "token", _same),
    "name": ("name", "string", _begins),
    "title": ("title", "string", _begins),
}
"""By name: the element, the kind of parameter, and how values are compared."""

_PAGING: Final = frozenset({"_count", "_offset"})
_LET_THROUGH: Final = frozenset({"_format", "_pretty", "_total", "_totalMethod"})
_MOST: Final = 1000


async def search_artefacts(around: Surroundings, request: Request) -> Response:
    """The artefacts of one type that match, by id. They are about nobody: the access log has nothing to hold."""
    around.caller(request, Right.FHIR_READ)
    type = next(each for each in request.url.path.split("/") if each in guide.TYPES)
    asked = await _asked(request)
    found = [each for each in guide.of_type(type) if _matches(each, asked)]
    count, offset = _number(asked, "_count", _MOST), _number(asked, "_offset", 0)
    page = found[offset : offset + count]
    bundle = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": list(_links(f"{around.base}/{type}", asked, offset + count if 0 < offset + count < len(found) else 0)),
        "entry": [_entry(around.base, each) for each in page],
    }
    return answers.resource(orjson.dumps({name: value for name, value in bundle.items() if value != []}))


async def _asked(request: Request) -> list[tuple[str, str]]:
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    if request.method == "POST":
        stated = parse_qsl((await read_body(request)).decode("utf-8", "replace"), keep_blank_values=True)
        posted(request, stated)
        pairs += stated
    for name, _ in pairs:
        if name not in PARAMETERS and name not in _PAGING | _LET_THROUGH:
            known = ", ".join(PARAMETERS)
            raise Malformed(Issue(IssueType.NOT_SUPPORTED, f"these are searched by {known}, without modifiers"))
    return pairs


def _matches(artefact: Json, asked: list[tuple[str, str]]) -> bool:
    """Every parameter, by one of the values with commas between."""
    return all(
        any(compare(str(artefact.get(element, "")), value) for value in values.split(","))
        for name, values in asked
        if name in PARAMETERS
        for element, _, compare in (PARAMETERS[name],)
    )


def _number(asked: list[tuple[str, str]], name: str, otherwise: int) -> int:
    value = dict(asked).get(name, str(otherwise))
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise Malformed(Issue(IssueType.VALUE, f"{name} is a whole number"))
    return min(int(value), _MOST)


def _links(address: str, asked: list[tuple[str, str]], after: int) -> Iterator[dict[str, str]]:
    kept = [pair for pair in asked if pair[0] not in _LET_THROUGH]
    yield {"relation": "self", "url": f"{address}?{urlencode(kept, safe=':/')}"}
    if after:
        onward = [pair for pair in kept if pair[0] != "_offset"] + [("_offset", str(after))]
        yield {"relation": "next", "url": f"{address}?{urlencode(onward, safe=':/')}"}


def _entry(base: str, artefact: Json) -> dict[str, Any]:
    reference = f"{artefact['resourceType']}/{artefact['id']}"
    return {"fullUrl": f"{base}/{reference}", "resource": artefact, "search": {"mode": "match"}}
