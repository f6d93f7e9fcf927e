"""What differs between regions, as one value (decision D29). The values with their sources: ``regions/*.toml``."""

from dataclasses import dataclass
from typing import Any, Final

from contracts.activity import ContactMode

_KINDS: Final[dict[str, Any]] = {
    "name": str,
    "contact_modes": frozenset,
    "diagnosis_allowed": bool,
    "longest_consent_days": int,
    "platform_needs_consent": bool,
    "answer_days": int | None,
    "gc001_reading": str,
}


@dataclass(frozen=True, slots=True)
class RegionalProfile:
    """One region's readings and settings.

    ``contact_modes`` are the ways of contact that ZV506 and ZV502 cover. ``diagnosis_allowed`` lets a coordination
    record carry a diagnosis. ``longest_consent_days`` is the longest period of a disclosure consent.
    ``platform_needs_consent`` withholds every event from the regional platform: the ground to follow up one's own care is not
    enough there, and a consent that names the platform cannot be recorded yet. ``answer_days`` is how soon
    Försäkringskassan is expected to answer; ``None`` where no agreement says so. ``gc001_reading`` is the region's own
    reading of when GC001 is not set (rule 20), told with an activity that did not come about. Raises ``TypeError`` when a
    value is of another kind than it must be: the text "no" would be a yes.
    """

    name: str
    contact_modes: frozenset[ContactMode]
    diagnosis_allowed: bool = False
    longest_consent_days: int = 366
    platform_needs_consent: bool = False
    answer_days: int | None = None
    gc001_reading: str = ""

    def __post_init__(self) -> None:
        wrong = [name for name, kind in _KINDS.items() if not isinstance(getattr(self, name), kind)]
        if wrong:
            raise TypeError(f"of the wrong kind: {', '.join(wrong)}")
