"""Test persons who bring something about by themselves, and persons who may not be here at all (decision D28)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.mocking.faults import CATALOGUE
from contracts.identity import BadIdentity, PersonId, control_digit

_NUMBER: Final = re.compile(rb"((?:19|20)\d{6})-?(\d{4})(?![\w.:+-])", re.ASCII)
_PART_OF_A_WORD: Final = re.compile(rb"[\w.:+-]", re.ASCII)


@dataclass(frozen=True, slots=True)
class TestPerson:
    """A synthetic person. ``fault`` names a row of the catalogue, played whenever a request names the person;
    ``script`` a script of case workers: Försäkringskassan's officer has each, others some of them."""

    __test__ = False  # no test class, whatever its name begins with

    number: str
    fault: str = ""
    script: str = ""

    @property
    def certificate(self) -> str:
        """The certificate that the person has at Försäkringskassan from the beginning."""
        return f"intyg-{self.fault or self.script}".lower()


def _number(day: int) -> str:
    born = f"1912{day // 28 + 1:02}{day % 28 + 1:02}"
    return f"{born}980{control_digit(f'{born[2:]}980')}"


SCRIPTS: Final = ("accept", "decline", "complement", "reminder", "silence")
_BY_FAULT: Final = [name for name, row in CATALOGUE.items() if row.fault is not None]
PEOPLE: Final[Mapping[str, TestPerson]] = {
    person.number: person
    for person in (
        *(TestPerson(_number(day), script=name) for day, name in enumerate(SCRIPTS)),
        *(TestPerson(_number(day), fault=name) for day, name in enumerate(_BY_FAULT, len(SCRIPTS))),
    )
}
"""Born in 1912, a day each: the scripts, then the faults in the order of the catalogue (so a new row there goes last)."""


def numbers(body: bytes) -> list[str]:
    """Everything in a body that has the form of a personal number, as twelve digits."""
    return [
        (found[1] + found[2]).decode()
        for found in _NUMBER.finditer(body)
        # Looked at here and not in the expression, which would look before every byte.
        if not _PART_OF_A_WORD.match(body, max(found.start() - 1, 0), found.start())
    ]


def stranger(found: list[str]) -> bool:
    """Whether a number among them could be a real person's."""
    return any(_may_be_real(number) for number in found)


def _may_be_real(number: str) -> bool:
    try:
        return not PersonId(number).is_synthetic
    except BadIdentity:
        return False
