"""AuditEvents searched by every parameter, in every order: what is found is what the events say, by a second reading of R4
(``naive_search.py``), though they are stored nowhere; and what would take too long is said to."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any

import pytest

from adapters.mocking import Fault
from contracts.consent import DecisionRecord, Question, Recipient, RecipientKind
from fhir_mappings.identifiers import PERSONNUMMER
from service.fhir_api.interactions import audit_event
from service.fhir_api.search import parameters
from service.store.codec import decode, encode, from_micros
from tests.unit.service.fhir_api.search import naive_search
from tests.unit.service.fhir_api.search.naive_search import Parameter

if TYPE_CHECKING:
    import httpx

    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]
Pair = tuple[str, str]
BASE = "http://reko/fhir"


async def bundle(client: "httpx.AsyncClient", *pairs: Pair, type: str = "AuditEvent", status: int = 200) -> Json:
    """By POST: anything may be asked."""
    response = await client.post(f"/fhir/{type}/_search", data=_form(pairs))
    assert response.status_code == status, (pairs, response.text)
    found: Json = response.json()
    return found


def _form(pairs: tuple[Pair, ...]) -> dict[str, list[str]]:
    return {name: [value for other, value in pairs if other == name] for name, _ in pairs}


async def pages(client: "httpx.AsyncClient", *pairs: Pair) -> list[list[Json]]:
    """What each page holds, to the last."""
    page = await bundle(client, *pairs)
    found = [resources(page)]
    while address := next((each["url"] for each in page["link"] if each["relation"] == "next"), ""):
        response = await client.get(address)
        assert response.status_code == 200, response.text
        page = response.json()
        found.append(resources(page))
        assert len(found) < 200
    return found


async def found(client: "httpx.AsyncClient", *pairs: Pair) -> list[Json]:
    return list(chain.from_iterable(await pages(client, *pairs)))


def resources(page: Json, mode: str = "match") -> list[Json]:
    return [each["resource"] for each in page.get("entry", ()) if each["search"]["mode"] == mode]


def ids(events: list[Json]) -> list[str]:
    return [each["id"] for each in events]


# Events of several kinds


async def everything_that_happens(flow: "Flow") -> "Person":
    """Told, by two ways; not answered; refused; asked in an emergency. Whom most of it is about."""
    person = await flow.consenting("fk", "employer")
    message = await flow.until(await flow.request(person), "delivered")
    flow.order("forsakringskassan", Fault(kind="http", status=500))
    unanswered = await flow.until(await flow.request(person), "retrying")
    await flow.coordinator.post(
        f"/api/outbox/{unanswered.id}/cancel", json={"why": "another try would be another event"}
    )
    await flow.request(await flow.patient())
    await flow.post(flow.forms.request(person, recipient="employer"))
    dialogues = (await flow.coordinator.get("/api/dialogues", params={"patient": person.id})).json()
    (dialogue,) = [each for each in dialogues if each["party"]["kind"] == "employer"]
    await flow.coordinator.post(f"/api/dialogues/{dialogue['id']}/told", json={"mode": "telephone"})
    emergency = {
        "patient": {"id": person.id},
        "recipient": {"kind": "other-care-provider", "hsaId": "TSTNMT5560000001-E0009"},
        "categories": ["contact_details"],
        "basis": "emergency",
        "why": "medvetslös patient",
    }
    assert (await flow.doctor.post("/api/consent/decision", json=emergency)).status_code == 200
    _tell(flow, message.id, Recipient(RecipientKind.EMPLOYER, flow.forms.refs["employer"], "Exempelbolaget AB"))
    await flow.quiet()
    return person


def _tell(flow: "Flow", message: str, recipient: Recipient) -> None:
    """As if it had been a party that is known by its address here."""
    ((body,),) = flow.rows("SELECT question FROM outbox WHERE id = ?", message)
    question = replace(decode(bytes(body), Question), recipient=recipient)
    flow.change("UPDATE outbox SET question = ? WHERE id = ?", encode(question), message)


# Every parameter


def questions(events: list[Json]) -> Iterator[Pair]:
    """Each parameter with each of its modifiers, with the values that stand there, parts of them, and others."""
    for (type_, code), parameter in naive_search.PARAMETERS.items():
        if type_ == "AuditEvent":
            elements = [found for each in events for path in parameter.elements for found in _at(each, path)]
            asked = chain.from_iterable(_ASKED[parameter.kind](element, parameter) for element in elements)
            strange = ((modifier, "nothing-of-that-kind") for modifier in _STRANGE[parameter.kind])
            yield from ((f"{code}{modifier}", value) for modifier, value in dict.fromkeys(chain(asked, strange)))
            yield from ((f"{code}:missing", value) for value in ("true", "false"))


def _at(event: Json, path: str) -> Iterator[Any]:
    yield from naive_search._walk(event, path.split("."))


def _token(element: Any, _: Parameter) -> Iterator[Pair]:
    for system, code in naive_search._tokens(element):
        for value in (code, f"{system}|{code}", f"|{code}", f"{code},other", *([f"{system}|"] if system else [])):
            yield from (("", value), (":not", value))
    yield from ((":text", words[:5].lower()) for words in naive_search._words(element))


def _reference(element: Json, parameter: Parameter) -> Iterator[Pair]:
    if "identifier" in element:
        system, value = element["identifier"]["system"], element["identifier"]["value"]
        yield from ((":identifier", each) for each in (value, f"{system}|{value}", f"|{value}", f"{system}|"))
    if "reference" in element:
        address = element["reference"].partition("/_history/")[0]
        type_, id_ = address.split("/")
        yield from (("", each) for each in (element["reference"], address, id_, f"other,{id_}", f"Task/{id_}"))
        named = {"Patient", type_}.intersection(parameter.targets)
        yield from ((f":{each}", value) for each in sorted(named) for value in (id_, address))


def _string(element: str, _: Parameter) -> Iterator[Pair]:
    yield from (
        ("", element[:-2].upper()),
        (":exact", element),
        (":exact", element.upper()),
        (":contains", element[3:9]),
    )


def _uri(element: str, _: Parameter) -> Iterator[Pair]:
    above = element.rpartition("/")[0]
    yield from (("", element), ("", above), (":below", above), (":above", f"{element}/more"), (":below", element))


def _date(element: str, _: Parameter) -> Iterator[Pair]:
    at = datetime.fromisoformat(element).astimezone(UTC)
    near = [f"{at + timedelta(seconds=by):%Y-%m-%dT%H:%M:%SZ}" for by in (-1, 0, 1)]
    for value in (*near, f"{at:%Y-%m-%dT%H:%M:%S}.5Z", f"{at:%Y-%m-%dT%H:%MZ}", element[:10], element[:7]):
        yield from (("", f"{prefix}{value}") for prefix in ("", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"))


_ASKED: dict[str, Callable[[Any, Parameter], Iterator[Pair]]] = {
    "token": _token,
    "reference": _reference,
    "string": _string,
    "uri": _uri,
    "date": _date,
}
_STRANGE: dict[str, tuple[str, ...]] = {
    "token": ("", ":not", ":text"),
    "reference": ("", ":identifier", ":Patient"),
    "string": ("", ":exact", ":contains"),
    "uri": ("", ":below", ":above"),
    "date": (),
}


async def test_every_parameter_finds_what_the_events_say(flow: "Flow") -> None:
    person = await everything_that_happens(flow)
    events = await found(flow.coordinator)
    assert {each["id"].partition("-")[0] for each in events} == {"decision", "disclosure"}
    assert {each["outcome"] for each in events} == {"0", "4", "8"}
    asked = list(questions(events))
    assert {name.partition(":")[0] for name, _ in asked} == set(parameters.PARAMETERS["AuditEvent"])
    for question in asked:
        expected = [each for each in events if naive_search.matches(each, [question])]
        assert ids(await found(flow.coordinator, question)) == ids(expected), question
    dice = random.Random(7)  # noqa: S311 - the same throws each time
    for _ in range(40):
        several = [("patient", person.id), *dice.sample(asked, 2)]
        expected = [each for each in events if naive_search.matches(each, several)]
        assert ids(await found(flow.coordinator, *several)) == ids(expected), several
        page = await bundle(flow.coordinator, *several, ("_total", "accurate"), ("_count", "1"))
        assert (page["total"], ids(resources(page))) == (len(expected), ids(expected[:1])), several


async def test_when_an_event_was_made_is_known_to_the_microsecond(flow: "Flow") -> None:
    """``date`` is what the event says, to the second."""
    person = await flow.patient()
    await flow.request(person)
    ((at,),) = flow.rows("SELECT at FROM decision WHERE patient = ?", person.id)
    made = from_micros(at)
    for prefix, expected in (("", 1), ("gt", 0), ("ge", 1), ("ne", 0)):
        asked = ("_lastUpdated", f"{prefix}{made:%Y-%m-%dT%H:%M:%S.%fZ}")
        assert len(await found(flow.coordinator, ("patient", person.id), asked)) == expected, prefix


# Pages


@pytest.fixture
def short_sighted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five events are looked at for one answer."""
    monkeypatch.setattr(audit_event, "AT_A_TIME", (2, 3))
    monkeypatch.setattr(audit_event, "MOST", 5)


