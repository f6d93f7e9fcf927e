"""The operations on terminology, one row each."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from service.fhir_api.operations.expand import expand
from service.fhir_api.operations.lookup import lookup
from service.fhir_api.operations.translate import translate
from service.fhir_api.operations.validate_code import validate_code_in_set, validate_code_in_system
from service.fhir_api.surroundings import Surroundings

Operation = Callable[[Surroundings, Request], Awaitable[Response]]

OPERATIONS: Final[tuple[tuple[str, str, Operation], ...]] = (
    ("CodeSystem", "lookup", lookup),
    ("CodeSystem", "validate-code", validate_code_in_system),
    ("ValueSet", "validate-code", validate_code_in_set),
    ("ValueSet", "expand", expand),
    ("ConceptMap", "translate", translate),
)
"""Type, name, and what answers. HL7's definition of each is ``OperationDefinition/<type>-<name>``."""

OF_TYPE_ALONE: Final = ("lookup",)
"""Those that R4 does not let be asked of one artefact by its id."""
