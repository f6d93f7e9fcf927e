"""Questions to the ledger, the consent spy, the clock's agenda, and recordings."""

import asyncio
import base64
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest

from adapters.mocking.agenda import Agenda
from adapters.mocking.people import numbers
from adapters.mocking.world import World
from contracts.identity import PersonId
from tests.unit.adapters.mocking.conftest import Clock

PERSON = "198001019804"


async def ask(
    client: httpx.AsyncClient, check: str, about: dict[str, Any] | None = None, **more: Any
) -> httpx.Response:
    within = {name: more.pop(name) for name in ("within", "patiently") if name in more}
    wanted = {"system": "echo", "check": check, "about": about or {}, **more}
    return await client.post("/_control/verify", json={"checks": [wanted], **within})


async def send(client: httpx.AsyncClient, *ids: str, content: str = "") -> None:
    for id in ids:
        await client.post("/echo/in", content=content.encode(), headers={"Id": id})


@pytest.mark.parametrize(
    ("sent", "check", "more", "ok"),
    [
        (["a"], "exactly-once", {}, True),
        (["a", "a", "a"], "exactly-once", {}, True),
        ([], "exactly-once", {}, False),
        (["a", "b"], "exactly-once", {}, False),
        (["a", "b"], "exactly-once", {"about": {"id": "b"}}, True),
        (["a", "a"], "accepted", {"count": 2}, False),
        (["a", "b"], "accepted", {"count": 2}, True),
        (["a", "a"], "received", {"count": 2}, True),
        (["a"], "received", {"count": 2}, False),
        ([], "never", {}, True),
        (["a"], "never", {}, False),
        (["a"], "never", {"about": {"id": "b"}}, True),
        (["a"], "never-accepted", {"about": {"accepted": False}}, True),
        (["a"], "never-accepted", {}, False),
        (["a", "b", "c"], "in-order", {"ids": ["a", "c"]}, True),
        (["c", "a"], "in-order", {"ids": ["a", "c"]}, False),
        (["a"], "in-order", {"ids": ["a", "c"]}, False),
        (["a"], "received", {"about": {"contains": "text"}}, True),
        (["a"], "received", {"about": {"contains": "other"}}, False),
        (["a"], "received", {"about": {"summary": {"length": 4}}}, True),
        (["a"], "received", {"about": {"summary": {"length": 5}}}, False),
        (["a"], "received", {"about": {"direction": "out"}}, False),
    ],
)
async def test_checks(client: httpx.AsyncClient, sent: list[str], check: str, more: dict[str, Any], ok: bool) -> None:
    await send(client, *sent, content="text")
    answer = await ask(client, check, **more)
    assert (answer.status_code, answer.json()["ok"]) == (200 if ok else 409, ok)
    assert answer.json()["checks"][0]["found"]


async def test_never_after_the_withdrawal(client: httpx.AsyncClient, clock: Clock) -> None:
    await send(client, "before")
    withdrawn = clock.now().isoformat()
    clock.advance(timedelta(seconds=1))
    assert (await ask(client, "never", {"after": withdrawn})).status_code == 200
    await send(client, "after")
    answer = (await ask(client, "never", {"after": withdrawn})).json()
    assert (answer["ok"], answer["checks"][0]["entries"]) == (False, [2])


async def test_a_ledger_that_has_dropped_cannot_say_never(client: httpx.AsyncClient) -> None:
    await send(client, *map(str, range(25)))
    answer = await ask(client, "never", {"id": "0"})
    assert answer.status_code == 409
    assert "5 older entries" in answer.json()["checks"][0]["found"]