async def many(flow: "Flow", count: int = 14, client: "httpx.AsyncClient | None" = None) -> "Person":
    """Somebody about whom as many decisions were made, every third of them for the doctor, some at one instant."""
    person = await flow.patient(client)
    question = {
        "patient": {"id": person.id},
        "recipient": {"kind": "forsakringskassan"},
        "categories": ["contact_details"],
    }
    for number in range(count):
        asking = client or (flow.coordinator if number % 3 else flow.doctor)
        assert (await asking.post("/api/consent/decision", json=question)).status_code == 200
    flow.change("UPDATE decision SET at = (at / 200000) * 200000 WHERE patient = ?", person.id)
    return person


async def test_a_page_ends_early_and_the_next_one_goes_on(flow: "Flow", short_sighted: None) -> None:
    person = await many(flow)
    events = await found(flow.coordinator, ("patient", person.id))
    assert len(events) == 14
    asked = ("patient", person.id), ("agent:identifier", flow.DOCTOR)
    for order in ("-date", "date", "_lastUpdated"):
        expected = [each for each in events if flow.DOCTOR in str(each)]
        if order != "-date":
            expected.reverse()
        for count in (1, 2, 50):
            seen = await pages(flow.coordinator, *asked, ("_sort", order), ("_count", f"{count}"))
            assert list(chain.from_iterable(seen)) == expected, (order, count)
            assert all(len(page) <= count for page in seen)
        assert len(seen) == 3  # five, five and four are looked at
    nobody = await pages(flow.coordinator, ("patient", person.id), ("agent:identifier", "nobody"))
    assert nobody == [[], [], []]


