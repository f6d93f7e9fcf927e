"""Which units belong together: GetHealthCareUnit 2 and GetHealthCareUnitMembers 2.

Source: the service contract description of organization 5.0.
"""

from typing import Any, Final

from lxml import etree
from lxml.builder import ElementMaker

from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.rivta import Operation, Spoken
from adapters.mocking.services.hsa_directory.asking import Asked, maker, of, spoken, told
from adapters.mocking.services.hsa_directory.content import CareProvider, Unit, lies_in

_ORGANISATION: Final = "infrastructure:directory:organization"
_O: Final = maker(f"urn:riv:{_ORGANISATION}:2")


def _unit(counterpart: Counterpart, room: Room, element: etree._Element) -> Spoken:
    asked = Asked(counterpart, room, element)
    make = maker(UNIT.responder)
    member = asked.known.units.get(asked.text("healthCareUnitMemberHsaId"))
    care_unit = asked.known.care_unit_of(member) if member else None
    provider = asked.known.providers.get(care_unit.provider) if care_unit else None
    if not member or not care_unit or not provider or not _seen(asked, member, care_unit, provider):
        return spoken(make(f"{UNIT.name}Response"), 0)
    names = {"UnitMember": member, "Unit": care_unit, "Provider": provider}
    parts = told(
        make,
        unitIsHealthCareUnit=member is care_unit,
        **of(member, "healthCareUnitMember", public=True),
        **of(care_unit, "healthCareUnit", public=True),
        **of(provider, "healthCareProvider", public=True),
        **{f"feignedHealthCare{name}": each.feigned for name, each in names.items()},
        **{f"archivedHealthCare{name}": each.archived for name, each in names.items()},
    )
    return spoken(make(f"{UNIT.name}Response", make("healthCareUnit", *parts)), 1)


def _seen(asked: Asked, member: Unit, care_unit: Unit, provider: CareProvider) -> bool:
    """All three lie in the branch, and none is feigned unless that was asked for."""
    places = *((each.provider, each.id) for each in (member, care_unit)), (provider.id, "")
    return all(map(asked.shows, (member, care_unit, provider))) and all(
        lies_in(asked.known.place(*each), asked.base) for each in places
    )


def _members(counterpart: Counterpart, room: Room, element: etree._Element) -> Spoken:
    """The care unit is looked for in the branch, its sub-units everywhere."""
    asked = Asked(counterpart, room, element)
    make = maker(MEMBERS.responder)
    unit = asked.known.units.get(asked.text("healthCareUnitHsaId"))
    provider = asked.known.providers.get(unit.provider) if unit else None
    if not unit or not provider or asked.known.care_unit_of(unit) is not unit:
        return spoken(make(f"{MEMBERS.name}Response"), 0)
    if not asked.shows(unit) or not asked.shows(provider) or not lies_in(asked.known.place("", unit.id), asked.base):
        return spoken(make(f"{MEMBERS.name}Response"), 0)
    members = [each for each in asked.known.sub_units(unit.id) if asked.shows(each)]
    parts = [
        *_reached(make, unit, "Unit", ("telephoneNumber", "postalAddress", "postalCode")),
        make("healthCareProvider", *_reached(make, provider, "Provider")),
        *(make("healthCareUnitMember", *_reached(make, each, "UnitMember", _OF_MEMBERS)) for each in members),
    ]
    return spoken(make(f"{MEMBERS.name}Response", make("healthCareUnitMembers", *parts)), len(members))


_OF_MEMBERS: Final = (
    "healthCareUnitMemberTelephoneNumber",
    "healthCareUnitMemberpostalAddress",
    "healthCareUnitMemberpostalCode",
)
"""As the contract spells them."""


def _reached(
    make: ElementMaker, entry: Unit | CareProvider, what: str, names: tuple[str, str, str] | None = None
) -> list[etree._Element]:
    """What one is, in this contract's own order, and how it is reached."""
    begin, ways = f"healthCare{what}", dict[str, Any]()
    if names and isinstance(entry, Unit):
        address = told(_O, addressLine=entry.address)
        ways = dict(
            zip(names, (entry.telephone, make(names[1], *address) if address else "", entry.postal_code), strict=True)
        )
        ways = {f"{begin}PrescriptionCode": entry.workplace_codes} | ways
    number = {f"{begin}OrgNo": entry.organisation_number} if isinstance(entry, CareProvider) else {}
    return told(
        make,
        **{f"{begin}Name": entry.name, f"{begin}PublicName": entry.name, f"{begin}HsaId": entry.id},
        **number,
        **{f"{begin}StartDate": entry.start, f"{begin}EndDate": entry.end},
        **ways,
        **{f"feignedHealthCare{what}": entry.feigned, f"archivedHealthCare{what}": entry.archived},
    )


UNIT: Final = Operation(_ORGANISATION, "GetHealthCareUnit", 2, "get_health_care_unit_2", _unit)
MEMBERS: Final = Operation(_ORGANISATION, "GetHealthCareUnitMembers", 2, "get_health_care_unit_members_2", _members)
