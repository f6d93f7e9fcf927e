"""search-type, of the guide's artefacts: https://hl7.org/fhir/R4/http.html#search, by GET and by POST ``_search``

They are searched as everything else is, in an index of their own. What points from one to another are canonical addresses,
which are not followed: nothing comes along.
"""

from dataclasses import replace
from functools import cache, partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Record, Right
from contracts.time import day_start
from fhir_mappings import guide
from service.fhir_api import searching
from service.fhir_api.search import index, parameters
from service.fhir_api.search import query as queries
from service.fhir_api.search.scope import Scope
from service.fhir_api.surroundings import Surroundings
from service.store.indexing import SearchIndex
from service.store.shelf import shelf
from service.store.snapshot import SqlSnapshot

CONTROLS: Final = frozenset({"_count", "_total", "_summary", "_elements", "_sort"})


async def search_artefacts(around: Surroundings, request: Request) -> Response:
    """A page of the artefacts that match, by id unless asked otherwise, and always how many they are. They are about
    nobody: the access log has nothing to hold."""
    caller = around.caller(request, Right.FHIR_READ)
    type = next(each for each in request.url.path.split("/") if each in guide.TYPES)
    search = await searching.asked(around, request, type, caller, partial(queries.parse, controls=CONTROLS))
    counted = replace(search, query=replace(search.query, total=True))
    found = searching.read(counted, Scope(_guide().index.numbers, (_NOBODY,)), _guide())
    return searching.answer(around, counted, found)


_NOBODY: Final = ""


@cache
def _guide() -> SqlSnapshot:
    on = day_start(guide.compiled_on())
    records = [
        Record(type, id, 1, on, _NOBODY, "", body)
        for reference, body in guide.bodies().items()
        for type, _, id in (reference.partition("/"),)
        if type in guide.TYPES
    ]
    numbers = {key: number for number, key in enumerate(parameters.definitions())}
    return shelf(dict(enumerate(records)), on, SearchIndex(numbers, index.rows_of))
