"""The whole mock world in-process: what stands behind which door, the platform before the others, and the small services."""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from adapters import soap
from adapters.forsakringskassan import inbound
from adapters.mocking import NAMESPACE_HEADER
from adapters.mocking.people import PEOPLE
from adapters.mocking.services import consent_service, log_service
from adapters.soap import PLATFORM_CODES
from service.clock import MovableClock
from service.mock_pytest import RekoMock
from service.mock_world import INERA, PLATFORM, TITLES, MockWorld
from tests.unit.service.mock_samples import PERSON, RESPONDER, SEND, message


@pytest.fixture
def world() -> MockWorld:
    return MockWorld(MovableClock())


@pytest.fixture
async def client(world: MockWorld) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app()), base_url="http://mocks") as client:
        yield client


async def through_platform(client: httpx.AsyncClient, body: bytes, path: str = SEND, **headers: str) -> httpx.Response:
    headers = {"Content-Type": "text/xml", "SOAPAction": f'"{RESPONDER}:SendMessageToRecipient"', **headers}
    return await client.post(f"/national_platform{path}", content=body, headers=headers)


def code_of(response: httpx.Response) -> str:
    content = soap.unwrap(response.content)
    if isinstance(content, soap.Fault):
        return content.platform_code or content.text
    return content.findtext(".//{*}resultCode", "")


async def received(client: httpx.AsyncClient) -> dict[str, int]:
    return {
        name: each["received"]
        for name, each in (await client.get("/_control/ledger")).json().items()
        if each["received"]
    }


# What there is


async def test_every_counterpart_has_its_door(client: httpx.AsyncClient) -> None:
    assert (await client.get("/")).json()["systems"] == TITLES
    assert (await client.get("/_control/ledger")).json().keys() == TITLES.keys()


async def test_every_contract_is_found_from_the_door(client: httpx.AsyncClient) -> None:
    told = (await client.get("/")).json()["contracts"]
    assert told.keys() == TITLES.keys()
    assert {name for name, contracts in told.items() if not contracts} == {PLATFORM}  # it has those of the others
    assert f"/forsakringskassan{SEND}?wsdl" in told["forsakringskassan"]
    assert f"/forsakringskassan{inbound.PATH}?wsdl" in told["forsakringskassan"]
    assert told["ehr"] == ["/ehr/openapi.json"]
    for name, contracts in told.items():
        assert (await client.get(f"/{name}")).json() == {"system": TITLES[name], "contracts": contracts}
        for path in contracts:
            assert (await client.get(path)).status_code == 200


async def test_a_wsdl_names_the_address_it_is_asked_at_and_serves_what_it_imports(client: httpx.AsyncClient) -> None:
    told = (await client.get("/")).json()["contracts"]
    wsdls = [path for contracts in told.values() for path in contracts if path.endswith("?wsdl")]
    assert len(wsdls) == 16
    for path in wsdls:
        root = etree.fromstring((await client.get(f"/_ns/mine{path}")).content)
        address = root.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
        assert address is not None
        assert address.get("location") == f"http://mocks/_ns/mine{path.removesuffix('?wsdl')}"
        imports = [each.get("schemaLocation", "") for each in root.iter("{http://www.w3.org/2001/XMLSchema}import")]
        assert len(imports) == 2
        for name in imports:
            assert (await client.get(str(httpx.URL(path).join(name)))).status_code == 200


