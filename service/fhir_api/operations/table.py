"""The operations: a row makes the routes and what the CapabilityStatement says."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from fhir_mappings.identifiers import BASE
from service.fhir_api.operations.sick_leave_overview import sick_leave_overview
from service.fhir_api.surroundings import Surroundings

Run = Callable[[Surroundings, Request], Awaitable[Response]]


class Operation(NamedTuple):
    """An operation on one resource of a type, by GET and by POST. https://hl7.org/fhir/R4/operations.html"""

    type: str
    name: str
    run: Run

    @property
    def path(self) -> str:
        """Where it is asked for."""
        return f"/{self.type}/{{id}}/${self.name}"

    @property
    def described(self) -> dict[str, str]:
        """As the CapabilityStatement lists it."""
        return {"name": self.name, "definition": f"{BASE}/OperationDefinition/{self.name}"}


OPERATIONS: Final = (Operation("Organization", "sick-leave-overview", sick_leave_overview),)

ROUTES: Final = tuple((method, each.path, each.run) for each in OPERATIONS for method in ("GET", "POST"))
