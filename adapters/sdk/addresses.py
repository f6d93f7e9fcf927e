"""Who writes from which address, and where the other parties are: the TOML file that the setting ``ADDRESSES`` names.

organisation = "0203:region.example"       # ours

[units]                                    # HSA-id = its functional address
"SE2321000016-1001" = "sdk:inkorg:0203:region.example:eken"

[[party]]
kind = "arbetsformedlingen"                # the two authorities need no number
organisation = "0203:arbetsformedlingen.example"
address = "sdk:inkorg:0203:arbetsformedlingen.example"

[[party]]
kind = "municipality"
number = "2120000142"                      # organisation number, or Organization/<id>
name = "Exempelstads kommun"
organisation = "0203:exempelstad.example"
address = "sdk:inkorg:0203:exempelstad.example:socialtjansten"

Only functions can be addressed in SDK, never persons (sdk.md).
"""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from contracts.consent import Recipient, RecipientKind
from contracts.identity import ARBETSFORMEDLINGEN, FORSAKRINGSKASSAN, HsaId, OrganisationNumber

AUTHORITIES: Final[Mapping[RecipientKind, str]] = {
    RecipientKind.FORSAKRINGSKASSAN: FORSAKRINGSKASSAN.value,
    RecipientKind.ARBETSFORMEDLINGEN: ARBETSFORMEDLINGEN.value,
}
"""Kinds of which there is one party only: whoever is of the kind is that one."""
_REFERENCE: Final = "Organization/"


def _party_number(text: str) -> str:
    return text if not text or text.startswith(_REFERENCE) else OrganisationNumber(text).value


def _hsa_id(text: str) -> str:
    return HsaId(text).value


ORGANISATION: Final = r"^0203:[A-Za-z0-9.-]{1,253}$"
"""A participant's id: the scheme of domain names, and the domain."""
Organisation = Annotated[str, Field(pattern=ORGANISATION)]
Function = Annotated[str, Field(pattern=r"^\S+$", max_length=256)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Party(_Table):
    """Another party: who it is to us, and where it is."""

    kind: RecipientKind
    number: Annotated[str, AfterValidator(_party_number)] = ""
    name: str = ""
    organisation: Organisation
    address: Function

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.party:
            raise ValueError("a party needs its number")
        return self

    @property
    def party(self) -> str:
        """What identifies it, as in ``Recipient``."""
        return self.number or AUTHORITIES.get(self.kind, "")

    def recipient(self, name: str = "") -> Recipient:
        """As the core knows it; ``name`` where the table has none."""
        return Recipient(self.kind, self.party, self.name or name)


class BadAddresses(ValueError):
    """The file cannot be used. The message says where, and repeats nothing of it."""


class Addresses(_Table):
    """The whole book. No two units write from one address, and no party stands there twice."""

    organisation: Organisation
    units: Mapping[Annotated[str, AfterValidator(_hsa_id)], Function]
    party: tuple[Party, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if _repeated(self.units.values()):
            raise ValueError("two units have the same functional address")
        if _repeated(each.party for each in self.party):
            raise ValueError("a party stands there twice")
        return self

    def of_unit(self, unit: HsaId) -> str | None:
        """The functional address that the unit writes from."""
        return self.units.get(unit.value)

    def unit_at(self, address: str) -> HsaId | None:
        """Whose functional address it is."""
        found = (HsaId(unit) for unit, own in self.units.items() if own.casefold() == address.casefold())
        return next(found, None)

    def of_party(self, recipient: Recipient) -> Party | None:
        """Where the recipient is: by what identifies it, else by its kind if there is one of that kind only."""
        wanted = recipient.party, AUTHORITIES.get(recipient.kind)
        return next((each for number in wanted if number for each in self.party if each.party == number), None)

    def party_at(self, organisation: str, address: str) -> Party | None:
        """Who writes from there: by both, else by the organisation if one party only is in it."""
        there = [each for each in self.party if each.organisation.casefold() == organisation.casefold()]
        exact = [each for each in there if each.address.casefold() == address.casefold()]
        found = exact or there
        return found[0] if len(found) == 1 else None


def from_file(file: Path) -> Addresses:
    """Read the file. Raises ``BadAddresses``."""
    try:
        return Addresses.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)
        raise BadAddresses(f"{file}: {wrong}") from None
    except (OSError, ValueError) as error:
        raise BadAddresses(f"{file}: {error}") from None


def _repeated(texts: Iterable[str]) -> bool:
    plain = [text.casefold() for text in texts]
    return len(set(plain)) < len(plain)
