"""Which reader judges a resource type when it is written, beyond R4 itself. One line each.

A reader holds the resource against our profile and against what its values mean, and raises ``contracts.errors.Invalid``;
what it answers is for whoever acts on the resource.
"""

from collections.abc import Callable, Mapping
from typing import Final

from contracts.errors import Invalid, Issue
from fhir_mappings import activity, consent, dialogue, goal, meeting, people, plan, r4, sick_leave
from fhir_mappings.primitives import Json
from fhir_mappings.reading import Reading

Reader = Callable[[Json], object]

MAPPERS: Final[Mapping[str, Reader]] = {
    "CarePlan": plan.care_plan,
    "CommunicationRequest": dialogue.from_fhir,
    "Consent": consent.check,
    "EpisodeOfCare": sick_leave.check_episode,
    "Goal": goal.goal,
    "Organization": lambda content: people.organization(content, ""),
    "Patient": lambda content: people.patient(content, ""),
    "Practitioner": people.staff_member,
    "PractitionerRole": people.role,
    "Procedure": activity.from_fhir,
    "Task": lambda content: meeting.from_fhir(content) if meeting.is_meeting(content) else dialogue.check_task(content),
}


def read(content: Json) -> object:
    """What the reader of the type makes of a resource that R4 allows. Raises ``Invalid`` with everything that is wrong. A
    type without a reader owes what the profiles say that it always has, or that it claims."""
    return MAPPERS.get(content["resourceType"], _of_profile)(content)


def judge(content: Json) -> tuple[Issue, ...]:
    """Everything that a write of this resource would be refused for, as far as the resource itself tells: what R4 forbids,
    else what profile and reader do. Empty when nothing is wrong. ``$validate`` and the tests ask the same."""
    if issues := r4.check(content):
        return issues
    try:
        read(content)
    except Invalid as refusal:
        return refusal.issues
    return ()


def _of_profile(content: Json) -> None:
    Reading(content).close()
