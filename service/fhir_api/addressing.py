"""What an address means."""

from starlette.requests import Request

from contracts.errors import NotSupported
from service.fhir_api.changing import Target
from service.fhir_api.conditions import condition_in_address
from service.fhir_api.resources import Row


def target_of(request: Request, row: Row) -> Target:
    """The resource of the type that is to be changed: by its id, else by the condition in the query. Raises
    ``NotSupported`` when the address says neither."""
    if "id" in request.path_params:
        return Target(row, request.path_params["id"])
    condition = condition_in_address(request)
    if not condition:
        raise NotSupported("the address says neither an id nor a condition: [type]/[id], or [type]?[parameters]")
    return Target(row, condition=condition)
