"""Keeping a resource: who may, what it points at, whether it is new, and the row in the access log."""

import re
from collections.abc import Collection, Iterable, Mapping
from itertools import chain
from typing import Any, Final

import orjson

from contracts.errors import Conflict, Forbidden, Gone, Invalid, Issue, IssueType, NotFound, VersionConflict
from contracts.ports import Snapshot, Transaction
from contracts.record import Access, AccessAction, Caller, Document, Record, Right
from fhir_mappings import r4
from fhir_mappings.document import (
    decode,
    patient_of,
    patients_elsewhere,
    same_content,
    subject_element,
    subjects,
)
from fhir_mappings.identifiers import NATIONAL_PERSON_SYSTEMS
from fhir_mappings.labels import is_restricted, restricted
from fhir_mappings.narrative import with_narrative
from fhir_mappings.primitives import identifiers, literal
from service.usecases.context import ABSENT, ANY, Context, Recorded, Removal, Write

SHARED: Final = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location"})
"""Types that belong to the care provider, not to one unit."""

SERVED: Final = frozenset(r4.TYPES) - {"Bundle", "Parameters", "OperationOutcome", "CapabilityStatement", "AuditEvent"}
"""Types that are kept here. A reference to one of them must lead somewhere; others point into other systems."""

_TELLING: Final = SERVED - SHARED - {"Patient"}
"""Types whose label is that of what points at them too. A restricted Patient hides who somebody is, not each act."""

_IDENTITY: Final = {"Patient", "Procedure", "CommunicationRequest"}
"""Types of which two with the same identifier would do harm: split consents, two codes for one occasion, the same told
twice."""


