"""The HSA directory tells who may do what and which units belong together, as its contracts say.

Facts: rehabstod.md § 5.1; the service contract descriptions of authorizationmanagement 2.4, employee 4.0, organization 5.0.
"""

import base64
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import orjson
import pytest
from lxml import etree

from adapters import soap
from adapters.intygstjanst import wire as feed
from adapters.mocking.rivta import Operation
from adapters.mocking.services.hsa_directory import CREDENTIALS, EMPLOYEE, MEMBERS, OPERATIONS, UNIT
from adapters.mocking.services.hsa_directory.content import Directory, Employee, lies_in
from adapters.mocking.services.hsa_directory.founding import founded
from contracts.identity import HsaId, PersonId, control_digit
from service import scenario
from service.clock import MovableClock
from service.mock_world import INERA, SECURITY_SERVICES, MockWorld
from tests.unit.service.mock_samples import PERSON

HSA: Final = "TSTNMT2321000156-"
FEED: Final = "/clinicalprocess/healthcond/rehabilitation/ListActiveSickLeavesForCareUnit/1/rivtabp21"
ANSWERED_BY: Final = {
    CREDENTIALS: "personHsaId",
    EMPLOYEE: "personHsaId",
    UNIT: "healthCareUnitMemberHsaId",
    MEMBERS: "healthCareUnitHsaId",
}


@pytest.fixture
def world() -> MockWorld:
    return MockWorld(MovableClock())


