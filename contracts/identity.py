"""Identities, checked when made. Personal ones mask every text form of themselves (decision D10).

Sources: forsakringskassan.md § 2.2 (formats and OIDs), domain_rules.md, Skatteverket's rule for the control digit.
"""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

_TWELVE_DIGITS: Final = re.compile(r"(\d{8})-?(\d{4})", re.ASCII)
_HSA_ID: Final = re.compile(r"[A-Z]{2,6}\d{10}-[0-9A-Za-z]{1,18}", re.ASCII)
_TEN_DIGITS: Final = re.compile(r"(\d{6})-?(\d{4})", re.ASCII)
_COORDINATION_DAY_OFFSET: Final = 60


def _sums(*weights: int) -> dict[str, int]:
    """What three digits add to the sum of the control digit's rule, at places with these weights."""
    one, two, three = ([sum(divmod(digit * weight, 10)) for digit in range(10)] for weight in weights)
    return {f"{n:03}": one[n // 100] + two[n // 10 % 10] + three[n % 10] for n in range(1000)}


_OUTER_SUMS: Final = _sums(2, 1, 2)
_MIDDLE_SUMS: Final = _sums(1, 2, 1)


def control_digit(nine_digits: str) -> int:
    """The tenth digit that personal and organisation numbers carry (modulus 10, weights 2 and 1)."""
    return -(_OUTER_SUMS[nine_digits[:3]] + _MIDDLE_SUMS[nine_digits[3:6]] + _OUTER_SUMS[nine_digits[6:]]) % 10


class BadIdentity(ValueError):
    """The text is no such identity. The message says what is wrong and never repeats the text."""


class PersonIdKind(StrEnum):
    """The two national kinds that the message contracts accept."""

    PERSONNUMMER = "personnummer"
    SAMORDNINGSNUMMER = "samordningsnummer"


class PersonId:
    """A personnummer or samordningsnummer: twelve digits with a right date and control digit.

    ``repr``, ``str`` and ``format`` are masked, so that no log, trace or test report can hold the number by accident.
    ``digits`` is the only way to the twelve digits: whoever writes it stands for where they go.
    """

    __slots__ = ("_digits",)

    def __init__(self, text: str) -> None:
        match = _TWELVE_DIGITS.fullmatch(text)
        if match is None:
            raise BadIdentity("a personal number has twelve digits, YYYYMMDDNNNN")
        digits = match[1] + match[2]
        _check_birth_date(digits)
        if control_digit(digits[2:11]) != int(digits[11]):
            raise BadIdentity("the control digit of the personal number is wrong")
        self._digits = digits

    @property
    def digits(self) -> str:
        """The twelve digits, in the clear."""
        return self._digits

    @property
    def kind(self) -> PersonIdKind:
        """Told by the day: a samordningsnummer has 60 added to it."""
        return PersonIdKind.SAMORDNINGSNUMMER if int(self._digits[6:8]) > 31 else PersonIdKind.PERSONNUMMER

    @property
    def birth_date(self) -> date:
        """The date of birth that the number states."""
        return _birth_date(self._digits)

    @property
    def is_synthetic(self) -> bool:
        """Whether the serial is of the series kept for tests: 980 and 981, and 238 and 239 for the born in 1990 or later
        (decision D28). No living person has such a number."""
        serial = self._digits[8:11]
        return serial in ("980", "981") or (serial in ("238", "239") and self.birth_date.year >= 1990)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PersonId) and other._digits == self._digits

    def __hash__(self) -> int:
        return hash(self._digits)

    def __repr__(self) -> str:
        return "PersonId(************)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> tuple[type["PersonId"], tuple[str]]:
        return PersonId, (self._digits,)


@dataclass(frozen=True, slots=True, order=True)
class HsaId:
    """An id of the national HSA catalogue: a unit, a provider or an employee. At most 31 characters."""

    value: str

    def __post_init__(self) -> None:
        if len(self.value) > 31 or _HSA_ID.fullmatch(self.value) is None:
            raise BadIdentity("an HSA-id is letters, ten digits, a hyphen and a suffix, at most 31 characters")

    @property
    def issuer(self) -> str:
        """The part before the hyphen, which ends in the organisation number of whoever gave the id out."""
        return self.value.partition("-")[0]

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, order=True)
class OrganisationNumber:
    """A Swedish organisation number: ten digits with a right control digit, kept without the hyphen."""

    value: str

    def __post_init__(self) -> None:
        match = _TEN_DIGITS.fullmatch(self.value)
        if match is None:
            raise BadIdentity("an organisation number has ten digits")
        digits = "".join(match.groups())
        if control_digit(digits[:9]) != int(digits[9]):
            raise BadIdentity("the control digit of the organisation number is wrong")
        if digits[2] < "2":
            # A sole trader's organisation number is a personal number: it may not stand where this one may.
            raise BadIdentity("a personal number is not accepted as an organisation number")
        object.__setattr__(self, "value", digits)

    def __str__(self) -> str:
        return self.value


FORSAKRINGSKASSAN: Final = OrganisationNumber("2021005521")
ARBETSFORMEDLINGEN: Final = OrganisationNumber("2021002114")


def _birth_date(digits: str) -> date:
    if digits[6] < "6":
        return date.fromisoformat(digits[:8])
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]) - _COORDINATION_DAY_OFFSET)


def _check_birth_date(digits: str) -> None:
    try:
        _birth_date(digits)
    except ValueError:
        raise BadIdentity("the first eight digits of the personal number are no date") from None