async def test_what_happens_between_two_pages_moves_nothing(flow: "Flow", short_sighted: None) -> None:
    person = await many(flow, 9)
    asked = ("patient", person.id), ("outcome", "8"), ("agent:identifier", f"{flow.COORDINATOR},{flow.DOCTOR}")
    before = await found(flow.coordinator, *asked)
    page = await bundle(flow.coordinator, *asked, ("_count", "2"))
    await flow.request(person)
    seen = resources(page)
    while address := next((each["url"] for each in page["link"] if each["relation"] == "next"), ""):
        page = (await flow.coordinator.get(address)).json()
        seen += resources(page)
    assert seen == before


@pytest.mark.parametrize(
    "asked",
    [
        [("_sort", "agent")],
        [("_sort", "-entity-role,date")],
        [("_total", "accurate"), ("agent:identifier", "nobody")],
        [("_summary", "count"), ("entity-role", "1")],
        [("_count", "0"), ("entity-type", "1")],
    ],
)
async def test_what_would_take_too_long_is_refused_with_advice(
    flow: "Flow", short_sighted: None, asked: list[Pair]
) -> None:
    person = await many(flow, 7)
    (issue,) = (await bundle(flow.coordinator, ("patient", person.id), *asked, status=400))["issue"]
    assert issue["code"] == "too-costly"
    assert "ask for a patient or a day" in issue["diagnostics"]
    some = ("_id", ",".join(f"decision-{number}" for (number,) in flow.rows("SELECT number FROM decision LIMIT 5")))
    assert (await bundle(flow.coordinator, some, *asked))["type"] == "searchset"


async def test_what_the_rows_tell_is_counted_and_put_in_order_however_many(flow: "Flow", short_sighted: None) -> None:
    person = await many(flow, 8)
    for order in ("date", "-date", "_lastUpdated", "-_lastUpdated"):
        page = await bundle(flow.coordinator, ("patient", person.id), ("_sort", order), ("_total", "accurate"))
        times = [each["recorded"] for each in resources(page)]
        assert (page["total"], times) == (8, sorted(times, reverse=order.startswith("-")))
    asked = ("patient", person.id), ("_sort", "agent"), ("_count", "0")
    assert (await bundle(flow.coordinator, *asked))["total"] == 8


@pytest.mark.parametrize(
    "order", ["agent", "-agent,date", "entity", "-_id", "_id", "outcome,type", "date,_id", "agent-name"]
)
async def test_any_order_is_kept_over_pages(flow: "Flow", order: str) -> None:
    """Against an order that is reckoned here: the first value of each, the events that have none last."""
    person = await many(flow, 6)
    events = await found(flow.coordinator, ("patient", person.id))
    keys = order.split(",")
    expected = events
    for key in reversed(keys):
        expected = sorted(expected, key=lambda each: _sorted_by(each, key), reverse=key.startswith("-"))
    asked = ("patient", person.id), ("_sort", order)
    whole = resources(await bundle(flow.coordinator, *asked))
    assert [_keys(each, keys) for each in whole] == [_keys(each, keys) for each in expected]
    assert await found(flow.coordinator, *asked, ("_count", "2")) == whole


