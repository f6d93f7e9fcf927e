"""Our messages by SDK to parties that judge them, and theirs to us: real HTTP between the service and the mock world, with the
clock moved (docs/mocks.md)."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from starlette.types import ASGIApp

from adapters.mocking.faults import NamedFault
from fhir_mappings.identifiers import CONFIDENTIALITY, NOTIFICATION_TOPIC, ORGANISATION_NUMBER, RECIPIENT_KIND
from service.clock import MovableClock
from service.mock_world import MockWorld
from tests.flow.conftest import concept
from tests.flow.test_sdk import dialogue, file

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.conftest import Flow, Person, Promised

Json = dict[str, Any]
AF: Final = "arbetsformedlingen"
PARTIES: Final = {AF: ("2021002114", "Arbetsförmedlingen"), "municipality": ("2120009994", "Exempelstads kommun")}


class _OverHttp(httpx.AsyncBaseTransport):
    """Every request of the service goes over TCP, to where the mock world is served."""

    def __init__(self, address: str) -> None:
        self._there = httpx.URL(address)
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(scheme="http", host=self._there.host, port=self._there.port)
        request.extensions = {}  # without the tests' short time-outs: a busy machine is no fault of the other side
        return await self._inner.handle_async_request(request)


@pytest.fixture
async def flow(
    serve: "Callable[..., AbstractAsyncContextManager[Flow]]",
    over_http: Callable[[ASGIApp], AbstractAsyncContextManager[str]],
    tmp_path: "Path",
) -> AsyncIterator["Flow"]:
    """A service with a message service, and the parties behind it."""
    world = MockWorld(MovableClock())
    async with over_http(world.app()) as address, serve(tmp_path, world, _OverHttp(address), sdk=True) as flow:
        for kind, (number, name) in PARTIES.items():
            known = {
                "resourceType": "Organization",
                "identifier": [{"system": ORGANISATION_NUMBER.fhir, "value": number}],
                "name": name,
                "type": [concept(RECIPIENT_KIND, kind)],
            }
            flow.forms.refs[kind] = f"Organization/{(await flow.post(known))['id']}"
        yield flow


async def told(flow: "Flow", party: str, **elements: Any) -> tuple["Person", "Promised"]:
    """Somebody new whom the party is told of, by SDK."""
    person = await flow.consenting(party)
    stored = await flow.post(flow.forms.request(person, recipient=party, **elements))
    return person, await flow.until(f"CommunicationRequest/{stored['id']}", "delivered", "sdk")


async def follow(flow: "Flow", party: str, script: str) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(flow.world.app()), base_url="http://mocks") as client:
        assert (await client.put(f"/_control/parties/{party}", json={"script": script})).status_code == 200


async def state(flow: "Flow", id: str) -> str:
    """The message's state at the message service."""
    messages = flow.world.counterparts["message_service"].room().remembered("messages")
    found: str = messages[id]["messageStatus"]
    return found


async def test_arbetsformedlingen_takes_it_and_answers(flow: "Flow") -> None:
    await follow(flow, AF, "accept")
    person, message = await told(flow, AF)
    await dialogue(flow, person, "informed")
    assert flow.ledger(AF) == []
    await flow.world.move(advance=timedelta(minutes=10))
    assert (await state(flow, message.id), flow.accepted(message.id, AF)) == ("ACCEPTED", 1)
    assert flow.ledger("forsakringskassan") == []

    await flow.world.move(advance=timedelta(days=1))
    answered = await dialogue(flow, person, "answered")
    read = (await flow.coordinator.get(f"/api/dialogues/{answered['id']}")).json()
    assert [each["direction"] for each in read["messages"]] == ["sent", "received"]
    assert "inskriven hos oss" in read["messages"][1]["texts"][0]


