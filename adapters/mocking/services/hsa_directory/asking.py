"""What is asked of the directory, and how an answer is put together: what every contract of it has in common."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from lxml import etree
from lxml.builder import ElementMaker

from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.rivta import Spoken
from adapters.mocking.services.hsa_directory.content import (
    CareProvider,
    Commission,
    Directory,
    Employee,
    Entry,
    Unit,
    lies_in,
)
from adapters.mocking.services.hsa_directory.founding import founded
from contracts.time import swedish_day


def directory(counterpart: Counterpart, namespace: str = "") -> Directory:
    """The directory as a namespace sees it: its own over everybody's."""
    state = counterpart.room().state
    if "directory" not in state:
        state["directory"] = founded()
    everybodys: Directory = state["directory"]
    if not namespace:
        return everybodys
    own: Directory = counterpart.room(namespace).state.setdefault("directory", Directory())
    return own.over(everybodys)


class Asked:
    """A request: whom or what it names, and what is to be seen."""

    def __init__(self, counterpart: Counterpart, room: Room, asked: etree._Element) -> None:
        self._texts = {etree.QName(each).localname: (each.text or "").strip() for each in asked}
        self.known = directory(counterpart, room.namespace)
        self.base = self.text("searchBase")
        self.feigned = self.text("includeFeignedObject") in ("true", "1")
        self.today = swedish_day(counterpart.now())

    def text(self, name: str) -> str:
        """What one element of it says."""
        return self._texts.get(name, "")

    def people(self) -> Iterator[Employee]:
        """Those that it names, of the branch."""
        found = self.known.employees(self.text("personHsaId"), self.text("personalIdentityNumber"))
        return (each for each in found if self.shows(each) and lies_in(self.known.desk(each), self.base))

    def shows(self, entry: Entry | Employee | Commission | None) -> bool:
        """Whether something is there, and not feigned unless that was asked for."""
        return entry is not None and (self.feigned or not entry.feigned)

    def commissions(self, person: Employee) -> Iterator[tuple[Commission, Unit | None, CareProvider]]:
        """Those of the branch, with their unit and provider; one that leads nowhere is not told."""
        for each in person.commissions:
            unit, provider = self.known.units.get(each.unit), self.known.providers.get(each.provider)
            shown = all(map(self.shows, (each, provider, *([unit] if each.unit else []))))
            if shown and provider and lies_in(f"cn=x,{self.known.place(each.provider, each.unit)}", self.base):
                yield each, unit, provider


def told(make: ElementMaker, **fields: Any) -> list[etree._Element]:
    """Elements in order: a text, a flag that is told when it is true, many texts, a day, or elements as they are."""
    made: list[etree._Element] = []
    for name, value in fields.items():
        for each in value if isinstance(value, tuple | list) else (value,):
            if isinstance(each, etree._Element):
                made.append(each)
            elif each:
                text = f"{each}T00:00:00" if isinstance(each, date) else "true" if each is True else each
                made.append(make(name, text))
    return made


def maker(namespace: str) -> ElementMaker:
    """Elements of one namespace."""
    return ElementMaker(namespace=namespace, nsmap={"n": namespace})


def of(entry: Entry, what: str, *, public: bool = False) -> dict[str, Any]:
    """Id, name and days of something under the names that begin with what it is."""
    number = {f"{what}OrgNo": entry.organisation_number} if isinstance(entry, CareProvider) else {}
    shown = {f"{what}PublicName": entry.name} if public else {}
    days = {f"{what}StartDate": entry.start, f"{what}EndDate": entry.end}
    return {f"{what}HsaId": entry.id, f"{what}Name": entry.name} | shown | number | days


def spoken(response: etree._Element, found: int) -> Spoken:
    """An answer, which is accepted whatever it holds."""
    return Spoken(response, summary={"found": found})
