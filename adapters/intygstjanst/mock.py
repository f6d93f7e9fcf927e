"""The counterpart of this adapter: Intygstjänst as an ASGI app, over certificates that are registered with it.

Two SOAP contracts of the feed (``mock_soap``), one for a whole certificate (``mock_certificate``), and the internal API
(``mock_rest``). It validates what it is asked, keeps a ledger,
and answers in one of two ways (``configure``). Whom it selects: rehabstod.md § 1.8, "Semantics of the unit contract", and
§ 2.1. What the service holds out (§ 1.9) is not registered; ``withdraw`` takes away what is.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from starlette.applications import Starlette

from adapters.intygstjanst import mock_certificate, mock_rest, mock_soap
from adapters.intygstjanst.answers import Mode
from adapters.intygstjanst.computing import Computation, Compute
from adapters.intygstjanst.filled import filled
from adapters.intygstjanst.mock_rest import INTERNAL
from adapters.intygstjanst.population import generate
from adapters.intygstjanst.region import HeldOut, UnitPopulation, generate_region
from adapters.intygstjanst.register import Register, registered
from adapters.intygstjanst.wire import CARE_UNIT, CERTIFICATE, PERSON
from adapters.mocking import Counterpart
from contracts.certificate import MedicalCertificate
from contracts.identity import HsaId, PersonId
from contracts.sick_leave import Certificate

__all__ = [
    "INTERNAL",
    "PLATFORM_PATHS",
    "Computation",
    "Compute",
    "HeldOut",
    "Mode",
    "UnitPopulation",
    "compute_with",
    "configure",
    "create",
    "fill",
    "filled",
    "generate",
    "generate_region",
    "register",
    "register_region",
    "subordinate",
    "withdraw",
]

PLATFORM_PATHS: Final = tuple(contract.platform_path for contract in (CARE_UNIT, PERSON, CERTIFICATE))
"""Where the national platform publishes it."""


def create(counterpart: Counterpart) -> Starlette:
    """The app."""
    counterpart.has_result_codes = True
    asked = (*mock_soap.routes(counterpart), *mock_certificate.routes(counterpart))
    return Starlette(routes=[*asked, mock_rest.route(counterpart), mock_rest.DESCRIBED])


def configure(counterpart: Counterpart, mode: Mode, namespace: str = "") -> None:
    """Answer as the schema says (``valid``) or as the real service does (``real``, which is how it begins)."""
    counterpart.room(namespace).state["mode"] = mode


def compute_with(counterpart: Counterpart, compute: Compute, namespace: str = "") -> None:
    """Compute the internal API's sick leaves so, instead of plainly."""
    counterpart.room(namespace).state["compute"] = compute


def register(
    counterpart: Counterpart,
    certificates: Iterable[Certificate],
    namespace: str = "",
    protected: Iterable[PersonId] = (),
) -> None:
    """Add certificates, and persons whose identity is protected; a certificate with a known id replaces it. A namespace
    with its own no longer sees everybody's."""
    own = _own(counterpart, namespace)
    own.add(certificates)
    own.protected.update(protected)


def fill(counterpart: Counterpart, form: MedicalCertificate, namespace: str = "") -> None:
    """Let a certificate say this, when it is asked for as a whole."""
    _own(counterpart, namespace).fill(form)


def register_region(counterpart: Counterpart, region: Mapping[HsaId, UnitPopulation], namespace: str = "") -> None:
    """Add what the region's units have. What is held out stays out."""
    for unit in region.values():
        register(counterpart, unit.certificates, namespace, unit.protected)


def subordinate(counterpart: Counterpart, care_unit: HsaId, *sub_units: HsaId, namespace: str = "") -> None:
    """Make mottagningar known: questions about the care unit are about them too."""
    _own(counterpart, namespace).sub_units[care_unit.value] = tuple(unit.value for unit in sub_units)


def withdraw(counterpart: Counterpart, ids: Iterable[str], namespace: str = "") -> None:
    """Leave certificates out from now on, as the service does with revoked, replaced and complemented ones (§ 1.9)."""
    room = counterpart.room(namespace)
    seen = registered(counterpart, room)
    own = seen if "register" in room.state else seen.copy()
    for id in ids:
        own.remove(id)
    room.state["register"] = own


def _own(counterpart: Counterpart, namespace: str) -> Register:
    own: Register = counterpart.room(namespace).state.setdefault("register", Register())
    return own
