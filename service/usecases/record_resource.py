"""A resource that others point at is stored: patient, staff, organisation, plan, goal."""

from contracts.ports import Transaction
from service.usecases.context import Context, Recorded, Write
from service.usecases.keeping import keep


def record_resource(transaction: Transaction, context: Context, write: Write) -> Recorded:
    """Nothing follows from it. Its mapper has judged it before."""
    return keep(transaction, context, write)
