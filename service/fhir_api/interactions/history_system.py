"""history-system: https://hl7.org/fhir/R4/http.html#history"""

from starlette.requests import Request
from starlette.responses import Response

from service.fhir_api import histories
from service.fhir_api.surroundings import Surroundings


async def history_system(around: Surroundings, request: Request) -> Response:
    """The versions of everything that the caller may see, newest first."""
    return await histories.answer(around, request, histories.Scope("history-system"))
