"""The question that a caller puts: may this unit tell X Y for Z today?"""

from dataclasses import dataclass

from contracts.consent import Direction, InformationCategory, InformationSource, LegalBasis, Purpose
from contracts.people import Party


@dataclass(frozen=True, slots=True)
class Asked:
    """``basis`` is ``None`` where the recipient says it. ``why`` and ``request`` are what the caller states for a ground
    that is no consent (``contracts.consent.StatedGround``); ``sources`` the other units whose information would be
    told."""

    recipient: Party
    categories: frozenset[InformationCategory]
    purpose: Purpose = Purpose.COORDINATION
    direction: Direction = Direction.DISCLOSE
    basis: LegalBasis | None = None
    why: str = ""
    request: str = ""
    sources: tuple[InformationSource, ...] = ()
