"""The routes of our guide and its terminology: what the service says of itself, read only."""

from collections.abc import Iterator
from typing import Final

from starlette.responses import Response

from contracts.errors import NotSupported
from fhir_mappings import guide
from service.fhir_api.interactions.read_artefact import read_artefact
from service.fhir_api.interactions.search_artefacts import search_artefacts
from service.fhir_api.operations.terminology import OF_TYPE_ALONE, OPERATIONS, Operation

_Route = tuple[str, str, Operation]


def _operations() -> Iterator[_Route]:
    for type, name, answer in OPERATIONS:
        for method in ("GET", "POST"):
            yield method, f"/{type}/${name}", answer
            if name not in OF_TYPE_ALONE:
                yield method, f"/{type}/{{id}}/${name}", answer


def _artefacts() -> Iterator[_Route]:
    for type in guide.TYPES:
        yield "GET", f"/{type}", search_artefacts
        yield "POST", f"/{type}/_search", search_artefacts
        yield "GET", f"/{type}/{{id}}", read_artefact
        yield "POST", f"/{type}", read_only
        for method in ("PUT", "PATCH", "DELETE"):
            yield method, f"/{type}", read_only
            yield method, f"/{type}/{{id}}", read_only
        for history in ("_history", "{id}/_history", "{id}/_history/{vid}"):
            yield "GET", f"/{type}/{history}", read_only


async def read_only(*_: object) -> Response:
    """Nobody writes the guide, and it has no versions. Raises ``NotSupported``."""
    raise NotSupported("the guide comes with the service: it is read and searched, and has no versions")


GUIDE_ROUTES: Final = (*_operations(), *_artefacts())
"""To stand before the routes of all types."""
