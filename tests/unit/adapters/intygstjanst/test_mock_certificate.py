"""The mock's third contract as somebody else's client meets it: one certificate as a whole, with what control says of it."""

from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest
from lxml import etree

from adapters import soap
from adapters.intygstjanst import wire
from adapters.intygstjanst.certificate import read
from adapters.intygstjanst.settings import CERTIFICATE_PATH
from contracts.certificate import MedicalCertificate
from contracts.identity import HsaId, control_digit
from service.clock import MovableClock
from service.mock_world import MockWorld

UNIT: Final = HsaId("TSTNMT2321000156-E0001")
PATHS: Final = (
    f"/intygstjanst{CERTIFICATE_PATH}",
    f"/intygstjanst{wire.CERTIFICATE.platform_path}",
    f"/national_platform{wire.CERTIFICATE.platform_path}",
)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = MockWorld(MovableClock()).app()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://mocks") as client:
        yield client


async def know(client: httpx.AsyncClient, prefix: str = "", **said: Any) -> None:
    given = {
        "id": "one",
        "personalNumber": f"19700101980{control_digit('700101980')}",
        "unit": UNIT.value,
        "provider": "TSTNMT2321000156-S0001",
        "doctor": "TSTNMT2321000156-D0001",
        "signed": "2026-02-02T08:00:00Z",
        "periods": [{"start": "2026-02-02", "end": "2026-03-20", "degree": 50}],
        **said,
    }
    response = await client.put(f"{prefix}/_control/certificates", json=[given])
    assert response.status_code == 200, response.text


async def ask(
    client: httpx.AsyncClient, id: str = "one", path: str = PATHS[0], body: bytes | None = None
) -> httpx.Response:
    body = body or wire.certificate_request(id, UNIT, "5565594230")
    return await client.post(path, content=body, headers=soap.headers(wire.CERTIFICATE.action))


def read_in(response: httpx.Response) -> MedicalCertificate:
    assert response.status_code == 200, response.text
    content = soap.unwrap(response.content)
    assert isinstance(content, etree._Element)
    return read(content)


@pytest.mark.parametrize("path", PATHS)
async def test_it_answers_at_each_of_its_addresses(client: httpx.AsyncClient, path: str) -> None:
    await know(client)
    assert read_in(await ask(client, path=path)).id == "one"


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("wished", [True, False])
async def test_control_says_what_the_doctor_answered(client: httpx.AsyncClient, version: int, wished: bool) -> None:
    await know(client, version=version, contactWished=wished)
    found = read_in(await ask(client))
    assert (found.version, found.contact_wished, found.unread) == (version, wished, ())


async def test_control_says_what_has_become_of_it(client: httpx.AsyncClient) -> None:
    await know(client, sentToFk=False)
    assert read_in(await ask(client)).sent_to_fk is None
    await know(client, revoked=True)
    assert read_in(await ask(client)).revoked


async def test_the_same_certificate_always_says_the_same(client: httpx.AsyncClient) -> None:
    await know(client)
    first = read_in(await ask(client))
    await know(client)
    assert read_in(await ask(client)) == first


async def test_a_namespace_has_its_own(client: httpx.AsyncClient) -> None:
    await know(client, "/_ns/mine", contactWished=True)
    assert read_in(await ask(client, path=f"/_ns/mine{PATHS[0]}")).contact_wished
    assert (await ask(client)).status_code == 500


@pytest.mark.parametrize(
    "body",
    [
        b"<a/>",
        wire.certificate_request("nobody", UNIT, "5565594230"),
        wire.certificate_request("one", UNIT, "5565594230").replace(b"intygs-id", b"intyg-id"),
        wire.certificate_request("one", UNIT, "5565594230").replace(b"FKASSA<", b"FKASSA</t:code><t:code>A<"),
    ],
    ids=["no envelope", "nobody", "another element", "two codes"],
)
async def test_what_it_refuses_is_a_fault_and_stands_in_the_ledger(client: httpx.AsyncClient, body: bytes) -> None:
    await know(client)
    response = await ask(client, body=body)
    assert response.status_code == 500
    assert isinstance(soap.unwrap(response.content), soap.Fault)
    (entry,) = (await client.get("/_control/ledger/intygstjanst")).json()
    assert (entry["accepted"], bool(entry["report"])) == (False, True)


@pytest.mark.parametrize("asked", ["wsdl", "xsd=get_certificate_2.xsd", "xsd=certificate_3.xsd"])
async def test_its_contract_is_served(client: httpx.AsyncClient, asked: str) -> None:
    response = await client.get(f"{PATHS[0]}?{asked}")
    assert response.status_code == 200
    assert "GetCertificate" in response.text or "Intyg" in response.text