async def test_the_parts_of_the_control_surface_are_one_description(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/_control/openapi.json")).json()["paths"]
    assert {"/_control/officer", "/_control/platform", "/_control/certificates", "/_control/verify"} <= paths.keys()


async def test_where_a_record_was_made_can_be_followed(client: httpx.AsyncClient) -> None:
    content = {"resourceType": "Procedure", "status": "unknown", "subject": {"display": "X"}}
    headers = {"Content-Type": "application/fhir+json"}
    made = await client.post("/_ns/mine/ehr/Procedure", content=orjson.dumps(content), headers=headers)
    location = httpx.URL("http://mocks/_ns/mine/ehr/Procedure").join(made.headers["Location"])
    assert location == "http://mocks/_ns/mine/ehr/Procedure/1/_history/1"
    assert (await client.get(location.path.partition("/_history")[0])).status_code == 200


# Connections


def test_connections_break_on_order_before_a_served_counterpart(reko_mock: RekoMock) -> None:
    reko_mock.ask("PUT", "faults/forsakringskassan", [])
    broken = reko_mock.ask("PUT", "proxy/forsakringskassan", {"name": "reset-after"})["url"]
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{broken}{SEND}", content=message(), trust_env=False)
    reko_mock.verify("forsakringskassan", "exactly-once", within=5, id="m-1")
    again = httpx.post(f"{broken}{SEND}", content=message(), trust_env=False)
    assert b"MEDDELANDE_ID_NOT_UNIQUE_ERROR" in again.content
    assert reko_mock.ask("DELETE", "proxy/forsakringskassan")["passed"] == 2


def test_a_namespace_has_connections_of_its_own(reko_mock: RekoMock, reko_mock_server: str) -> None:
    other = RekoMock(reko_mock_server, "another")
    broken = reko_mock.ask("PUT", "proxy/forsakringskassan", {"name": "reset", "times": None})["url"]
    whole = other.ask("PUT", "proxy/forsakringskassan", [])["url"]
    assert httpx.post(f"{whole}{SEND}", content=message(), trust_env=False).status_code == 200
    with pytest.raises(httpx.TransportError):
        httpx.post(f"{broken}{SEND}", content=message(), trust_env=False)
    other.ask("DELETE", "namespace")
    with pytest.raises(httpx.ConnectError):
        httpx.post(f"{whole}{SEND}", content=message(), trust_env=False)


async def test_in_process_there_are_no_connections_to_break(client: httpx.AsyncClient) -> None:
    answer = await client.put("/_control/proxy/forsakringskassan", json={"name": "reset"})
    assert answer.status_code == 422
    for wrong in ({"name": "VP009"}, {"name": "drip", "size": 0}):
        assert (await client.put("/_control/proxy/forsakringskassan", json=wrong)).status_code == 422
    assert (await client.delete("/_control/proxy/forsakringskassan")).status_code == 404


# Time


async def _now(client: httpx.AsyncClient, namespace: str) -> datetime:
    answer = await client.get("/_control/clock", headers={NAMESPACE_HEADER: namespace})
    return datetime.fromisoformat(answer.json()["now"])


async def _advance(client: httpx.AsyncClient, namespace: str, by: str) -> int:
    answer = await client.put("/_control/clock", json={"advance": by}, headers={NAMESPACE_HEADER: namespace})
    return int(answer.json()["done"])


async def test_who_moves_time_in_a_namespace_moves_no_other(client: httpx.AsyncClient) -> None:
    """Parallel tests do not meet: what is planned comes due in the one that moved, and is written down at its time."""
    accepts = next(person for person in PEOPLE.values() if person.script == "accept")
    for namespace in ("a", "b"):
        await client.post(f"/_ns/{namespace}/forsakringskassan{SEND}", content=message(person=accepts))
    began = await _now(client, "b")
    assert await _advance(client, "a", "P8D") == 3
    entries = {
        namespace: (await client.get(f"/_ns/{namespace}/_control/ledger/forsakringskassan")).json()
        for namespace in ("a", "b")
    }
    assert [len(each) for each in entries.values()] == [4, 1]
    await client.post(f"/_ns/a/forsakringskassan{SEND}", content=b"<a/>")
    (*_, last) = (await client.get("/_ns/a/_control/ledger/forsakringskassan")).json()
    assert datetime.fromisoformat(last["at"]) - began > timedelta(days=7)
    assert await _now(client, "b") - began < timedelta(hours=1)
    assert await _advance(client, "", "P8D") == 3, "everybody's time is b's too"
    assert await _now(client, "a") - began > timedelta(days=15)
    await client.delete("/_control/namespace", headers={NAMESPACE_HEADER: "a"})
    assert timedelta(days=8) <= await _now(client, "a") - began < timedelta(days=9)


async def test_a_namespace_is_moved_to_an_instant(client: httpx.AsyncClient) -> None:
    wanted = "2030-01-01T00:00:00+00:00"
    answer = await client.put("/_ns/a/_control/clock", json={"now": wanted})
    assert answer.json()["now"][:16] == wanted[:16]
    assert (await _now(client, "")).year < 2030


@pytest.mark.parametrize("namespace", ["", "a"])
@pytest.mark.parametrize(
    "wanted",
    [{"advance": "P999999999D"}, {"advance": "-P999999999D"}, {"now": "9999-12-31T23:59:59Z"}, {"advance": "P200Y"}],
)
async def test_time_beyond_all_plans_is_refused_and_stops_nobody(
    client: httpx.AsyncClient, namespace: str, wanted: dict[str, str]
) -> None:
    answer = await client.put("/_control/clock", json=wanted, headers={NAMESPACE_HEADER: namespace})
    assert answer.status_code == 422
    assert await _advance(client, "b", "PT1M") == 0


# What lasts


async def test_a_scheduled_answer_comes_as_time_passes(world: MockWorld) -> None:
    """Nobody asks for it: while the world is served it looks by itself."""
    came = asyncio.Event()

    async def deed(at: datetime) -> None:
        came.set()

    app = world.app()
    async with app.router.lifespan_context(app):
        world.agenda.make(world.clock.now(), "", "something", deed)
        await asyncio.wait_for(came.wait(), 10)


async def test_what_goes_wrong_in_one_deed_stops_no_other(world: MockWorld) -> None:
    came = asyncio.Event()

    async def broken(at: datetime) -> None:
        raise ValueError("no")

    async def deed(at: datetime) -> None:
        came.set()

    app = world.app()
    async with app.router.lifespan_context(app):
        world.agenda.make(world.clock.now(), "", "broken", broken)
        world.agenda.make(world.clock.now(), "", "something", deed)
        await asyncio.wait_for(came.wait(), 10)


async def test_everybodys_engine_survives_forgetting(client: httpx.AsyncClient, world: MockWorld) -> None:
    await client.delete("/_control/namespace")
    assert world.counterparts["intygstjanst"].room().state.keys() == {"compute"}


# The platform


async def test_it_passes_on_what_it_gets(client: httpx.AsyncClient) -> None:
    answer = await through_platform(client, message(), **{"X-Mock-Namespace": "a", "x-vp-sender-id": "SE-1"})
    assert code_of(answer) == "OK"
    (entry,) = (await client.get("/_ns/a/_control/ledger/forsakringskassan")).json()
    assert entry["request"] == message().decode()
    assert entry["headers"]["x-rivta-original-serviceconsumer-hsaid"] == "SE-1"
    assert await received(client) == {}


@pytest.mark.parametrize(
    ("send", "code"),
    [
        (lambda c: through_platform(c, message(), "/somewhere/else"), "VP001"),
        (lambda c: through_platform(c, message(address="")), "VP003"),
        (lambda c: through_platform(c, message(address="5565594230")), "VP004"),
        (lambda c: through_platform(c, message(), "/a/b/1/rivtabp21"), "VP004"),
        (lambda c: through_platform(c, b"no xml"), "VP015"),
        (lambda c: through_platform(c, message(), **{"x-rivta-routing-history": "A,MOCK-NTJP"}), "VP014"),
    ],
)
async def test_what_it_stops(client: httpx.AsyncClient, send: Callable[[httpx.AsyncClient], Any], code: str) -> None:
    answer = await send(client)
    assert (answer.status_code, code_of(answer)) == (500, code)
    (entry,) = (await client.get("/_control/ledger/national_platform")).json()
    assert (entry["rule"], entry["accepted"]) == (code, False)
    assert await received(client) == {"national_platform": 1}


async def test_whom_it_lets_through(client: httpx.AsyncClient) -> None:
    wanted = {"demandSender": True, "unauthorised": ["SE-2"], "trusted": ["SE-1"]}
    assert (await client.put("/_control/platform", json=wanted)).status_code == 200
    original = {"x-rivta-original-serviceconsumer-hsaid": "SE-9"}
    assert code_of(await through_platform(client, message())) == "VP002"
    assert code_of(await through_platform(client, message(), **{"x-vp-sender-id": "SE-2"})) == "VP007"
    assert code_of(await through_platform(client, message(), **original, **{"x-vp-sender-id": "SE-3"})) == "VP013"
    assert code_of(await through_platform(client, message(), **original, **{"x-vp-sender-id": "SE-1"})) == "OK"


async def test_its_own_resend_makes_a_duplicate(client: httpx.AsyncClient) -> None:
    await client.put("/_control/platform", json={"resendAfter": 0})
    await client.put("/_control/faults/forsakringskassan", json={"name": "loses-the-answer", "seconds": 0})
    answer = await through_platform(client, message())
    assert b"MEDDELANDE_ID_NOT_UNIQUE_ERROR" in answer.content
    first, second = (await client.get("/_control/ledger/forsakringskassan")).json()
    assert (first["accepted"], second["accepted"]) == (True, False)
    (passed,) = (await client.get("/_control/ledger/national_platform")).json()
    assert passed["report"] == ["sent twice: the connection to the producer broke"]
    check = {"system": "forsakringskassan", "check": "exactly-once", "about": {"id": "m-1"}}
    assert (await client.post("/_control/verify", json={"checks": [check]})).status_code == 200


async def test_a_producer_that_stays_away_is_vp009(client: httpx.AsyncClient) -> None:
    await client.put("/_control/platform", json={"resendAfter": 0, "producerSeconds": 0.05})
    await client.put(
        "/_control/faults/forsakringskassan", json={"name": "loses-the-answer", "seconds": 0, "times": None}
    )
    assert code_of(await through_platform(client, message())) == "VP009"
    assert await received(client) == {"national_platform": 1, "forsakringskassan": 2}
    await client.put("/_control/faults/forsakringskassan", json={"name": "slow", "seconds": 5})
    assert code_of(await through_platform(client, message("m-2"))) == "VP009"


@pytest.mark.parametrize("code", PLATFORM_CODES)
async def test_every_code_on_order(client: httpx.AsyncClient, code: str) -> None:
    await client.put("/_control/faults/national_platform", json={"name": code})
    answer = await through_platform(client, message())
    assert (answer.status_code, code_of(answer)) == (500, code)


# The consent service


ACTOR = "<c:employeeId>{0}</c:employeeId><c:careProviderId>P</c:careProviderId><c:careUnitId>U</c:careUnitId>"
PATIENT = f"<s:patientId><c:root>1.2.752.129.2.1.3.1</c:root><c:extension>{PERSON.number}</c:extension></s:patientId>"


async def call(
    client: httpx.AsyncClient, operation: Any, content: str, system: str = "consent_service"
) -> etree._Element:
    namespaces = f'xmlns:s="{operation.responder}" xmlns:c="urn:riv:{operation.domain}:2"'
    element = etree.fromstring(f"<s:{operation.name} {namespaces}>{content}</s:{operation.name}>")
    answer = await client.post(
        f"/{system}{operation.path}", content=soap.wrap(element, INERA), headers=soap.headers(operation.action)
    )
    found = soap.unwrap(answer.content)
    assert not isinstance(found, soap.Fault), found
    return found


async def consented(client: httpx.AsyncClient, employee: str = "E") -> bool:
    content = f"<s:accessingActor>{ACTOR.format(employee)}</s:accessingActor>{PATIENT}"
    found = await call(client, consent_service.CHECK, content)
    assert found.findtext(".//{*}resultCode") == "OK"
    return found.findtext(".//{*}hasConsent") == "true"


async def register(client: httpx.AsyncClient, id: str = "a-1", more: str = "", kind: str = "Consent") -> str:
    by = "<c:employeeId>E</c:employeeId>"
    content = (
        f"<s:assertionId>{id}</s:assertionId><s:assertionType>{kind}</s:assertionType><s:scope>NationalLevel</s:scope>"
        f"{PATIENT}<s:careProviderId>P</s:careProviderId><s:careUnitId>U</s:careUnitId>{more}"
        f"<s:registrationAction><c:requestDate>2026-05-04T08:00:00</c:requestDate><c:requestedBy>{by}</c:requestedBy>"
        f"<c:registrationDate>2026-05-04T08:00:00</c:registrationDate><c:registeredBy>{by}</c:registeredBy></s:registrationAction>"
    )
    found = await call(client, consent_service.REGISTER, content)
    assert not soap.schema_errors("register_extended_consent_2.xsd", found)
    return found.findtext(".//{*}resultCode", "")


async def test_a_registered_consent_is_there(client: httpx.AsyncClient) -> None:
    assert not await consented(client)
    assert await register(client) == "OK"
    assert await consented(client)
    assert await register(client) == "ALREADYEXISTS"


async def test_a_consent_for_one_employee_is_for_that_one(client: httpx.AsyncClient) -> None:
    await register(client, more="<s:employeeId>E</s:employeeId>")
    assert (await consented(client, "E"), await consented(client, "F")) == (True, False)


async def test_a_consent_ends(client: httpx.AsyncClient, world: MockWorld) -> None:
    end = (world.clock.now() + timedelta(days=3)).isoformat()
    await register(client, more=f"<s:endDate>{end}</s:endDate>")
    assert await consented(client)
    await client.put("/_control/clock", json={"advance": "P4D"})
    assert not await consented(client)


async def test_what_the_consent_service_refuses(client: httpx.AsyncClient) -> None:
    period = "<s:startDate>2026-06-01T00:00:00</s:startDate><s:endDate>2026-05-01T00:00:00</s:endDate>"
    assert await register(client, more=period) == "VALIDATION_ERROR"
    assert await register(client, kind="Guess") == "VALIDATION_ERROR"
    assert await register(client, id="a" * 37) == "VALIDATION_ERROR"
    rules = [entry["rule"] for entry in (await client.get("/_control/ledger/consent_service")).json()]
    assert rules == ["PERIOD", "SCHEMA", "SCHEMA"]


@pytest.mark.parametrize(
    ("name", "code"),
    [("technical-error", "ERROR"), ("validation-error", "VALIDATION_ERROR"), ("info", "INFO"), ("VP009", "VP009")],
)
async def test_faults_of_a_small_service(client: httpx.AsyncClient, name: str, code: str) -> None:
    await client.put("/_control/faults/consent_service", json={"name": name})
    operation = consent_service.CHECK
    answer = await client.post(f"/consent_service{operation.path}", headers=soap.headers(operation.action))
    assert code_of(answer) == code


# The log service


def row(id: str, activity: str = "Läsa", resources: int = 1) -> str:
    provider = "<c:careProvider><c:careProviderId>P</c:careProviderId></c:careProvider>"
    unit = "<c:careUnit><c:careUnitId>U</c:careUnitId></c:careUnit>"
    resource = f"<c:resource><c:resourceType>Sjukfall</c:resourceType>{provider}</c:resource>"
    return (
        f"<s:log><c:logId>{id}</c:logId><c:system><c:systemId>S</c:systemId></c:system><c:activity>"
        f"<c:activityType>{activity}</c:activityType><c:startDate>2026-05-04T08:00:00</c:startDate>"
        f"<c:purpose>Vård och behandling</c:purpose></c:activity><c:user><c:userId>E</c:userId>{provider}{unit}</c:user>"
        f"<c:resources>{resource * resources}</c:resources></s:log>"
    )


async def stored(client: httpx.AsyncClient, rows: str) -> str:
    found = await call(client, log_service.STORE, rows, "log_service")
    assert soap.schema_errors("store_log_2.xsd", found) == ()
    return found.findtext(".//{*}resultCode", "")


async def test_rows_are_stored_and_oddities_noted(client: httpx.AsyncClient) -> None:
    assert await stored(client, row("1") + row("2")) == "OK"
    assert await stored(client, row("3", "Titta", 2)) == "OK"
    entries = (await client.get("/_control/ledger/log_service")).json()
    assert [entry["id"] for entry in entries] == ["1,2", "3"]
    assert [len(entry["report"]) for entry in entries] == [0, 2]


async def test_a_row_that_has_come_before_is_refused_with_its_whole_batch(client: httpx.AsyncClient) -> None:
    assert await stored(client, row("1")) == "OK"
    assert await stored(client, row("1") + row("2")) == "VALIDATION_ERROR"
    assert await stored(client, row("3") + row("3")) == "VALIDATION_ERROR"
    assert await stored(client, row("2") + row("3")) == "OK"


async def test_five_hundred_rows_are_a_call(client: httpx.AsyncClient) -> None:
    assert await stored(client, "".join(row(f"a{n}") for n in range(log_service.MOST + 1))) == "VALIDATION_ERROR"
    assert await stored(client, "".join(row(f"a{n}") for n in range(log_service.MOST))) == "OK"


async def test_with_loose_rules_a_row_that_has_come_before_is_noted(client: httpx.AsyncClient) -> None:
    await client.put("/_control/validation/log_service", json={"rules": "warn"})
    assert [await stored(client, row("1")) for _ in range(2)] == ["OK", "OK"]
    entries = (await client.get("/_control/ledger/log_service")).json()
    assert [len(entry["report"]) for entry in entries] == [0, 1]


async def test_a_row_without_purpose_is_refused(client: httpx.AsyncClient) -> None:
    wrong = row("1").replace("<c:purpose>Vård och behandling</c:purpose>", "")
    found = await call(client, log_service.STORE, wrong, "log_service")
    assert found.findtext(".//{*}resultCode") == "VALIDATION_ERROR"


# The identity provider


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def test_a_token_can_be_checked_with_the_keys(client: httpx.AsyncClient) -> None:
    described = (await client.get("/identity_provider/.well-known/openid-configuration")).json()
    form = {"grant_type": "client_credentials", "client_id": "ehr", "scope": "system/*.rs", "employee": "TST-1"}
    token = (await client.post(described["token_endpoint"], data=form)).json()["access_token"]
    (key,) = (await client.get(described["jwks_uri"])).json()["keys"]
    header, claims, signature = token.split(".")
    x, y = (int.from_bytes(_decoded(key[name])) for name in ("x", "y"))
    raw = _decoded(signature)
    both = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    public = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    public.verify(both, f"{header}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    told = orjson.loads(_decoded(claims))
    assert orjson.loads(_decoded(header))["kid"] == key["kid"]
    assert (told["sub"], told["employeeHsaId"], told["iss"]) == ("ehr", "TST-1", described["issuer"])
    assert told["exp"] - told["iat"] == 300


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, "invalid_client"),
    ],
)
async def test_tokens_that_are_refused(client: httpx.AsyncClient, form: dict[str, str], error: str) -> None:
    answer = await client.post("/identity_provider/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.json()["error_description"]


@pytest.mark.parametrize(("level", "report"), [("warn", ["grant_type is missing; the body is a form"]), ("off", [])])
async def test_tokens_for_anybody_where_that_is_wanted(
    client: httpx.AsyncClient, level: str, report: list[str]
) -> None:
    await client.put("/_control/validation/identity_provider", json={"rules": level})
    assert (await client.post("/identity_provider/token", data={})).status_code == 200
    (entry,) = (await client.get("/_control/ledger/identity_provider")).json()
    assert (entry["accepted"], entry["report"]) == (True, report)


@pytest.mark.parametrize("path", [".well-known/openid-configuration", "jwks"])
async def test_an_identity_provider_can_be_unwell_whatever_it_is_asked(client: httpx.AsyncClient, path: str) -> None:
    await client.put("/_control/faults/identity_provider", json=[{"name": "http-503"}, {"name": "technical-error"}])
    answers = [await client.get(f"/identity_provider/{path}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [503, 500, 200]