async def test_it_waits_until_it_holds(client: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(ask(client, "exactly-once", {"id": "late"}, within=20))
    await asyncio.sleep(0)
    await send(client, "other", "late")
    assert (await waiting).status_code == 200


async def test_the_deadline_ends_the_waiting(client: httpx.AsyncClient) -> None:
    assert (await ask(client, "received", within=0.05)).status_code == 409


async def test_patience_sees_what_comes_meanwhile(client: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(ask(client, "never", within=0.2, patiently=True))
    await asyncio.sleep(0.02)
    await send(client, "a")
    assert (await waiting).status_code == 409


@pytest.mark.parametrize("wrong", [{}, {"checks": []}, {"checks": [{"system": "echo", "check": "sometimes"}]}, []])
async def test_a_wrong_question_is_refused(client: httpx.AsyncClient, wrong: object) -> None:
    assert (await client.post("/_control/verify", json=wrong)).status_code == 422


# The consent spy


async def watch(client: httpx.AsyncClient, *categories: str, **more: Any) -> None:
    consented = {"person": PERSON, "categories": categories, **more}
    assert (await client.put("/_control/spy", json=[consented])).json() == {"watching": 1}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Antaget behov av rehabilitering:\nBehov kan antas.", []),
        ("Diagnos:\nF438A", ["diagnosis"]),
        ("Patienten har F43.8 sedan i våras", ["diagnosis"]),
        ('{"valueCode": "diagnosis"}', ["diagnosis"]),
        ("enhet TSTNMT2321000156-E0001, kl T10:30, GC001, ZV506", []),
        ("Arbetar 50 %", ["sick_leave_period_and_degree"]),
        ("Planerad nedtrappning:\n75 till 50", ["tapering_plan"]),
        ("utmattad", ["sensitive_circumstances"]),
    ],
)
async def test_the_spy_finds_what_was_not_consented(client: httpx.AsyncClient, text: str, found: list[str]) -> None:
    await watch(client, "assumed_rehab_need", markers={"sensitive_circumstances": ["utmattad"]})
    await send(client, "a", content=f"<p>{PERSON}</p>\n{text}")
    answer = await client.get("/_control/spy")
    assert [each["category"] for each in answer.json()["notConsented"]] == found
    assert answer.status_code == (409 if found else 200)
    assert (await ask(client, "received")).status_code == answer.status_code  # it fails by itself
    report = (await client.get("/_control/ledger/echo/1")).json()["report"]
    assert report == [f"consent spy: {category} was not consented" for category in found]


async def test_the_spy_minds_persons_and_systems(client: httpx.AsyncClient) -> None:
    await watch(client, "diagnosis", system="echo")
    await send(client, "a", content=f"{PERSON}\nDiagnos:\nF438")
    await send(client, "b", content="198507219817\nKontaktuppgifter:")
    assert (await client.get("/_control/spy")).status_code == 200
    await client.post("/other/in", content=f"{PERSON}\nKontaktuppgifter:".encode())
    assert (await client.get("/_control/spy")).status_code == 200
    await client.post("/echo/in", content=f"{PERSON}\nKontaktuppgifter:".encode())
    assert (await client.get("/_control/spy")).json()["notConsented"] == [
        {"system": "echo", "entry": 3, "category": "contact_details"}
    ]
    await client.delete("/_control/spy")
    assert (await client.get("/_control/spy")).status_code == 200


# Time


async def test_what_is_planned_is_done_in_order_when_time_is_moved(clock: Clock) -> None:
    agenda, done = Agenda(lambda _: clock.now()), list[tuple[str, datetime]]()
    began = clock.now()

    async def deed(name: str, at: datetime) -> None:
        done.append((name, at))
        if name == "first":
            agenda.make(at + timedelta(hours=1), "", "more", partial(deed, "follows"))

    agenda.make(began + timedelta(days=2), "", "", partial(deed, "second"))
    agenda.make(began + timedelta(days=1), "", "", partial(deed, "first"))
    agenda.make(began + timedelta(days=9), "", "", partial(deed, "never"))
    agenda.make(began + timedelta(days=1), "gone", "", partial(deed, "gone"))
    agenda.forget("gone")
    assert await agenda.run_due() == 0
    clock.advance(timedelta(days=7))
    assert await agenda.run_due() == 3
    assert [name for name, _ in done] == ["first", "follows", "second"]
    assert [at - began for _, at in done] == [timedelta(days=1), timedelta(days=1, hours=1), timedelta(days=2)]
    assert len(agenda.waiting("")) == 1


