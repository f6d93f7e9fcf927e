"""Certificates as the feed tells of them, and sick leaves (sjukfall) joined from them (glossary terms 13-15)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

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
class StoredCertificate:
    """A certificate as last pulled, with the digest of its content and the id of its sick leave's EpisodeOfCare."""

    certificate: Certificate
    digest: str
    episode: str
