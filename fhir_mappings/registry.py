"""Which reader judges a resource type when it is written, beyond its structure. One line each.

A reader raises ``contracts.errors.Invalid``; what it answers is for whoever acts on the resource.
"""

from collections.abc import Callable, Mapping
from typing import Final

from fhir_mappings import activity, consent, dialogue, people, plan
from fhir_mappings.primitives import Json

Reader = Callable[[Json], object]

MAPPERS: Final[Mapping[str, Reader]] = {
    "CarePlan": plan.care_plan,
    "CommunicationRequest": dialogue.from_fhir,
    "Consent": consent.check,
    "Goal": plan.goal,
    "Organization": lambda content: people.organization(content, ""),
    "Patient": lambda content: people.patient(content, ""),
    "Practitioner": people.staff_member,
    "PractitionerRole": people.role,
    "Procedure": activity.from_fhir,
}
