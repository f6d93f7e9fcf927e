"""update: https://hl7.org/fhir/R4/http.html#update (conditional: #cond-update; under the client's id: #upsert)"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from fhir_mappings.document import with_elements
from service.fhir_api import changing
from service.fhir_api.addressing import target_of
from service.fhir_api.conditions import expected_version
from service.fhir_api.interactions.create import judged
from service.fhir_api.preferences import written
from service.fhir_api.raw import is_raw
from service.fhir_api.stage import Stage
from service.fhir_api.surroundings import Surroundings, changeable, row_of
from service.store.transaction import SqlTransaction
from service.usecases.context import Recorded


async def update(around: Surroundings, request: Request) -> Response:
    """200 with the new version, or the current one when nothing changed; 201 for what was not there; 412 when ``If-Match``
    names another version."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_WRITE)
    changeable(row)
    target = target_of(request, row)
    expected = expected_version(request.headers.get("if-match"), request.headers.get("if-none-match"))
    document = await judged(request, row.type)
    if is_raw(request, row.type) and target.id:
        document = with_elements(document, {"id": target.id})

    def work(transaction: SqlTransaction) -> Recorded:
        return changing.update(Stage(transaction, around, caller), target, document, expected)

    return written(request, around.base, await around.store.run(work))
