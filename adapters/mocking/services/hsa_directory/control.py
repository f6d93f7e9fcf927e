"""The directory's part of the control surface: what a test lets it know, and what it knows."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter
from pydantic.alias_generators import to_camel

from adapters.mocking.control import Asked, Row
from adapters.mocking.services.hsa_directory.asking import directory
from adapters.mocking.services.hsa_directory.content import (
    CARE,
    CareProvider,
    Commission,
    Directory,
    Employee,
    Unit,
)
from contracts.identity import HsaId, PersonId


def _synthetic(number: str) -> str:
    if number and not PersonId(number).is_synthetic:
        raise ValueError("only numbers of the test series are accepted here")
    return PersonId(number).digits if number else ""


Id = Annotated[str, AfterValidator(lambda text: HsaId(text).value)]


class _In(BaseModel):
    model_config = ConfigDict(
        extra="forbid", alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True
    )


class _EntryIn(_In):
    id: Id
    name: str
    start: date | None = None
    end: date | None = None
    feigned: bool = False
    archived: bool = False


class ProviderIn(_EntryIn):
    """A care provider. Without an organisation number it is the one in the HSA-id."""

    organisation_number: str = ""

    def value(self) -> CareProvider:
        """As the directory holds it."""
        own = self.organisation_number or HsaId(self.id).issuer[-10:]
        return CareProvider(**self.model_dump(exclude={"organisation_number"}), organisation_number=own)


class UnitIn(_EntryIn):
    """A care unit; with ``partOf`` a sub-unit of one; with ``careUnit`` false neither."""

    provider: Id
    part_of: Id | None = None
    care_unit: bool = True
    workplace_codes: tuple[str, ...] = ()
    telephone: str = ""
    address: tuple[str, ...] = ()
    postal_code: str = ""

    def value(self) -> Unit:
        """As the directory holds it."""
        return Unit(**self.model_dump(exclude={"part_of"}), part_of=self.part_of or "")


class CommissionIn(_In):
    """A commission, on a unit or, without one, directly under the care provider."""

    id: Id
    name: str
    provider: Id
    unit: Id | None = None
    purpose: str = CARE
    rights: tuple[tuple[str, str, str], ...] = ()
    feigned: bool = False

    def value(self) -> Commission:
        """As the directory holds it."""
        return Commission(**self.model_dump(exclude={"unit"}), unit=self.unit or "")


class EmployeeIn(_In):
    """A person at work. A system role is ``system;role``, as ``INTYG;Rehab-<care unit>``."""

    id: Id
    surname: str
    given_name: str = ""
    personal_number: Annotated[str, AfterValidator(_synthetic)] = ""
    title: str = ""
    titles: tuple[tuple[str, str], ...] = ()
    licences: tuple[tuple[str, str], ...] = ()
    specialities: tuple[tuple[str, str, str], ...] = ()
    system_roles: tuple[str, ...] = ()
    commissions: tuple[CommissionIn, ...] = ()
    mail: str = ""
    telephone: str = ""
    protected: bool = False
    feigned: bool = False

    def value(self) -> Employee:
        """As the directory holds it."""
        commissions = tuple(each.value() for each in self.commissions)
        return Employee(**self.model_dump(exclude={"commissions"}), commissions=commissions)


class DirectoryIn(_In):
    """What is put into the directory. What has an id that is known replaces it."""

    providers: tuple[ProviderIn, ...] = ()
    units: tuple[UnitIn, ...] = ()
    people: tuple[EmployeeIn, ...] = ()

    def into(self, known: Directory) -> None:
        """All of it or nothing. Raises ``ValueError`` for a provider or care unit that is not there."""
        tried = Directory().over(known)
        tried.providers.update({each.id: each.value() for each in self.providers})
        tried.units.update({each.id: each.value() for each in self.units})
        tried.people.update({each.id: each.value() for each in self.people})
        self._hangs_together(tried)
        known.providers.update({each.id: tried.providers[each.id] for each in self.providers})
        known.units.update({each.id: tried.units[each.id] for each in self.units})
        known.people.update({each.id: tried.people[each.id] for each in self.people})

    def _hangs_together(self, tried: Directory) -> None:
        commissions = [each for person in self.people for each in person.commissions]
        providers = [each.provider for each in self.units] + [each.provider for each in commissions]
        _known(tried.providers, providers, "care provider")
        _known(tried.units, (each.unit for each in commissions), "unit")
        care_units = {id for id, each in tried.units.items() if each.care_unit and not each.part_of}
        _known(care_units, (each.part_of for each in self.units), "care unit")


def _known(known: Iterable[str], named: Iterable[str | None], what: str) -> None:
    missing = {each for each in named if each} - set(known)
    if missing:
        raise ValueError(f"no such {what} is known: {', '.join(sorted(missing))}")


_DIRECTORY: Final = TypeAdapter(DirectoryIn)


def _put(asked: Asked) -> Any:
    given = _DIRECTORY.validate_json(asked.body)
    given.into(directory(asked.world.counterpart("hsa_directory"), asked.namespace))
    return {"providers": len(given.providers), "units": len(given.units), "people": len(given.people)}


def _shown(asked: Asked) -> Any:
    """Personal numbers are for nobody to read."""
    known = directory(asked.world.counterpart("hsa_directory"), asked.namespace)
    return {
        "providers": {each.id: each.name for each in known.providers.values()},
        "units": {each.id: {"name": each.name, "partOf": each.part_of} for each in known.units.values()},
        "people": {
            each.id: {"name": each.name, "commissions": [one.id for one in each.commissions]}
            for each in known.people.values()
        },
    }


ROWS: Final = (
    Row("PUT", "/_control/hsa", _put, "Care providers, units and people that the directory knows", _DIRECTORY),
    Row("GET", "/_control/hsa", _shown, "Whom and what the directory knows"),
)
