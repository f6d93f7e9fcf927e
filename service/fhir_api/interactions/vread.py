"""vread: https://hl7.org/fhir/R4/http.html#vread"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Gone
from contracts.record import Operation, Right
from service.fhir_api import answers
from service.fhir_api.raw import raw, wants_raw
from service.fhir_api.reading import log_reading, part_asked, visible
from service.fhir_api.surroundings import Surroundings, row_of


async def vread(around: Surroundings, request: Request) -> Response:
    """One version, as it was, also of what has been deleted since; 410 for the version that is the deletion."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    wanted = request.path_params["vid"]
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else 0
    version = around.store.version(row.type, request.path_params["id"], number)
    record = visible(None if version is None else version.record, caller, row.type)
    if version is not None and version.operation is Operation.DELETE:
        raise Gone(f"with this version the {row.type} was deleted")
    await log_reading(around, caller, [record], "vread")
    if wants_raw(request, record):
        return raw(record)
    return answers.resource(part_asked(request, row.type, record.body), headers=answers.version_headers(record))
