"""vread: https://hl7.org/fhir/R4/http.html#vread"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from service.fhir_api import answers
from service.fhir_api.reading import log_reading, visible
from service.fhir_api.surroundings import Surroundings, row_of


async def vread(around: Surroundings, request: Request) -> Response:
    """One version, as it was."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    wanted = request.path_params["vid"]
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 0
    record = visible(around.store.version(row.type, request.path_params["id"], number), caller, row.type)
    await log_reading(around, caller, [record], "vread")
    return answers.record(record)
