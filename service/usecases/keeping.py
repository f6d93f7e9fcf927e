"""Keeping a resource: who may, what it points at, whether it is new, and the row in the access log."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from contracts.errors import Conflict, Invalid, Issue, IssueType, NotFound, VersionConflict
from contracts.ports import Transaction
from contracts.record import Access, AccessAction, Caller, Document, Record
from fhir_mappings.document import decode, patient_of, same_content
from fhir_mappings.identifiers import NATIONAL_PERSON_SYSTEMS
from fhir_mappings.narrative import with_narrative
from fhir_mappings.primitives import identifiers, literal
from service.usecases.context import Context, Recorded, Write

SHARED: Final = frozenset({"Practitioner", "PractitionerRole", "Organization"})
"""Types that belong to the care provider, not to one unit."""

SERVED: Final = SHARED | {
    "Patient",
    "Consent",
    "CarePlan",
    "Goal",
    "Procedure",
    "CommunicationRequest",
    "Communication",
    "DocumentReference",
    "Observation",
    "EpisodeOfCare",
}
"""Types that are kept here. A reference to one of them must lead somewhere; others point into other systems."""

_IDENTITY: Final = {"Patient", "Procedure", "CommunicationRequest"}
"""Types of which two with the same identifier would do harm: split consents, two codes for one occasion, the same told
twice."""


def keep(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Store the resource, with a text where its sender wrote none, or find that the same is stored already. Raises ``NotFound``, ``VersionConflict``,
    ``Conflict`` and ``Invalid`` (a reference that leads nowhere)."""
    write = replace(write, document=with_narrative(write.document))
    earlier = _current(transaction, write) if write.id else _same_identity(transaction, write)
    if earlier is not None and not write.id:
        return _already_there(transaction, write, earlier)
    check_references(transaction, write.caller, write.document)
    if earlier is not None:
        _refuse_other_patient(write.document, earlier)
        _refuse_taken_identity(transaction, write)
    if earlier is not None and _says_the_same(write.document, earlier):
        return _unchanged(transaction, write.caller, earlier)
    record = transaction.save(write.document, write.id or context.ids.new(), owner(write.caller, write.document.type))
    if record.patient:
        transaction.log_access(written(write.caller, record))
    return Recorded(record)


def owner(caller: Caller, type: str) -> str:
    """Whose a new resource is."""
    return (caller.provider if type in SHARED else caller.unit).value


def written(caller: Caller, record: Record) -> Access:
    """The access-log row of a write."""
    interaction = "create" if record.version == 1 else "update"
    return Access(caller, AccessAction.WRITE, record.patient, record.reference, interaction)


def visible(transaction: Transaction, caller: Caller, type: str, id: str) -> Record:
    """The current version, if the caller may see it. Raises ``NotFound``."""
    record = transaction.read(type, id)
    if record is None or not caller.may_see(record.unit):
        raise NotFound(f"there is no such {type}")
    return record


def _current(transaction: Transaction, write: Write) -> Record:
    record = visible(transaction, write.caller, write.document.type, write.id)
    if write.expected is not None and write.expected != record.version:
        raise VersionConflict(
            f"the current version is {record.version}: read it, apply your change to it and send If-Match for it"
        )
    return record


def _same_identity(transaction: Transaction, write: Write) -> Record | None:
    """What is stored already under the identifier of a new resource."""
    wanted = write.unless or _own_identifier(write.document)
    if wanted is None:
        return None
    found = transaction.by_token(write.document.type, "identifier", *wanted, owner(write.caller, write.document.type))
    if len(found) > 1 and write.unless:
        raise VersionConflict("the condition matches several resources")
    return found[0] if found else None


def _own_identifier(document: Document) -> tuple[str, str] | None:
    """The identifier that makes a resource the same as another: a national number, or the first one of a record."""
    if document.type not in _IDENTITY:
        return None
    known = [(each.system, each.value) for each in identifiers(document.content)]
    national = [each for each in known if any(each[0] in system for system in NATIONAL_PERSON_SYSTEMS)]
    candidates = national if document.type == "Patient" else known
    return candidates[0] if candidates else None


def _already_there(transaction: Transaction, write: Write, earlier: Record) -> Recorded:
    """A create that finds its like: asked for (If-None-Exist) or the same again is answered with what is there."""
    if write.unless or same_content(write.document, decode(earlier.body)):
        return _unchanged(transaction, write.caller, earlier)
    raise _taken(earlier, write.document.type)


def _unchanged(transaction: Transaction, caller: Caller, earlier: Record) -> Recorded:
    """The answer shows what was there: that is a reading."""
    if earlier.patient:
        transaction.log_access(Access(caller, AccessAction.READ, earlier.patient, earlier.reference, "read"))
    return Recorded(earlier, changed=False)


def _refuse_other_patient(document: Document, earlier: Record) -> None:
    """The history, the access log and what was promised are the patient's whom the record was first about."""
    if patient_of(document.type, earlier.id, document.content) == earlier.patient:
        return
    text = "a record stays with its patient: mark it as entered in error, and write a new one"
    name = "subject" if "subject" in document.content else "patient"
    raise Invalid(Issue(IssueType.BUSINESS_RULE, text, f"{document.type}.{name}", rule="same-patient"))


def _refuse_taken_identity(transaction: Transaction, write: Write) -> None:
    """An update may not take an identifier that another record has: that would be the second of it."""
    found = _same_identity(transaction, replace(write, unless=None))
    if found is not None and found.id != write.id:
        raise _taken(found, write.document.type)


def _taken(other: Record, type: str) -> Conflict:
    text = f"{other.reference} has this identifier already, with other content: update it instead"
    return Conflict(Issue(IssueType.DUPLICATE, text, f"{type}.identifier"))


def _says_the_same(document: Document, earlier: Record) -> bool:
    stored = decode(earlier.body)
    return same_content(document, stored) and _own_meta(document.content) in ({}, _own_meta(stored.content))


def _own_meta(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}


def check_references(transaction: Transaction, caller: Caller, document: Document) -> None:
    """Every literal reference to a type that is kept here leads to something that the caller may see. Raises
    ``Invalid`` with all that do not."""
    issues = [
        Issue(IssueType.NOT_FOUND, "what this points at is not here", at)
        for at, type, id in _literals(document.content, document.type)
        if type in SERVED and not _is_there(transaction, caller, type, id)
    ]
    if issues:
        raise Invalid(*issues)


def _is_there(transaction: Transaction, caller: Caller, type: str, id: str) -> bool:
    record = transaction.read(type, id)
    return record is not None and caller.may_see(record.unit)


def _literals(element: Any, at: str) -> Iterator[tuple[str, str, str]]:
    """(path, type, id) of every literal reference in the element."""
    if isinstance(element, list):
        for index, each in enumerate(element):
            yield from _literals(each, f"{at}[{index}]")
    elif isinstance(element, Mapping):
        found = literal(element) if isinstance(element.get("reference"), str) else None
        if found is not None:
            yield (f"{at}.reference", *found)
        for name, each in element.items():
            if isinstance(each, list | dict):
                yield from _literals(each, f"{at}.{name}")
