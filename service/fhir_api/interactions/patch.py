"""patch: https://hl7.org/fhir/R4/http.html#patch (JSON Patch and JSON Merge Patch; conditional as update)"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from fhir_mappings import patching
from service.fhir_api import changing
from service.fhir_api.addressing import target_of
from service.fhir_api.conditions import expected_version
from service.fhir_api.preferences import media_type, written
from service.fhir_api.stage import Stage
from service.fhir_api.surroundings import Surroundings, changeable, row_of
from service.http_edge import read_body
from service.store.transaction import SqlTransaction
from service.usecases.context import Recorded


async def patch(around: Surroundings, request: Request) -> Response:
    """200 with the new version, judged as if it had been sent whole; 412 when ``If-Match`` names another version."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_WRITE)
    changeable(row)
    target = target_of(request, row)
    expected = expected_version(request.headers.get("if-match"))
    change = patching.read(media_type(request), await read_body(request))

    def work(transaction: SqlTransaction) -> Recorded:
        return changing.patch(Stage(transaction, around, caller), target, change, expected)

    return written(request, around.base, await around.store.run(work))
