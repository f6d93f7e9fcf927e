"""The parties behind the message service: what they refuse and why, scripts, twists, levels, receipts and resends."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mocking.people import PEOPLE, TestPerson
from adapters.sdk import mock_exchange, mock_letter
from adapters.sdk.mock_parties import PARTIES
from adapters.sdk.mock_party_rules import RULES, Known, broken, read
from service.clock import MovableClock
from service.mock_world import MockWorld
from tests.unit.service.mock_samples import FUNCTION, PERSON, SDK_ID, sdk_message
from tests.unit.service.mock_samples import PARTIES as ADDRESSES

AF: Final = "arbetsformedlingen"
SERVICE: Final = "/message_service/v1/sdk/messages"
PERSONNUMMER: Final = "1.2.752.129.2.1.3.1"
OTHER: Final = next(person for person in PEOPLE.values() if person.script == "decline")
every_party = pytest.mark.parametrize("party", PARTIES)


@pytest.fixture
def world() -> MockWorld:
    clock = MovableClock()
    clock.move_to(datetime(2026, 5, 4, 8, 30, tzinfo=UTC))
    return MockWorld(clock)


@pytest.fixture
async def client(world: MockWorld) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": "Bearer any", "Content-Type": "application/json"}
    transport = httpx.ASGITransport(world.app())
    async with httpx.AsyncClient(transport=transport, base_url="http://mocks", headers=headers) as client:
        yield client


# What a party refuses


def to(party: str, *persons: str, function: str = "", root: str = FUNCTION) -> dict[str, Any]:
    """The recipient's side, about so many persons."""
    address = function or ADDRESSES[party][1]
    references = [{"root": PERSONNUMMER, "extension": each} for each in persons]
    return {"subOrganization": {"root": root, "extension": address}, "referenceId": references}


def documents(*files: tuple[str, bytes | str], text: str = "") -> list[dict[str, Any]]:
    listed = [
        {
            "fileName": "fil",
            "contentType": media,
            "content": base64.b64encode(content).decode() if isinstance(content, bytes) else content,
        }
        for media, content in files
    ]
    return [{"documentId": "1", **({"contentTextBody": [text]} if text else {}), "contentFiles": listed}]


REGISTRAR: Final = "sdk:inkorg:0203:arbetsformedlingen.example:registrator"
PDF: Final = ("application/pdf", b"%PDF-1.4")
DECISIONS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "as it should be": ({}, ""),
    "another organisation": ({"recipient": "0203:fk.example"}, "RECIPIENT_NOT_HERE BV not found"),
    "the organisation in capitals": ({"recipient": "0203:ARBETSFORMEDLINGEN.example"}, ""),
    "no function": ({"recipientAttention": ...}, "FUNCTION_MISSING SV structure"),
    "a person's address": (
        {"recipientAttention": to(AF, PERSON.number, root="1.2.752.129.2.1.4.1")},
        "FUNCTION_MISSING SV structure",
    ),
    "a person alone": (
        {"recipientAttention": {"attentionPerson": [{"root": "r", "extension": "e"}]}},
        "SCHEMA SV structure",
    ),
    "a function that is not there": (
        {"recipientAttention": to(AF, PERSON.number, function="sdk:inkorg:0203:arbetsformedlingen.example:it")},
        "FUNCTION_NOT_FOUND BV not found",
    ),
    "nobody": ({"recipientAttention": to(AF)}, "PERSON_MISSING BV invariant"),
    "nobody, to the registrar": ({"recipientAttention": to(AF, function=REGISTRAR)}, ""),
    "two persons": (
        {"recipientAttention": to(AF, PERSON.number, OTHER.number)},
        "PERSON_AMBIGUOUS BV multiple matches",
    ),
    "the same person twice": (
        {"recipientAttention": to(AF, PERSON.number, f"{PERSON.number[:8]}-{PERSON.number[8:]}")},
        "",
    ),
    "a wrong control digit": (
        {"recipientAttention": to(AF, PERSON.number[:-1] + str((int(PERSON.number[-1]) + 1) % 10))},
        "PERSON_NUMBER_WRONG SV structure",
    ),
    "no document": ({"digitalDocument": ...}, "CONTENT_MISSING BV invariant"),
    "a document with nothing in it": (
        {"digitalDocument": [{"documentId": "1", "contentTextBody": ["  "]}]},
        "CONTENT_MISSING BV invariant",
    ),
    "a file alone": ({"digitalDocument": documents(PDF)}, ""),
    "a file that is no base64": (
        {"digitalDocument": documents(("application/pdf", "%"))},
        "FILE_UNREADABLE SV structure",
    ),
    "an empty file": ({"digitalDocument": documents(("application/pdf", b""))}, "FILE_UNREADABLE SV structure"),
    "a file of a type that is not taken": (
        {"digitalDocument": documents(("application/zip", b"PK"), text="Se bilaga.")},
        "FILE_TYPE_NOT_TAKEN BV not supported",
    ),
    "an answer to what nobody sent": (
        {"refToMessageId": str(uuid4())},
        "ANSWERED_MESSAGE_NOT_FOUND BV not found",
    ),
    "a long subject line": ({"label": "x" * 257}, "SCHEMA SV too long"),
    "no id": ({"messageId": ...}, "SCHEMA SV structure"),
    "no conversation": ({"conversationId": ...}, "SCHEMA SV structure"),
    "local time": ({"creationDateTime": "2026-05-04T10:30:00"}, "SCHEMA SV structure"),
}


