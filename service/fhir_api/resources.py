"""One row per resource type: what may be done with it, who judges it, and which story a write or a deletion sets off."""

from dataclasses import dataclass
from typing import Final

from fhir_mappings.identifiers import BASE
from service.usecases.context import Farewell, UseCase
from service.usecases.keeping import remove
from service.usecases.notify import notify, remove_request
from service.usecases.record_activity import record_activity, remove_activity
from service.usecases.record_beside_feed import record_beside_feed, remove_beside_feed
from service.usecases.record_consent import record_consent, remove_consent
from service.usecases.record_organization import record_organization
from service.usecases.record_plan import record_plan
from service.usecases.record_resource import record_resource
from service.usecases.record_task import record_task, remove_task


@dataclass(frozen=True, slots=True)
class Row:
    """A served type.

    ``write`` is the story of create, update and patch; ``delete`` that of a deletion, ``None`` for what is never deleted. What is ``written_once`` is created and never changed. ``dated`` is the
    search parameter of the time of care, by which ``$everything`` picks a period. Why each type is as it is:
    docs/adr/0013-deletes-are-versions.md and docs/fhir.md.
    """

    type: str
    write: UseCase
    delete: Farewell | None = None
    profile: str = ""
    written_once: bool = False
    dated: str = ""


def _profile(name: str) -> str:
    return f"{BASE}/StructureDefinition/{name}"


def _swedish(type_: str) -> str:
    return f"http://hl7.se/fhir/ig/base/StructureDefinition/SEBase{type_}"


def _plain(type_: str, profile: str = "", dated: str = "") -> Row:
    """A type from which nothing follows."""
    return Row(type_, record_resource, remove, profile, dated=dated)


def _beside(type_: str, profile: str, dated: str) -> Row:
    """A type that clients and the service both write, each its own."""
    return Row(type_, record_beside_feed, remove_beside_feed, profile and _profile(profile), dated=dated)


ROWS: Final = {
    row.type: row
    for row in (
        _plain("Patient", _swedish("Patient")),
        _plain("RelatedPerson"),
        _plain("Practitioner", _swedish("Practitioner")),
        _plain("PractitionerRole", _swedish("PractitionerRole")),
        Row("Organization", record_organization, remove, _swedish("Organization")),
        _plain("Location"),
        _plain("CareTeam"),
        _plain("Encounter", dated="date"),
        _beside("EpisodeOfCare", "reko-episode-of-care", "date"),
        Row("Consent", record_consent, remove_consent, _profile("reko-consent"), dated="date"),
        Row("CarePlan", record_plan, remove, _profile("reko-care-plan"), dated="date"),
        _plain("Goal", _profile("reko-goal"), dated="start-date"),
        Row("Procedure", record_activity, remove_activity, _profile("reko-procedure"), dated="date"),
        _beside("Observation", "reko-work-capacity", "date"),
        _beside("DocumentReference", "reko-certificate", "date"),
        _beside("QuestionnaireResponse", "", "authored"),
        _beside("Communication", "reko-communication", "sent"),
        Row("CommunicationRequest", notify, remove_request, _profile("reko-communication-request"), dated="authored"),
        Row("Task", record_task, remove_task, _profile("reko-notification-task"), dated="authored-on"),
        Row("Provenance", record_resource, written_once=True, dated="recorded"),
        _plain("List", dated="date"),
        _plain("Binary"),
    )
}
"""By type, in the order of the CapabilityStatement."""
