"""Whether a resource keeps to our profile: one judgement, the same on a write, in ``$validate`` and in the tests.

The profile's structure, codes and targets are judged by a JSON Schema that is made from the compiled guide when it is first
needed (``profile_schema``); what its invariants mean is judged by the readers (``registry.MAPPERS``), which begin with what
is found here. http://hl7.org/fhir/R4/validation.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Final

from jsonschema_rs import RegexOptions, ValidationError, Validator, validator_for

from contracts.errors import Issue, IssueType
from contracts.meeting import MEETINGS
from fhir_mappings import guide, r4
from fhir_mappings.identifiers import ACTIVITY_KIND, BASE
from fhir_mappings.primitives import Json
from fhir_mappings.profile_schema import ProfileSchema

ALWAYS: Final[Mapping[str, str]] = {
    "CarePlan": "reko-care-plan",
    "Communication": "reko-communication",
    "CommunicationRequest": "reko-communication-request",
    "Consent": "reko-consent",
    "EpisodeOfCare": "reko-episode-of-care",
    "Goal": "reko-goal",
    "Procedure": "reko-procedure",
    "Task": "reko-notification-task",
}
"""The profile of every resource of a type (decision D24). Those of other types are judged by what they claim."""

CODED: Final[Mapping[tuple[str, str, str], str]] = {("Task", ACTIVITY_KIND, kind): "reko-meeting" for kind in MEETINGS}
"""By type, and system and code of ``code``: the profile of such a resource, beside that of its type."""


def address(name: str) -> str:
    """The canonical address of one of our profiles."""
    return f"{BASE}/StructureDefinition/{name}"


def faults(resource: Json) -> tuple[Issue, ...]:
    """What breaks the profiles that the resource must keep to, structure alone; empty when nothing does.

    ``resource`` has passed the judgement of R4. No issue repeats a value. Addresses of profiles of others are no business of
    ours: what they demand is not known here.
    """
    return tuple(issue for profile in owed(resource) for issue in _broken(profile, resource))


def owed(resource: Json) -> list[str]:
    """Addresses of our profiles that a resource must keep to: that of its type, that which follows from its code, and those
    that it claims; the most particular one last."""
    type = resource["resourceType"]
    always = [address(ALWAYS[type])] if type in ALWAYS else []
    claimed = resource.get("meta", {}).get("profile", ()) if "meta" in resource else ()
    ours = (each.partition("|")[0] for each in claimed if each and is_for(each, type))
    return list(dict.fromkeys([*always, *_by_code(type, resource), *ours]))


def _by_code(type: str, resource: Json) -> list[str]:
    codings = resource.get("code", {}).get("coding", ()) if type in _CODED else ()
    keys = ((type, each.get("system", ""), each.get("code", "")) for each in codings)
    return [address(CODED[key]) for key in keys if key in CODED]


_CODED: Final = frozenset(type for type, _, _ in CODED)


def is_for(claimed: str, type: str) -> bool:
    """Whether an address, also with its version behind it, is that of a profile of ours of the type."""
    profile = guide.by_url("StructureDefinition", claimed)
    return profile is not None and profile["type"] == type


@cache
def schema(url: str) -> Mapping[str, Any]:
    """What a profile demands, as a JSON Schema. ``KeyError`` for an address that is none of ours."""
    profile = guide.by_url("StructureDefinition", url)
    if profile is None:
        raise KeyError(url)
    return ProfileSchema(profile, r4.definitions()).schema()


@cache
def _validator(url: str) -> Validator:
    return validator_for(dict(schema(url)), mask="", pattern_options=RegexOptions())


def _broken(url: str, resource: Json) -> Iterable[Issue]:
    plain = dict(resource)
    if _validator(url).is_valid(plain):
        return ()
    return dict.fromkeys(_issue(url, error, plain) for error in _validator(url).iter_errors(plain))


def _issue(url: str, error: ValidationError, resource: Json) -> Issue:
    """A fault under the rule's name. The demand that was not met says in its own words what should be there."""
    demand = r4.at(schema(url), error.schema_path[:-1])
    path = [*error.instance_path, *([demand["title"]] if "title" in demand else [])]
    told = r4.issue_at(resource["resourceType"], path, demand["$comment"], IssueType(demand["issue"]))
    return replace(told, rule=demand["rule"], text=demand["$comment"] if demand["whole"] else told.text)