async def hand(client: httpx.AsyncClient, party: str, body: bytes, **headers: str) -> dict[str, Any]:
    answer = await client.post(f"/{party}/messages", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    receipt: dict[str, Any] = answer.json()
    return receipt


async def ledger(client: httpx.AsyncClient, party: str) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = (await client.get(f"/_control/ledger/{party}")).json()
    return entries


@pytest.mark.parametrize("case", DECISIONS)
async def test_what_a_party_refuses_and_why(client: httpx.AsyncClient, case: str) -> None:
    changes, expected = DECISIONS[case]
    receipt = await hand(client, AF, sdk_message(AF, **changes))
    (entry,) = await ledger(client, AF)
    assert entry["accepted"] is not bool(expected)
    if not expected:
        assert receipt == {"receipt": "ACCEPTED", "messageId": SDK_ID, "issues": []}
        return
    issue = receipt["issues"][0]
    assert receipt["receipt"] == "REJECTED"
    assert f"{issue['title']} {receipt['reason']} {issue['typeCode']}" == expected
    assert entry["rule"] == issue["title"]
    assert f"{issue['title']}: {issue['detail']}" in entry["report"]


def test_every_rule_stands_in_the_table() -> None:
    assert {rule.rule for rule in RULES} <= {expected.split(" ")[0] for _, expected in DECISIONS.values()}


_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@given(st.sampled_from(sorted(json.loads(sdk_message(AF))["data"]["attributes"])), _JSON)
def test_whatever_stands_there_it_is_judged(name: str, value: Any) -> None:
    attributes = json.loads(sdk_message(AF))["data"]["attributes"] | {name: value}
    found = broken(read(attributes), Known(PARTIES[AF], {}))
    assert {each.rule for each in found} <= {rule.rule for rule in RULES}


async def test_no_receipt_repeats_what_was_sent(client: httpx.AsyncClient) -> None:
    wrong = PERSON.number[:-1] + str((int(PERSON.number[-1]) + 1) % 10)
    changes: dict[str, Any] = {"recipientAttention": to(AF, wrong, function="hemligt"), "confidentiality": "hemligt"}
    receipt = await hand(client, AF, sdk_message(AF, **changes))
    assert not any(secret in json.dumps(receipt) for secret in (wrong, "hemligt"))


async def test_all_that_is_wrong_is_said(client: httpx.AsyncClient) -> None:
    changes: dict[str, Any] = {"recipientAttention": to(AF), "digitalDocument": ...}
    receipt = await hand(client, AF, sdk_message(AF, **changes))
    assert [issue["title"] for issue in receipt["issues"]] == ["PERSON_MISSING", "CONTENT_MISSING"]


async def test_too_large(client: httpx.AsyncClient) -> None:
    receipt = await hand(client, AF, b" " * (30 * 1024 * 1024 + 1))
    assert (receipt["issues"][0]["title"], receipt["issues"][0]["typeCode"]) == ("TOO_LARGE", "too long")


@pytest.mark.parametrize(("level", "accepted", "reported"), [("off", True, 0), ("warn", True, 2), ("strict", False, 2)])
async def test_levels(client: httpx.AsyncClient, level: str, accepted: bool, reported: int) -> None:
    await client.put(f"/_control/validation/{AF}", json={"schema": level, "rules": level})
    changes: dict[str, Any] = {"confidentiality": "maybe", "more": 1}
    await hand(client, AF, sdk_message(AF, **changes))
    (entry,) = await ledger(client, AF)
    assert (entry["accepted"], len(entry["report"])) == (accepted, reported)


# Scripts


def planned(party: str, script: str) -> list[str]:
    """The subject lines that a script ends in, for a message that is called Kontakt."""
    return [step.label or "Kontakt" for step in PARTIES[party].scripts[script].steps]


async def send(client: httpx.AsyncClient, party: str, person: TestPerson = PERSON, **changes: Any) -> str:
    """Through the message service; the id."""
    answer = await client.post(SERVICE, content=sdk_message(party, person, **changes))
    assert answer.status_code == 201, answer.text
    id: str = answer.json()["data"]["id"]
    return id


async def later(client: httpx.AsyncClient, advance: str) -> None:
    await client.put("/_control/clock", json={"advance": advance})


async def come(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    """What lies in the message service for care's function, with documents."""
    asked = {"filter[recipientAttention.subOrganization.extension]": "sdk:inkorg:0203:region.example:eken"}
    ids = [each["id"] for each in (await client.get(SERVICE, params=asked)).json()["data"]]
    return [(await client.get(f"{SERVICE}/{id}")).json()["data"]["attributes"] for id in ids]


async def message_of(client: httpx.AsyncClient, id: str = SDK_ID) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"{SERVICE}/{id}")).json()["data"]["attributes"]
    return found


