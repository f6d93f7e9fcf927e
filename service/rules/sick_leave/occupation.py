"""Occupation codes (KV_FKMU_0002) and their labels (rehabstod.md § 4.2)."""

from typing import Final

LABELS: Final = {
    "NUVARANDE_ARBETE": "Nuvarande arbete",
    "ARBETSSOKANDE": "Arbetssökande",
    "ARBETSLOSHET": "Arbetssökande",
    "FORALDRALEDIG": "Föräldraledighet",
    "FORALDRALEDIGHET": "Föräldraledighet",
    "STUDIER": "Studier",
}
"""Two spellings of a code have one label. A code that is missing here has none: ``None``, in its place in the list."""

TYPES: Final = ("NUVARANDE_ARBETE", "ARBETSSOKANDE", "FORALDRALEDIG", "STUDIER")
"""The spelling of each that a filter asks with."""


def label(code: str) -> str:
    """What a reader is shown: an unknown code as it was written."""
    return LABELS.get(code, code)
