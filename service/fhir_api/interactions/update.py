"""update: https://hl7.org/fhir/R4/http.html#update"""

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed
from contracts.record import Document, Right
from fhir_mappings import r4
from service.fhir_api.preferences import expected_version, expects_json, preferred
from service.fhir_api.surroundings import Surroundings, row_of, writable
from service.http_edge import read_body
from service.usecases.context import Write


async def update(around: Surroundings, request: Request) -> Response:
    """200 with the new version; the current one when nothing changed; 412 when If-Match names another."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_WRITE)
    use_case = writable(row)
    expects_json(request)
    expected = expected_version(request)
    body = await read_body(request)
    document = Document(r4.parse(body, expected=row.type), body)
    _same_id(document, request.path_params["id"])
    write = Write(caller, document, request.path_params["id"], expected)
    recorded = await around.store.run(lambda transaction: use_case(transaction, around.context, write))
    return preferred(request, recorded, 200, {})


def _same_id(document: Document, id: str) -> None:
    if document.content.get("id") != id:
        raise Malformed(Issue(IssueType.VALUE, "the id in the body is the id in the address", f"{document.type}.id"))