async def follow(client: httpx.AsyncClient, party: str, script: str, **orders: Any) -> None:
    answer = await client.put(f"/_control/parties/{party}", json={"script": script, **orders})
    assert answer.status_code == 200, answer.text


EVERY_SCRIPT: Final = [(party, script) for party in PARTIES for script in PARTIES[party].scripts]


@every_party
def test_each_party_accepts_declines_reminds_and_keeps_silent(party: str) -> None:
    assert {"accept", "decline", "reminder", "silence"} < PARTIES[party].scripts.keys()


@pytest.mark.parametrize(("party", "script"), EVERY_SCRIPT)
async def test_every_script_comes_to_care(client: httpx.AsyncClient, party: str, script: str) -> None:
    await follow(client, party, script)
    person = next(each for each in PEOPLE.values() if each.script == "complement")  # a script that no party has
    await send(client, party, person)
    await later(client, "P30D")
    found = await come(client)
    assert [each["label"] for each in found] == planned(party, script)
    for each, step in zip(found, PARTIES[party].scripts[script].steps, strict=True):
        assert each["sender"] == PARTIES[party].organisation
        assert each["conversationId"] == SDK_ID
        assert each.get("refToMessageId") == (SDK_ID if step.answers else None)
        assert {"root": PERSONNUMMER, "extension": person.number} in each["senderAttention"]["referenceId"]
        assert {"root": "0203:region.example", "extension": "REKO-1"} in each["recipientAttention"]["referenceId"]
        assert each["digitalDocument"][0]["contentTextBody"][0].startswith(step.text)
        assert len(each["digitalDocument"][0].get("contentFiles", [])) == len(step.files)
    out = [entry for entry in await ledger(client, party) if entry["direction"] == "out"]
    assert [entry["id"] for entry in out] == [each["messageId"] for each in found]
    assert all(entry["accepted"] and not entry["report"] for entry in out)


@pytest.mark.parametrize("steps", [["P30D"], ["PT10M", *["P1D"] * 9]], ids=["at once", "day by day"])
async def test_however_time_passes_it_is_the_same_dialogue(client: httpx.AsyncClient, steps: list[str]) -> None:
    await send(client, AF, next(each for each in PEOPLE.values() if each.script == "accept"))
    for step in steps:
        await later(client, step)
    found = await come(client)
    told = [each["creationDateTime"][:16] for each in found]
    assert told == ["2026-05-05T08:40", "2026-05-07T08:40", "2026-05-12T08:40"]
    assert found[1]["digitalDocument"][0]["contentTextBody"][0].endswith("Svar önskas senast 2026-05-14.")