def keep(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Store the resource, with a text where its sender wrote none, or find that the same is stored already. Raises
    ``NotFound``, ``VersionConflict``, ``Conflict``, ``Forbidden`` (labels that the caller may not use) and ``Invalid`` (a
    reference that leads nowhere)."""
    _refuse_label(write)
    write = write.saying(with_narrative(write.document))
    earlier = current(transaction, write) if write.id else _same_identity(transaction, write)
    if earlier is not None and not write.id:
        return _already_there(transaction, write, earlier)
    references = _literals(write.document.content)
    hidden = check_references(transaction, write, references, earlier)
    if write.id:
        _refuse_other_patient(transaction, write, earlier)
        _refuse_taken_identity(transaction, write)
    labelled = _labelled(transaction, write, references - hidden)
    if earlier is not None and _says_the_same(write, labelled, earlier):
        return unchanged(transaction, write.caller, earlier)
    return _saved(transaction, context, write.saying(labelled), earlier)


# Labels.


def _refuse_label(write: Write) -> None:
    """Nobody labels what they could not see then."""
    if is_restricted(write.document.content) and not write.caller.sees_restricted:
        raise Forbidden(f"to label as restricted takes the right {Right.FHIR_RESTRICTED.value}")


def _labelled(transaction: Transaction, write: Write, references: Collection[str]) -> Document:
    """What is made of something restricted, or points at it, is restricted too. That it points at itself makes it nothing."""
    itself = f"{write.document.type}/{write.id}/"
    others = [each for each in references if not f"{each}/".startswith(itself)]
    is_of_restricted = write.of_restricted or any_restricted(transaction, others)
    return restricted(write.document) if is_of_restricted else write.document


def any_restricted(transaction: Transaction, references: Iterable[str]) -> bool:
    """Whether any of what is pointed at (``Type/id``) is restricted, other than who the patient is and what the care provider
    shares."""
    targets = (each.split("/")[:2] for each in references)
    found = (transaction.read(type, id) for type, id in targets if type in _TELLING)
    return any(record is not None and record.restricted for record in found)


def tells_of_restricted(transaction: Transaction, record: Record) -> bool:
    """Whether what is made of a record is made of something restricted: the record, or what it points at."""
    return record.restricted or any_restricted(transaction, _literals(decode(record.body).content))


def relabels(write: Write, earlier: Record) -> bool:
    """Whether a caller who sees what is restricted writes what is there already, under other labels (``meta.security``)."""
    content, stored = write.document.content, decode(earlier.body)
    own, was = _own_meta(content), _own_meta(stored.content)
    are_other = "meta" in content and own != was and {**own, "security": ()} == {**was, "security": ()}
    return are_other and write.caller.sees_restricted and same_content(write.document, stored)


def _saved(transaction: Transaction, context: Context, write: Write, earlier: Record | None) -> Recorded:
    document, is_new = write.document, earlier is None
    id_ = write.id or write.fresh or context.ids.new()
    about = _about(transaction, write, id_, earlier)
    unit = owner(write.caller, document.type)
    record = transaction.save(document, id_, unit, about=about, named=bool(write.id), fresh=not write.id)
    if record.patient:
        transaction.log_access(_written(write.caller, record, "create" if is_new else "update"))
    return Recorded(record, notes=(), created=is_new)


def remove(transaction: Transaction, context: Context, removal: Removal) -> Recorded:
    """Delete the resource: a version that says so ends its history so far. What is deleted already stays so. Raises
    ``NotFound``, ``VersionConflict``; whether something points at it is asked at the end (``refuse_dangling``)."""
    record = transaction.read(removal.type, removal.id)
    standing = record or transaction.tombstone(removal.type, removal.id)
    if standing is None or not removal.caller.may_see(standing):
        raise NotFound(f"there is no such {removal.type}")
    _refuse_other_version(removal.expected, standing, is_there=record is not None)
    if record is None:
        return Recorded(standing, changed=False)
    gone = transaction.remove(removal.type, removal.id)
    if gone.patient:
        transaction.log_access(_written(removal.caller, gone, "delete"))
    return Recorded(gone)


def refuse_dangling(transaction: Transaction, *gone: Record) -> None:
    """Raises ``Conflict`` when something still points at what was deleted."""
    for record in gone:
        if transaction.pointed_at(record.reference):
            raise Conflict(
                f"other resources point at this {record.type}: delete them first, or let them point elsewhere"
            )


def owner(caller: Caller, type: str) -> str:
    """Whose a new resource is."""
    return (caller.provider if type in SHARED else caller.unit).value


def _written(caller: Caller, record: Record, interaction: str) -> Access:
    """The access-log row of a write."""
    return Access(caller, AccessAction.WRITE, record.patient, record.reference, interaction)


def _about(transaction: Transaction, write: Write, id: str, earlier: Record | None = None) -> str:
    """The logical id of the patient; where the resource does not point at one, the one whom its subject is about, or whom it
    names by identifier: in the words of the version before, whom that was about. Raises ``Invalid`` where nobody here is the
    patient that it names."""
    document = write.document
    if named := patient_of(document.type, id, document.content):
        return named
    found = subjects(document.type, document.content)
    others = (record.patient for target in found if (record := transaction.read(*target)) is not None)
    return next(others, "") or _identified(transaction, write, earlier)


def _identified(transaction: Transaction, write: Write, earlier: Record | None) -> str:
    """The one patient of the unit that has an identifier by which the subject is named; empty when it names no patient.
    What is about a patient is read under that patient's name in the access log, so that one nobody knows is refused."""
    type_, content = write.document.type, write.document.content
    if earlier is not None and earlier.patient and _names_the_same(write.document, earlier):
        return earlier.patient
    named, unit = patients_elsewhere(type_, content), write.caller.unit.value
    found = {
        record.id
        for each in chain.from_iterable(named)
        for record in transaction.by_token("Patient", "identifier", each.system, each.value, unit)
        if write.caller.may_see(record)
    }
    if named and len(found) != 1:
        text = "several patients here have this identifier: say which one is meant, as Patient/<id>"
        if not found:
            text = "nobody here is the patient that is named: write the Patient first, or point at Patient/<id>"
        at = f"{type_}.{subject_element(type_, content)}"
        raise Invalid(Issue(IssueType.NOT_FOUND, text, at, rule="patient-unknown"))
    return next(iter(found), "")


def visible(snapshot: Snapshot, caller: Caller, type: str, id: str) -> Record:
    """The current version, if the caller may see it. Raises ``NotFound``, and ``Gone`` for what was deleted."""
    record = snapshot.read(type, id)
    if record is not None and caller.may_see(record):
        return record
    gone = snapshot.tombstone(type, id)
    if gone is not None and caller.may_see(gone):
        raise Gone(f"this {type} has been deleted")
    raise NotFound(f"there is no such {type}")


def current(transaction: Transaction, write: Write) -> Record | None:
    """What an update replaces; ``None`` when it makes the resource, or makes it anew. Raises as ``keep``."""
    record = transaction.read(write.document.type, write.id)
    standing = record or transaction.tombstone(write.document.type, write.id)
    is_hidden = standing is not None and not write.caller.may_see(standing)
    if write.expected and (standing is None or is_hidden):
        raise VersionConflict("it is not there, so there is no such version")
    if is_hidden:
        raise NotFound(f"there is no such {write.document.type}: a new one is made with POST")
    if standing is not None:
        _refuse_other_version(write.expected, standing, is_there=record is not None)
    return record


def _refuse_other_version(expected: int | None, standing: Record, *, is_there: bool = True) -> None:
    """``standing`` is the last version, which may be a deletion."""
    if expected is None or expected == (standing.version if expected or is_there else ABSENT):
        return
    if expected == ANY:
        if is_there:
            return
        raise VersionConflict("it has been deleted, so there is no current version")
    if not expected:
        raise VersionConflict("it is there already")
    raise VersionConflict(
        f"the current version is {standing.version}: read it, apply your change to it and send If-Match for it"
    )


def _same_identity(transaction: Transaction, write: Write) -> Record | None:
    """What is stored already under the identifier of a new resource."""
    wanted = _own_identifier(write.document)
    if wanted is None:
        return None
    found = transaction.by_token(write.document.type, "identifier", *wanted, owner(write.caller, write.document.type))
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
    """A create that finds its like: the same again is answered with what is there, if it may be seen."""
    if write.caller.may_see(earlier) and same_content(write.document, decode(earlier.body)):
        return unchanged(transaction, write.caller, earlier)
    raise _taken(write, earlier)


def unchanged(transaction: Transaction, caller: Caller, earlier: Record) -> Recorded:
    """The answer shows what was there: that is a reading."""
    if earlier.patient:
        transaction.log_access(Access(caller, AccessAction.READ, earlier.patient, earlier.reference, "read"))
    return Recorded(earlier, changed=False)


def _refuse_other_patient(transaction: Transaction, write: Write, earlier: Record | None) -> None:
    """The history, the access log and what was promised are the patient's whom the record was first about."""
    document = write.document
    known = earlier or transaction.tombstone(document.type, write.id)
    if known is None or _about(transaction, write, write.id, earlier) == known.patient:
        return
    if earlier is not None and not earlier.patient and _names_the_same(document, earlier):
        return  # it was stored before anybody was looked for
    text = "a record stays with its patient: mark it as entered in error, and write a new one"
    at = f"{document.type}.{subject_element(document.type, document.content)}"
    raise Invalid(Issue(IssueType.BUSINESS_RULE, text, at, rule="same-patient"))


def _names_the_same(document: Document, earlier: Record) -> bool:
    """Whether a patient is named by identifiers, and in the same words as in the version before."""
    named = patients_elsewhere(document.type, document.content)
    return bool(named) and named == patients_elsewhere(earlier.type, decode(earlier.body).content)


def _refuse_taken_identity(transaction: Transaction, write: Write) -> None:
    """An update may not take an identifier that another record has: that would be the second of it."""
    found = _same_identity(transaction, write)
    if found is not None and found.id != write.id:
        raise _taken(write, found)


def _taken(write: Write, other: Record) -> Conflict:
    right = Right.FHIR_RESTRICTED.value
    text = f"something that is restricted has this identifier already: whoever has the right {right} can update it"
    if write.caller.may_see(other):
        text = f"{other.reference} has this identifier already, with other content: update it instead"
    return Conflict(Issue(IssueType.DUPLICATE, text, f"{other.type}.identifier"))


def _says_the_same(write: Write, labelled: Document, earlier: Record) -> bool:
    """Whether what is there says what is to be stored. Who sends no ``meta`` of their own, or the labels that are there alone,
    says nothing of the rest of it; a label is taken away by a ``meta`` without it."""
    sent, stored = write.document.content, decode(earlier.body)
    own, was = _own_meta(labelled.content), _own_meta(stored.content)
    is_silent = _own_meta(sent) in ({}, {"security": was.get("security")})
    is_as_labelled = is_restricted(labelled.content) == earlier.restricted
    return same_content(labelled, stored) and ((is_silent and is_as_labelled) or own == was)


def _own_meta(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}


def check_references(
    transaction: Transaction, write: Write, references: Collection[str], earlier: Record | None
) -> set[str]:
    """Every one of the literal ``references`` in the resource to a type that is kept here leads to something that the caller
    may see, or stands in the version before and leads to what has been labelled since: those are answered. Raises ``Invalid``
    with all that do neither."""
    content = write.document.content
    astray = {reference for reference in references if not _leads_somewhere(transaction, write, reference)}
    hidden = _labelled_since(transaction, astray, earlier) if astray and earlier is not None else set[str]()
    astray -= hidden
    issues = [
        Issue(IssueType.NOT_FOUND, "what this points at is not here", f"{write.document.type}{_told(at)}.reference")
        for at, reference in (_places(content) if astray else ())
        if reference in astray
    ]
    if issues:
        raise Invalid(*issues)
    return hidden


def _labelled_since(transaction: Transaction, references: Collection[str], earlier: Record) -> set[str]:
    """Those which the version before has too, and that lead to something restricted. Who could read them there may leave them
    there, and writes nothing of what they lead to."""
    known = _literals(decode(earlier.body).content).intersection(references)
    found = {each: transaction.read(*each.split("/")[:2]) for each in known}
    return {each for each, record in found.items() if record is not None and record.restricted}


def _literals(content: Mapping[str, Any]) -> set[str]:
    """Every literal reference in the resource, at whatever place. In a dump a text cannot be taken for a member of the name, as
    its quotes are escaped there; looking for those costs a fifth of a walk."""
    return {reference.decode() for reference in _REFERENCE.findall(orjson.dumps(content))}


_REFERENCE: Final = re.compile(
    rb'"reference":"([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?)"'
)


def _leads_somewhere(transaction: Transaction, write: Write, reference: str) -> bool:
    """A resource may point at itself, also while it is made."""
    address, _, version = reference.partition("/_history/")
    type, id = address.split("/")
    if type not in SERVED or address in write.coming:
        return True
    record = transaction.read(type, id)
    if record is None:
        return bool(write.id) and (type, id) == (write.document.type, write.id)
    is_known = not version or (version.isdecimal() and 0 < int(version) <= record.version)
    return is_known and write.caller.may_see(record)


_Place = tuple[Any, ...]
"""The way to an element from its end: its name or index, and the place that it stands in. Empty is the resource."""


def _places(content: Mapping[str, Any]) -> list[tuple[_Place, str]]:
    """Every literal reference in the resource with its place, those of the outer elements first."""
    found: list[tuple[_Place, str]] = []
    elements: list[tuple[Any, _Place]] = [(content, ())]
    for element, at in elements:  # which grows meanwhile
        is_list = isinstance(element, list)
        if not is_list and isinstance(element.get("reference"), str) and literal(element) is not None:
            found.append((at, element["reference"]))
        for step, each in enumerate(element) if is_list else element.items():
            if isinstance(each, (dict, list)):
                elements.append((each, (step, at)))
    return found


def _told(at: _Place) -> str:
    if not at:
        return ""
    step, whole = at
    return f"{_told(whole)}[{step}]" if isinstance(step, int) else f"{_told(whole)}.{step}"
