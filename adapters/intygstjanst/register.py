"""What the mock knows of certificates, and which of them it answers with (rehabstod.md § 1.8)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

from adapters.intygstjanst.filled import filled
from adapters.mocking import Counterpart, Room
from contracts.certificate import MedicalCertificate
from contracts.identity import PersonId
from contracts.sick_leave import Certificate, CertificatePeriod

T = TypeVar("T")


def setting(counterpart: Counterpart, room: Room, name: str, otherwise: T) -> T:
    """What the namespace has set for itself, else what everybody has."""
    found: T = room.state.get(name, counterpart.room().state.get(name, otherwise))
    return found


def registered(counterpart: Counterpart, room: Room) -> "Register":
    """What the namespace sees."""
    return setting(counterpart, room, "register", Register())


class Register:
    """Certificates by id, unit and person, and their forms; persons with protected identity; mottagningar by their care
    unit."""

    def __init__(self) -> None:
        self._by_id: dict[str, Certificate] = {}
        self._by_unit: defaultdict[str, dict[str, Certificate]] = defaultdict(dict)
        self._by_person: defaultdict[str, dict[str, Certificate]] = defaultdict(dict)
        self._forms: dict[str, MedicalCertificate] = {}
        self.protected: set[PersonId] = set()
        self.sub_units: dict[str, tuple[str, ...]] = {}

    def add(self, certificates: Iterable[Certificate]) -> None:
        """One with a known id replaces it."""
        for certificate in certificates:
            self.remove(certificate.id)
            self._by_id[certificate.id] = certificate
            self._by_unit[certificate.unit.value][certificate.id] = certificate
            self._by_person[certificate.patient.digits][certificate.id] = certificate

    def fill(self, form: MedicalCertificate) -> None:
        """What the doctor answered in a certificate, in place of what is made up. It stays when the feed leaves it out."""
        self._forms[form.id] = form

    def certificate(self, id: str) -> Certificate | None:
        """As the feed tells of it."""
        return self._by_id.get(id)

    def form(self, id: str) -> MedicalCertificate | None:
        """With all its answers."""
        known = self._by_id.get(id)
        return self._forms.get(id) or (filled(known) if known else None)

    def remove(self, id: str) -> None:
        """Forget it, if it is known."""
        known = self._by_id.pop(id, None)
        if known is not None:
            del self._by_unit[known.unit.value][id]
            del self._by_person[known.patient.digits][id]

    def copy(self) -> "Register":
        """The same, to be changed by itself."""
        other = Register()
        other.add(self._by_id.values())
        other._forms |= self._forms
        other.protected |= self.protected
        other.sub_units |= self.sub_units
        return other

    def units(self, care_unit: str) -> tuple[str, ...]:
        """The care unit and its mottagningar."""
        return (care_unit, *self.sub_units.get(care_unit, ()))

    def on(self, units: Iterable[str]) -> list[Certificate]:
        """What is registered on any of the units."""
        return [certificate for unit in units for certificate in self._by_unit.get(unit, {}).values()]

    def of(self, person: str) -> list[Certificate]:
        """Everything of a person (twelve digits), on all units and of all care providers."""
        return list(self._by_person.get(person, {}).values())


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request by care unit wants to know. ``person`` is twelve digits, or empty for everybody."""

    unit: str
    max_days: int = 0
    person: str = ""


def select(own: Sequence[Certificate], asked: Asked, today: date) -> list[Certificate]:
    """Of a care unit's certificates: first the patients with a period that covers today or ended within the days; then all
    that they have there, older and future ones too, by personal number."""
    patients = active_patients(own, asked.max_days, today)
    wanted = (one for one in own if one.patient in patients and asked.person in ("", one.patient.digits))
    return sorted(wanted, key=lambda one: one.patient.digits)


def active_patients(certificates: Iterable[Certificate], max_days: int, today: date) -> set[PersonId]:
    """Who has a period that covers today, or ended at most so many days ago."""
    since = today - timedelta(days=max_days)
    return {one.patient for one in certificates if any(_counts(period, since, today) for period in one.periods)}


def _counts(period: CertificatePeriod, since: date, today: date) -> bool:
    return period.start <= today <= period.end or since <= period.end < today