@every_party
@pytest.mark.parametrize("script", ["accept", "decline", "silence"])
async def test_a_test_person_has_its_script(client: httpx.AsyncClient, party: str, script: str) -> None:
    await follow(client, party, "reminder")
    await send(client, party, next(each for each in PEOPLE.values() if each.script == script))
    await later(client, "P30D")
    assert [each["label"] for each in await come(client)] == planned(party, script)


async def test_a_script_by_subject_and_by_namespace(client: httpx.AsyncClient) -> None:
    await follow(client, "employer", "silence", bySubject={"Kontakt": "plan"})
    client.headers["X-Mock-Namespace"] = "other"
    await follow(client, "employer", "silence")
    for namespace, expected in (("", 2), ("other", 0)):
        client.headers["X-Mock-Namespace"] = namespace
        person = next(each for each in PEOPLE.values() if each.script == "complement")
        await send(client, "employer", person)
        await later(client, "P30D")
        assert len(await come(client)) == expected


async def test_the_same_play_has_the_same_ids(client: httpx.AsyncClient) -> None:
    ids = []
    for _ in range(2):
        await client.delete("/_control/ledger")
        await send(client, AF, OTHER)
        await later(client, "P5D")
        ids.append([each["messageId"] for each in await come(client)])
    assert ids[0] == ids[1] != []


async def test_what_care_has_answered_is_not_reminded_of(client: httpx.AsyncClient) -> None:
    await send(client, AF, next(each for each in PEOPLE.values() if each.script == "reminder"))
    await later(client, "P2D")
    (asked,) = await come(client)
    answer = {"messageId": str(uuid4()), "refToMessageId": asked["messageId"]}
    await send(client, AF, **answer)
    await later(client, "P30D")
    assert (await message_of(client, answer["messageId"]))["messageStatus"] == "ACCEPTED"
    assert len(await come(client)) == 1
    (case,) = (await client.get(f"/_control/parties/{AF}/cases")).json()
    assert [(each["state"], each["answered"]) for each in case["sent"]] == [("delivered", True), ("skipped", False)]


async def test_an_answer_in_another_conversation_is_rejected(client: httpx.AsyncClient) -> None:
    await send(client, AF, OTHER)
    await later(client, "P5D")
    (told,) = await come(client)
    stray = {"messageId": str(uuid4()), "conversationId": str(uuid4()), "refToMessageId": told["messageId"]}
    await send(client, AF, **stray)
    await later(client, "PT10M")
    assert (await message_of(client, stray["messageId"]))["messageStatus"] == "REJECTED"


async def test_what_was_posted_as_the_party_can_be_answered(client: httpx.AsyncClient) -> None:
    """The other side may be played by hand; a party stands by what goes out in its name."""
    await send(client, "municipality")
    told = await client.post(f"/_control/message_service/{SDK_ID}/answers", json={"text": "Vi hör av oss."})
    answer = {"messageId": str(uuid4()), "refToMessageId": told.json()["id"]}
    await send(client, "municipality", **answer)
    await later(client, "PT10M")
    assert (await message_of(client, answer["messageId"]))["messageStatus"] == "ACCEPTED"


def test_the_employers_plan_is_a_pdf_that_holds_together() -> None:
    made = mock_letter.page("Plan för återgång (halvtid)\n50 – 75")
    assert made == mock_letter.page("Plan för återgång (halvtid)\n50 – 75")
    start = int(made.rsplit(b"startxref\n", 1)[1].split(b"\n")[0])
    assert made[start:].startswith(b"xref")
    places = [int(line[:10]) for line in made[start:].splitlines() if line.endswith(b" n ")]
    assert [made[place:].split(b" ")[0] for place in places] == [b"1", b"2", b"3", b"4", b"5"]
    assert "återgång \\(halvtid\\)".encode("cp1252") in made


# Twists


async def test_a_reply_that_comes_twice_comes_again_after_it_was_put_away(client: httpx.AsyncClient) -> None:
    await client.put(f"/_control/faults/{AF}", json={"name": "duplicate-reply"})
    await send(client, AF, OTHER)
    await later(client, "P4DT10M")
    (first,) = await come(client)
    assert (await client.delete(f"{SERVICE}/{first['messageId']}")).status_code == 202
    await later(client, "PT12M")
    (second,) = await come(client)
    assert second["messageId"] == first["messageId"]
    await later(client, "PT1H")
    assert len(await come(client)) == 1


