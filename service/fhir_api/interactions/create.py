"""create: https://hl7.org/fhir/R4/http.html#create (conditional: #ccreate, on ``identifier``)"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Document, Right
from fhir_mappings import r4
from service.fhir_api.preferences import condition, expects_json, preferred
from service.fhir_api.surroundings import Surroundings, row_of, writable
from service.http_edge import read_body
from service.usecases.context import Write


async def create(around: Surroundings, request: Request) -> Response:
    """201 with ``Location``; 200 when the same is there already."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_WRITE)
    use_case = writable(row)
    expects_json(request)
    body = await read_body(request)
    document = Document(r4.parse(body, expected=row.type), body)
    write = Write(caller, document, unless=condition(request))
    recorded = await around.store.run(lambda transaction: use_case(transaction, around.context, write))
    location = f"{around.base}/{recorded.record.reference}/_history/{recorded.record.version}"
    return preferred(request, recorded, 201 if recorded.changed else 200, {"Location": location})
