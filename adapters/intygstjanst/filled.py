"""What the doctor has answered in FK 7804, for the mock's certificates: the feed tells none of it (forsakringskassan.md § 1.11).

The same certificate always has the same answers. Both versions of the form occur, every kind of prognosis, and a wish for
contact in about one of three.
"""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from contracts.certificate import (
    InDays,
    InMonths,
    Likely,
    MedicalCertificate,
    NotLikely,
    Occupation,
    Prognosis,
    Unclear,
    WorkMeasure,
)
from contracts.sick_leave import Certificate
from fhir_mappings.certificate import DAYS
from fhir_mappings.sick_leave import LEVELS, OCCUPATIONS

_PROFESSIONS: Final = (
    "Undersköterska: förflyttar patienter",
    "Lagerarbetare: plockar och lastar",
    "Lärare i årskurs 4",
)
_MEASURES: Final = (
    (),
    (WorkMeasure.NONE,),
    (WorkMeasure.ADAPTATION,),
    (WorkMeasure.WORK_TRAINING, WorkMeasure.OCCUPATIONAL_HEALTH),
)
_MEASURES_TEXTS: Final = ("", "Anpassade arbetstider under en period", "Andra uppgifter i början")
_REASONS: Final = ("", "Behov av samordnade insatser för återgång", "Arbetsgivaren saknar andra uppgifter")
_SENT_AFTER: Final = timedelta(hours=1)


def filled(certificate: Certificate) -> MedicalCertificate:
    """The whole certificate, sent to Försäkringskassan an hour after it was signed."""
    chance = random.Random(certificate.id)  # noqa: S311 - the same answers each time is the point, not secrecy
    version = chance.choice((1, 2))
    occupations = tuple(
        dict.fromkeys(Occupation(OCCUPATIONS[each][0]) for each in certificate.occupations if each in OCCUPATIONS)
    )
    wished = chance.randrange(3) == 0
    return MedicalCertificate(
        id=certificate.id,
        patient=certificate.patient,
        unit=certificate.unit,
        version=version,
        doctor=certificate.doctor,
        doctor_name=certificate.doctor_name,
        signed=certificate.signed,
        sent_to_fk=certificate.signed + _SENT_AFTER,
        occupations=occupations,
        profession=chance.choice(_PROFESSIONS) if Occupation.PRESENT_WORK in occupations else "",
        periods=tuple(each for each in certificate.periods if each.degree in LEVELS),
        prognosis=chance.choice(_PROGNOSES[version])(chance),
        measures=chance.choice(_MEASURES) if version == 1 else (),
        measures_text=chance.choice(_MEASURES_TEXTS),
        contact_wished=wished,
        contact_reason=chance.choice(_REASONS) if wished else "",
    )


_IN_BOTH: Final[tuple[Callable[[random.Random], Prognosis], ...]] = (
    lambda _: Likely(),
    lambda _: NotLikely(),
    lambda _: Unclear("Beror på hur anpassningen lyckas"),
)
_PROGNOSES: Final[dict[int, tuple[Callable[[random.Random], Prognosis], ...]]] = {
    1: (*_IN_BOTH, lambda chance: InDays(chance.choice(tuple(DAYS)))),
    2: (*_IN_BOTH, lambda chance: InMonths(chance.randint(1, 12))),
}
