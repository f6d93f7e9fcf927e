"""delete: https://hl7.org/fhir/R4/http.html#delete (conditional: #2.21.0.13.1)"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from service.fhir_api import answers, changing
from service.fhir_api.addressing import target_of
from service.fhir_api.conditions import expected_version
from service.fhir_api.preferences import outcome_of, preferences
from service.fhir_api.stage import Stage
from service.fhir_api.surroundings import Surroundings, deletable, row_of
from service.store.transaction import SqlTransaction
from service.usecases.context import Recorded
from service.usecases.keeping import refuse_dangling


async def delete(around: Surroundings, request: Request) -> Response:
    """204: from now on a read answers 410, and its versions stay in its history."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_WRITE)
    deletable(row)
    target = target_of(request, row)
    expected = expected_version(request.headers.get("if-match"))

    def work(transaction: SqlTransaction) -> Recorded | None:
        removed = changing.delete(Stage(transaction, around, caller), target, expected)
        if removed is not None and removed.changed:
            refuse_dangling(transaction, removed.record)
        return removed

    return _answer(request, await around.store.run(work))


def _answer(request: Request, removed: Recorded | None) -> Response:
    if removed is None:
        return Response(status_code=204)
    headers = answers.version_headers(removed.record)
    if "return=OperationOutcome" in preferences(request):
        return answers.resource(outcome_of(removed), 200, headers)
    return Response(status_code=204, headers=headers)
