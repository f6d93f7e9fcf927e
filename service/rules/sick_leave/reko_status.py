"""RekoStatus: its names, which one a sick leave has, and the day that one is set for (rehabstod.md § 4.1)."""

from collections.abc import Iterable
from datetime import date
from typing import Final

from contracts.sick_leave import RekoStatus, RekoStatusType

NAMES: Final = {
    RekoStatusType.NONE: "-",
    RekoStatusType.CONTACTED: "Kontaktad",
    RekoStatusType.ACTIVE: "Aktiv",
    RekoStatusType.FOLLOW_UP: "Uppföljning",
    RekoStatusType.ENDED: "Avslutad",
    RekoStatusType.DECLINED: "Avböjt",
    RekoStatusType.LEFT: "Lämnas utan åtgärd",
    RekoStatusType.MEDICAL_REHABILITATION: "Medicinsk rehab",
}
NO_STATUS: Final = "Ingen"
"""What free text finds where none was ever set."""


def status_in(statuses: Iterable[RekoStatus], start: date, end: date) -> RekoStatus | None:
    """Of a patient's on a unit the one registered last whose day lies in the sick leave. So it follows the sick leave
    when certificates are added, and is lost when the days no longer cover it."""
    return max(
        (each for each in statuses if start <= each.day <= end),
        key=lambda each: (each.registered, each.version),
        default=None,
    )


def status_day(end: date, today: date) -> date:
    """The day that a status is set for: today, or the last day of a sick leave that does not reach beyond today."""
    return today if end > today else end
