"""A plan is recorded. It is not itself an activity: the act of planning is recorded and coded on its own (rule 21)."""

from dataclasses import replace
from typing import Final

from contracts.errors import Invalid
from contracts.ports import Transaction
from fhir_mappings import plan as mapping
from service.rules import plan as rules
from service.usecases.context import Context, Recorded, Write
from service.usecases.keeping import keep

_NOT_IN_FORCE: Final = ("draft", "revoked", "entered-in-error")


def record_plan(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Judge it and keep it; nothing else follows. A draft may lack what a plan must say. What the patient would
    miss is told, and nothing refused for it. Raises ``Invalid`` with
    everything that is wrong."""
    content = write.document.content
    plan = mapping.care_plan(content)
    if content["status"] in _NOT_IN_FORCE:
        return keep(transaction, context, write)
    if issues := rules.faults(plan):
        raise Invalid(*issues)
    kept = keep(transaction, context, write)
    return replace(kept, notes=(*kept.notes, *rules.remarks(plan)))
