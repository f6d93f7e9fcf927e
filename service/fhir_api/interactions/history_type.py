"""history-type: https://hl7.org/fhir/R4/http.html#history"""

from starlette.requests import Request
from starlette.responses import Response

from service.fhir_api import histories
from service.fhir_api.surroundings import Surroundings, row_of


async def history_type(around: Surroundings, request: Request) -> Response:
    """The versions of every resource of a type that the caller may see, newest first."""
    return await histories.answer(around, request, histories.Scope("history-type", row_of(request).type))
