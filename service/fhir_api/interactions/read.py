"""read: https://hl7.org/fhir/R4/http.html#read (conditional: #cread; bytes of a Binary: binary.html#rest)"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from service.fhir_api import answers
from service.fhir_api.conditions import http_date, is_unmodified
from service.fhir_api.raw import raw, wants_raw
from service.fhir_api.reading import part_asked, shown
from service.fhir_api.surroundings import Surroundings, row_of


async def read(around: Surroundings, request: Request) -> Response:
    """The stored bytes, once the row in the access log is durable; 304 for who has this version already."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    record = await shown(around, caller, row.type, request.path_params["id"], "read")
    known, since = request.headers.get("if-none-match"), http_date(request.headers.get("if-modified-since"))
    if is_unmodified(record, known, since):
        return Response(status_code=304, headers=answers.version_headers(record))
    if wants_raw(request, record):
        return raw(record)
    return answers.resource(part_asked(request, row.type, record.body), headers=answers.version_headers(record))
