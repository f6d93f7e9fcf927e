"""One suite over every counterpart of the mock world: what people rely on whichever they talk with.

To add a counterpart here: something that it accepts or refuses, in ``SENT``.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

import httpx
import pytest
from lxml import etree

from adapters.block_service import mock as block_service
from adapters.mocking.faults import CATALOGUE, OWN
from adapters.mocking.services import consent_service, hsa_directory, log_service
from service.clock import MovableClock
from service.mock_world import TITLES, MockWorld
from tests.unit.service.mock_samples import PARTIES, PERSON, SEND, message, sdk_message

FEED: Final = "/clinicalprocess/healthcond/rehabilitation/ListSickLeavesForPerson/1/rivtabp21"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, where the contract of the other side is found, and whether it is SOAP."""

    path: str
    body: bytes
    contract: str
    media: str = "text/xml"


SENT: Final[Mapping[str, Sent]] = {
    "forsakringskassan": Sent(SEND, message(), f"{SEND}?wsdl"),
    "intygstjanst": Sent(FEED, b"<no-envelope/>", f"{FEED}?wsdl"),
    "national_platform": Sent(SEND, message(), ""),
    "consent_service": Sent(consent_service.CHECK.path, b"<no-envelope/>", f"{consent_service.CHECK.path}?wsdl"),
    "block_service": Sent(block_service.CHECK.path, b"<no-envelope/>", f"{block_service.CHECK.path}?wsdl"),
    "hsa_directory": Sent(hsa_directory.UNIT.path, b"<no-envelope/>", f"{hsa_directory.UNIT.path}?wsdl"),
    "log_service": Sent(log_service.STORE.path, b"<no-envelope/>", f"{log_service.STORE.path}?wsdl"),
    "regional_platform": Sent("/events", b"{}", "/openapi.json", "application/json"),
    "ehr": Sent("/Procedure", b'{"resourceType": "Procedure"}', "/openapi.json", "application/fhir+json"),
    "message_service": Sent("/v1/sdk/messages", b"{}", "/openapi.json", "application/json"),
    **{name: Sent("/messages", sdk_message(name), "/openapi.json", "application/json") for name in PARTIES},
    "identity_provider": Sent("/token", b"grant_type=x", "/openapi.json", "application/x-www-form-urlencoded"),
}
WITHOUT_RESULT_CODES: Final = frozenset(
    {"national_platform", "hsa_directory", "regional_platform", "ehr", "message_service", "identity_provider"}
)
"""Whose contracts have no code for success."""
PLAYED_BY: Final[Mapping[str, frozenset[str]]] = {
    "dialogue": frozenset({"forsakringskassan", *PARTIES}),
    "fate": frozenset({"message_service"}),
}
every_counterpart = pytest.mark.parametrize("system", SENT)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(MockWorld(MovableClock()).app())
    async with httpx.AsyncClient(transport=transport, base_url="http://mocks") as client:
        yield client


async def send(client: httpx.AsyncClient, system: str, body: bytes | None = None, prefix: str = "") -> httpx.Response:
    sent = SENT[system]
    headers = {"Content-Type": sent.media}
    return await client.post(
        f"{prefix}/{system}{sent.path}", content=sent.body if body is None else body, headers=headers
    )


async def ledger(client: httpx.AsyncClient, system: str, prefix: str = "") -> list[dict[str, object]]:
    entries: list[dict[str, object]] = (await client.get(f"{prefix}/_control/ledger/{system}")).json()
    return entries


def test_every_counterpart_has_a_sample() -> None:
    assert SENT.keys() == TITLES.keys()


@every_counterpart
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"<a", b"{", b"[]", b"null", b"<a/>" * 1000], ids=range(7))
async def test_what_is_refused_is_kept_with_its_rule(client: httpx.AsyncClient, system: str, body: bytes) -> None:
    await send(client, system, body)
    (entry,) = await ledger(client, system)
    assert not entry["accepted"]
    assert entry["rule"]
    assert entry["report"]
    assert entry["size"] == len(body)


@every_counterpart
@pytest.mark.parametrize("name", ["ok", "info"])
async def test_success_is_ordered_where_there_is_a_code_for_it(
    client: httpx.AsyncClient, system: str, name: str
) -> None:
    ordered = await client.put(f"/_control/faults/{system}", json={"name": name})
    if system in WITHOUT_RESULT_CODES:
        assert ordered.json() == {"error": f"{system} cannot play {name}"}
        return
    answer = await send(client, system)
    assert answer.status_code == 200
    assert "ERROR" not in answer.text


@every_counterpart
@pytest.mark.parametrize("name", ["VP009", "technical-error", "http-503", "not-an-answer", "wrong-charset"])
async def test_faults_by_name(client: httpx.AsyncClient, system: str, name: str) -> None:
    before = await send(client, system)
    await client.put(f"/_control/faults/{system}", json={"name": name, "times": 2})
    during = [await send(client, system) for _ in range(2)]
    assert all(each.content != before.content or each.status_code != before.status_code for each in during)
    await send(client, system)
    assert [entry["rule"] == name for entry in await ledger(client, system)] == [False, True, True, False]


@every_counterpart
async def test_every_name_is_played_by_everybody_who_can(client: httpx.AsyncClient, system: str) -> None:
    for name, row in CATALOGUE.items():
        if row.fault is None:
            continue
        ordered = await client.put(f"/_control/faults/{system}", json={"name": name, "seconds": 0})
        is_elsewhere = row.fault.kind in OWN and system not in PLAYED_BY[row.fault.kind]
        if is_elsewhere or (name in ("ok", "info") and system in WITHOUT_RESULT_CODES):
            assert ordered.status_code == 422
            continue
        assert ordered.status_code == 200
        assert (await send(client, system)).status_code < 600


@every_counterpart
async def test_a_person_who_may_be_real(client: httpx.AsyncClient, system: str) -> None:
    body = SENT[system].body + b" 19121212" + b"1212"
    assert (await send(client, system, body)).status_code == 403
    (entry,) = await ledger(client, system)
    assert (entry["rule"], entry["request"]) == ("REAL_PERSON", "")


@every_counterpart
async def test_a_test_person_brings_a_fault(client: httpx.AsyncClient, system: str) -> None:
    number = next(
        each["number"] for each in (await client.get("/_control/people")).json() if each["fault"] == "http-503"
    )
    body = SENT[system].body.replace(PERSON.number.encode(), b"") + f"<!-- {number} -->".encode()
    assert (await send(client, system, body)).status_code == 503


@every_counterpart
async def test_namespaces_and_resets(client: httpx.AsyncClient, system: str) -> None:
    await send(client, system, prefix="/_ns/a")
    await send(client, system)
    await client.delete(f"/_ns/a/_control/ledger/{system}")
    assert (await ledger(client, system, "/_ns/a"), len(await ledger(client, system))) == ([], 1)


@pytest.mark.parametrize("system", [name for name, sent in SENT.items() if sent.contract])
async def test_the_contract_is_served(client: httpx.AsyncClient, system: str) -> None:
    sent = SENT[system]
    answer = await client.get(f"/{system}{sent.contract}")
    assert answer.status_code == 200
    if sent.contract.endswith("wsdl"):
        described = etree.fromstring(answer.content)
        address = described.find(".//{http://schemas.xmlsoap.org/wsdl/soap/}address")
        assert address is not None
    else:
        described = answer.json()
        assert described["openapi"].startswith("3.1")
        assert "post" in described["paths"][sent.path]


async def test_the_internal_api_is_described_too(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/intygstjanst/openapi.json")).json()["paths"]
    assert list(paths) == ["/internalapi/sickleave/active"]
