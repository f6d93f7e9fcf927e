"""Sick leaves (sjukfall) from certificates: the national counting rules, exact or mended, and our stored episodes.

standing.py    one certificate on the day that is asked about: its days, active, recently ended, its length
views.py       the two questions Rehabstöd answers: a unit's sick leaves on a day, and one patient's
modes.py       ``rehabstod`` (bit for bit the national engine) and ``corrected``: five differences, side by side
diagnosis.py   what is written in a diagnosis, its category and chapter
occupation.py  occupations' labels
grouping.py    the episodes that are stored (decision D21): mode ``corrected``, future ones included

Read views.py first: its steps are numbered as rehabstod.md § 3 numbers them (decision D9).
"""

from service.rules.sick_leave.grouping import GAP, group, ongoing
from service.rules.sick_leave.modes import CORRECTED, MODES, REHABSTOD, Mode
from service.rules.sick_leave.standing import Certified, CertifiedPeriod, Standing
from service.rules.sick_leave.views import PatientSickLeave, UnitSickLeave, patient_view, unit_view

__all__ = [
    "CORRECTED",
    "GAP",
    "MODES",
    "REHABSTOD",
    "Certified",
    "CertifiedPeriod",
    "Mode",
    "PatientSickLeave",
    "Standing",
    "UnitSickLeave",
    "group",
    "ongoing",
    "patient_view",
    "unit_view",
]