async def test_an_agenda_is_bounded_and_counts_what_it_drops(clock: Clock) -> None:
    async def deed(at: datetime) -> None:
        pass

    agenda = Agenda(lambda _: clock.now(), size=3)
    for _ in range(5):
        agenda.make(clock.now(), "", "", deed)
    assert (len(agenda.waiting("")), agenda.dropped) == (3, 2)


async def test_who_comes_while_it_runs_waits_for_it(clock: Clock) -> None:
    agenda, done = Agenda(lambda _: clock.now()), list[str]()

    async def deed(at: datetime) -> None:
        await asyncio.sleep(0.01)
        done.append("deed")

    agenda.make(clock.now(), "", "", deed)
    running = asyncio.create_task(agenda.run_due())
    await asyncio.sleep(0)
    assert await agenda.run_due() == 0
    assert done == ["deed"]
    assert await running == 1


async def test_the_clock_is_moved_and_tells_what_was_done(client: httpx.AsyncClient, world: World) -> None:
    async def deed(at: datetime) -> None:
        pass

    world.agenda.make(world.clock.now() + timedelta(days=7), "", "something", deed)
    planned = [{"at": "2026-05-11T08:30:00+00:00", "what": "something"}]
    assert (await client.get("/_control/agenda")).json() == {"planned": planned, "dropped": 0}
    moved = await client.put("/_control/clock", json={"advance": "P7D"})
    assert moved.json() == {"now": "2026-05-11T08:30:00+00:00", "done": 1}
    for wrong in (
        {},
        {"now": "2026-01-01T00:00:00Z", "advance": "P1D"},
        {"now": "2026-01-01T00:00:00"},
        {"advance": "x"},
    ):
        assert (await client.put("/_control/clock", json=wrong)).status_code == 422


# Recordings


async def test_a_recording_is_masked_and_plays_again(client: httpx.AsyncClient) -> None:
    body = f"<n><fullstandigtNamn>Eva Exempel</fullstandigtNamn>{PERSON} {PERSON[:8]}-{PERSON[8:]}</n>"
    await client.post("/echo/in", content=body.encode(), headers={"Authorization": "Bearer secret", "Id": "1"})
    await client.put("/_control/faults/echo", json={"name": "http-503"})
    await client.post("/echo/in", content=b"second")
    recording = (await client.get("/_control/recording")).json()
    first = recording["exchanges"][0]
    assert PERSON not in str(recording)
    assert "secret" not in str(recording)
    masked = base64.b64decode(first["request"])
    assert b"Eva" not in masked
    plain, hyphened = numbers(masked)
    assert plain == hyphened != PERSON
    assert PersonId(plain).is_synthetic

    assert (await client.put("/_ns/b/_control/recording", json=recording)).json() == {"exchanges": 2}
    answers = [await client.post("/_ns/b/echo/in", content=b"anything") for _ in range(3)]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "<ok/>"), (503, ""), (200, "<ok/>")]
    rules = [entry["rule"] for entry in (await client.get("/_ns/b/_control/ledger/echo")).json()]
    assert rules == ["replay", "replay", ""]


async def test_replaying_can_be_ended_and_a_wrong_file_is_refused(client: httpx.AsyncClient) -> None:
    await client.put("/_control/faults/echo", json={"name": "http-503"})
    await client.post("/echo/in")
    recording = (await client.get("/_control/recording")).json()
    await client.put("/_control/recording", json=recording)
    await client.delete("/_control/recording")
    assert (await client.post("/echo/in")).status_code == 200
    assert (await client.put("/_control/recording", json={"recording": 2, "exchanges": []})).status_code == 422
    unknown = {"recording": 1, "exchanges": [{**recording["exchanges"][0], "system": "nobody"}]}
    assert (await client.put("/_control/recording", json=unknown)).status_code == 404
