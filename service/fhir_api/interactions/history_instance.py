"""history-instance: https://hl7.org/fhir/R4/http.html#history"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from service.fhir_api import histories
from service.fhir_api.reading import visible
from service.fhir_api.surroundings import Surroundings, row_of


async def history_instance(around: Surroundings, request: Request) -> Response:
    """The versions of one resource, also of a deleted one, newest first."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    id_ = request.path_params["id"]
    visible(around.store.standing(row.type, id_), caller, row.type)
    return await histories.answer(around, request, histories.Scope("history-instance", row.type, id_))
