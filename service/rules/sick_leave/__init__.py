"""Sick leaves (sjukfall) from certificates: the national counting rules, exact or mended, and our stored episodes.

standing.py    one certificate on the day that is asked about: its days, active, recently ended, its length
views.py       the two questions Rehabstöd answers: a unit's sick leaves on a day, and one patient's
modes.py       ``rehabstod`` (bit for bit the national engine) and ``corrected``: five differences, side by side
diagnosis.py   what is written in a diagnosis, its category and chapter
occupation.py  occupations' labels
grouping.py    the episodes that are stored (decision D21): mode ``corrected``, future ones included

The unit's overview stands on these:

overview.py    a unit's certificates to a page of rows, in the national order of steps
question.py    what may be asked, and how it is written
row.py         a row: what Rehabstöd's columns show
filters.py     the filters, in one table
order.py       the columns that sort
reko_status.py RekoStatus: names, and which one a sick leave has
statistics.py  the summary

Read views.py first: its steps are numbered as rehabstod.md § 3 numbers them (decision D9).
"""

from service.rules.sick_leave.filters import FILTERS, Filter, Option
from service.rules.sick_leave.grouping import GAP, group
from service.rules.sick_leave.modes import CORRECTED, MODES, REHABSTOD, Mode
from service.rules.sick_leave.overview import Choices, Held, Overview, choices, held, overview
from service.rules.sick_leave.question import Interval, Question
from service.rules.sick_leave.row import Gender, Listed, Marking, Row
from service.rules.sick_leave.standing import Certified, CertifiedPeriod, Standing
from service.rules.sick_leave.statistics import Summary, summary
from service.rules.sick_leave.views import PatientSickLeave, UnitSickLeave, patient_view, unit_view

__all__ = [
    "CORRECTED",
    "FILTERS",
    "GAP",
    "MODES",
    "REHABSTOD",
    "Certified",
    "CertifiedPeriod",
    "Choices",
    "Filter",
    "Gender",
    "Held",
    "Interval",
    "Listed",
    "Marking",
    "Mode",
    "Option",
    "Overview",
    "PatientSickLeave",
    "Question",
    "Row",
    "Standing",
    "Summary",
    "UnitSickLeave",
    "choices",
    "group",
    "held",
    "overview",
    "patient_view",
    "summary",
    "unit_view",
]