def _keys(event: Json, keys: list[str]) -> list[str]:
    return [_sorted_by(event, key) for key in keys]


def _sorted_by(event: Json, key: str) -> str:
    code, choose = key.removeprefix("-"), max if key.startswith("-") else min
    if code == "_id":
        return str(event["id"])
    parameter = naive_search.PARAMETERS["AuditEvent", code]
    elements = [found for path in parameter.elements for found in _at(event, path)]
    values = [each.get("reference", each.get("code", "")) if isinstance(each, dict) else each for each in elements]
    return choose((each.partition("/_history/")[0] for each in values if each), default="")


# Through other resources


async def test_what_a_reference_leads_to_can_be_asked(flow: "Flow") -> None:
    person = await everything_that_happens(flow)
    events = await found(flow.coordinator, ("patient", person.id))
    consents = resources(await bundle(flow.coordinator, ("patient", person.id), type="Consent"))
    assert len(consents) == 3
    address = f"Consent/{consents[1]['id']}"
    resting = [each for each in events if address in str(each)]
    told = [each for each in events if flow.forms.refs["employer"] in str(each)]
    assert resting
    assert told
    number = f"{PERSONNUMMER.fhir}|{person.number}"
    asked: list[tuple[list[Pair], list[Json]]] = [
        ([("patient.identifier", number)], events),
        ([("patient:Patient.name", person.name)], [*events]),
        ([("patient.name:exact", person.name), ("patient.identifier", number), ("_sort", "-date")], events),
        ([("entity:Consent._id", consents[1]["id"])], resting),
        ([("entity:Consent.patient.identifier", number), ("entity", address)], resting),
        ([("entity._id", consents[1]["id"])], resting),
        ([("entity:below", f"{consents[1]['id']},nothing")], []),
        ([("agent:Organization.name", "Exempelbolaget"), ("patient", person.id)], told),
        ([("agent:below", flow.forms.refs["employer"]), ("patient", person.id)], told),
        ([("patient.name", "Nobody")], []),
        ([("agent:Organization.name", "Nobody")], []),
        ([("entity:Consent.status", "draft"), ("patient", person.id)], []),
    ]
    for pairs, expected in asked:
        assert ids(await found(flow.coordinator, *pairs)) == ids(expected), pairs
        assert (await bundle(flow.coordinator, *pairs, ("_summary", "count")))["total"] == len(expected), pairs
        assert await found(flow.neighbour, *pairs) == []
    response = await flow.coordinator.get("/fhir/AuditEvent", params={"patient.identifier": number})
    assert response.status_code == 400  # national numbers stand in no address


async def test_a_hierarchy_of_what_events_name_is_followed(flow: "Flow") -> None:
    """A disclosure to what is part of an organisation."""
    person = await flow.consenting("fk")
    message = await flow.until(await flow.request(person), "delivered")
    whole = {"resourceType": "Organization", "name": "Exempelkoncernen"}
    part = {"resourceType": "Organization", "name": "Exempelverkstaden"}
    above = f"Organization/{(await flow.post(whole))['id']}"
    below = f"Organization/{(await flow.post(part | {'partOf': {'reference': above}}))['id']}"
    _tell(flow, message.id, Recipient(RecipientKind.EMPLOYER, below))
    for asked, count in (
        (("agent", above), 0),
        (("agent:below", above), 1),
        (("agent:above", below), 1),
        (("agent:above", above), 0),
    ):
        assert len(await found(flow.coordinator, ("patient", person.id), asked)) == count, asked


async def test_a_chain_that_leads_to_too_much_is_refused(flow: "Flow", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_event, "MOST_ADDRESSES", 2)
    people = [await flow.patient() for _ in range(3)]
    same = [("patient._id", ",".join(each.id for each in people[:count])) for count in (2, 3)]
    assert await found(flow.coordinator, same[0]) == []
    (issue,) = (await bundle(flow.coordinator, same[1], status=400))["issue"]
    assert issue["code"] == "too-costly"