@pytest.fixture
async def client(world: MockWorld) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(world.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://mocks") as client:
        yield client


def request(operation: Operation, *fields: tuple[str, str], profile: str = "") -> bytes:
    element = etree.Element(f"{{{operation.responder}}}{operation.name}")
    for name, text in fields:
        etree.SubElement(element, f"{{{operation.responder}}}{name}").text = text
    if profile:  # in the extension's namespace for the one, in the contract's own for the other
        own = operation.responder if operation is EMPLOYEE else f"{operation.responder}.1"
        etree.SubElement(element, f"{{{own}}}profile").text = profile
    return soap.wrap(element, SECURITY_SERVICES)


async def sent(
    client: httpx.AsyncClient, operation: Operation, *fields: tuple[str, str], profile: str = "", where: str = ""
) -> httpx.Response:
    content = request(operation, *fields, profile=profile)
    headers = soap.headers(operation.action)
    return await client.post(f"{where}/hsa_directory{operation.path}", content=content, headers=headers)


async def ask(
    client: httpx.AsyncClient,
    operation: Operation,
    id: str,
    base: str = "",
    *,
    feigned: bool = False,
    profile: str = "",
    where: str = "",
) -> etree._Element:
    """What is answered of one id, which is held against the schema."""
    fields = [(ANSWERED_BY[operation], id)]
    fields += [("searchBase", base)] if base else []
    fields += [("includeFeignedObject", "true")] if feigned else []
    answer = await sent(client, operation, *fields, profile=profile, where=where)
    found = soap.unwrap(answer.content)
    assert not isinstance(found, soap.Fault), found
    assert soap.schema_errors(f"{operation.file}.xsd", found) == ()
    return found


def texts(found: etree._Element, name: str) -> list[str]:
    return [each.text or "" for each in found.iter(f"{{*}}{name}")]


def ids(found: etree._Element, name: str) -> list[str]:
    return [text.removeprefix(HSA) for text in texts(found, name)]


# Who is there


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
@pytest.mark.parametrize("id", [f"{HSA}X9999", "", "no HSA-id at all"])
async def test_who_is_not_there_is_an_empty_answer(client: httpx.AsyncClient, operation: Operation, id: str) -> None:
    assert len(await ask(client, operation, id)) == 0


@pytest.mark.parametrize("operation", [CREDENTIALS, EMPLOYEE], ids=lambda each: each.name)
async def test_a_person_is_named_in_exactly_one_way(client: httpx.AsyncClient, operation: Operation) -> None:
    both = (("personHsaId", f"{HSA}P0001"), ("personalIdentityNumber", PERSON.number))
    for fields in (both, ()):
        answer = await sent(client, operation, *fields)
        assert (answer.status_code, isinstance(soap.unwrap(answer.content), soap.Fault)) == (500, True)
    entries = (await client.get("/_control/ledger/hsa_directory")).json()
    assert [entry["rule"] for entry in entries] == ["SCHEMA", "SCHEMA"]


async def test_a_person_with_several_objects_is_told_once_for_each(client: httpx.AsyncClient) -> None:
    person = founded().people[f"{HSA}P0001"]
    second = {"id": f"{HSA}P0101", "surname": "Koordinator", "personalNumber": person.personal_number}
    assert (await client.put("/_control/hsa", json={"people": [second]})).status_code == 200
    for operation in (CREDENTIALS, EMPLOYEE):
        answer = await sent(client, operation, ("personalIdentityNumber", person.personal_number))
        found = soap.unwrap(answer.content)
        assert isinstance(found, etree._Element)
        assert ids(found, "personHsaId") == ["P0001", "P0101"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
async def test_a_fault_on_order_is_a_soap_fault_for_want_of_a_result(
    client: httpx.AsyncClient, operation: Operation
) -> None:
    await client.put("/_control/faults/hsa_directory", json={"name": "technical-error"})
    answer = await sent(client, operation, (ANSWERED_BY[operation], f"{HSA}P0001"))
    assert (answer.status_code, isinstance(soap.unwrap(answer.content), soap.Fault)) == (500, True)


async def test_it_is_reached_through_the_national_platform(client: httpx.AsyncClient) -> None:
    content = request(CREDENTIALS, ("personHsaId", f"{HSA}P0001"))
    headers = soap.headers(CREDENTIALS.action) | {"x-vp-sender-id": "SE5565594230-B9P"}
    answer = await client.post(f"/national_platform{CREDENTIALS.path}", content=content, headers=headers)
    assert b"INTYG" in answer.content


# What somebody may do


async def test_commissions_and_roles_of_somebody_who_has_several(client: httpx.AsyncClient) -> None:
    found = await ask(client, CREDENTIALS, f"{HSA}P0002")
    assert ids(found, "commissionHsaId") == ["M0001", "M0002", "M0003", "M0004"]
    assert texts(found, "commissionPurpose") == [*["Vård och behandling"] * 2, "Administration", "Vård och behandling"]
    roles = zip(texts(found, "systemId"), texts(found, "role"), strict=True)
    assert list(roles) == [("INTYG", f"Rehab-{HSA}E0001"), ("INTYG", f"Rehab-{HSA}E0801")]
    directly = found.findall(".//{*}commission")[-1]
    assert not [each.tag for each in directly if "healthCareUnit" in str(each.tag)]
    assert directly.findtext("{*}healthCareProviderOrgNo") == "2321000156"


async def test_a_doctor_has_a_licence_and_may_coordinate_too(client: httpx.AsyncClient) -> None:
    found = await ask(client, CREDENTIALS, f"{HSA}D0002")
    assert texts(found, "healthCareProfessionalLicence") == ["Läkare"]
    assert texts(found, "healthCareProfessionalLicenceCode") == ["LK", "LK"]
    assert texts(found, "role") == [f"Rehab-{HSA}E0001"]


@pytest.mark.parametrize(("profile", "told"), [("", 0), ("other", 0), ("extended1", 1), ("EXTENDED1", 1)])
async def test_a_personal_number_is_told_when_it_is_asked_for(
    client: httpx.AsyncClient, profile: str, told: int
) -> None:
    found = await ask(client, CREDENTIALS, f"{HSA}P0001", profile=profile)
    assert len(texts(found, "personalIdentity")) == told


async def test_a_protected_person_is_told_and_marked(client: httpx.AsyncClient) -> None:
    for operation in (CREDENTIALS, EMPLOYEE):
        assert texts(await ask(client, operation, f"{HSA}P0003"), "protectedPerson") == ["true"]
        assert texts(await ask(client, operation, f"{HSA}P0001"), "protectedPerson") == []


async def test_what_is_feigned_shows_itself_when_asked_for(client: httpx.AsyncClient) -> None:
    for operation in (CREDENTIALS, EMPLOYEE):
        assert len(await ask(client, operation, f"{HSA}P0004")) == 0
        assert texts(await ask(client, operation, f"{HSA}P0004", feigned=True), "feignedPerson") == ["true"]
    seen = [await ask(client, CREDENTIALS, f"{HSA}P0006", feigned=each) for each in (False, True)]
    assert [ids(found, "commissionHsaId") for found in seen] == [["M0006"], ["M0006", "M0007", "M0008"]]
    assert texts(seen[0], "archivedHealthCareUnit") == texts(seen[0], "archivedHealthCareProvider") == ["true"]
    assert texts(seen[0], "healthCareUnitEndDate") == ["2020-12-31T00:00:00"]
    flags = ("feignedHealthCareUnit", "feignedCommission")
    assert [len(texts(seen[1], name)) for name in flags] == [1, 1]


REGION, CARE_UNIT, OTHER = (
    "o=Exempelregionen,c=SE",
    "ou=Vårdcentralen Exempel,o=Exempelregionen,c=SE",
    "o=Exempelvård AB,c=SE",
)


@pytest.mark.parametrize(
    ("base", "commissions"),
    [
        ("", ["M0001", "M0002", "M0003", "M0004"]),
        ("c=SE", ["M0001", "M0002", "M0003", "M0004"]),
        (REGION, ["M0001", "M0002", "M0003", "M0004"]),
        (CARE_UNIT, ["M0001", "M0003"]),
        (OTHER, []),
        ("o=Ingen,c=SE", []),
    ],
)
async def test_people_and_commissions_are_looked_for_in_the_branch(
    client: httpx.AsyncClient, base: str, commissions: list[str]
) -> None:
    found = await ask(client, CREDENTIALS, f"{HSA}P0002", base)
    assert ids(found, "commissionHsaId") == commissions


@pytest.mark.parametrize(
    ("name", "base", "lies"),
    [
        (CARE_UNIT, "", True),
        (CARE_UNIT, "c=se", True),
        (CARE_UNIT, "O=exempelregionen , C=SE", True),
        (CARE_UNIT, f"{CARE_UNIT},", True),
        (CARE_UNIT, "regionen,c=SE", False),
        (REGION, CARE_UNIT, False),
        (REGION, "c=S", False),
    ],
)
def test_a_branch_is_the_end_of_a_path(name: str, base: str, lies: bool) -> None:
    assert lies_in(name, base) is lies


# Who somebody is


@pytest.mark.parametrize(
    ("profile", "mail", "title", "age"),
    [
        ("", 1, 1, 0),
        ("full", 1, 1, 0),
        ("BASIC", 0, 0, 0),
        ("title", 0, 1, 0),
        ("CONTACT", 1, 0, 0),
        ("extended1", 1, 1, 1),
    ],
)
async def test_how_much_is_told_of_a_person(
    client: httpx.AsyncClient, profile: str, mail: int, title: int, age: int
) -> None:
    found = await ask(client, EMPLOYEE, f"{HSA}D0001", profile=profile)
    assert [len(texts(found, name)) for name in ("mail", "title", "age")] == [mail, title, age]
    assert texts(found, "middleAndSurName") == ["Doktor"]
    assert texts(found, "dn") == [f"cn=Dag Doktor,{CARE_UNIT}"]


@pytest.mark.parametrize(
    ("number", "gender", "age"),
    [("199002282383", "2", "36"), ("199003022387", "2", "35"), ("199003042391", "1", "35"), ("", "0", None)],
)
async def test_age_and_gender_are_those_of_the_number(
    client: httpx.AsyncClient, number: str, gender: str, age: str | None
) -> None:
    await client.put("/_control/clock", json={"now": "2026-03-01T12:00:00+01:00"})
    whole = number and PersonId(number[:11] + str(control_digit(number[2:11]))).digits
    person = {"id": f"{HSA}P0102", "surname": "Ny", "personalNumber": whole}
    assert (await client.put("/_control/hsa", json={"people": [person]})).status_code == 200
    found = await ask(client, EMPLOYEE, f"{HSA}P0102", profile="extended1")
    assert (texts(found, "gender"), texts(found, "age")) == ([gender], [age] if age else [])


# Which units belong together


@pytest.mark.parametrize(
    ("unit", "care_unit", "itself"),
    [
        ("E0001", "E0001", ["true"]),
        ("E0011", "E0001", []),
        ("E0012", "E0001", []),
        ("E0803", "E0803", ["true"]),
        ("E0804", None, []),
        ("E0802", None, []),
        ("E0092", None, []),
    ],
)
async def test_the_care_unit_of_a_unit(
    client: httpx.AsyncClient, unit: str, care_unit: str | None, itself: list[str]
) -> None:
    found = await ask(client, UNIT, f"{HSA}{unit}")
    assert ids(found, "healthCareUnitHsaId") == ([care_unit] if care_unit else [])
    assert texts(found, "unitIsHealthCareUnit") == itself


async def test_feigned_and_archived_units_are_marked(client: httpx.AsyncClient) -> None:
    found = await ask(client, UNIT, f"{HSA}E0092", feigned=True)
    assert texts(found, "feignedHealthCareUnitMember") == ["true"]
    assert texts(await ask(client, UNIT, f"{HSA}E0091"), "archivedHealthCareUnitMember") == ["true"]
    assert texts(await ask(client, UNIT, f"{HSA}E0803"), "archivedHealthCareProvider") == ["true"]


async def test_the_members_of_a_care_unit(client: httpx.AsyncClient) -> None:
    seen = [await ask(client, MEMBERS, f"{HSA}E0001", feigned=each) for each in (False, True)]
    assert [ids(found, "healthCareUnitMemberHsaId") for found in seen] == [
        ["E0011", "E0012", "E0091"],
        ["E0011", "E0012", "E0091", "E0092"],
    ]
    assert texts(seen[0], "healthCareUnitPrescriptionCode") == ["1234567890123"]
    assert texts(seen[0], "healthCareUnitMemberEndDate") == ["2022-06-30T00:00:00"]
    assert ids(await ask(client, MEMBERS, f"{HSA}E0801"), "healthCareUnitMemberHsaId") == []


@pytest.mark.parametrize("unit", ["E0011", "E0804"])
async def test_only_a_care_unit_has_members(client: httpx.AsyncClient, unit: str) -> None:
    assert len(await ask(client, MEMBERS, f"{HSA}{unit}")) == 0


@pytest.mark.parametrize(("base", "unit", "members"), [(REGION, 1, 1), (CARE_UNIT, 0, 1), (OTHER, 0, 0)])
async def test_a_units_provider_must_lie_in_the_branch_and_a_care_units_need_not(
    client: httpx.AsyncClient, base: str, unit: int, members: int
) -> None:
    """By the contracts' descriptions of what is looked for where."""
    assert len(await ask(client, UNIT, f"{HSA}E0011", base)) == unit
    assert len(await ask(client, MEMBERS, f"{HSA}E0001", base)) == members


# What is in it


def test_the_same_seed_gives_the_same_directory() -> None:
    assert founded(1) == founded(1)
    assert founded(1) != founded(2)


def test_its_telephones_are_nobodys() -> None:
    """Of the hundred numbers that Post- och telestyrelsen keeps for fiction."""
    known = founded()
    all_numbers = (
        *(unit.telephone for unit in known.units.values()),
        *(person.telephone for person in known.people.values()),
    )
    numbers = [number for number in all_numbers if number]
    assert len(numbers) > 10
    assert all(len(number) == 10 and number.startswith("08465004") for number in numbers)


def test_the_demonstrations_people_and_units_are_there() -> None:
    known = founded()
    coordinator = known.people[scenario.COORDINATOR]
    assert known.units[scenario.UNIT].provider == scenario.PROVIDER
    assert [each.id for each in coordinator.commissions] == [scenario.COMMISSION]
    assert coordinator.system_roles == (f"INTYG;Rehab-{scenario.UNIT}",)


def test_nobody_is_real_and_everything_leads_somewhere() -> None:
    known = founded()
    for person in known.people.values():
        assert PersonId(person.personal_number).is_synthetic
        for each in person.commissions:
            assert each.provider in known.providers
            assert not each.unit or known.units[each.unit].provider == each.provider
    assert all(HsaId(id).value == each.id for entries in (known.units, known.people) for id, each in entries.items())


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.name)
async def test_everything_in_it_is_told_by_the_schema(client: httpx.AsyncClient, operation: Operation) -> None:
    known = founded()
    for id in (*known.people, *known.units, *known.providers):
        await ask(client, operation, id, feigned=True, profile="extended1" if "Person" in operation.name else "")


async def test_whom_certificates_name_is_known(client: httpx.AsyncClient, world: MockWorld) -> None:
    world.populate(7, HsaId(scenario.UNIT), HsaId(scenario.PROVIDER), 20)
    world.populate_region(7, 2, 20)
    assert all(each["name"] for each in (await client.get("/_control/hsa")).json()["people"].values())
    found = await ask(client, CREDENTIALS, f"{HSA}D000")
    assert ids(found, "healthCareUnitHsaId") == ["E0001"]
    units = await ask(client, UNIT, "SE1111111111-E0002")
    assert texts(units, "healthCareProviderHsaId") == ["SE1111111111-V001"]


def certificate(doctor: str, name: str, unit: str = f"{HSA}E0500") -> dict[str, Any]:
    return {
        "id": f"i-{doctor}-{unit}",
        "personalNumber": PERSON.number,
        "unit": unit,
        "provider": f"{HSA}S0500",
        "doctor": doctor,
        "doctorName": name,
        "signed": "2026-05-04T08:00:00+02:00",
        "periods": [{"start": "2026-05-04", "end": "2026-05-10", "degree": 50}],
    }


async def test_a_doctor_without_a_name_is_protected_and_one_on_two_units_has_two_commissions(
    client: httpx.AsyncClient,
) -> None:
    doctors = ((f"{HSA}D0500", ""), (f"{HSA}D0501", "Eva Maria Ny"))
    told = [certificate(*each) for each in doctors] + [certificate(*doctors[1], unit=f"{HSA}E0501")]
    assert (await client.put("/_control/certificates", json=told)).status_code == 200
    assert texts(await ask(client, CREDENTIALS, f"{HSA}D0500"), "protectedPerson") == ["true"]
    found = await ask(client, CREDENTIALS, f"{HSA}D0501")
    assert ids(found, "commissionHsaId") == ["ME0500", "ME0501"]
    assert (texts(found, "givenName"), texts(found, "middleAndSurName")) == (["Eva Maria"], ["Ny"])


async def test_a_care_units_sick_leaves_are_those_of_its_sub_units_too(client: httpx.AsyncClient) -> None:
    told = certificate(f"{HSA}D0001", "Dag Doktor", f"{HSA}E0011") | {"signed": "2026-05-04T08:00:00+02:00"}
    await client.put("/_control/clock", json={"now": "2026-05-05T12:00:00+02:00"})
    await client.put("/_control/certificates", json=[told])
    for unit, found in ((f"{HSA}E0001", True), (f"{HSA}E0801", False)):
        content = feed.care_unit_request(HsaId(unit), 0, INERA)
        answer = await client.post(f"/intygstjanst{FEED}", content=content, headers=soap.headers(feed.CARE_UNIT.action))
        assert (told["id"] in answer.text) is found


# What tests register


UNIT_IN: Final = {"id": f"{HSA}E0700", "name": "Nya enheten", "provider": f"{HSA}S0001"}
PERSON_IN: Final = {
    "id": f"{HSA}P0700",
    "surname": "Ny",
    "systemRoles": [f"INTYG;Rehab-{HSA}E0700"],
    "commissions": [{"id": f"{HSA}M0700", "name": "Ny", "provider": f"{HSA}S0001", "unit": f"{HSA}E0700"}],
}


async def test_a_namespace_has_its_own_over_everybodys(client: httpx.AsyncClient) -> None:
    put = await client.put("/_ns/a/_control/hsa", json={"units": [UNIT_IN], "people": [PERSON_IN]})
    assert put.json() == {"providers": 0, "units": 1, "people": 1}
    for where, own in (("/_ns/a", 1), ("/_ns/b", 0), ("", 0)):
        assert len(await ask(client, CREDENTIALS, f"{HSA}P0700", where=where)) == own
        assert len(await ask(client, CREDENTIALS, f"{HSA}P0001", where=where)) == 1
    await client.delete("/_ns/a/_control/namespace")
    assert len(await ask(client, CREDENTIALS, f"{HSA}P0700", where="/_ns/a")) == 0


async def test_what_is_known_is_replaced_by_its_id(client: httpx.AsyncClient) -> None:
    changed = {"id": f"{HSA}P0001", "surname": "Annan", "protected": True}
    await client.put("/_control/hsa", json={"people": [changed]})
    found = await ask(client, CREDENTIALS, f"{HSA}P0001")
    assert (texts(found, "middleAndSurName"), ids(found, "commissionHsaId")) == (["Annan"], [])
    await client.delete("/_control/namespace")
    assert texts(await ask(client, CREDENTIALS, f"{HSA}P0001"), "middleAndSurName") == ["Koordinator"]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"units": [UNIT_IN | {"provider": f"{HSA}S0700"}]}, "care provider"),
        ({"units": [UNIT_IN | {"partOf": f"{HSA}E0011"}]}, "care unit"),
        ({"units": [UNIT_IN | {"partOf": f"{HSA}E0777"}]}, "care unit"),
        ({"units": [UNIT_IN | {"partOf": UNIT_IN["id"]}]}, "care unit"),
        ({"people": [PERSON_IN]}, "unit"),
        ({"people": [{"id": "P1", "surname": "Ny"}]}, "HSA-id"),
        ({"people": [{"id": f"{HSA}P1", "surname": "Ny", "personalNumber": "19121212" + "1212"}]}, "test series"),
        ({"people": [{"id": f"{HSA}P1", "surname": "Ny", "role": "x"}]}, "Extra inputs"),
    ],
)
async def test_what_does_not_hang_together_is_not_taken(
    client: httpx.AsyncClient, given: dict[str, Any], word: str
) -> None:
    before = (await client.get("/_control/hsa")).json()
    whole = {"providers": [{"id": f"{HSA}S0900", "name": "Med"}]} | given
    answer = await client.put("/_control/hsa", json=whole)
    assert (answer.status_code, word in answer.text, "1212" + "1212" in answer.text) == (422, True, False)
    assert (await client.get("/_control/hsa")).json() == before


