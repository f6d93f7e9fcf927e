"""The consent spy: told what is consented, it looks at everything that arrives and finds what was not.

It knows a category by its signs: the code of our FHIR extensions, the heading of a letter, the form of an ICD-10-SE code
or a degree, and whatever words a test adds for it. A sign that it does not know it cannot see; so tests give it the very
texts that they send.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from contracts.consent import InformationCategory

SIGNS: Final[Mapping[InformationCategory, tuple[str, ...]]] = {
    InformationCategory.DIAGNOSIS: (
        r"(?m)^Diagnos(?:er)?:",
        r"(?<![\w./-])[A-TV-Z]\d{2}(?:\.?\d[0-9A-Z]?)?(?![\w/:-])(?!\.\d)",
        r"urn:oid:1\.2\.752\.116\.1\.1\.1|CodeSystem/icd-10-se",
    ),
    InformationCategory.SICK_LEAVE_PERIOD_AND_DEGREE: (
        r"(?m)^Sjukskrivning\w*[^:\n]*:",
        r"\b(?:25|50|75|100) ?(?:%|procent)",
    ),
    InformationCategory.TAPERING_PLAN: (r"(?mi)^(?:planerad )?nedtrappning:",),
    InformationCategory.WORK_ADJUSTMENTS: (r"(?m)^Anpassningar[^:\n]*:",),
    InformationCategory.ACTIVITY_LIMITATION: (r"(?m)^Aktivitetsbegränsning\w*:",),
    InformationCategory.CARE_MEASURES: (r"(?m)^Vårdens åtgärder:",),
    InformationCategory.CERTIFICATE_DOCUMENT: (r"(?m)^Läkarintyg:",),
    InformationCategory.MEETING_PARTICIPATION: (r"(?m)^Deltagande i möte:",),
    InformationCategory.CONTACT_DETAILS: (r"(?m)^Kontaktuppgifter:",),
    InformationCategory.ASSUMED_REHAB_NEED: (r"(?m)^Antaget behov[^:\n]*:",),
}
"""How each category shows in a text, beside its own code."""


FINDINGS: Final = 1000
"""Findings kept; the newest."""


class Consented(BaseModel):
    """What may be told of a person to whom. ``person`` is twelve digits of the test series, or empty for every body that
    names nobody; ``system`` empty means every counterpart. ``markers``: words by which this test's own texts give a
    category away."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    person: str = Field(default="", repr=False)
    system: str = ""
    categories: tuple[InformationCategory, ...] = ()
    markers: dict[InformationCategory, tuple[str, ...]] = {}


class Finding(BaseModel):
    """A category that arrived where it was not consented, and in which entry of whose ledger."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    system: str
    entry: int
    category: InformationCategory


class Spy:
    """The spy of one namespace. Without orders it looks at nothing."""

    def __init__(self) -> None:
        self.consented: tuple[Consented, ...] = ()
        self.findings: deque[Finding] = deque(maxlen=FINDINGS)

    def watch(self, consented: Iterable[Consented]) -> None:
        """From now on this much is consented, and nothing else of these persons. Findings begin anew."""
        self.consented = tuple(consented)
        self.findings.clear()

    def look(self, system: str, entry: int, text: str, persons: Iterable[str]) -> tuple[str, ...]:
        """The report's lines on a body that names the persons; what is found is kept, too."""
        if not self.consented:
            return ()
        named = set(persons)
        found = [category for category in InformationCategory if self._told_without(system, text, named, category)]
        self.findings.extend(Finding(system=system, entry=entry, category=category) for category in found)
        return tuple(f"consent spy: {category} was not consented" for category in found)

    def _told_without(self, system: str, text: str, named: set[str], category: InformationCategory) -> bool:
        about = [each for each in self.consented if each.system in ("", system) and _is_about(each, named)]
        signs = [*_signs(category), *(re.escape(word) for each in about for word in each.markers.get(category, ()))]
        return any(category not in each.categories for each in about) and any(re.search(sign, text) for sign in signs)


def _is_about(consented: Consented, named: set[str]) -> bool:
    return consented.person in named if consented.person else not named


def _signs(category: InformationCategory) -> tuple[str, ...]:
    return (rf'"{re.escape(category)}"', *SIGNS.get(category, ()))
