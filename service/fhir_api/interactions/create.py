"""create: https://hl7.org/fhir/R4/http.html#create (conditional: #ccreate)"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Malformed
from contracts.record import Document, Right
from fhir_mappings import r4
from service.fhir_api import changing
from service.fhir_api.conditions import condition_in_header
from service.fhir_api.preferences import read_fhir, written
from service.fhir_api.raw import is_raw, read_raw
from service.fhir_api.search.query import LET_THROUGH
from service.fhir_api.stage import Stage
from service.fhir_api.surroundings import Surroundings, row_of


async def create(around: Surroundings, request: Request) -> Response:
    """201 with ``Location``; 200 when the same is there already, or what ``If-None-Exist`` asks for."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_WRITE)
    _no_condition_in_address(request)
    document = await judged(request, row.type)
    unless = condition_in_header(request)
    recorded = await around.store.run(
        lambda transaction: changing.create(Stage(transaction, around, caller), row, document, unless)
    )
    return written(request, around.base, recorded)


def _no_condition_in_address(request: Request) -> None:
    """A client that means *create unless it is there* must not get a second one. Raises ``Malformed``."""
    if request.scope["query_string"] and set(request.query_params) - LET_THROUGH:
        raise Malformed("a create takes no search in its address: a condition stands in If-None-Exist")


async def judged(request: Request, type_: str) -> Document:
    """The resource in the body. Raises ``WrongMedia`` and ``Malformed``; bytes of a Binary are taken as they are."""
    if is_raw(request, type_):
        return await read_raw(request)
    body = await read_fhir(request)
    return Document(r4.parse(body, expected=type_), body)
