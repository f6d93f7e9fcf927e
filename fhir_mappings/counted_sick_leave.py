"""A sick leave as an overview counts it, in FHIR: the EpisodeOfCare that is stored of it, with the figures and the settings
that they hold for (decision D21). Like the stored one it names no diagnosis and not the patient.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Protocol

from contracts.identity import HsaId
from contracts.sick_leave import RekoStatus, SickLeave
from fhir_mappings import r4
from fhir_mappings.identifiers import CERTIFICATE_ID, EXT_SICK_LEAVE_COUNTED, REKO_STATUS, UCUM
from fhir_mappings.primitives import coding, identifier
from fhir_mappings.sick_leave import EngineMode, episode_content

Json = dict[str, Any]


class CountedSickLeave(Protocol):
    """What is read of a row of the overview."""

    @property
    def patient(self) -> str:
        """The logical id."""
        ...

    @property
    def start(self) -> date:
        """The first day."""
        ...

    @property
    def end(self) -> date:
        """The last certified day."""
        ...

    @property
    def days(self) -> int:
        """The days that some period covers."""
        ...

    @property
    def degree(self) -> int:
        """In percent, on the day; 0 when it has ended."""
        ...

    @property
    def degrees(self) -> Sequence[int]:
        """Of the active certificate."""
        ...

    @property
    def certificates(self) -> Sequence[str]:
        """Ids of the members by first day."""
        ...

    @property
    def active(self) -> str:
        """The id of the certificate that is shown."""
        ...

    @property
    def status(self) -> RekoStatus | None:
        """Where its coordination stands."""
        ...


@dataclass(frozen=True, slots=True)
class Counting:
    """On which day, on which care unit and how it was counted. ``organization`` is ``Organization/id``."""

    on: date
    unit: HsaId
    organization: str
    mode: EngineMode
    gap: int
    max_days_since_end: int


PERCENT: Final = {"unit": "%", "system": UCUM, "code": "%"}


def counted_episode(found: CountedSickLeave, episode: str, counting: Counting) -> bytes:
    """``episode`` is the id of the stored EpisodeOfCare that shares its certificates. While it goes on its period has no end:
    the last certified day stands in the extension."""
    content = episode_content(
        SickLeave((), found.start, found.end),
        f"Patient/{found.patient}",
        episode,
        counting.on,
        counting.unit,
        counting.organization,
        counting.mode,
    )
    counted = {"url": EXT_SICK_LEAVE_COUNTED, "extension": list(_figures(found, counting))}
    return r4.build("EpisodeOfCare", {**content, "extension": [counted]})


def _figures(found: CountedSickLeave, counting: Counting) -> Iterator[Json]:
    yield {"url": "on", "valueDate": counting.on.isoformat()}
    yield {"url": "gap", "valueInteger": counting.gap}
    yield {"url": "maxDaysSinceEnd", "valueInteger": counting.max_days_since_end}
    yield {"url": "lastDay", "valueDate": found.end.isoformat()}
    yield {"url": "days", "valueInteger": found.days}
    yield {"url": "degree", "valueQuantity": {"value": found.degree, **PERCENT}}
    yield from ({"url": "certifiedDegree", "valueQuantity": {"value": each, **PERCENT}} for each in found.degrees)
    yield {"url": "activeCertificate", "valueIdentifier": identifier(CERTIFICATE_ID, found.active)}
    yield from ({"url": "certificate", "valueIdentifier": identifier(CERTIFICATE_ID, id)} for id in found.certificates)
    if found.status is not None:
        yield {"url": "rekoStatus", "valueCoding": coding(REKO_STATUS, found.status.type.value)}
