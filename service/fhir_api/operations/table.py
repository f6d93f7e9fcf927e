"""The operations: a row makes the routes and what the CapabilityStatement says."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from fhir_mappings.identifiers import BASE
from service.fhir_api.operations.decide import decide
from service.fhir_api.operations.plan import hand_over_to_patient, patient_document, release_to_patient
from service.fhir_api.operations.sick_leave_overview import sick_leave_overview
from service.fhir_api.surroundings import Surroundings

Run = Callable[[Surroundings, Request], Awaitable[Response]]


class Operation(NamedTuple):
    """An operation on a type, or on one resource of it. https://hl7.org/fhir/R4/operations.html

    ``definition`` is the last part of its OperationDefinition's address.
    """

    type: str
    name: str
    run: Run
    definition: str
    of_one: bool = False
    methods: tuple[str, ...] = ("POST",)

    @property
    def path(self) -> str:
        """Where it is asked for."""
        return f"/{self.type}/{{id}}/${self.name}" if self.of_one else f"/{self.type}/${self.name}"

    @property
    def described(self) -> dict[str, str]:
        """As the CapabilityStatement lists it."""
        return {"name": self.name, "definition": f"{BASE}/OperationDefinition/{self.definition}"}


OPERATIONS: Final = (
    Operation(
        "Organization",
        "sick-leave-overview",
        sick_leave_overview,
        "sick-leave-overview",
        of_one=True,
        methods=("GET", "POST"),
    ),
    Operation("Consent", "decide", decide, "consent-decide"),
    Operation(
        "CarePlan",
        "patient-document",
        patient_document,
        "careplan-patient-document",
        of_one=True,
        methods=("GET", "POST"),
    ),
    Operation("CarePlan", "release", release_to_patient, "careplan-release", of_one=True),
    Operation("CarePlan", "hand-over", hand_over_to_patient, "careplan-hand-over", of_one=True),
)

ROUTES: Final = tuple((method, each.path, each.run) for each in OPERATIONS for method in each.methods)
