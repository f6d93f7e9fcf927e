"""The coordination case follows what the patient says: it opens with a consent to coordination, and a withdrawal or a refusal
ends it (domain rule 3)."""

from contracts.errors import Issue, note
from contracts.identity import HsaId
from contracts.ports import Transaction
from contracts.record import Caller, Record
from fhir_mappings import coordination_case as mapping
from fhir_mappings.document import decode, from_content
from service.usecases.context import Context
from service.usecases.deciding import consents_of, is_coordinated


def follow_consent(transaction: Transaction, context: Context, caller: Caller, patient: str) -> tuple[Issue, ...]:
    """Open or end the case that the caller's unit has of the patient, as its consents stand now."""
    unit = caller.unit
    wanted = is_coordinated(consents_of(transaction, patient), unit, transaction.at)
    case = _open_case(transaction, unit, patient)
    if wanted and case is None:
        opened = from_content(mapping.opened(patient, unit, transaction.at))
        record = transaction.save(opened, context.ids.new(), unit.value, fresh=True)
        return (note(f"the coordination case {record.reference} is open", "case-opened"),)
    if case is not None and not wanted:
        transaction.save(mapping.ended(decode(case.body), transaction.at), case.id, case.unit)
        named = f"the coordination case {case.reference}" if caller.may_see(case) else "the coordination case"
        return (note(f"{named} is ended", "case-ended"),)
    return ()


def _open_case(transaction: Transaction, unit: HsaId, patient: str) -> Record | None:
    episodes = transaction.by_reference("EpisodeOfCare", "patient", f"Patient/{patient}")
    return next((each for each in episodes if mapping.is_open(decode(each.body).content, unit)), None)
