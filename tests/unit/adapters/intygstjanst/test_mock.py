"""The counterpart: whom it selects, how it answers in its two ways, what it refuses and writes down (rehabstod.md § 1.8)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest
from lxml import etree

from adapters import soap
from adapters.intygstjanst import answers, mock, wire
from adapters.intygstjanst.answers import Mode
from adapters.intygstjanst.reader import AnswerReader
from adapters.intygstjanst.register import Asked, Register, select
from adapters.intygstjanst.settings import CARE_UNIT_PATH, PERSON_PATH
from adapters.mocking import NAMESPACE_HEADER, Counterpart, Fault
from contracts.identity import HsaId, PersonId, control_digit
from contracts.sick_leave import Certificate, CertificatePeriod, SetAside

NOW = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
TODAY = date(2026, 3, 2)
"""The Swedish day: it is past midnight there."""
UNIT = HsaId("SE1111111111-E001")
OTHER_UNIT = HsaId("SE1111111111-E002")
PROVIDER = HsaId("SE1111111111-V001")
MODES: Sequence[Mode] = ("valid", "real")


def person(birth: str, serial: str = "980") -> PersonId:
    return PersonId(f"{birth}{serial}{control_digit(birth[2:] + serial)}")


ALMA, BIRGER, DISA = person("19700101"), person("19600202", "981"), person("19900330", "238")


def certificate(id: str, patient: PersonId, *periods: tuple[int, int], unit: HsaId = UNIT) -> Certificate:
    """Periods are days from today, both ends inclusive."""
    spans = tuple(CertificatePeriod(TODAY + timedelta(a), TODAY + timedelta(b), 100) for a, b in periods)
    return Certificate(id, patient, unit, spans, datetime(2026, 1, 1, 9, tzinfo=UTC), "Alma Provsson", "VC", PROVIDER)


@pytest.fixture
def counterpart() -> Counterpart:
    counterpart = Counterpart("intygstjanst", lambda: NOW)
    mock.register(counterpart, [certificate("a1", ALMA, (-3, 3)), certificate("b1", BIRGER, (-3, 3), unit=OTHER_UNIT)])
    return counterpart


@pytest.fixture
async def client(counterpart: Counterpart) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(mock.create(counterpart))
    async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
        yield client


ADDRESS = "SE1111111111-L001"


async def ask(
    client: httpx.AsyncClient, days: int = 0, namespace: str = "", path: str = CARE_UNIT_PATH, unit: HsaId = UNIT
) -> httpx.Response:
    headers = soap.headers(wire.CARE_UNIT.action) | {NAMESPACE_HEADER: namespace}
    return await client.post(path, content=wire.care_unit_request(unit, days, ADDRESS), headers=headers)


async def ask_person(
    client: httpx.AsyncClient, person: PersonId, namespace: str = "", path: str = PERSON_PATH
) -> httpx.Response:
    headers = soap.headers(wire.PERSON.action) | {NAMESPACE_HEADER: namespace}
    return await client.post(path, content=wire.person_request(person, ADDRESS), headers=headers)


def read(body: bytes, contract: wire.Contract = wire.CARE_UNIT) -> list[Certificate | SetAside]:
    reader = AnswerReader(contract)
    return reader.feed(body) + reader.close()


def ids(response: httpx.Response, contract: wire.Contract = wire.CARE_UNIT) -> list[str]:
    return [record.id for record in read(response.content, contract) if isinstance(record, Certificate)]


# ---- Selection ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "periods", "chosen"),
    [
        (0, [(0, 0)], True),
        (0, [(-9, -1)], False),
        (0, [(1, 9)], False),
        (0, [(-9, -1), (1, 9)], False),  # a hole on the day itself
        (1, [(-9, -1)], True),
        (4, [(-9, -5)], False),
        (5, [(-9, -5)], True),
        (14, [(-30, -14)], True),
        (14, [(-30, -15)], False),
        (14, [(-60, -50), (-20, -3)], True),
    ],
)
def test_a_patient_counts_by_a_period_that_covers_the_day_or_ended_within_the_days(
    days: int, periods: list[tuple[int, int]], chosen: bool
) -> None:
    certificates = [certificate("a1", ALMA, *periods)]
    assert select(certificates, Asked(UNIT.value, days), TODAY) == certificates * chosen


def test_the_patients_who_count_come_with_all_they_have_on_the_unit_by_personal_number() -> None:
    certificates = [
        certificate("a-now", ALMA, (0, 5)),
        certificate("d-old", DISA, (-90, -60)),
        certificate("a-old", ALMA, (-400, -390)),
        certificate("a-next", ALMA, (6, 20)),
        certificate("a-elsewhere", ALMA, (0, 5), unit=OTHER_UNIT),
        certificate("b-now", BIRGER, (-1, 1)),
    ]
    register = Register()
    register.add(certificates)
    found = select(register.on(register.units(UNIT.value)), Asked(UNIT.value), TODAY)
    assert [each.id for each in found] == ["b-now", "a-now", "a-old", "a-next"]


def test_one_person_can_be_asked_for() -> None:
    certificates = [certificate("a", ALMA, (0, 5)), certificate("b", BIRGER, (0, 5))]
    found = select(certificates, Asked(UNIT.value, person=BIRGER.digits), TODAY)
    assert [each.id for each in found] == ["b"]


# ---- Two ways to answer ------------------------------------------------------------------------------------------

POPULATION = mock.generate(7, UNIT, PROVIDER, 40, TODAY)
PLAIN = certificate("plain", DISA, (0, 5))
ODD = replace(
    PLAIN,
    id="<odd>&\"'",
    patient_name="",
    doctor_name="",
    provider=None,
    diagnosis=None,
    secondary_diagnoses=("A00", "B00", "C00"),
    occupations=("", "STUDIER", ""),
)


def content(body: bytes) -> etree._Element:
    element = soap.unwrap(body)
    assert isinstance(element, etree._Element)
    return element


CONTRACTS = (wire.CARE_UNIT, wire.PERSON)
each_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)


@each_contract
@pytest.mark.parametrize("found", [POPULATION, [], [ODD], [PLAIN, ODD]], ids=["many", "none", "odd", "mixed"])
def test_answers_in_the_valid_way_hold_against_the_schema(contract: wire.Contract, found: list[Certificate]) -> None:
    answer = b"".join(answers.certificates(contract, found, "valid"))
    assert soap.schema_errors(contract.schema, content(answer)) == ()
    assert soap.schema_errors(contract.schema, content(answers.failure(contract, "ERROR", "a < b", "valid"))) == ()


@each_contract
@pytest.mark.parametrize("mode", MODES)
def test_what_is_answered_reads_back_as_it_was(contract: wire.Contract, mode: Mode) -> None:
    assert read(b"".join(answers.certificates(contract, POPULATION, mode)), contract) == POPULATION


@each_contract
def test_the_real_way_has_every_deviation(contract: wire.Contract) -> None:
    answer = content(b"".join(answers.certificates(contract, [PLAIN, ODD], "real")))
    names = {etree.QName(element).localname for element in answer.iter()}
    assert names.isdisjoint({"root", "befattningar", "vardgivarnamn"})
    assert answer.find(f"{{{contract.responder}}}vardgivare") is None
    assert len(answer.findall(f".//{{{wire.CORE}}}vardgivare")) == 1
    assert f"{DISA.digits[:8]}-{DISA.digits[8:]}" in answer.xpath(".//text()")
    assert len(answer.findall(f".//{{{wire.CORE}}}bidiagnoser")) == 2
    assert [each.text or "" for each in answer.iter(f"{{{wire.CORE}}}sysselsattning")] == ["", "STUDIER", ""]
    assert [each.text for each in answer.iter(f"{{{wire.CORE}}}signeringsTidpunkt")] == ["2026-01-01T10:00:00"] * 2
    assert [each.text for each in answer.iter(f"{{{wire.CORE}}}enkeltIntyg")] == ["false"] * 2
    assert len(answer.findall(f".//{{{wire.CORE}}}patient/{{{wire.CORE}}}fullstandigtNamn")) == 1
    assert soap.schema_errors(contract.schema, answer) != ()


def test_an_odd_certificate_survives_the_real_way() -> None:
    (found,) = read(b"".join(answers.certificates(wire.CARE_UNIT, [ODD], "real")))
    assert found == replace(ODD, secondary_diagnoses=("A00", "B00"), occupations=("STUDIER",))


def paths(answer: etree._Element) -> list[str]:
    """Where its texts stand, by local names."""
    names = [etree.QName(each).localname for each in answer.iter() if not len(each)]
    return [etree.QName(child).localname for child in answer] + names


@pytest.mark.parametrize(
    ("contract", "elements"),
    [
        (wire.CARE_UNIT, ["resultCode", "comment", "resultCode", "comment"]),
        (wire.PERSON, ["result", "resultCode", "resultMessage"]),
    ],
    ids=["unit", "person"],
)
def test_a_failure_in_the_real_way_is_the_result_and_nothing_else(contract: wire.Contract, elements: list[str]) -> None:
    assert paths(content(answers.failure(contract, "ERROR", "why", "real"))) == elements


@each_contract
def test_a_turned_fault_is_the_flat_result_in_both_contracts(contract: wire.Contract) -> None:
    answer = content(answers.turned_fault(contract, "why"))
    assert paths(answer) == ["resultCode", "comment", "resultCode", "comment"]
    assert (soap.schema_errors(contract.schema, answer) != ()) is True


# ---- Over HTTP ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [CARE_UNIT_PATH, wire.CARE_UNIT.platform_path])
async def test_it_answers_with_the_unit_of_the_question(client: httpx.AsyncClient, path: str) -> None:
    assert ids(await ask(client, path=path)) == ["a1"]


async def test_the_day_is_the_swedish_one(client: httpx.AsyncClient, counterpart: Counterpart) -> None:
    mock.register(counterpart, [certificate("d", DISA, (0, 0))])
    assert ids(await ask(client)) == ["a1", "d"]


async def test_a_namespace_sees_everybodys_until_it_has_its_own(
    client: httpx.AsyncClient, counterpart: Counterpart
) -> None:
    assert ids(await ask(client, namespace="n")) == ["a1"]
    mock.register(counterpart, [certificate("d1", DISA, (0, 5))], "n")
    assert ids(await ask(client, namespace="n")) == ["d1"]
    assert ids(await ask(client)) == ["a1"]


async def test_a_known_id_is_replaced(client: httpx.AsyncClient, counterpart: Counterpart) -> None:
    mock.register(counterpart, [certificate("a1", ALMA, (-3, -2))])
    assert ids(await ask(client)) == []


async def test_a_withdrawn_certificate_is_left_out_there_alone(
    client: httpx.AsyncClient, counterpart: Counterpart
) -> None:
    mock.withdraw(counterpart, ["a1", "unknown"], "n")
    assert ids(await ask(client, namespace="n")) == []
    assert ids(await ask(client)) == ["a1"]


async def test_the_way_is_everybodys_until_a_namespace_has_its_own(
    client: httpx.AsyncClient, counterpart: Counterpart
) -> None:
    assert b"<t:root>" not in (await ask(client, namespace="n")).content
    mock.configure(counterpart, "valid")
    assert b"<t:root>" in (await ask(client, namespace="n")).content
    mock.configure(counterpart, "real", "n")
    assert b"<t:root>" not in (await ask(client, namespace="n")).content


async def test_the_ledger_tells_what_was_asked_and_how_much_was_answered(
    client: httpx.AsyncClient, counterpart: Counterpart
) -> None:
    await ask(client, 5)
    (entry,) = counterpart.room().ledger.entries
    assert (entry.at, entry.id, entry.accepted, entry.fault) == (NOW, "", True, "")
    assert entry.summary == {"unit": UNIT.value, "maxDays": 5, "mode": "real", "certificates": 1}
    assert UNIT.value in entry.request


QUESTION = wire.care_unit_request(UNIT, 0, "SE1111111111-L001").decode()
BAD_QUESTIONS = {
    "words": ("hello", wire.CARE_UNIT.action),
    "a fault": (soap.fault("Client", "no").decode(), wire.CARE_UNIT.action),
    "too many days": (QUESTION.replace(">0<", ">15<"), wire.CARE_UNIT.action),
    "a missing root": (QUESTION.replace("<t:root>1.2.752.129.2.1.4.1</t:root>", ""), wire.CARE_UNIT.action),
    "no logical address": (QUESTION.replace("SE1111111111-L001", ""), wire.CARE_UNIT.action),
    "another action": (QUESTION, "urn:another"),
    "the sibling's question": (wire.person_request(ALMA, ADDRESS).decode(), wire.CARE_UNIT.action),
}


@pytest.mark.parametrize(("body", "action"), BAD_QUESTIONS.values(), ids=BAD_QUESTIONS)
@pytest.mark.parametrize("mode", MODES)
async def test_a_bad_question_is_refused_and_written_down(
    client: httpx.AsyncClient, counterpart: Counterpart, mode: Mode, body: str, action: str
) -> None:
    mock.configure(counterpart, mode)
    response = await client.post(CARE_UNIT_PATH, content=body.encode(), headers=soap.headers(action))
    assert response.status_code == (200 if mode == "real" else 500)
    answer = soap.unwrap(response.content)
    assert isinstance(answer, soap.Fault) == (mode == "valid")
    (entry,) = counterpart.room().ledger.entries
    assert not entry.accepted
    assert entry.report


FAULTS = {
    ("result", "real"): 200,
    ("result", "valid"): 200,
    ("soap-fault", "real"): 200,
    ("soap-fault", "valid"): 500,
    ("http", "real"): 503,
    ("nonsense", "real"): 200,
}


@pytest.mark.parametrize(("played", "status"), FAULTS.items(), ids=lambda value: str(value))
async def test_faults_on_order_are_played_once(
    client: httpx.AsyncClient, counterpart: Counterpart, played: tuple[str, Mode], status: int
) -> None:
    kind, mode = played
    mock.configure(counterpart, mode)
    counterpart.room().order([Fault.model_validate({"kind": kind, "text": "VP009 no contact"})])
    response = await ask(client)
    assert response.status_code == status
    assert ids(await ask(client)) == ["a1"]
    refused, answered = counterpart.room().ledger.entries
    assert (refused.accepted, refused.fault, answered.accepted) == (False, kind, True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("code", ["ERROR", "INFO"])
async def test_a_result_on_order_comes_with_its_comment(
    client: httpx.AsyncClient, counterpart: Counterpart, mode: Mode, code: str
) -> None:
    mock.configure(counterpart, mode)
    counterpart.room().order([Fault.model_validate({"kind": "result", "result_code": code, "text": "no & why"})])
    answer = content((await ask(client)).content)
    assert answer.findtext(f"{{{wire.CARE_UNIT.responder}}}resultCode") == code
    assert answer.findtext(f"{{{wire.CARE_UNIT.responder}}}comment") == "no & why"


# ---- By person ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [PERSON_PATH, wire.PERSON.platform_path])
async def test_a_person_comes_with_everything_on_all_units_however_old(
    client: httpx.AsyncClient, counterpart: Counterpart, path: str
) -> None:
    mock.register(
        counterpart, [certificate("a-old", ALMA, (-4000, -3990)), certificate("a-far", ALMA, (90, 99), unit=OTHER_UNIT)]
    )
    assert ids(await ask_person(client, ALMA, path=path), wire.PERSON) == ["a1", "a-old", "a-far"]
    assert ids(await ask_person(client, DISA, path=path), wire.PERSON) == []
    assert counterpart.room().ledger.entries[-1].summary == {"mode": "real", "certificates": 0}


async def test_a_withdrawn_certificate_is_gone_for_the_person_too(
    client: httpx.AsyncClient, counterpart: Counterpart
) -> None:
    mock.withdraw(counterpart, ["a1"])
    assert ids(await ask_person(client, ALMA), wire.PERSON) == []


@pytest.mark.parametrize(
    ("kind", "mode", "elements"),
    [
        ("result", "real", ["result"]),
        ("result", "valid", ["vardgivare", "intygsLista", "result"]),
        ("soap-fault", "real", ["resultCode", "comment"]),
    ],
)
async def test_faults_by_person_have_their_own_shapes(
    client: httpx.AsyncClient, counterpart: Counterpart, kind: str, mode: Mode, elements: list[str]
) -> None:
    mock.configure(counterpart, mode)
    counterpart.room().order([Fault.model_validate({"kind": kind, "text": "no & why"})])
    response = await ask_person(client, ALMA)
    assert response.status_code == 200
    assert [etree.QName(each).localname for each in content(response.content)] == elements


async def test_a_soap_fault_by_person_in_the_valid_way(client: httpx.AsyncClient, counterpart: Counterpart) -> None:
    mock.configure(counterpart, "valid")
    counterpart.room().order([Fault(kind="soap-fault", text="VP009")])
    response = await ask_person(client, ALMA)
    assert response.status_code == 500
    assert soap.unwrap(response.content) == soap.Fault("Server", "VP009")


# ---- Care units with mottagningar --------------------------------------------------------------------------------


async def test_a_care_unit_comes_with_its_mottagningar(client: httpx.AsyncClient, counterpart: Counterpart) -> None:
    mock.subordinate(counterpart, UNIT, OTHER_UNIT)
    assert sorted(ids(await ask(client))) == ["a1", "b1"]
    assert ids(await ask(client, unit=OTHER_UNIT)) == ["b1"]


# ---- The service description -------------------------------------------------------------------------------------


@each_contract
async def test_the_description_leads_to_every_schema(client: httpx.AsyncClient, contract: wire.Contract) -> None:
    """As a client does it that is given the address alone."""
    path = CARE_UNIT_PATH if contract is wire.CARE_UNIT else PERSON_PATH
    waiting, seen = [f"{path}?wsdl"], set[str]()
    while waiting:
        address = waiting.pop()
        seen.add(address)
        response = await client.get(address)
        assert response.headers["Content-Type"].startswith("text/xml")
        linked = etree.fromstring(response.content).xpath("//@schemaLocation")
        waiting += (
            {str(response.url.join(str(link))).removeprefix("http://mock") for link in linked} - seen - {*waiting}
        )
    files = {contract.schema, "registry_1.xsd", "rehabilitation_1.xsd", "certificate_types_2.xsd"}
    assert seen == {f"{path}?wsdl", *(f"{path}?xsd={file}" for file in files)}


async def test_the_description_says_where_it_was_found(client: httpx.AsyncClient) -> None:
    described = etree.fromstring((await client.get(f"{PERSON_PATH}?wsdl")).content)
    (address,) = described.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address.get("location") == f"http://mock{PERSON_PATH}"


@pytest.mark.parametrize("query", ["", "?xsd=nothing.xsd", "?xsd=../PROVENANCE.md", "?xsd="])
async def test_nothing_else_is_handed_out(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"{CARE_UNIT_PATH}{query}")).status_code == 404


async def test_a_question_without_a_soap_action_is_answered_as_everywhere_here(client: httpx.AsyncClient) -> None:
    response = await client.post(CARE_UNIT_PATH, content=QUESTION.encode(), headers={"Content-Type": "text/xml"})
    assert content(response.content).findtext("{*}resultCode") == "OK"