async def test_personal_numbers_are_for_nobody_to_read(client: httpx.AsyncClient) -> None:
    shown = (await client.get("/_control/hsa")).text
    numbers = [each.personal_number for each in founded().people.values()]
    assert not [each for each in numbers if each in shown or each in repr(founded())]


def test_one_directory_over_another_writes_into_the_upper() -> None:
    below, above = founded(), Directory()
    both = above.over(below)
    both.people["x"] = Employee("x", "Ny")
    assert ("x" in above.people, "x" in below.people, len(both.people)) == (True, False, len(below.people) + 1)


# What the identity provider says


async def claims(client: httpx.AsyncClient, where: str = "", **form: str) -> dict[str, Any]:
    basics = {"grant_type": "client_credentials", "client_id": "ehr"}
    token = (await client.post(f"{where}/identity_provider/token", data=basics | form)).json()["access_token"]
    part = token.split(".")[1]
    told: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return told


async def test_a_known_employees_token_says_what_the_directory_says(client: httpx.AsyncClient) -> None:
    told = await claims(client, employee=scenario.COORDINATOR)
    assert told["employeeHsaId"] == scenario.COORDINATOR
    assert (told["commissionHsaId"], told["healthCareUnitHsaId"]) == (scenario.COMMISSION, scenario.UNIT)
    assert (told["healthCareProviderHsaId"], told["healthcareProviderId"]) == (scenario.PROVIDER, "2321000156")
    assert told["systemRole"] == [f"INTYG;Rehab-{scenario.UNIT}"]
    assert "Läsa;alla;VE" in told["commissionRight"]


