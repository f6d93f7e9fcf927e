"""The search parameters of the served types, in R4's own names. https://hl7.org/fhir/R4/searchparameter-registry.html

``paths`` are element paths below the resource; a choice element is listed once per type that is indexed.
"""

from dataclasses import dataclass
from typing import Final, Literal

INDEXING: Final = 2
"""Raised when values are indexed in another way: then everything stored is indexed again."""

Kind = Literal["token", "reference", "date", "string"]

FEW, SOME, MANY = range(3)
"""How many resources a value of a parameter mostly means."""


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """One parameter of one type. ``targets`` are the types that a reference may point at."""

    code: str
    kind: Kind
    paths: tuple[str, ...]
    targets: tuple[str, ...] = ()

    @property
    def definition(self) -> str:
        """A text that changes when the parameter's meaning does: then old data is indexed again."""
        return f"{self.kind}:{','.join(self.paths)}:{INDEXING}"

    @property
    def spread(self) -> int:
        """FEW, SOME or MANY. A state, a period or a member of staff says little about which resource is meant."""
        if self.kind == "reference":
            return MANY if {"Organization", "PractitionerRole"}.intersection(self.targets) else FEW
        if self.kind == "string" or self.code == "identifier":
            return FEW
        return SOME if self.code == "code" else MANY


def _token(code: str, *paths: str) -> SearchParameter:
    return SearchParameter(code, "token", paths or (code,))


def _reference(code: str, path: str, *targets: str) -> SearchParameter:
    return SearchParameter(code, "reference", (path,), targets)


def _date(code: str, *paths: str) -> SearchParameter:
    return SearchParameter(code, "date", paths or (code,))


def _string(code: str, *paths: str) -> SearchParameter:
    return SearchParameter(code, "string", paths or (code,))


_IDENTIFIER: Final = _token("identifier")
_STATUS: Final = _token("status")


def _patient(path: str) -> tuple[SearchParameter, ...]:
    return _reference("patient", path, "Patient"), _reference("subject", path, "Patient")


PARAMETERS: Final[dict[str, tuple[SearchParameter, ...]]] = {
    "Patient": (
        _IDENTIFIER,
        _token("active"),
        _date("birthdate", "birthDate"),
        _string("name", "name.text", "name.family", "name.given"),
        _string("family", "name.family"),
        _string("given", "name.given"),
        _reference("organization", "managingOrganization", "Organization"),
    ),
    "Practitioner": (
        _IDENTIFIER,
        _token("active"),
        _string("name", "name.text", "name.family", "name.given"),
    ),
    "PractitionerRole": (
        _IDENTIFIER,
        _token("active"),
        _token("role", "code"),
        _reference("practitioner", "practitioner", "Practitioner"),
        _reference("organization", "organization", "Organization"),
    ),
    "Organization": (
        _IDENTIFIER,
        _token("active"),
        _token("type"),
        _string("name", "name", "alias"),
        _reference("partof", "partOf", "Organization"),
    ),
    "Consent": (
        _IDENTIFIER,
        _STATUS,
        _token("category"),
        _token("scope"),
        _token("action", "provision.action"),
        _token("purpose", "provision.purpose"),
        _date("date", "dateTime"),
        _date("period", "provision.period"),
        _reference("patient", "patient", "Patient"),
        _reference("actor", "provision.actor.reference", "Organization", "PractitionerRole", "Practitioner"),
        _reference("organization", "organization", "Organization"),
    ),
    "CarePlan": (
        _IDENTIFIER,
        _STATUS,
        _token("category"),
        _token("intent"),
        _date("date", "period"),
        *_patient("subject"),
        _reference("goal", "goal", "Goal"),
        _reference("part-of", "partOf", "CarePlan"),
        _reference("replaces", "replaces", "CarePlan"),
    ),
    "Goal": (
        _IDENTIFIER,
        _token("lifecycle-status", "lifecycleStatus"),
        _token("achievement-status", "achievementStatus"),
        _token("category"),
        _date("start-date", "startDate"),
        _date("target-date", "target.dueDate"),
        *_patient("subject"),
    ),
    "Procedure": (
        _IDENTIFIER,
        _STATUS,
        _token("category"),
        _token("code"),
        _date("date", "performedDateTime", "performedPeriod"),
        *_patient("subject"),
        _reference("performer", "performer.actor", "Practitioner", "PractitionerRole", "Organization"),
        _reference("based-on", "basedOn", "CarePlan"),
        _reference("part-of", "partOf", "Procedure"),
    ),
    "CommunicationRequest": (
        _IDENTIFIER,
        _STATUS,
        _token("category"),
        _date("authored", "authoredOn"),
        *_patient("subject"),
        _reference("recipient", "recipient", "Organization"),
        _reference("requester", "requester", "PractitionerRole", "Practitioner"),
    ),
    "Communication": (
        _IDENTIFIER,
        _STATUS,
        _token("category"),
        _date("sent"),
        *_patient("subject"),
        _reference("based-on", "basedOn", "CommunicationRequest"),
        _reference("recipient", "recipient", "Organization"),
    ),
    "DocumentReference": (
        SearchParameter("identifier", "token", ("identifier", "masterIdentifier")),
        _STATUS,
        _token("type"),
        _date("date"),
        _date("period", "context.period"),
        *_patient("subject"),
    ),
    "Observation": (
        _IDENTIFIER,
        _STATUS,
        _token("category"),
        _token("code"),
        _date("date", "effectiveDateTime", "effectivePeriod"),
        *_patient("subject"),
        _reference("derived-from", "derivedFrom", "DocumentReference"),
    ),
    "EpisodeOfCare": (
        _IDENTIFIER,
        _STATUS,
        _token("type"),
        _date("date", "period"),
        _reference("patient", "patient", "Patient"),
        _reference("organization", "managingOrganization", "Organization"),
    ),
}
"""By resource type. ``_id`` and ``_lastUpdated`` need no index of their own."""


def definitions() -> dict[tuple[str, str], str]:
    """Every parameter with the text that identifies its meaning, for the store."""
    return {(type_, each.code): each.definition for type_, listed in PARAMETERS.items() for each in listed}


def find(type_: str, code: str) -> SearchParameter | None:
    """The parameter of a type by its code."""
    return next((each for each in PARAMETERS.get(type_, ()) if each.code == code), None)
