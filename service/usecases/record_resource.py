"""A resource from which nothing follows is stored: patient, staff, organisation, goal, visit, list ..."""

from contracts.ports import Transaction
from fhir_mappings.registry import read
from service.usecases.context import Context, Recorded, Write
from service.usecases.keeping import keep


def record_resource(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Judge it by its profile and reader and keep it; nothing else follows. Raises ``Invalid`` with everything that is
    wrong."""
    read(write.document.content)
    return keep(transaction, context, write)
