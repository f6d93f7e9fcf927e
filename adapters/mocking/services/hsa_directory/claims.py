"""What an identity provider says of an employee, by the names of delivery_consent_security.md § 4.2."""

from typing import Any

from adapters.mocking.counterpart import Counterpart
from adapters.mocking.services.hsa_directory.asking import directory
from adapters.mocking.services.hsa_directory.content import Commission, Directory


def claims(counterpart: Counterpart, namespace: str, employee: str) -> dict[str, Any]:
    """The claims of one whom the directory knows, else none. A commission is chosen where there is only one to choose."""
    known = directory(counterpart, namespace)
    person = known.people.get(employee)
    if person is None or person.feigned:
        return {}
    commissions = [each for each in person.commissions if not each.feigned and each.provider in known.providers]
    same = known.employees("", person.personal_number)
    told = {
        "givenName": person.given_name,
        "surname": person.surname,
        "allEmployeeHsaIds": sorted({person.id, *(each.id for each in same)}),
        "healthcareProfessionalLicense": [code for code, _ in person.licences],
        "paTitleCode": [code for code, _ in person.titles],
        "systemRole": list(person.system_roles),
        "allCommissions": [each.id for each in commissions],
    }
    chosen = _chosen(known, commissions[0]) if len(commissions) == 1 else {}
    return {name: value for name, value in (told | chosen).items() if value}


def _chosen(known: Directory, commission: Commission) -> dict[str, Any]:
    provider, unit = known.providers[commission.provider], known.units.get(commission.unit)
    return {
        "commissionHsaId": commission.id,
        "commissionName": commission.name,
        "commissionPurpose": commission.purpose,
        "commissionRight": [";".join(each) for each in commission.rights],
        "healthCareUnitHsaId": commission.unit,
        "healthCareUnitName": unit.name if unit else "",
        "healthCareProviderHsaId": provider.id,
        "healthCareProviderName": provider.name,
        "healthcareProviderId": provider.organisation_number,
    }