async def test_where_there_are_several_commissions_none_is_chosen(client: httpx.AsyncClient) -> None:
    told = await claims(client, employee=f"{HSA}P0002")
    assert [each.removeprefix(HSA) for each in told["allCommissions"]] == ["M0001", "M0002", "M0003", "M0004"]
    assert not {"commissionHsaId", "healthCareUnitHsaId"} & told.keys()


@pytest.mark.parametrize(
    "form",
    [
        {"employee": f"{HSA}P9999"},
        {"employee": f"{HSA}P0004"},
        {"employee": scenario.COORDINATOR, "commission": f"{HSA}M9"},
        {"commission": scenario.COMMISSION},
        {},
    ],
    ids=["unknown", "feigned", "more than the employee", "no employee", "nothing"],
)
async def test_otherwise_a_token_says_what_the_form_says(client: httpx.AsyncClient, form: dict[str, str]) -> None:
    told = await claims(client, **form)
    names = {"employee": "employeeHsaId", "commission": "commissionHsaId"}
    assert {name: told[name] for name in told.keys() & set(names.values())} == {names[k]: v for k, v in form.items()}
    assert "systemRole" not in told


async def test_a_token_is_of_its_namespace(client: httpx.AsyncClient) -> None:
    await client.put("/_ns/a/_control/hsa", json={"units": [UNIT_IN], "people": [PERSON_IN]})
    assert "systemRole" in await claims(client, "/_ns/a", employee=f"{HSA}P0700")
    assert "systemRole" not in await claims(client, employee=f"{HSA}P0700")
