"""read, of the guide's artefacts: https://hl7.org/fhir/R4/http.html#read (conditional: #cread)"""

import hashlib

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import NotFound
from contracts.record import Right
from fhir_mappings import guide
from service.fhir_api import answers
from service.fhir_api.reading import part_asked
from service.fhir_api.surroundings import Surroundings


async def read_artefact(around: Surroundings, request: Request) -> Response:
    """An artefact as committed; 304 for who has it already. It is about nobody: the access log has nothing to hold."""
    around.caller(request, Right.FHIR_READ)
    _, _, type, id = request.url.path.rsplit("/", 3)
    body = guide.bodies().get(f"{type}/{id}")
    if body is None:
        raise NotFound(f"there is no such {type}")
    tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'  # the guide's version stays while it is worked on
    known = request.headers.get("if-none-match", "")
    if tag in known or known.strip() == "*":
        return Response(status_code=304, headers={"ETag": f"W/{tag}"})
    return answers.resource(part_asked(request, type, body), headers={"ETag": f"W/{tag}"})
