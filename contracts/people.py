"""Who the records point at: patients, organisations, staff, as far as rules and messages need them."""

from dataclasses import dataclass

from contracts.consent import Recipient, RecipientKind
from contracts.identity import ARBETSFORMEDLINGEN, FORSAKRINGSKASSAN, HsaId, OrganisationNumber, PersonId


@dataclass(frozen=True, slots=True)
class RegisteredPatient:
    """A patient. ``person`` is ``None`` for somebody without a national number; ``protected`` is the marking of the
    population register (sekretessmarkering or skyddad folkbokföring, glossary 29); ``deceased`` as the record says."""

    id: str
    person: PersonId | None
    name: str = ""
    protected: bool = False
    deceased: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """An organisation that references point at. ``reference`` is ``Organization/<id>``, empty for a logical one."""

    reference: str = ""
    organisation: OrganisationNumber | None = None
    hsa_id: HsaId | None = None
    name: str = ""
    stated_kind: RecipientKind | None = None
    address: str = ""
    postal_code: str = ""
    city: str = ""
    telephone: str = ""
    workplace_code: str = ""

    @property
    def key(self) -> str:
        """What makes two mentions the same party: national numbers before local references."""
        return str(self.organisation or _NUMBERS.get(self.stated_kind) or self.hsa_id or self.reference)

    @property
    def kind(self) -> RecipientKind:
        """Told by the organisation number where that is known, else as stated. Nobody is Försäkringskassan or
        Arbetsförmedlingen under another number than theirs."""
        if self.organisation in _KNOWN:
            return _KNOWN[self.organisation]
        claims = self.stated_kind in _NUMBERS and self.organisation is not None
        return RecipientKind.OTHER if claims else self.stated_kind or RecipientKind.OTHER

    def as_recipient(self) -> Recipient:
        """The party as the recipient of a message."""
        return Recipient(self.kind, self.key, self.name)


_NUMBERS: dict[RecipientKind | None, OrganisationNumber] = {
    RecipientKind.FORSAKRINGSKASSAN: FORSAKRINGSKASSAN,
    RecipientKind.ARBETSFORMEDLINGEN: ARBETSFORMEDLINGEN,
}
_KNOWN: dict[OrganisationNumber | None, RecipientKind] = {
    number: kind for kind, number in _NUMBERS.items() if kind is not None
}


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A person on the staff."""

    hsa_id: HsaId | None
    name: str = ""
