"""Which reader judges a resource type when it is written, beyond its structure. One line each.

A reader raises ``contracts.errors.Invalid``; what it answers is for whoever acts on the resource.
"""

from collections.abc import Callable, Mapping
from typing import Final

from fhir_mappings import activity, consent, dialogue, people, plan
from fhir_mappings.people import PartyOf
from fhir_mappings.primitives import Json

Reader = Callable[[Json, PartyOf], object]
"""``PartyOf`` finds the organisation behind a literal reference."""

MAPPERS: Final[Mapping[str, Reader]] = {
    "CarePlan": lambda content, _: plan.care_plan(content),
    "CommunicationRequest": lambda content, _: dialogue.from_fhir(content),
    "Consent": lambda content, party_of: consent.from_fhir(content, "", 0, party_of),
    "Goal": lambda content, _: plan.goal(content),
    "Organization": lambda content, _: people.organization(content, ""),
    "Patient": lambda content, _: people.patient(content, ""),
    "Practitioner": lambda content, _: people.staff_member(content),
    "PractitionerRole": lambda content, _: people.role(content),
    "Procedure": lambda content, _: activity.from_fhir(content),
}
