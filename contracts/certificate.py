"""What coordination reads in a doctor's certificate for sickness benefit, FK 7804 (forsakringskassan.md § 1.11).

Periods, occupation, prognosis, the measures that could help (40, 44) and the wish for contact (26). Diagnoses (6), function
(35), activity limitation (17) and treatment (19, 20) stand in the certificate and are not read: no message of coordination
needs them (domain rule 25).
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.identity import HsaId, PersonId
from contracts.sick_leave import CertificatePeriod


class Occupation(StrEnum):
    """Question 28.1, KV_FKMU_0002: what the patient's ability is assessed against."""

    PRESENT_WORK = "NUVARANDE_ARBETE"
    SEEKING_WORK = "ARBETSSOKANDE"
    PARENTAL_LEAVE = "FORALDRALEDIG"
    STUDIES = "STUDIER"


class WorkMeasure(StrEnum):
    """Question 40.1, KV_FKMU_0004: measures at work that the doctor ticked. Version 2 has no such list."""

    NONE = "EJ_AKTUELLT"
    WORK_TRAINING = "ARBETSTRANING"
    ADAPTATION = "ARBETSANPASSNING"
    NEW_WORK = "SOKA_NYTT_ARBETE"
    VISIT = "BESOK_ARBETSPLATS"
    ERGONOMICS = "ERGONOMISK"
    AIDS = "HJALPMEDEL"
    CONFLICT = "KONFLIKTHANTERING"
    OCCUPATIONAL_HEALTH = "KONTAKT_FHV"
    OTHER_TASKS = "OMFORDELNING"
    OTHER = "OVRIGA_ATGARDER"


class RelationKind(StrEnum):
    """What a certificate is to an earlier one (§ 1.10)."""

    RENEWS = "FRLANG"
    REPLACES = "ERSATT"
    COMPLEMENTS = "KOMPLT"
    COPIES = "KOPIA"


@dataclass(frozen=True, slots=True)
class Relation:
    """``certificate`` is the id of the earlier one."""

    kind: RelationKind
    certificate: str


# Question 39: one of five answers.


@dataclass(frozen=True, slots=True)
class Likely:
    """With great probability back after the period."""


@dataclass(frozen=True, slots=True)
class NotLikely:
    """Probably not back within twelve months."""


@dataclass(frozen=True, slots=True)
class InDays:
    """Back after 30, 60, 90, 180 or 365 days (version 1)."""

    days: int


@dataclass(frozen=True, slots=True)
class InMonths:
    """Back after so many whole months, 1-99 (version 2)."""

    months: int


@dataclass(frozen=True, slots=True)
class Unclear:
    """It cannot be told, and why."""

    text: str = field(default="", repr=False)


Prognosis = Likely | NotLikely | InDays | InMonths | Unclear


@dataclass(frozen=True, slots=True)
class MedicalCertificate:
    """A certificate as it was read.

    ``version`` is 1 or 2, ``None`` when neither its number nor its answers tell. ``sent_to_fk`` is when it was sent to
    Försäkringskassan, ``None`` for one of which that is not known. ``carrier_allowance`` (27.1): the patient is kept from work
    as a carrier of infection; most other questions are hidden then. ``contact_wished`` and ``contact_reason`` are 26.1 and
    26.2, ``profession`` 29.1, ``measures`` 40.1, ``measures_text`` 44.1. ``unread`` names elements that are there and could
    not be read, by their own names and without what they say: what they would have told is missing.
    """

    id: str
    patient: PersonId
    unit: HsaId
    version: int | None = None
    doctor: str = ""
    doctor_name: str = ""
    signed: datetime | None = None
    sent_to_fk: datetime | None = None
    revoked: bool = False
    carrier_allowance: bool = False
    occupations: tuple[Occupation, ...] = ()
    profession: str = field(default="", repr=False)
    periods: tuple[CertificatePeriod, ...] = ()
    prognosis: Prognosis | None = None
    measures: tuple[WorkMeasure, ...] = ()
    measures_text: str = field(default="", repr=False)
    contact_wished: bool = False
    contact_reason: str = field(default="", repr=False)
    relations: tuple[Relation, ...] = ()
    unread: tuple[str, ...] = ()
