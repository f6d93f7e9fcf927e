"""Who somebody is, and what a person may do: GetCredentialsForPersonIncludingProtectedPerson 2 and
GetEmployeeIncludingProtectedPerson 3.

Sources: the service contract descriptions of authorizationmanagement 2.4 and employee 4.0. Which elements the profiles BASIC,
TITLE and CONTACT leave out is our reading of their names.
"""

from datetime import date
from typing import Final

from lxml import etree

from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.rivta import Operation, Spoken
from adapters.mocking.services.hsa_directory.asking import Asked, maker, of, spoken, told
from adapters.mocking.services.hsa_directory.content import CareProvider, Commission, Employee, Unit
from contracts.identity import PersonId, PersonIdKind

_PERMISSIONS, _EMPLOYEE = (f"infrastructure:directory:{each}" for each in ("authorizationmanagement", "employee"))
_ROOTS: Final = {
    PersonIdKind.PERSONNUMMER: "1.2.752.129.2.1.3.1",
    PersonIdKind.SAMORDNINGSNUMMER: "1.2.752.129.2.1.3.3",
}
_EXTENDED: Final = "extended1"
_CONTACTS, _TITLES = frozenset(("CONTACT", "FULL", _EXTENDED)), frozenset(("TITLE", "FULL", _EXTENDED))
_A, _A1 = maker(f"urn:riv:{_PERMISSIONS}:2"), maker(f"urn:riv:{_PERMISSIONS}:2.1")
_E: Final = maker(f"urn:riv:{_EMPLOYEE}:3")


def _credentials(counterpart: Counterpart, room: Room, element: etree._Element) -> Spoken:
    asked = Asked(counterpart, room, element)
    found = [_credential(asked, each) for each in asked.people()]
    response = maker(CREDENTIALS.responder)
    return spoken(
        response(f"{CREDENTIALS.name}Response", *(response("credentialInformation", *each) for each in found)),
        len(found),
    )


def _credential(asked: Asked, person: Employee) -> list[etree._Element]:
    roles = [each.partition(";") for each in person.system_roles]
    extended = asked.text("profile").casefold() == _EXTENDED
    return [
        *told(
            _A,
            givenName=person.given_name,
            middleAndSurName=person.surname,
            personHsaId=person.id,
            healthCareProfessionalLicence=[name for _, name in person.licences],
            hsaSystemRole=[_A("hsaSystemRole", *told(_A, systemId=system, role=role)) for system, _, role in roles],
            paTitleCode=[code for code, _ in person.titles],
            protectedPerson=person.protected,
            commission=[_commission(*each) for each in asked.commissions(person)],
            feignedPerson=person.feigned,
        ),
        *told(
            _A1,
            healthCareProfessionalLicenceCode=[code for code, _ in person.licences],
            healthCareProfessionalLicenceSpeciality=[_speciality(*each) for each in person.specialities],
            personalIdentity=_identity(person) if extended and person.personal_number else "",
        ),
    ]


def _speciality(licence: str, code: str, name: str) -> etree._Element:
    parts = told(_A1, healthCareProfessionalLicenceCode=licence, specialityCode=code, specialityName=name)
    return _A1("healthCareProfessionalLicenceSpeciality", *parts)


def _identity(person: Employee) -> etree._Element:
    root = _ROOTS[PersonId(person.personal_number).kind]
    return _A1("personalIdentity", *told(_A1, root=root, extension=person.personal_number))


def _commission(commission: Commission, unit: Unit | None, provider: CareProvider) -> etree._Element:
    rights = [
        _A("commissionRight", *told(_A, activity=activity, informationClass=kind, scope=scope))
        for activity, kind, scope in commission.rights
    ]
    parts = told(
        _A,
        commissionName=commission.name,
        commissionHsaId=commission.id,
        commissionPurpose=commission.purpose,
        commissionRight=rights,
        **(of(unit, "healthCareUnit") if unit else {}),
        **of(provider, "healthCareProvider"),
        feignedHealthCareProvider=provider.feigned,
        feignedHealthCareUnit=unit is not None and unit.feigned,
        feignedCommission=commission.feigned,
        archivedHealthCareProvider=provider.archived,
        archivedHealthCareUnit=unit is not None and unit.archived,
    )
    return _A("commission", *parts)


def _employee(counterpart: Counterpart, room: Room, element: etree._Element) -> Spoken:
    asked = Asked(counterpart, room, element)
    found = [_person(asked, each) for each in asked.people()]
    response = maker(EMPLOYEE.responder)
    return spoken(
        response(f"{EMPLOYEE.name}Response", *(response("personInformation", *each) for each in found)), len(found)
    )


def _person(asked: Asked, person: Employee) -> list[etree._Element]:
    """``profile`` says how much of it; without one all but the age."""
    given = asked.text("profile")
    profile = _EXTENDED if given.casefold() == _EXTENDED else given.upper() or "FULL"
    age, gender = _age_and_gender(person, asked.today)
    titles, contacts = profile in _TITLES, profile in _CONTACTS
    positions = [_E("paTitle", *told(_E, paTitleName=name, paTitleCode=code)) for code, name in person.titles]
    return told(
        _E,
        personHsaId=person.id,
        givenName=person.given_name,
        middleAndSurName=person.surname,
        mail=contacts and person.mail,
        telephoneNumber=contacts and person.telephone,
        title=titles and person.title,
        healthCareProfessionalLicence=[name for _, name in person.licences if titles],
        paTitle=positions if titles else [],
        specialityName=[name for *_, name in person.specialities if titles],
        specialityCode=[code for _, code, _ in person.specialities if titles],
        dn=asked.known.desk(person),
        protectedPerson=person.protected,
        feignedPerson=person.feigned,
        age=age if profile == _EXTENDED else "",
        gender=gender,
    )


def _age_and_gender(person: Employee, today: date) -> tuple[str, str]:
    """Whole years, and 1 for a man, 2 for a woman, 0 for unknown, as the personal number says."""
    if not person.personal_number:
        return "", "0"
    born = PersonId(person.personal_number).birth_date
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return str(years), "1" if int(person.personal_number[10]) % 2 else "2"


CREDENTIALS: Final = Operation(
    _PERMISSIONS,
    "GetCredentialsForPersonIncludingProtectedPerson",
    2,
    "get_credentials_for_person_including_protected_person_2",
    _credentials,
)
EMPLOYEE: Final = Operation(
    _EMPLOYEE,
    "GetEmployeeIncludingProtectedPerson",
    3,
    "get_employee_including_protected_person_3",
    _employee,
)
