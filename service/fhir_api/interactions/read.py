"""read: https://hl7.org/fhir/R4/http.html#read"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from service.fhir_api import answers
from service.fhir_api.reading import log_reading, visible
from service.fhir_api.surroundings import Surroundings, row_of


async def read(around: Surroundings, request: Request) -> Response:
    """The stored bytes, once the row in the access log is durable."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    record = visible(around.store.read(row.type, request.path_params["id"]), caller, row.type)
    await log_reading(around, caller, [record], "read")
    return answers.record(record)
