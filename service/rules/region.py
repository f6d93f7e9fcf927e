"""What differs between regions, as one value (decision D29). The values with their sources: ``regions/*.toml``."""

from dataclasses import dataclass

from contracts.activity import ContactMode


@dataclass(frozen=True, slots=True)
class RegionalProfile:
    """One region's readings and settings.

    ``contact_modes`` are the ways of contact that ZV506 and ZV502 cover. ``diagnosis_allowed`` lets a coordination
    record carry a diagnosis. ``longest_consent_days`` is the longest period of a disclosure consent.
    ``platform_needs_consent`` makes the regional platform a recipient like any other. ``answer_days`` is how soon
    Försäkringskassan is expected to answer; ``None`` where no agreement says so.
    """

    name: str
    contact_modes: frozenset[ContactMode]
    diagnosis_allowed: bool = False
    longest_consent_days: int = 366
    platform_needs_consent: bool = False
    answer_days: int | None = None
