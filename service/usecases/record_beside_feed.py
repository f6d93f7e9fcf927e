"""A client's own DocumentReference, Observation, EpisodeOfCare, QuestionnaireResponse or Communication, beside those that the
service makes.

The certificates and the deliveries write these types too, and write over what they find under their own identifiers. So
nobody else writes, changes or deletes what carries one, and nobody adds to a certificate what its issuer did not say. A
coordination case opens and ends with the patient's consent alone (domain rule 3).
"""

from collections.abc import Mapping
from typing import Any, Final

from contracts.errors import Conflict, Issue, IssueType
from contracts.ports import Transaction
from contracts.record import Caller, Record
from fhir_mappings.coordination_case import is_case
from fhir_mappings.document import decode
from fhir_mappings.identifiers import CERTIFICATE_ID, EPISODE_ID, MESSAGE_ID
from fhir_mappings.primitives import identifiers, literal
from fhir_mappings.registry import read
from service.usecases.context import Context, Recorded, Removal, Write
from service.usecases.keeping import keep, relabels, remove

_OURS: Final = frozenset({CERTIFICATE_ID, EPISODE_ID, MESSAGE_ID})


def record_beside_feed(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Keep a client's own, judged by our profiles like any other. Raises ``Invalid``, and ``Conflict`` for one that is, or
    claims to be, of the service's making: of a Communication of those a client changes the labels, and nothing else."""
    earlier = transaction.read(write.document.type, write.id) if write.id else None
    if earlier is not None and earlier.type == "Communication" and relabels(write, earlier):
        return keep(transaction, context, write)
    _refuse_made_here(transaction, write.document.content)
    _refuse_change(transaction, write.caller, earlier)
    read(write.document.content)
    return keep(transaction, context, write)


def remove_beside_feed(transaction: Transaction, context: Context, removal: Removal) -> Recorded:
    """Delete a client's own. Raises ``Conflict`` for one of the service's making."""
    _refuse_change(transaction, removal.caller, transaction.read(removal.type, removal.id))
    return remove(transaction, context, removal)


def _refuse_change(transaction: Transaction, caller: Caller, earlier: Record | None) -> None:
    if earlier is not None and caller.may_see(earlier):
        _refuse_made_here(transaction, decode(earlier.body).content)


def _refuse_made_here(transaction: Transaction, content: Mapping[str, Any]) -> None:
    if _is_made_here(content) or any(_is_certificate(transaction, each) for each in content.get("derivedFrom", ())):
        text = "this is made by the service, from a certificate, a consent or a delivery, and changes with that alone"
        raise Conflict(Issue(IssueType.BUSINESS_RULE, text, str(content["resourceType"]), rule="made-by-the-service"))


def _is_made_here(content: Mapping[str, Any]) -> bool:
    stated = [each.system for each in identifiers(content)]
    if content["resourceType"] == "EpisodeOfCare" and is_case(content):
        return True
    return bool(_OURS.intersection([*stated, content.get("masterIdentifier", {}).get("system", "")]))


def _is_certificate(transaction: Transaction, reference: Mapping[str, Any]) -> bool:
    target = literal(reference)
    record = transaction.read(*target) if target and target[0] == "DocumentReference" else None
    return record is not None and _is_made_here(decode(record.body).content)
