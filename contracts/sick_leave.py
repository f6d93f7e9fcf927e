"""Certificates as the feed tells of them, and sick leaves (sjukfall) joined from them (glossary terms 13-15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from contracts.identity import HsaId, PersonId


@dataclass(frozen=True, slots=True)
class CertificatePeriod:
    """One assessed reduction of work ability: whole days, both ends inclusive, ``degree`` in percent (1-100)."""

    start: date
    end: date
    degree: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """A doctor's certificate for sick leave, as a feed answer holds it (rehabstod.md §§ 1.6, 1.8).

    ``signed`` is an aware instant. ``diagnosis`` and ``secondary_diagnoses`` stay with the certificate: they never
    reach a coordination record, event or message.
    """

    id: str
    patient: PersonId
    unit: HsaId
    periods: tuple[CertificatePeriod, ...]
    signed: datetime
    patient_name: str = ""
    unit_name: str = ""
    provider: HsaId | None = None
    doctor: str = ""
    doctor_name: str = ""
    diagnosis: str | None = None
    secondary_diagnoses: tuple[str, ...] = ()
    occupations: tuple[str, ...] = ()

    @property
    def start(self) -> date:
        """The first certified day."""
        return min(period.start for period in self.periods)

    @property
    def end(self) -> date:
        """The last certified day."""
        return max(period.end for period in self.periods)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A certificate in an answer that cannot be used. ``reason`` is plain words without personal data."""

    certificate: str
    reason: str


Judged = Sequence[Certificate | SetAside]
"""Records of an answer, each judged by itself."""


@dataclass(frozen=True, slots=True)
class SickLeave:
    """A sjukfall: certificates of one patient on one care unit, mottagningar included, that the counting rules join. Days
    are inclusive."""

    certificates: tuple[Certificate, ...]
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class ReportedDiagnosis:
    """A diagnosis as another system reads it: as it was written, the cleaned code, and the name if it had one."""

    original: str
    code: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ReportedSickLeave:
    """A sjukfall that another system has computed (rehabstod.md § 2.1), to hold ours against.

    ``certificates`` are its members by first day, ``count`` how many it says there are. ``active`` is the certificate
    that doctor, diagnoses, ``degrees`` and occupations (labels) come from; ``degree`` is 0 when it has ended.
    """

    patient: PersonId
    unit: HsaId
    start: date
    end: date
    days: int
    count: int
    certificates: tuple[str, ...]
    active: str
    degree: int
    degrees: tuple[int, ...]
    patient_name: str = ""
    unit_name: str = ""
    provider: HsaId | None = None
    doctor: str = ""
    doctor_name: str = ""
    diagnosis: ReportedDiagnosis | None = None
    secondary_diagnoses: tuple[ReportedDiagnosis, ...] = ()
    occupations: tuple[str, ...] = ()
    status: str = ""


@dataclass(frozen=True, slots=True)
class LastPull:
    """How old and how wide the stored certificates are: of which instant the last answer that was applied whole speaks, and
    for how many days since the end it was asked; when the newest that has ``failed`` since began; whether another is
    being ``applied``, so that some patients stand as it says already."""

    at: datetime
    max_days_since_end: int
    failed: datetime | None = None
    applying: bool = False

    def covers(self, max_days_since_end: int) -> bool:
        """Whether everything that ended at most that many days ago was asked for."""
        return self.max_days_since_end >= max_days_since_end


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A certificate as last pulled, with the id of its sick leave's EpisodeOfCare."""

    certificate: Certificate
    episode: str


class RekoStatusType(StrEnum):
    """Where the coordination of a sick leave stands, by Rehabstöd's ids (rehabstod.md § 4.1)."""

    NONE = "REKO_1"
    CONTACTED = "REKO_2"
    ACTIVE = "REKO_3"
    FOLLOW_UP = "REKO_4"
    ENDED = "REKO_5"
    DECLINED = "REKO_6"
    LEFT = "REKO_7"
    MEDICAL_REHABILITATION = "REKO_8"


@dataclass(frozen=True, slots=True)
class RekoStatus:
    """A status that somebody set for a patient on a care unit. It belongs to no sick leave but to a ``day``: the sick
    leave that covers that day has it. ``patient`` is the logical id; ``version`` counts the patient's on the unit from 1."""

    type: RekoStatusType
    patient: str
    unit: HsaId
    day: date
    registered: datetime
    staff: HsaId
    version: int