async def test_a_rejection_of_a_rule_parks_it(flow: "Flow") -> None:
    person = await flow.consenting(AF)
    await flow.post(flow.forms.disclosure(person, AF, ["assumed_rehab_need", "contact_details", "tapering_plan"]))
    plan = {"resourceType": "Binary", "contentType": "image/gif", "data": "R0lGODlh"}
    kept = await flow.post(plan | {"securityContext": {"reference": person.reference}})
    request = flow.forms.request(person, recipient=AF)
    request["payload"].append(file(f"Binary/{kept['id']}"))
    stored = await flow.post(request)
    message = await flow.until(f"CommunicationRequest/{stored['id']}", "delivered", "sdk")
    await flow.world.move(advance=timedelta(minutes=10))
    (entry,) = flow.ledger(AF)
    assert (entry.id, entry.accepted, entry.rule) == (message.id, False, "FILE_TYPE_NOT_TAKEN")
    parked = await dialogue(flow, person, "parked")
    assert "another channel may carry it" in parked["reason"]


async def test_it_is_sent_again_until_there_is_a_receipt(flow: "Flow") -> None:
    """The first try is answered by nothing, and the second one's receipt is lost: it arrives once."""
    faults = [NamedFault(name="http-503"), NamedFault(name="loses-the-answer", seconds=0)]
    flow.order(AF, *(each.fault() for each in faults))
    person, message = await told(flow, AF)
    states = []
    for minutes in (10, 12, 12):
        await flow.world.move(advance=timedelta(minutes=minutes))
        states.append(await state(flow, message.id))
    assert states == ["SCHEDULED_FOR_RESEND", "SCHEDULED_FOR_RESEND", "ACCEPTED"]
    assert [entry.accepted for entry in flow.ledger(AF)] == [False, True, True]
    assert "DUPLICATE" in flow.ledger(AF)[2].report[0]
    await dialogue(flow, person, "informed")


async def test_the_municipality_comes_to_a_sip_and_sends_its_part(flow: "Flow") -> None:
    await follow(flow, "municipality", "sip")
    person, message = await told(flow, "municipality", category=[concept(NOTIFICATION_TOPIC, "sip")])
    for advance in (timedelta(minutes=10), timedelta(days=2), timedelta(days=12)):
        await flow.world.move(advance=advance)
        found = await dialogue(flow, person, "informed" if advance < timedelta(days=1) else "answered")
    (case,) = flow.world.counterparts["municipality"].room().remembered("cases").values()
    assert case.question.id == message.id
    read: Json = {}
    for _ in range(100):
        read = (await flow.coordinator.get(f"/api/dialogues/{found['id']}")).json()
        if len(read["messages"]) == 3:
            break
        await flow.quiet()
    assert [each["direction"] for each in read["messages"]] == ["sent", "received", "received"]
    (attached,) = read["messages"][2]["attachments"]
    assert attached


async def test_a_restricted_dialogue_is_so_in_all_its_parts(flow: "Flow") -> None:
    await follow(flow, "municipality", "sip")
    label = {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}
    person, _ = await told(flow, "municipality", category=[concept(NOTIFICATION_TOPIC, "sip")], meta=label)
    for advance in (timedelta(minutes=10), timedelta(days=2), timedelta(days=12)):
        await flow.world.move(advance=advance)
    parts = ("Communication", 3), ("Task", 1), ("CommunicationRequest", 1)
    for type_, count in parts:
        address = f"/fhir/{type_}?patient={person.id}&_total=accurate"
        for _ in range(100):
            found = (await flow.coordinator.get(address)).json()
            if found["total"] == count:
                break
            await flow.quiet()
        assert found["total"] == count, type_
        assert (await flow.colleague.get(address)).json()["total"] == 0, type_
    everything = (await flow.coordinator.get(f"/fhir/Patient/{person.id}/$everything")).json()
    (file_,) = [each["resource"]["id"] for each in everything["entry"] if each["resource"]["resourceType"] == "Binary"]
    wish = {"Accept": "application/fhir+json"}
    seen = [await each.get(f"/fhir/Binary/{file_}", headers=wish) for each in (flow.coordinator, flow.colleague)]
    assert [each.status_code for each in seen] == [200, 404]
