"""Certificates and sick leaves in FHIR: DocumentReference, Observation, EpisodeOfCare (fhir_sweden.md § 3.2).

A certificate becomes one ``DocumentReference`` and one ``Observation`` for each period and degree; a sick leave
(sjukfall) one ``EpisodeOfCare`` (decision D21). No diagnosis stands in any of them, nor any name of the patient: the
certificate keeps those for itself. Ids come from the caller, so the same certificate gives the same bytes.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, Literal

from contracts.identity import BadIdentity, HsaId
from contracts.sick_leave import Certificate, CertificatePeriod, SickLeave
from fhir_mappings import r4
from fhir_mappings.identifiers import (
    ACT_CODE,
    CERTIFICATE_ID,
    CERTIFICATE_TYPE,
    ENGINE_MODE,
    EPISODE_ID,
    EPISODE_TYPE,
    EXT_EPISODE,
    HSA_ID,
    OCCUPATION,
    SICK_LEAVE_DEGREE,
    SNOMED_CT,
    UCUM,
    WORK_ABILITY,
)
from fhir_mappings.primitives import coding, concept, identifier, logical, to_instant

Json = dict[str, Any]
DocumentStatus = Literal["current", "superseded", "entered-in-error"]
ObservationStatus = Literal["final", "amended", "entered-in-error"]
"""A certificate that has vanished from the feed is ``superseded``, its Observations ``entered-in-error`` (D22)."""
EngineMode = Literal["corrected", "rehabstod"]

TYPE_CODE: Final = "LISJP"
"""The feed does not tell FK 7263 from FK 7804; both are this (rehabstod.md § 1.9)."""
TITLE: Final = "Läkarintyg för sjukpenning"
EPISODE: Final = "sjukfall"
CATEGORY: Final = "work-ability"
CODE: Final = "assessed-reduction"
LEVEL: Final = "reduction-level"
OCCUPATION_PART: Final = "occupation"

LEVELS: Final = {100: "HELT_NEDSATT", 75: "TRE_FJARDEDEL", 50: "HALFTEN", 25: "EN_FJARDEDEL"}
"""KV_FKMU_0003. Any other degree has no code there and stands as a number alone."""

OCCUPATIONS: Final = {
    "NUVARANDE_ARBETE": ("NUVARANDE_ARBETE", "Nuvarande arbete"),
    "ARBETSSOKANDE": ("ARBETSSOKANDE", "Arbetssökande"),
    "ARBETSLOSHET": ("ARBETSSOKANDE", "Arbetssökande"),
    "FORALDRALEDIG": ("FORALDRALEDIG", "Föräldraledighet"),
    "FORALDRALEDIGHET": ("FORALDRALEDIG", "Föräldraledighet"),
    "STUDIER": ("STUDIER", "Studier"),
}
"""KV_FKMU_0002 by what the feed writes (rehabstod.md § 4.2)."""

_LOOKS_LIKE_OCCUPATION: Final = re.compile(r"[A-ZÅÄÖ_]{3,40}")
"""An unknown occupation code is shown as text. Digits are refused, so that no diagnosis code slips through here."""


def document_reference(
    certificate: Certificate, patient: str, id: str, episode: str, status: DocumentStatus = "current"
) -> bytes:
    """The certificate itself. ``patient`` is ``Patient/id``, ``episode`` is ``EpisodeOfCare/id``, or empty when it belongs to
    none yet. The label says that the paper behind it, though not this resource, holds a diagnosis."""
    content = {
        "id": id,
        "masterIdentifier": identifier(CERTIFICATE_ID, certificate.id),
        "status": status,
        "docStatus": "final",
        "type": concept(CERTIFICATE_TYPE, TYPE_CODE, TITLE),
        "subject": {"reference": patient},
        "date": to_instant(certificate.signed),
        "author": list(_author(certificate)),
        "custodian": _unit(certificate.unit, certificate.unit_name),
        "securityLabel": [concept(ACT_CODE, "DIA", "diagnosis information sensitivity")],
        "content": [{"attachment": {"title": f"{TITLE} {certificate.id}"}}],
        "context": {
            **({"encounter": [{"reference": episode}]} if episode else {}),
            "period": _days(certificate.start, certificate.end),
        },
    }
    return r4.build("DocumentReference", _without_empty(content))


def observations(
    certificate: Certificate,
    patient: str,
    document_reference: str,
    episode: str,
    ids: Sequence[str],
    status: ObservationStatus = "final",
) -> list[bytes]:
    """One for each period and degree, in the certificate's own order; ``ids`` names them in the same order.

    ``episode`` is ``EpisodeOfCare/id``, or empty when the certificate belongs to none yet.
    """
    before, behind = _subject(patient, episode, status), _source(certificate, document_reference)
    return [
        r4.build("Observation", {"id": id, **before, **_assessed(period), **behind, **_parts(period, certificate)})
        for id, period in zip(ids, certificate.periods, strict=True)
    ]


def episode_of_care(
    sick_leave: SickLeave,
    patient: str,
    id: str,
    today: date,
    unit: HsaId,
    organization: str = "",
    mode: EngineMode = "corrected",
) -> bytes:
    """A sick leave of one patient on a care unit, of whose mottagningar its certificates may be. ``organization`` is
    ``Organization/id``; without it the unit stands as a logical reference. The identifier is the id: the first day may move
    when an older certificate comes (D21)."""
    return r4.build("EpisodeOfCare", episode_content(sick_leave, patient, id, today, unit, organization, mode))


def episode_content(
    sick_leave: SickLeave, patient: str, id: str, today: date, unit: HsaId, organization: str, mode: EngineMode
) -> Json:
    """What such an episode says, before it is built."""
    names = [each.unit_name for each in sick_leave.certificates if each.unit == unit]
    return {
        "id": id,
        "meta": {"tag": [coding(ENGINE_MODE, mode)]},
        "identifier": [identifier(EPISODE_ID, id)],
        "status": _status(sick_leave, today),
        "type": [concept(EPISODE_TYPE, EPISODE, "Sjukfall")],
        "patient": {"reference": patient},
        "managingOrganization": {"reference": organization}
        if organization
        else _unit(unit, names[-1] if names else ""),
        "period": _course(sick_leave, today),
    }


def _subject(patient: str, episode: str, status: ObservationStatus) -> Json:
    content = {
        "extension": [{"url": EXT_EPISODE, "valueReference": {"reference": episode}}] if episode else [],
        "status": status,
        "category": [concept(WORK_ABILITY, CATEGORY, "Work ability")],
        "code": {
            "coding": [
                coding(SNOMED_CT, "224459001", "On sick leave from work"),
                coding(WORK_ABILITY, CODE, "Assessed reduction of work ability"),
            ]
        },
        "subject": {"reference": patient},
    }
    return _without_empty(content)


def _assessed(period: CertificatePeriod) -> Json:
    return {
        "effectivePeriod": _days(period.start, period.end),
        "valueQuantity": {"value": period.degree, "unit": "%", "system": UCUM, "code": "%"},
    }


def _source(certificate: Certificate, document: str) -> Json:
    return {
        "issued": to_instant(certificate.signed),
        "performer": [_unit(certificate.unit, certificate.unit_name)],
        "derivedFrom": [{"reference": document}],
    }


def _parts(period: CertificatePeriod, certificate: Certificate) -> Json:
    return _without_empty({"component": [*_level(period.degree), *_occupations(certificate)]})


def _level(degree: int) -> Iterator[Json]:
    if degree in LEVELS:
        yield _component(LEVEL, concept(SICK_LEAVE_DEGREE, LEVELS[degree]))


def _occupations(certificate: Certificate) -> Iterator[Json]:
    known = dict.fromkeys(OCCUPATIONS.get(code, (code, "")) for code in certificate.occupations)
    for code, label in known:
        if label:
            yield _component(OCCUPATION_PART, concept(OCCUPATION, code, label))
        elif _LOOKS_LIKE_OCCUPATION.fullmatch(code):
            yield _component(OCCUPATION_PART, {"text": code})


def _component(code: str, value: Json) -> Json:
    return {"code": concept(WORK_ABILITY, code), "valueCodeableConcept": value}


def _author(certificate: Certificate) -> Iterator[Json]:
    """The doctor, where the feed gives a real HSA-id; the name is empty for a doctor with protected identity."""
    try:
        yield logical(HSA_ID, HsaId(certificate.doctor).value, "Practitioner", certificate.doctor_name.strip())
    except BadIdentity:
        return


def _unit(unit: HsaId, name: str) -> Json:
    return logical(HSA_ID, unit.value, "Organization", name.strip())


def _status(sick_leave: SickLeave, today: date) -> str:
    if today < sick_leave.start:
        return "planned"
    return "active" if today <= sick_leave.end else "finished"


def _course(sick_leave: SickLeave, today: date) -> Json:
    """Without an end while it goes on: a certified last day is no promise."""
    return _days(sick_leave.start, sick_leave.end if sick_leave.end < today else None)


def _days(first: date, last: date | None) -> Json:
    return _without_empty({"start": first.isoformat(), "end": last and last.isoformat()})


def _without_empty(content: Json) -> Json:
    return {name: value for name, value in content.items() if value}
