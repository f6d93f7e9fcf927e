"""An organisation is recorded. What its name and address say may change; who it is may not while a consent points at it."""

from collections.abc import Iterable
from typing import Final

from contracts.errors import Conflict, Issue, IssueType
from contracts.people import Party
from contracts.ports import Transaction
from contracts.record import Document, Record
from fhir_mappings import people
from fhir_mappings.document import decode
from fhir_mappings.registry import read
from service.usecases.context import Context, Recorded, Write
from service.usecases.keeping import current, keep


def record_organization(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Keep it as any resource. Raises ``Conflict`` where it would become another party, or a party with a number, under a
    consent or a refusal that is not ended: the patient has named the one it was."""
    read(write.document.content)
    earlier = current(transaction, write) if write.id else None
    if earlier is not None and _is_another(_who(decode(earlier.body), write.id), _who(write.document, write.id)):
        _refuse_under_consent(transaction, earlier)
    return keep(transaction, context, write)


def _who(document: Document, id: str) -> Party:
    return people.organization(document.content, id)


def _is_another(before: Party, now: Party) -> bool:
    """A second number beside the one that it is known by makes nobody another."""
    kept = ((before.organisation, now.organisation), (before.hsa_id, now.hsa_id), (before.stated_kind, now.stated_kind))
    return before.key != now.key or any(old is not None and old != new for old, new in kept)


def _refuse_under_consent(transaction: Transaction, organization: Record) -> None:
    if any(decode(each.body).content["status"] not in _ENDED for each in _consents(transaction, organization)):
        text = "a consent that is not ended names this organisation: make a new Organization for another party"
        raise Conflict(Issue(IssueType.BUSINESS_RULE, text, "Organization.identifier", rule="same-party"))


def _consents(transaction: Transaction, organization: Record) -> Iterable[Record]:
    """Those that name it as recipient or unit, and those to coordination that were given to it."""
    return (
        record
        for parameter in ("actor", "organization")
        for record in transaction.by_reference("Consent", parameter, organization.reference)
    )


_ENDED: Final = ("inactive", "rejected", "entered-in-error")
