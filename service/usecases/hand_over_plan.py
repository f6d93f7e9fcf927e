"""The patient is given the document of a plan, and what is sensitive in it is released first, each by a person (domain rule
31). Both are recorded for the version that it was: a later one is another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from contracts.errors import Conflict, Invalid, Issue, IssueType, VersionConflict
from contracts.plan import HandedOver, Manner
from contracts.ports import Transaction
from contracts.record import Caller, Record, Right
from fhir_mappings import patient_document as mapping
from fhir_mappings import r4
from fhir_mappings.document import decode, from_content
from service.patient_document import html
from service.usecases.context import Context, Recorded, Write
from service.usecases.keeping import keep, tells_of_restricted, visible
from service.usecases.record_beside_feed import record_beside_feed
from service.usecases.record_resource import record_resource
from service.usecases.see_plan import plan_seen


@dataclass(frozen=True, slots=True)
class Handing:
    """That a version was handed over: how, when (``None``: now), and why it was done so where that must be said."""

    version: int
    manner: Manner
    at: datetime | None = None
    why: str = ""


def hand_over(transaction: Transaction, context: Context, caller: Caller, id: str, given: Handing) -> Recorded:
    """Keep the document as it stands, and the Communication that says that the patient has it.

    Raises ``NotFound``; ``VersionConflict`` when the version is not the current one; ``Conflict`` for a plan that is no
    longer anybody's; ``Invalid`` for a time to come, and where a patient's protected identity asks for a reason (rule 8).
    """
    record = visible(transaction, caller, "CarePlan", id)
    seen = plan_seen(transaction, caller, record)
    _check(seen.version, seen.status, given, transaction.at)
    if seen.protected and given.manner is not Manner.READ_TOGETHER and not given.why.strip():
        text = "the patient's identity is protected: say in why how the document reaches nobody else"
        raise Invalid(Issue(IssueType.REQUIRED, text, "why", rule="protected-identity"))
    page = html.page(seen)
    of_restricted = _is_of_restricted(transaction, caller, record, page)
    document = page.encode()
    binary = _judged(mapping.binary(record.patient, mapping.HTML, document))
    kept = keep(transaction, context, Write(caller, binary, of_restricted=of_restricted)).record
    told = HandedOver("", seen.version, given.at or transaction.at, given.manner, caller.employee.value, given.why)
    plan = {"id": record.id, **decode(record.body).content}
    content = mapping.communication(plan, record.patient, told, caller.employee, document, kept.reference)
    return record_beside_feed(transaction, context, Write(caller, _judged(content), of_restricted=of_restricted))


def release(
    transaction: Transaction, context: Context, caller: Caller, id: str, parts: Sequence[str], why: str
) -> Recorded:
    """Let sensitive parts of the plan as it stands now be shown in the patient's document. Who, when and why is kept as a
    Provenance. Raises ``NotFound``, ``Conflict`` for a part that is not held back, ``Invalid`` without a reason."""
    record = visible(transaction, caller, "CarePlan", id)
    held_back = {each.part for each in plan_seen(transaction, caller, record).held_back}
    if not parts or not why.strip():
        raise Invalid(Issue(IssueType.REQUIRED, "say which parts are released, and why", "part", rule="release"))
    if not held_back.issuperset(parts):
        raise Conflict("a part is not held back in the current version: look at it again")
    # The plan itself comes first: by it the release is found, and whose it is.
    content = mapping.release(record.reference, list(dict.fromkeys(parts)), caller, transaction.at, why)
    return record_resource(transaction, context, Write(caller, _judged(content)))


def _is_of_restricted(transaction: Transaction, caller: Caller, plan: Record, page: str) -> bool:
    """Whether the document is made of something restricted: the plan, what it points at, or whatever else makes it another
    than it is for those without the right. Who does not see what is restricted hands over a document without it."""
    if not caller.sees_restricted:
        return False
    others = replace(caller, rights=caller.rights - {Right.FHIR_RESTRICTED})
    return tells_of_restricted(transaction, plan) or page != html.page(plan_seen(transaction, others, plan))


def _check(current: int, status: str, given: Handing, now: datetime) -> None:
    if given.version != current:
        raise VersionConflict(f"the current version is {current}: the patient is given that one")
    if status in ("revoked", "unknown"):
        raise Conflict("a plan that has been revoked is not handed over")
    if given.at is not None and given.at > now:
        raise Invalid(Issue(IssueType.VALUE, "it cannot have been handed over in time to come", "at"))


def _judged(content: dict[str, Any]) -> Any:
    if issues := r4.check(content):
        raise Invalid(*issues)
    return from_content(content)
