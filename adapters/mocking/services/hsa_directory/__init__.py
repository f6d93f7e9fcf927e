"""The HSA directory: who has which commissions and system roles, who somebody is, and which units belong together.

None of its contracts has a result code: who or what is not there is an empty answer, and a request that is wrong is a SOAP
fault. Facts: rehabstod.md § 5.1; the domains' service contract descriptions (contracts/wire/PROVENANCE.md).
"""

from collections.abc import Iterable, Iterator
from typing import Final

from starlette.applications import Starlette

from adapters.mocking.counterpart import Counterpart
from adapters.mocking.rivta import service
from adapters.mocking.services.hsa_directory import founding
from adapters.mocking.services.hsa_directory.asking import directory
from adapters.mocking.services.hsa_directory.claims import claims
from adapters.mocking.services.hsa_directory.people import CREDENTIALS, EMPLOYEE
from adapters.mocking.services.hsa_directory.units import MEMBERS, UNIT
from contracts.identity import HsaId
from contracts.sick_leave import Certificate

__all__ = ["CREDENTIALS", "EMPLOYEE", "MEMBERS", "OPERATIONS", "TITLE", "UNIT", "above", "claims", "create", "learn"]

TITLE: Final = "Katalogtjänst HSA"
OPERATIONS: Final = (CREDENTIALS, EMPLOYEE, UNIT, MEMBERS)


def create(counterpart: Counterpart) -> Starlette:
    """The four contracts."""
    return service(counterpart, OPERATIONS)


def learn(counterpart: Counterpart, certificates: Iterable[Certificate], namespace: str = "") -> None:
    """Let it know every care provider, unit and doctor that the certificates name."""
    founding.learn(directory(counterpart, namespace), certificates)


def above(counterpart: Counterpart, unit: HsaId, namespace: str = "") -> Iterator[tuple[HsaId, list[HsaId]]]:
    """The care unit that a sub-unit belongs to, with all its sub-units; nothing for a unit that is no sub-unit."""
    known = directory(counterpart, namespace)
    found = known.units.get(unit.value)
    if found is not None and found.part_of:
        yield HsaId(found.part_of), [HsaId(each.id) for each in known.sub_units(found.part_of)]
