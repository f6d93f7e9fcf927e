"""What a change does inside the store's transaction, whether it comes alone or as an entry of a bundle."""

from dataclasses import dataclass

from contracts.errors import Invalid, Issue, IssueType, Malformed, NotFound, VersionConflict
from contracts.record import Document, Record
from fhir_mappings import r4
from fhir_mappings.document import decode
from fhir_mappings.labels import labelled_as
from fhir_mappings.patching import Patch
from fhir_mappings.references import at_home
from service.fhir_api.conditions import only_match, stated_condition
from service.fhir_api.resources import Row
from service.fhir_api.stage import Stage
from service.fhir_api.surroundings import changeable, deletable
from service.http_edge import names_a_person
from service.usecases.context import Recorded, Removal, Write
from service.usecases.keeping import unchanged, visible


@dataclass(frozen=True, slots=True)
class Target:
    """What an address means: the resource with an ``id``, or the one that a ``condition`` matches."""

    row: Row
    id: str = ""
    condition: str = ""


NOTHING_COMES: frozenset[str] = frozenset()


def create(
    stage: Stage,
    row: Row,
    document: Document,
    unless: str | None,
    *,
    fresh: str = "",
    coming: frozenset[str] = NOTHING_COMES,
) -> Recorded:
    """A new resource, under ``fresh`` if that is given; what matches ``unless`` (If-None-Exist) instead, if it is there."""
    found = None if unless is None else only_match(stage, row.type, stated_condition(row.type, unless))
    if found is not None:
        return unchanged(stage.transaction, stage.caller, found)
    write = Write(stage.caller, at_home(document, stage.around.base), fresh=fresh, coming=coming)
    return row.write(stage.transaction, stage.around.context, write)


def update(
    stage: Stage,
    target: Target,
    document: Document,
    expected: int | None,
    *,
    fresh: str = "",
    coming: frozenset[str] = NOTHING_COMES,
) -> Recorded:
    """The next version, or the first one under the client's id. By a condition that nothing matches: a new resource."""
    story = changeable(target.row)
    stated = str(document.content.get("id", ""))
    id_ = target.id
    if target.condition:
        found = only_match(stage, target.row.type, target.condition)
        if found is None and expected:
            raise VersionConflict("nothing matches the condition, so there is no such version")
        id_ = stated if found is None else found.id
    if id_ and stated != id_ and (stated or not target.condition):
        raise Malformed(Issue(IssueType.VALUE, "the id in the body is the id of the resource", f"{document.type}.id"))
    if names_a_person(id_.encode()):
        text = "an id stands in addresses, and never holds a personal number"
        raise Malformed(Issue(IssueType.VALUE, text, f"{document.type}.id"))
    document = at_home(_with_its_labels(stage, document, id_), stage.around.base)
    write = Write(stage.caller, document, id_, expected, fresh, coming)
    return story(stage.transaction, stage.around.context, write)


def _with_its_labels(stage: Stage, document: Document, id: str) -> Document:
    """Labels stay on an update whose sender says nothing of them, not even that there are none."""
    earlier = stage.transaction.read(document.type, id) if id and "meta" not in document.content else None
    if earlier is None or not stage.caller.may_see(earlier):
        return document
    return labelled_as(document, decode(earlier.body))


def patch(stage: Stage, target: Target, change: Patch, expected: int | None) -> Recorded:
    """The next version, made by a patch and judged as if it had been sent whole. Raises ``Invalid`` for a result that
    cannot stand."""
    story = changeable(target.row)
    record = existing(stage, target)
    try:
        body = change.apply(record.body)
        document = Document(r4.parse(body, expected=target.row.type), body)
    except Malformed as wrong:
        raise Invalid(*wrong.issues) from None
    if document.content.get("id") != record.id:
        raise Invalid(Issue(IssueType.VALUE, "the id of a resource never changes", f"{document.type}.id"))
    write = Write(stage.caller, at_home(document, stage.around.base), record.id, expected)
    return story(stage.transaction, stage.around.context, write)


def delete(stage: Stage, target: Target, expected: int | None) -> Recorded | None:
    """The version that says that it is deleted; ``None`` when nothing matches the condition. Whether something points at
    it is the caller's to ask, when all changes are made (``keeping.refuse_dangling``)."""
    story = deletable(target.row)
    id_ = target.id
    if target.condition:
        found = only_match(stage, target.row.type, target.condition)
        if found is None:
            return None
        id_ = found.id
    return story(stage.transaction, stage.around.context, Removal(stage.caller, target.row.type, id_, expected))


def existing(stage: Stage, target: Target) -> Record:
    """The current version of a target. Raises ``NotFound`` and ``Gone``."""
    if not target.condition:
        return visible(stage.transaction, stage.caller, target.row.type, target.id)
    found = only_match(stage, target.row.type, target.condition)
    if found is None:
        raise NotFound("nothing matches the condition")
    return found
