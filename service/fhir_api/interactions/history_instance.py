"""history-instance: https://hl7.org/fhir/R4/http.html#history"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from service.fhir_api import answers
from service.fhir_api.bundle import history_bundle
from service.fhir_api.reading import log_reading, visible
from service.fhir_api.surroundings import Surroundings, row_of


async def history_instance(around: Surroundings, request: Request) -> Response:
    """Every version, newest first."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    records = around.store.versions(row.type, request.path_params["id"])
    newest = visible(records[0] if records else None, caller, row.type)
    await log_reading(around, caller, [newest], "history-instance")
    return answers.resource(history_bundle(around.base, records))
