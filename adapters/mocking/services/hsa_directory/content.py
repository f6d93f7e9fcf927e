"""What the HSA directory holds: care providers, their units, and the people with their commissions. Facts: rehabstod.md § 5.1,
delivery_consent_security.md § 4.2.

A directory may lie over another: what it does not hold itself it sees there.
"""

import re
from collections import ChainMap
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

CARE: Final = "Vård och behandling"
"""The purpose of a commission that lets somebody care for patients."""
_NOT_IN_A_NAME: Final = re.compile(r"[^\w .-]|_")


@dataclass(frozen=True, slots=True)
class Entry:
    """What every object of the directory says of itself. Feigned objects are for tests and show themselves when they are
    asked for; archived ones say that they are."""

    id: str
    name: str
    start: date | None = None
    end: date | None = None
    feigned: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class CareProvider(Entry):
    """A care provider."""

    organisation_number: str = ""


@dataclass(frozen=True, slots=True)
class Unit(Entry):
    """A unit of a care provider. One that is ``part_of`` a care unit is its sub-unit; another is a care unit, unless it is
    none and belongs to none."""

    provider: str = ""
    part_of: str = ""
    care_unit: bool = True
    workplace_codes: tuple[str, ...] = ()
    telephone: str = ""
    address: tuple[str, ...] = ()
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Commission:
    """What somebody does for a care provider, on one of its units or, without a unit, for the provider as a whole.
    ``rights`` are (activity, information class, scope)."""

    id: str
    name: str
    provider: str
    unit: str = ""
    purpose: str = CARE
    rights: tuple[tuple[str, str, str], ...] = ()
    feigned: bool = False


@dataclass(frozen=True, slots=True)
class Employee:
    """A person at work. ``licences`` are (code, name), ``titles`` (code, name) of positions, ``specialities`` (code of the
    licence, code, name); a system role is ``system;role``."""

    id: str
    surname: str
    given_name: str = ""
    personal_number: str = field(default="", repr=False)
    title: str = ""
    titles: tuple[tuple[str, str], ...] = ()
    licences: tuple[tuple[str, str], ...] = ()
    specialities: tuple[tuple[str, str, str], ...] = ()
    system_roles: tuple[str, ...] = ()
    commissions: tuple[Commission, ...] = ()
    mail: str = ""
    telephone: str = ""
    protected: bool = False
    feigned: bool = False

    @property
    def name(self) -> str:
        """Given name and surname."""
        return f"{self.given_name} {self.surname}".strip()


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything by its HSA-id."""

    providers: MutableMapping[str, CareProvider] = field(default_factory=dict)
    units: MutableMapping[str, Unit] = field(default_factory=dict)
    people: MutableMapping[str, Employee] = field(default_factory=dict)

    def over(self, below: "Directory") -> "Directory":
        """This one laid over another: what is put there is put into this one."""
        return Directory(
            ChainMap(self.providers, below.providers),
            ChainMap(self.units, below.units),
            ChainMap(self.people, below.people),
        )

    def employees(self, id: str, personal_number: str) -> Iterator[Employee]:
        """The one with that id, or, without an id, all objects of the person with that number."""
        if id:
            return iter([self.people[id]] if id in self.people else [])
        return (each for each in self.people.values() if personal_number and each.personal_number == personal_number)

    def care_unit_of(self, unit: Unit) -> Unit | None:
        """The care unit that a unit is, or belongs to."""
        if unit.part_of:
            return self.units.get(unit.part_of)
        return unit if unit.care_unit else None

    def sub_units(self, care_unit: str) -> list[Unit]:
        """The units that belong to a care unit, by id."""
        return sorted((each for each in self.units.values() if each.part_of == care_unit), key=lambda each: each.id)

    def place(self, provider: str, unit: str = "") -> str:
        """The distinguished name of a unit, or of a care provider."""
        at = self.units.get(unit)
        if at is not None:
            return f"ou={_plain(at.name)},{self.place(at.provider, at.part_of)}"
        known = self.providers.get(provider)
        return f"o={_plain(known.name)},c=SE" if known else "c=SE"

    def desk(self, person: Employee) -> str:
        """The distinguished name of a person: where the first commission is."""
        first = next(iter(person.commissions), None)
        return f"cn={_plain(person.name)},{self.place(first.provider, first.unit) if first else 'c=SE'}"


def lies_in(name: str, base: str) -> bool:
    """Whether a distinguished name lies in a branch. Without a branch all is searched."""
    path, branch = (re.sub(r"\s*,\s*", ",", each.strip().rstrip(",")).casefold() for each in (name, base))
    return not branch or path == branch or path.endswith(f",{branch}")


def _plain(name: str) -> str:
    """A name with the letters that the contracts' distinguished names may have."""
    return _NOT_IN_A_NAME.sub("-", name)
