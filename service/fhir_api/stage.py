"""Where a change takes place: the store's transaction, on whose behalf, with what it stands on."""

from dataclasses import dataclass

from contracts.record import Caller
from service.fhir_api.surroundings import Surroundings
from service.store.transaction import SqlTransaction


@dataclass(frozen=True, slots=True)
class Stage:
    """One transaction of one caller."""

    transaction: SqlTransaction
    around: Surroundings
    caller: Caller