async def test_what_events_point_at_comes_along(flow: "Flow") -> None:
    person = await everything_that_happens(flow)
    of_person = ("patient", person.id)
    consents = resources(await bundle(flow.coordinator, of_person, type="Consent"))
    page = await bundle(flow.coordinator, of_person, ("_include", "AuditEvent:patient"))
    assert ids(resources(page, "include")) == [person.id]
    assert len(resources(page)) > 5
    page = await bundle(flow.coordinator, of_person, ("_include", "AuditEvent:entity:Consent"))
    assert {each["resourceType"] for each in resources(page, "include")} == {"Consent"}
    assert set(ids(resources(page, "include"))) < set(ids(consents))
    page = await bundle(flow.coordinator, of_person, ("_include", "*"), ("_include:iterate", "Consent:organization"))
    types = {each["resourceType"] for each in resources(page, "include")}
    assert types == {"Patient", "Consent", "CommunicationRequest", "Organization"}
    one = await bundle(
        flow.coordinator, of_person, ("outcome", "0"), ("_include", "AuditEvent:patient"), ("_count", "1")
    )
    assert (len(resources(one)), ids(resources(one, "include"))) == (1, [person.id])


async def test_what_comes_along_is_seen_by_whoever_may_and_logged(flow: "Flow") -> None:
    person = await many(flow, 1)
    other = await flow.patient(flow.neighbour)
    flow.change("UPDATE resource SET patient = ?, id = ? WHERE id = ?", "x", f"{person.id}-old", person.id)
    try:
        page = await bundle(flow.coordinator, ("patient", person.id), ("_include", "AuditEvent:patient"))
        assert (len(resources(page)), resources(page, "include")) == (1, [])
    finally:
        flow.change("UPDATE resource SET patient = ?, id = ? WHERE id = ?", person.id, person.id, f"{person.id}-old")
    ((body,),) = flow.rows("SELECT body FROM decision WHERE patient = ?", person.id)
    kept = decode(bytes(body), DecisionRecord)
    of_other = replace(
        kept, decision=replace(kept.decision, question=replace(kept.decision.question, patient=other.id))
    )
    flow.change("UPDATE decision SET patient = ?, body = ? WHERE patient = ?", other.id, encode(of_other), person.id)
    page = await bundle(flow.coordinator, ("patient", other.id), ("_include", "*"))
    assert (len(resources(page)), resources(page, "include")) == (1, [])  # theirs to see, not ours
    assert [row[2:] for row in flow.accesses(other)][-1] == (f"AuditEvent/{resources(page)[0]['id']}", "search-type")


async def test_what_is_stored_about_an_event_comes_along(flow: "Flow") -> None:
    person = await many(flow, 2)
    events = await found(flow.coordinator, ("patient", person.id))
    provenance = {
        "resourceType": "Provenance",
        "target": [{"reference": f"AuditEvent/{events[1]['id']}"}],
        "recorded": flow.forms.time(),
        "agent": [{"who": {"reference": flow.forms.refs["role"]}}],
    }
    stored = await flow.post(provenance)
    page = await bundle(flow.coordinator, ("patient", person.id), ("_revinclude", "Provenance:target"))
    assert ids(resources(page, "include")) == [stored["id"]]


# Whose events


async def test_what_a_neighbour_has_changes_nothing(flow: "Flow") -> None:
    """Not what is found, how it is counted, or where pages end."""
    ours = await many(flow, 3)
    asked = ("agent:identifier", f"{flow.COORDINATOR},{flow.DOCTOR},TSTNMT2321000156-P0003"), ("entity-role", "1")
    before = await pages(flow.coordinator, *asked, ("_count", "30"))
    total = (await bundle(flow.coordinator, *asked, ("_summary", "count")))["total"]
    theirs = await many(flow, 4, flow.neighbour)
    assert await pages(flow.coordinator, *asked, ("_count", "30")) == before
    assert (await bundle(flow.coordinator, *asked, ("_summary", "count")))["total"] == total
    assert len(await found(flow.neighbour, *asked, ("patient", theirs.id))) == 4
    assert await found(flow.neighbour, *asked, ("patient", ours.id)) == []
    assert await found(flow.stranger, *asked) == []


# What is told


@pytest.mark.parametrize("code", ["_lastUpdated", *parameters.PARAMETERS["AuditEvent"]])
async def test_every_parameter_is_told_of(flow: "Flow", code: str) -> None:
    statement = (await flow.coordinator.get("/fhir/metadata")).json()
    (row,) = (each for each in statement["rest"][0]["resource"] if each["type"] == "AuditEvent")
    assert code in [each["name"] for each in row["searchParam"]]
    assert "AuditEvent:entity" in row["searchInclude"]