async def test_a_reply_before_the_acknowledgement(client: httpx.AsyncClient) -> None:
    await client.put(f"/_control/faults/{AF}", json={"name": "reply-before-acknowledgement"})
    await send(client, AF, OTHER)
    await later(client, "PT10M")
    assert [each["refToMessageId"] for each in await come(client)] == [SDK_ID]
    assert [entry["direction"] for entry in await ledger(client, AF)] == ["out", "in"]


async def test_replies_out_of_order(client: httpx.AsyncClient) -> None:
    await client.put(f"/_control/faults/{AF}", json={"name": "replies-out-of-order"})
    await send(client, AF, next(each for each in PEOPLE.values() if each.script == "accept"))
    await later(client, "P30D")
    assert [each["label"] for each in await come(client)] == planned(AF, "accept")[::-1]


# Receipts and resends


@every_party
async def test_a_receipt_becomes_the_senders_state(client: httpx.AsyncClient, party: str) -> None:
    await send(client, party)
    await later(client, "PT9M")
    assert ((await message_of(client))["messageStatus"], await ledger(client, party)) == ("WAITING_FOR_RECEIPT", [])
    await later(client, "PT1M")
    assert (await message_of(client))["messageStatus"] == "ACCEPTED"
    (entry,) = await ledger(client, party)
    assert (entry["id"], entry["accepted"], entry["path"]) == (SDK_ID, True, f"/{party}/messages")


async def test_a_rejection_says_why(client: httpx.AsyncClient) -> None:
    await send(client, AF, recipientAttention=to(AF))
    await later(client, "PT10M")
    found = await message_of(client)
    assert found["messageStatus"] == "REJECTED"
    (event,) = found["events"]
    assert event["eventIssues"][0]["title"] == "PERSON_MISSING"
    assert "(BV)" in event["detail"]
    assert (await client.get(f"/_control/parties/{AF}/cases")).json() == []


NO_RECEIPT: Final = ["http-503", "not-an-answer", "empty-answer", "wrong-charset", "soap-fault", "technical-error"]


@pytest.mark.parametrize("fault", NO_RECEIPT)
async def test_without_a_receipt_it_is_sent_again_with_the_same_id(client: httpx.AsyncClient, fault: str) -> None:
    await client.put(f"/_control/faults/{AF}", json={"name": fault, "times": 3})
    await send(client, AF)
    states = []
    for minutes in (10, 12, 12, 12):
        await later(client, f"PT{minutes}M")
        states.append((await message_of(client))["messageStatus"])
    assert states == [*["SCHEDULED_FOR_RESEND"] * 3, "ACCEPTED"]
    entries = await ledger(client, AF)
    assert {entry["id"] for entry in entries if entry["id"]} == {SDK_ID}
    assert len(entries) == 4
    assert len((await client.get(f"/_control/parties/{AF}/cases")).json()) == 1


async def test_a_lost_receipt_opens_one_case(client: httpx.AsyncClient) -> None:
    await client.put(f"/_control/faults/{AF}", json={"name": "loses-the-answer", "seconds": 0})
    await send(client, AF)
    await later(client, "P1D")
    assert (await message_of(client))["messageStatus"] == "ACCEPTED"
    first, second = await ledger(client, AF)
    assert (first["accepted"], second["accepted"]) == (True, True)
    assert second["report"][0].startswith("DUPLICATE")
    assert len((await client.get(f"/_control/parties/{AF}/cases")).json()) == 1
    once = {"system": AF, "check": "exactly-once", "about": {"id": SDK_ID}}
    assert (await client.post("/_control/verify", json={"checks": [once]})).json()["ok"]


