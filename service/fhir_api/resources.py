"""One row per resource type: what may be done with it, who judges it, and which story a write sets off."""

from dataclasses import dataclass
from typing import Final

from fhir_mappings.identifiers import BASE
from service.usecases.context import UseCase
from service.usecases.notify import notify
from service.usecases.record_activity import record_activity
from service.usecases.record_consent import record_consent
from service.usecases.record_plan import record_plan
from service.usecases.record_resource import record_resource


@dataclass(frozen=True, slots=True)
class Row:
    """A served type. ``write`` is ``None`` for types that the service alone writes."""

    type: str
    write: UseCase | None
    profile: str = ""


def _profile(name: str) -> str:
    return f"{BASE}/StructureDefinition/{name}"


ROWS: Final = {
    row.type: row
    for row in (
        Row("Patient", record_resource, "http://hl7.se/fhir/ig/base/StructureDefinition/SEBasePatient"),
        Row("Practitioner", record_resource, "http://hl7.se/fhir/ig/base/StructureDefinition/SEBasePractitioner"),
        Row(
            "PractitionerRole", record_resource, "http://hl7.se/fhir/ig/base/StructureDefinition/SEBasePractitionerRole"
        ),
        Row("Organization", record_resource, "http://hl7.se/fhir/ig/base/StructureDefinition/SEBaseOrganization"),
        Row("Consent", record_consent, _profile("reko-consent")),
        Row("CarePlan", record_plan, _profile("reko-care-plan")),
        Row("Goal", record_resource, _profile("reko-goal")),
        Row("Procedure", record_activity, _profile("reko-procedure")),
        Row("CommunicationRequest", notify, _profile("reko-communication-request")),
        Row("Communication", None, _profile("reko-communication")),
        Row("DocumentReference", None, _profile("reko-certificate")),
        Row("Observation", None, _profile("reko-work-capacity")),
        Row("EpisodeOfCare", None, _profile("reko-episode-of-care")),
    )
}
"""By type, in the order of the CapabilityStatement."""
