"""Labels that say who may see a resource (https://hl7.org/fhir/R4/security-labels.html): restricted, and very restricted."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.record import Document
from fhir_mappings.document import with_elements
from fhir_mappings.identifiers import CONFIDENTIALITY
from fhir_mappings.primitives import coding

_RESTRICTED: Final = ("R", "V")
"""http://terminology.hl7.org/CodeSystem/v3-Confidentiality; what is less (U, L, M, N) is for everybody who may see the unit's data."""


def is_restricted(content: Mapping[str, Any]) -> bool:
    """Whether the resource is left to those who have the right to see such data."""
    labels = content["meta"].get("security") if "meta" in content else None
    return any(each.get("code") in _RESTRICTED and each.get("system") == CONFIDENTIALITY for each in labels or ())


def restricted(document: Document) -> Document:
    """The resource, labelled as restricted if it is not."""
    if is_restricted(document.content):
        return document
    meta = document.content.get("meta", {})
    label = coding(CONFIDENTIALITY, "R")
    return with_elements(document, {"meta": {**meta, "security": [*meta.get("security", ()), label]}})
