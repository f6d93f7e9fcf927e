"""search-type: https://hl7.org/fhir/R4/http.html#search, by GET and by POST ``_search``"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from service.fhir_api import searching
from service.fhir_api.reading import log_reading
from service.fhir_api.search.scope import Scope
from service.fhir_api.searching import Found, Search
from service.fhir_api.surroundings import Surroundings, row_of


async def search_type(around: Surroundings, request: Request) -> Response:
    """A page of what matches, each patient's row in the access log durable before it leaves."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    search = await searching.asked(around, request, row.type, caller)
    found = await _find(around, search, Scope.of(caller, around.store.numbers))
    await log_reading(around, caller, [*found.matched, *found.along], "search-type")
    return searching.answer(around, search, found)


async def _find(around: Surroundings, search: Search, scope: Scope) -> Found:
    if search.query.is_quick:
        return around.store.glance(lambda snapshot: searching.read(search, scope, snapshot))
    return await around.store.look(lambda snapshot: searching.read(search, scope, snapshot))