@pytest.mark.parametrize("fault", ["slow", "answers-late"])
async def test_who_answers_too_late_has_not_answered_and_has_it_all_the_same(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(mock_exchange, "PATIENCE", 0.05)
    await client.put(f"/_control/faults/{AF}", json={"name": fault, "seconds": 0.5})
    await send(client, AF)
    await later(client, "PT10M")
    assert (await message_of(client))["messageStatus"] == "SCHEDULED_FOR_RESEND"
    once = {"system": AF, "check": "exactly-once", "about": {"id": SDK_ID}}
    assert (await client.post("/_control/verify", json={"checks": [once], "within": 10})).json()["ok"]
    monkeypatch.setattr(mock_exchange, "PATIENCE", 10.0)
    await later(client, "PT12M")
    assert (await message_of(client))["messageStatus"] == "ACCEPTED"
    assert len((await client.get(f"/_control/parties/{AF}/cases")).json()) == 1


async def test_after_four_tries_it_is_given_up(client: httpx.AsyncClient) -> None:
    await client.put(f"/_control/faults/{AF}", json={"name": "http-503", "times": None})
    await send(client, AF)
    await later(client, "P1D")
    found = await message_of(client)
    assert found["messageStatus"] == "MESSAGE_EXCHANGE_ERROR"
    assert found["events"]
    assert len(await ledger(client, AF)) == 4


@pytest.mark.parametrize("fault", ["rejected-later", "never-arrives"])
async def test_an_ordered_fate_wins(client: httpx.AsyncClient, fault: str) -> None:
    await client.put("/_control/faults/message_service", json={"name": fault})
    await send(client, AF)
    await later(client, "P1D")
    assert (await message_of(client))["messageStatus"] in ("REJECTED", "MESSAGE_EXCHANGE_ERROR")
    assert await ledger(client, AF) == []


async def test_what_was_removed_in_time_is_not_handed_over(client: httpx.AsyncClient) -> None:
    await send(client, AF)
    assert (await client.delete(f"{SERVICE}/{SDK_ID}")).status_code == 202
    await later(client, "P1D")
    assert await ledger(client, AF) == []


@pytest.mark.parametrize(
    ("fault", "reason", "codes"),
    [
        ("ok", None, []),
        ("validation-error", "SV", ["invariant"]),
        ("application-error", "BV", ["forbidden"]),
        ("revoked", "SIG", ["security"]),
        ("error-without-id", None, []),
    ],
)
async def test_receipts_on_order(client: httpx.AsyncClient, fault: str, reason: str | None, codes: list[str]) -> None:
    await client.put(f"/_control/faults/{AF}", json={"name": fault})
    receipt = await hand(client, AF, sdk_message(AF, recipientAttention=to(AF) if fault == "ok" else ...))
    assert receipt["receipt"] == ("ACCEPTED" if fault == "ok" else "REJECTED")
    assert receipt.get("reason") == reason
    assert [issue["typeCode"] for issue in receipt["issues"]] == codes


# By hand


async def test_answering_as_a_party(client: httpx.AsyncClient) -> None:
    told = (await client.get("/_control/parties")).json()
    assert {name: each["title"] for name, each in told.items()} == {name: each.title for name, each in PARTIES.items()}
    assert told["municipality"]["organisation"] == "0203:exempelstad.example"
    functions = {each["address"]: each["persons"] for each in told["municipality"]["functions"]}
    assert functions["sdk:inkorg:0203:exempelstad.example:socialtjansten"] is True
    assert "application/pdf" in told["municipality"]["takes"]
    assert "scripts" not in told["municipality"]  # they have an address of their own
    await hand(client, "employer", sdk_message("employer"))
    (case,) = (await client.get("/_control/parties/employer/cases")).json()
    assert PERSON.number not in str(case)
    assert (case["from"], case["subject"], case["sent"]) == ("0203:region.example", "Kontakt", [])
    path = f"/_control/parties/employer/cases/{case['number']}"
    file = {"name": "plan.txt", "text": "Halvtid från maj."}
    step = {"text": "Här är planen.", "label": "Plan", "files": [file]}
    sent = (await client.post(f"{path}/messages", json=step)).json()
    assert sent["state"] == "delivered"
    (found,) = await come(client)
    (attached,) = found["digitalDocument"][0]["contentFiles"]
    assert (found["messageId"], found["label"]) == (sent["id"], "Plan")
    assert base64.b64decode(attached["content"]).decode() == "Halvtid från maj."
    assert (await client.get(path)).json()["sent"][0]["subject"] == "Plan"


async def test_who_gave_no_function_cannot_be_answered(client: httpx.AsyncClient) -> None:
    await hand(client, AF, sdk_message(AF, OTHER, senderAttention=...))
    await later(client, "P5D")
    (case,) = (await client.get(f"/_control/parties/{AF}/cases")).json()
    assert (case["sent"][0]["state"], case["sent"][0]["told"]) == ("failed", "the message does not say whom to answer")
    out = (await ledger(client, AF))[-1]
    assert (out["direction"], out["accepted"]) == ("out", False)


async def test_what_a_level_lets_through_is_answered_as_far_as_it_can_be(client: httpx.AsyncClient) -> None:
    await client.put(f"/_control/validation/{AF}", json={"schema": "off", "rules": "off"})
    odd: dict[str, Any] = {"more": 1, "recipientAttention": to(AF) | {"referenceId": [{}]}, "confidentiality": "maybe"}
    await hand(client, AF, sdk_message(AF, **odd))
    for number, name in enumerate(("label", "recipientAttention", "digitalDocument"), 2):
        wrong: dict[str, Any] = {"messageId": str(uuid4()), name: 7}
        await hand(client, AF, sdk_message(AF, **wrong))
        path = f"/_control/parties/{AF}/cases/{number}/messages"
        assert (await client.post(path, json={"text": "Hej."})).status_code == 200
    first = await client.post(f"/_control/parties/{AF}/cases/1/messages", json={"text": "Hej."})
    assert first.json()["state"] == "delivered"


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("nobody", {"script": "accept"}, 404),
        (AF, {"script": "sip"}, 422),
        (AF, {"bySubject": {"Kontakt": "no-such"}}, 422),
        (AF, {"deliverTo": "http://x"}, 422),
    ],
)
async def test_wrong_orders(client: httpx.AsyncClient, path: str, body: dict[str, Any], expected: int) -> None:
    assert (await client.put(f"/_control/parties/{path}", json=body)).status_code == expected


