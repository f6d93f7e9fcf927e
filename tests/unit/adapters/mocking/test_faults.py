"""Faults by name, by test person, n times and then fine; validation of answers; namespaces; replay."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from adapters.mocking.faults import CATALOGUE, CONNECTION, OWN
from adapters.mocking.people import PEOPLE, stranger
from adapters.mocking.world import World
from adapters.soap import PLATFORM_CODES


async def order(client: httpx.AsyncClient, *faults: dict[str, object] | str, system: str = "echo") -> httpx.Response:
    listed = [{"name": fault} if isinstance(fault, str) else fault for fault in faults]
    return await client.put(f"/_control/faults/{system}", json=listed)


def test_every_row_of_the_facts_has_its_name() -> None:
    contract = {"ok", "info", "validation-error", "application-error", "revoked", "technical-error"}
    undefined = {
        "error-without-id",
        "empty-result",
        "soap-fault",
        "unmarshalling-fault",
        "http-500",
        "loses-the-answer",
    }
    assert contract | undefined | set(PLATFORM_CODES) <= set(CATALOGUE)
    assert set(PLATFORM_CODES) == {f"VP{number:03}" for number in range(1, 16)}


async def test_the_table_is_listed(client: httpx.AsyncClient) -> None:
    listed = (await client.get("/_control/faults")).json()
    assert listed.keys() == CATALOGUE.keys()
    assert {name for name, row in listed.items() if row["by"] == "proxy"} == CONNECTION
    assert all(row["words"] for row in listed.values())


@pytest.mark.parametrize("name", sorted(name for name, row in CATALOGUE.items() if row.fault))
async def test_every_name_can_be_ordered_and_goes_away(client: httpx.AsyncClient, world: World, name: str) -> None:
    world.counterpart("echo").plays.update(OWN)
    world.counterpart("echo").has_result_codes = True
    assert (await order(client, {"name": name, "times": 2, "seconds": 0})).json() == {"ordered": 1}
    for _ in range(2):
        await client.post("/echo/in", content=b"<a/>", headers={"Id": "1"})
    entries = world.counterpart("echo").room().ledger.entries
    assert {entry.rule for entry in entries} == {name}
    assert (await client.post("/echo/in", content=b"<b/>")).text == "<ok/>"
    assert world.counterpart("echo").room().ledger.entries[-1].rule == ""


@pytest.mark.parametrize("name", sorted(CONNECTION))
async def test_connections_break_in_the_proxy_alone(client: httpx.AsyncClient, name: str) -> None:
    answer = await order(client, name)
    assert answer.status_code == 422
    assert "/_control/proxy" in answer.text


@pytest.mark.parametrize(
    "wrong",
    [{"name": "no-such"}, {"kind": "no-such"}, {"name": "ok", "times": 0}, {"kind": "http", "status": 99}, {}, "x", 1],
)
async def test_a_wrong_order_is_refused(client: httpx.AsyncClient, wrong: object) -> None:
    assert (await client.put("/_control/faults/echo", json=wrong)).status_code == 422


async def test_who_cannot_play_it_says_so(client: httpx.AsyncClient) -> None:
    answer = await order(client, "duplicate-reply")
    assert answer.status_code == 422
    assert answer.json() == {"error": "echo cannot play duplicate-reply"}


async def test_faults_come_in_order_and_what_waits_is_told(client: httpx.AsyncClient) -> None:
    await order(client, {"name": "http-503", "times": 2}, "VP009", {"name": "http-401", "times": None})
    statuses = [(await client.post("/echo/in")).status_code for _ in range(5)]
    assert statuses == [503, 503, 500, 401, 401]
    (left,) = (await client.get("/_control/faults/echo")).json()
    assert (left["name"], left["times"]) == ("http-401", None)
    await client.delete("/_control/faults/echo")
    assert (await client.post("/echo/in")).status_code == 200


async def test_late_answers_and_lost_ones_are_handled_all_the_same(client: httpx.AsyncClient, world: World) -> None:
    await order(client, {"name": "answers-late", "seconds": 0.05}, {"name": "loses-the-answer", "seconds": 0})
    began = time.monotonic()
    assert (await client.post("/echo/in", headers={"Id": "1"})).text == "<ok/>"
    assert time.monotonic() - began >= 0.05
    assert (await client.post("/echo/in", headers={"Id": "2"})).status_code == 504
    assert world.counterpart("echo").room().ledger.accepted_ids() == ["1", "2"]


async def test_the_platform_sends_again(client: httpx.AsyncClient, world: World) -> None:
    await order(client, "delivered-twice")
    await client.post("/echo/in", content=b"once", headers={"Id": "1"})
    first, second = world.counterpart("echo").room().ledger.entries
    assert (first.id, second.id) == ("1", "1")
    assert second.report == ("again",)


async def test_a_wrong_charset_cannot_be_read_as_it_says(client: httpx.AsyncClient) -> None:
    await order(client, "wrong-charset")
    answer = await client.post("/echo/in")
    assert "utf-8" in answer.headers["Content-Type"]
    with pytest.raises(UnicodeDecodeError):
        answer.content.decode("utf-8")


# Test persons


def test_test_persons_are_of_the_test_series_and_all_different() -> None:
    assert len(PEOPLE) == len({(person.fault, person.script) for person in PEOPLE.values()})
    assert not stranger(list(PEOPLE))


@pytest.mark.parametrize("form", [str, lambda number: f"{number[:8]}-{number[8:]}"], ids=["plain", "hyphen"])
async def test_a_test_person_brings_the_fault(client: httpx.AsyncClient, form: Callable[[str], str]) -> None:
    number = next(number for number, person in PEOPLE.items() if person.fault == "VP007")
    body = f"<a>{form(number)}</a>".encode()
    assert [(await client.post("/echo/in", content=body)).status_code for _ in range(3)] == [500, 500, 500]
    assert (await client.get("/_control/ledger/echo/1")).json()["rule"] == "VP007"


async def test_what_was_ordered_comes_first(client: httpx.AsyncClient) -> None:
    number = next(number for number, person in PEOPLE.items() if person.fault == "VP007")
    await order(client, "http-401")
    assert (await client.post("/echo/in", content=number.encode())).status_code == 401
    assert {"number": number, "fault": "VP007", "script": "", "certificate": "intyg-vp007"} in (
        await client.get("/_control/people")
    ).json()


# Validation of answers


@pytest.mark.parametrize(
    ("level", "status", "report"),
    [("off", 200, []), ("warn", 200, ["answer: it is wrong"]), ("strict", 500, ["answer: it is wrong"])],
)
async def test_answers_are_judged(client: httpx.AsyncClient, level: str, status: int, report: list[str]) -> None:
    asked = await client.put("/_control/validation/echo", json={"answers": level})
    assert asked.json() == {"schema": "strict", "rules": "strict", "answers": level}
    assert (await client.post("/echo/in", content=b"wrong")).status_code == status
    assert (await client.get("/_control/ledger/echo/1")).json()["report"] == report


async def test_a_namespace_judges_as_everybody_until_it_says_otherwise(client: httpx.AsyncClient) -> None:
    await client.put("/_control/validation/echo", json={"rules": "off"})
    assert (await client.get("/_ns/a/_control/validation/echo")).json()["rules"] == "off"
    await client.put("/_ns/a/_control/validation/echo", json={"rules": "warn"})
    assert (await client.get("/_control/validation/echo")).json()["rules"] == "off"
    assert (await client.put("/_control/validation/echo", json={"rules": "sometimes"})).status_code == 422


# Namespaces


async def test_namespaces_do_not_meet(client: httpx.AsyncClient, world: World) -> None:
    await client.put("/_ns/a/_control/faults/echo", json={"name": "http-503", "times": None})
    assert (await client.post("/_ns/a/echo/in")).status_code == 503
    assert (await client.post("/echo/in")).status_code == 200
    assert (await client.post("/_ns/b/echo/in", headers={"X-Mock-Namespace": "a"})).status_code == 200
    assert [len(world.counterpart("echo").room(name).ledger.entries) for name in ("", "a", "b")] == [1, 1, 1]


async def test_everything_of_a_namespace_is_forgotten(client: httpx.AsyncClient, world: World) -> None:
    await client.put("/_ns/a/_control/faults/echo", json={"name": "http-503", "times": None})
    await client.post("/_ns/a/echo/in")
    await client.post("/echo/in")
    assert (await client.delete("/_ns/a/_control/namespace")).json() == {"forgotten": "a"}
    assert (await client.post("/_ns/a/echo/in")).status_code == 200
    assert (await client.get("/_ns/a/_control/ledger")).json()["echo"]["received"] == 1
    assert (await client.get("/_control/ledger")).json()["echo"]["received"] == 1


async def test_an_unknown_system_is_told_with_those_there_are(client: httpx.AsyncClient) -> None:
    for method, path in (("GET", "ledger"), ("PUT", "faults"), ("GET", "validation"), ("DELETE", "proxy")):
        answer = await client.request(method, f"/_control/{path}/nobody", content=b"[]")
        assert (answer.status_code, answer.json()["systems"]) == (404, ["echo", "other"])


@pytest.mark.parametrize(
    ("order", "at"),
    [
        ({"nam": "busy"}, ["0.by name.name", "0.by name.nam"]),
        ({"name": "busy", "times": 0}, ["0.by name.times"]),
        ([{"name": "busy"}, {"kind": "http", "status": 1}], ["1.in full.status"]),
        ("busy", ["0.by name"]),
    ],
)
async def test_what_is_wrong_with_an_order_is_said_of_the_form_that_was_meant(
    client: httpx.AsyncClient, order: Any, at: list[str]
) -> None:
    answer = await client.put("/_control/faults/echo", json=order)
    assert answer.status_code == 422
    assert [each["at"] for each in answer.json()["error"]] == at


async def test_a_web_page_says_that_it_is_one(client: httpx.AsyncClient) -> None:
    await client.put("/_control/faults/echo", json={"name": "login-page"})
    assert (await client.post("/echo/in")).headers["Content-Type"].startswith("text/html")


# The description


async def test_the_control_surface_describes_itself(client: httpx.AsyncClient) -> None:
    described = (await client.get("/_control/openapi.json")).json()
    assert described["openapi"].startswith("3.1")
    order_of_faults = described["paths"]["/_control/faults/{system}"]["put"]
    assert [each["name"] for each in order_of_faults["parameters"]] == ["system", "X-Mock-Namespace"]
    assert "NamedFault" in described["components"]["schemas"]
    assert all(operation["summary"] for path in described["paths"].values() for operation in path.values())
