"""The coordination case (koordineringsärende, glossary 3) as FHIR R4 ``EpisodeOfCare`` of its own type."""

from datetime import datetime
from typing import Any, Final

from contracts.identity import HsaId
from contracts.record import Document
from fhir_mappings import primitives
from fhir_mappings.document import with_elements
from fhir_mappings.identifiers import EPISODE_TYPE, HSA_ID
from fhir_mappings.primitives import Json

CASE: Final = "coordination-case"


def opened(patient: str, unit: HsaId, at: datetime) -> dict[str, Any]:
    """A case from that instant: the patient wants coordination by the unit. ``patient`` is the logical id."""
    return {
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "type": [primitives.concept(EPISODE_TYPE, CASE, "Koordineringsärende")],
        "patient": {"reference": f"Patient/{patient}"},
        "managingOrganization": primitives.logical(HSA_ID, unit.value, "Organization"),
        "period": {"start": primitives.to_instant(at)},
    }


def is_case(episode: Json) -> bool:
    """Whether it is a coordination case, of whatever unit."""
    types = primitives.codes(episode.get("type", ()), "EpisodeOfCare.type", EPISODE_TYPE)
    return any(code == CASE for code, _ in types)


def is_open(episode: Json, unit: HsaId) -> bool:
    """Whether it is a coordination case of the unit that goes on."""
    managed = episode.get("managingOrganization", {}).get("identifier", {}).get("value")
    return episode.get("status") == "active" and managed == unit.value and is_case(episode)


def ended(document: Document, at: datetime) -> Document:
    """The same case, over from that instant; what it was before stands in its history of states."""
    period = {**document.content.get("period", {}), "end": primitives.to_instant(at)}
    history = [*document.content.get("statusHistory", ()), {"status": document.content["status"], "period": period}]
    return with_elements(document, {"status": "finished", "statusHistory": history, "period": period})