# What spans all counterparts


async def test_a_namespace_has_any_letters(client: httpx.AsyncClient) -> None:
    there = "/_ns/%C3%A5%C3%A4%C3%B6"
    assert (await client.post(f"{there}{SERVICE}", content=sdk_message(AF))).status_code == 201
    moved = await client.put("/_control/clock", json={"advance": "PT10M"})
    assert moved.status_code == 200, moved.text
    shown = (await client.get(f"{there}{SERVICE}/{SDK_ID}")).json()["data"]["attributes"]
    assert shown["messageStatus"] == "ACCEPTED"


async def test_the_spy_looks_at_what_is_handed_over(client: httpx.AsyncClient) -> None:
    text = "Diagnos: F43.8"
    body = sdk_message("employer", digitalDocument=documents(text=text))
    await client.put("/_control/spy", json=[{"person": PERSON.number, "system": "employer", "categories": []}])
    assert (await client.post(SERVICE, content=body)).status_code == 201
    assert (await client.get("/_control/spy")).status_code == 200
    await later(client, "PT10M")
    found = await client.get("/_control/spy")
    assert found.status_code == 409
    assert {each["system"] for each in found.json()["notConsented"]} == {"employer"}


@pytest.mark.parametrize(("party", "script"), EVERY_SCRIPT)
async def test_no_script_gives_away_what_care_has_not_told(client: httpx.AsyncClient, party: str, script: str) -> None:
    person = next(each for each in PEOPLE.values() if each.script == "complement")
    await client.put("/_control/spy", json=[{"person": person.number, "categories": []}])
    await follow(client, party, script)
    await send(client, party, person, digitalDocument=documents(text="Hej."))
    await later(client, "P30D")
    assert (await client.get("/_control/spy")).json() == {"ok": True, "notConsented": []}


async def test_a_recorded_receipt_is_given_again(client: httpx.AsyncClient) -> None:
    await send(client, AF, recipientAttention=to(AF))
    await later(client, "PT10M")
    recording = (await client.get("/_control/recording")).json()
    await client.delete("/_control/namespace")
    own = [each for each in recording["exchanges"] if each["system"] == AF]
    await client.put("/_control/recording", json={"recording": 1, "exchanges": own})
    await send(client, AF)
    await later(client, "PT10M")
    assert (await message_of(client))["messageStatus"] == "REJECTED"
    assert [entry["rule"] for entry in await ledger(client, AF)] == ["replay"]


async def test_forgetting_a_namespace_forgets_its_cases_and_plans(client: httpx.AsyncClient) -> None:
    await send(client, AF, OTHER)
    await later(client, "P1D")
    assert len((await client.get("/_control/agenda")).json()["planned"]) == 1
    await client.delete("/_control/namespace")
    assert (await client.get("/_control/agenda")).json()["planned"] == []
    assert (await client.get(f"/_control/parties/{AF}/cases")).json() == []
    await later(client, "P30D")
    assert await come(client) == []
