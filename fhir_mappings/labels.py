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
    return any(map(_restricts, labels or ()))


def _restricts(label: Mapping[str, Any]) -> bool:
    return label.get("code") in _RESTRICTED and label.get("system") == CONFIDENTIALITY


def restricted(document: Document) -> Document:
    """The resource, labelled as restricted if it is not."""
    if is_restricted(document.content):
        return document
    meta = document.content.get("meta", {})
    label = coding(CONFIDENTIALITY, "R")
    return with_elements(document, {"meta": {**meta, "security": [*meta.get("security", ()), label]}})


def labelled_as(document: Document, other: Document) -> Document:
    """The resource, which has no ``meta``, under all the labels of another."""
    labels = other.content["meta"].get("security")
    return with_elements(document, {"meta": {"security": labels}}) if labels else document


def unrestricted(document: Document) -> Document:
    """The resource without the labels that restrict it."""
    meta = dict(document.content.get("meta", {}))
    others = [each for each in meta.pop("security", ()) if not _restricts(each)]
    return with_elements(document, {"meta": meta | ({"security": others} if others else {}) or None})
