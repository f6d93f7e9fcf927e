"""The plan is the patient's too: the document, what is held back from it, and that it was handed over (rules 8, 29-31)."""

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from lxml import html

from contracts.time import swedish_day
from fhir_mappings.identifiers import (
    ACT_CODE,
    ACTIVITY_KIND,
    EXT_CONTACT_PERSON,
    EXT_DECIDED_BY,
    EXT_INFORMATION_CATEGORY,
    EXT_PATIENT_FIRST_CONTACT,
    EXT_TARGET_PART,
    PARTICIPATION_MODE,
    PLAN_EVENT,
    PLAN_MEASURE,
    SECURITY_LABEL,
)
from fhir_mappings.people import PROTECTED

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

Json = dict[str, Any]

SECRET: Final = "kanarie-om-hemmet"
HARMLESS: Final = "Chefen vet att jag är sjukskriven"
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://reko"}


def marked(category: str) -> list[Json]:
    return [{"url": EXT_INFORMATION_CATEGORY, "valueCode": category}]


SENSITIVE: Final = marked("sensitive_circumstances")


def detail(description: str, **elements: Any) -> Json:
    return {"detail": {"status": "not-started", "description": description, **elements}}


def mapping(person: "Person") -> Json:
    """A mapping: one harmless answer, one on violence, one that nobody has marked."""
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "subject": {"reference": person.reference},
        "item": [
            {
                "linkId": "1",
                "extension": marked("activity_limitation"),
                "text": "Vad vet arbetsplatsen?",
                "answer": [{"valueString": HARMLESS}],
            },
            {
                "linkId": "2",
                "extension": SENSITIVE,
                "text": "Har någon gjort dig illa?",
                "answer": [{"valueString": f"Ja, {SECRET}-svar"}],
            },
            {"linkId": "3", "text": "Annat", "answer": [{"valueString": f"{SECRET}-omarkerat"}]},
        ],
    }


def measures(flow: "Flow") -> list[Json]:
    day = f"{swedish_day(flow.clock.now()) + timedelta(days=14)}"
    return [
        detail(
            "Arbetsträning på lagret",
            code={"coding": [{"system": PLAN_MEASURE, "code": "arbetstraning"}]},
            performer=[{"display": "Exempelbolaget AB"}],
            extension=[
                {"url": EXT_DECIDED_BY, "valueString": "Försäkringskassan"},
                {"url": EXT_PATIENT_FIRST_CONTACT, "valueBoolean": True},
            ],
        ),
        detail(f"Kontakt om {SECRET}-plan", performer=[{"display": "Kuratorn"}], extension=SENSITIVE),
        detail(
            "Vi talas vid i telefon",
            code={"coding": [{"system": ACTIVITY_KIND, "code": "plan-followup"}]},
            scheduledPeriod={"start": day, "end": day},
        ),
    ]


async def planned(flow: "Flow", person: "Person", **elements: Any) -> Json:
    """A whole plan with a ladder, a measure and a mapping of which some is sensitive, and a contact person."""
    goal = await flow.post(flow.forms.goal(person, [(10, 75), (40, 50), (100, 0)]))
    hidden = {**flow.forms.goal(person, []), "extension": SENSITIVE, "description": {"text": f"{SECRET}-mål"}}
    other = await flow.post({name: value for name, value in hidden.items() if value})
    answers = await flow.post(mapping(person))
    contact = {"name": "Kim Exempelsson", "telecom": [{"system": "phone", "value": "010-000 00 00"}]}
    form = flow.forms.plan(
        person,
        f"Goal/{goal['id']}",
        extension=[{"url": EXT_CONTACT_PERSON, "valueContactDetail": contact}],
        contributor=[{"reference": person.reference}, {"display": "Kim Exempelsson"}],
        supportingInfo=[{"reference": f"QuestionnaireResponse/{answers['id']}"}],
        activity=measures(flow),
        **elements,
    )
    form["goal"].append({"reference": f"Goal/{other['id']}"})
    return await flow.post(form)


async def document(flow: "Flow", plan: Json) -> str:
    response = await flow.coordinator.get(f"/api/plans/{plan['id']}/document")
    assert response.status_code == 200, response.text
    return response.text


async def seen(flow: "Flow", plan: Json) -> Json:
    found: Json = (await flow.coordinator.get(f"/api/plans/{plan['id']}")).json()
    return found


def words(page: str) -> str:
    return " ".join(html.fromstring(page).text_content().split())


def told(*parameters: tuple[str, str, Any]) -> Json:
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": name, kind: value} for name, kind, value in parameters],
    }


async def mark(flow: "Flow", person: "Person") -> None:
    """The population register marks somebody."""
    stored = (await flow.coordinator.get(f"/fhir/{person.reference}")).json()
    labels = [{"system": ACT_CODE, "code": "DEMO"}, {"system": SECURITY_LABEL, "code": PROTECTED[0]}]
    await flow.put({**stored, "meta": {"security": labels}})


# ---- What it says ------------------------------------------------------------------------------------------------


async def test_the_document_says_in_plain_words_what_the_plan_says(flow: "Flow") -> None:
    person = await flow.consenting("fk")
    plan = await planned(flow, person)
    page = await document(flow, plan)
    said = words(page)
    for expected in (
        f"För {person.name}",
        "Version 1",
        "Vi har gjort planen tillsammans: du och Kim Exempelsson.",
        "010-000 00 00",
        "Sjukskriven tre fjärdedelar (75 procent)",
        "Halva tiden",
        "Inte sjukskriven",
        "Vem gör det: Exempelbolaget AB",
        "Vem beslutar: Försäkringskassan",
        "Den tar du själv.",
        "Arbetsträning betyder:",
        "Vi talas vid i telefon",
        HARMLESS,
        "Du kan när som helst ändra dig och ta tillbaka ditt ja",
        "Du har sagt ja till att vi berättar vissa saker för",
    ):
        assert expected in said, expected
    for jargon in ("arbetstraning", "sjukskrivnings-och-rehabiliteringsplan", "FHIR", "KVÅ", "SIP", person.number):
        assert jargon not in said, jargon
    assert plan["id"] not in page


async def test_the_document_can_be_read_by_everybody(flow: "Flow") -> None:
    tree = html.fromstring(await document(flow, await planned(flow, await flow.consenting())))
    assert tree.get("lang") == "sv"
    assert tree.xpath("count(//h1)") == 1
    levels = [int(str(each.tag)[1]) for each in tree.iter("h1", "h2", "h3")]
    assert all(after - before <= 1 for before, after in pairwise(levels)), "no level is skipped"
    assert len(tree.xpath("//table[thead//th[@scope='col']]/tbody//th[@scope='row']")) == 3
    assert all(each.get("aria-hidden") == "true" for each in tree.iter("svg"))
    assert not tree.xpath("//script | //link | //img | //@onclick"), "it asks for nothing else"


async def test_whatever_somebody_wrote_is_no_markup(flow: "Flow") -> None:
    person = await flow.consenting()
    goal = await flow.post(flow.forms.goal(person))
    wrote = '<script>alert(1)</script> & #x[evil] *stjärna* "citat"'
    plan = await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}", activity=[detail(wrote)]))
    page = await document(flow, plan)
    assert wrote in words(page)
    assert not html.fromstring(page).xpath("//script")
    response = await flow.coordinator.get(f"/api/plans/{plan['id']}/document", headers={"Accept": "application/pdf"})
    assert response.content.startswith(b"%PDF-")


@pytest.mark.parametrize("surface", ["/fhir/CarePlan/{}/$patient-document", "/api/plans/{}/document"])
@pytest.mark.parametrize(
    ("accept", "media", "begins", "action"),
    [
        ("text/html", "text/html", b"<!doctype html>", "Läsa"),
        ("application/pdf", "application/pdf", b"%PDF-", "Utskrift"),
    ],
)
async def test_its_forms(flow: "Flow", surface: str, accept: str, media: str, begins: bytes, action: str) -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    response = await flow.coordinator.get(surface.format(plan["id"]), headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, media)
    assert response.content.startswith(begins)
    assert "sandbox" in response.headers["Content-Security-Policy"]
    logged = flow.accesses(person, response.headers["X-Request-Id"])
    assert [(row[1], row[2], row[3]) for row in logged] == [(action, f"CarePlan/{plan['id']}", "patient-document")]


@pytest.mark.parametrize("form", ["html", "pdf"])
async def test_a_client_of_fhir_gets_a_binary(flow: "Flow", form: str) -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    response = await flow.coordinator.get(f"/fhir/CarePlan/{plan['id']}/$patient-document?form={form}")
    binary = response.json()
    assert binary["securityContext"] == {"reference": person.reference}
    assert base64.b64decode(binary["data"]).startswith(b"%PDF-" if form == "pdf" else b"<!doctype html>")


async def test_an_entry_of_a_batch_gets_a_binary(flow: "Flow") -> None:
    plan = await planned(flow, await flow.consenting())
    asked = {"method": "GET", "url": f"CarePlan/{plan['id']}/$patient-document?_format=text/html"}
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": asked}]}
    response = await flow.coordinator.post("/fhir", json=batch)
    assert response.json()["entry"][0]["resource"]["contentType"].startswith("text/html")


async def test_a_form_that_there_is_none_of(flow: "Flow") -> None:
    plan = await planned(flow, await flow.consenting())
    response = await flow.coordinator.get(f"/fhir/CarePlan/{plan['id']}/$patient-document?form=docx")
    assert response.status_code == 400
    response = await flow.coordinator.get(f"/api/plans/{plan['id']}/document", headers={"Accept": "image/png"})
    assert response.status_code == 406


async def test_the_pdf_is_tagged(flow: "Flow") -> None:
    plan = await planned(flow, await flow.consenting())
    response = await flow.coordinator.get(f"/api/plans/{plan['id']}/document", headers={"Accept": "application/pdf"})
    assert b"/StructTreeRoot" in response.content
    assert b"/Lang(sv)" in response.content
    assert b"pdfuaid:part" in response.content


async def test_a_follow_up_that_was_done_is_told(flow: "Flow") -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    based_on = [{"reference": f"CarePlan/{plan['id']}"}]
    await flow.post(flow.forms.activity(person, "plan-followup", mode="telephone", basedOn=based_on))
    assert "Vi har följt upp planen den" in words(await document(flow, plan))


async def test_whose_name_nobody_knows_is_not_told_as_a_number(flow: "Flow") -> None:
    person = await flow.consenting()
    goal = await flow.post(flow.forms.goal(person))
    owners = [
        {"identifier": {"system": "urn:oid:1.2.752.29.4.19", "value": "TSTNMT2321000156-P0001"}},
        {"reference": flow.forms.refs["role"]},
        {"reference": person.reference},
    ]
    activity = [detail(f"Åtgärd {index}", performer=[owner]) for index, owner in enumerate(owners)]
    said = words(
        await document(flow, await flow.post(flow.forms.plan(person, f"Goal/{goal['id']}", activity=activity)))
    )
    assert "TSTNMT" not in said
    assert "PractitionerRole" not in said
    assert "Åtgärd 2Vem gör det: Du" in said.replace("Åtgärd 2 ", "Åtgärd 2")


async def test_a_plan_that_was_entered_in_error_has_no_document(flow: "Flow") -> None:
    plan = await planned(flow, await flow.consenting())
    await flow.put({**plan, "status": "entered-in-error"})
    assert (await flow.coordinator.get(f"/api/plans/{plan['id']}/document")).status_code == 409


# ---- What is held back -------------------------------------------------------------------------------------------


async def test_what_is_sensitive_is_in_no_form_of_the_document(flow: "Flow") -> None:
    plan = await planned(flow, await flow.consenting())
    page = await document(flow, plan)
    assert SECRET not in page
    assert HARMLESS in page
    held_back = [each["text"] for each in (await seen(flow, plan))["heldBack"]]
    assert [SECRET in each for each in held_back] == [True] * 4
    assert SECRET not in plan["text"]["div"], "nor in the text that any reader of the plan shows"


async def test_it_stands_there_once_a_person_has_released_it(flow: "Flow") -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    [part] = [each["part"] for each in (await seen(flow, plan))["heldBack"] if f"{SECRET}-svar" in each["text"]]
    released = await flow.coordinator.post(
        f"/api/plans/{plan['id']}/releases", json={"parts": [part], "why": "Patienten bad om det"}
    )
    assert released.status_code == 201, released.text
    page = await document(flow, plan)
    assert f"{SECRET}-svar" in page
    assert page.count(SECRET) == 1, "that part and no other"
    provenance = (await flow.coordinator.get(f"/fhir/{released.json()['resource']}")).json()
    assert provenance["target"][1]["extension"] == [{"url": EXT_TARGET_PART, "valueString": part}]
    assert provenance["agent"][0]["who"]["identifier"]["value"].endswith("P0001")
    assert provenance["reason"] == [{"text": "Patienten bad om det"}]
    assert provenance["recorded"]
    [told] = (await seen(flow, plan))["released"]
    assert (told["part"], told["by"][-5:], told["why"]) == (part, "P0001", "Patienten bad om det")
    found = await flow.coordinator.get(f"/fhir/Provenance?target=CarePlan/{plan['id']}")
    assert len(found.json()["entry"]) == 1
    assert (await flow.coordinator.put(f"/fhir/Provenance/{provenance['id']}", json=provenance)).status_code == 405


async def test_a_new_version_is_held_back_anew(flow: "Flow") -> None:
    plan = await planned(flow, await flow.consenting())
    parts = [each["part"] for each in (await seen(flow, plan))["heldBack"]]
    operation = f"/fhir/CarePlan/{plan['id']}/$release"
    given = [("part", "valueString", part) for part in parts]
    response = await flow.coordinator.post(operation, json=told(*given, ("why", "valueString", "Genomgånget")))
    assert response.status_code == 200, response.text
    assert (await document(flow, plan)).count(SECRET) == 4
    await flow.put({**plan, "title": "Reviderad plan"})
    page = await document(flow, plan)
    assert f"{SECRET}-plan" not in page
    assert f"{SECRET}-svar" in page, "the mapping itself has not changed"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"parts": ["CarePlan/1/_history/1#CarePlan.activity[0].detail"], "why": "Bad om det"}, 409),
        ({"parts": [], "why": "Bad om det"}, 422),
        ({"parts": ["x"], "why": ""}, 422),
    ],
)
async def test_what_cannot_be_released(flow: "Flow", given: Json, status: int) -> None:
    plan = await planned(flow, await flow.consenting())
    before = await flow.stored()
    response = await flow.coordinator.post(f"/api/plans/{plan['id']}/releases", json=given)
    assert response.status_code == status
    assert await flow.stored() == before


async def test_a_release_of_another_unit_releases_nothing(flow: "Flow") -> None:
    plan = await planned(flow, await flow.consenting())
    [part] = [each["part"] for each in (await seen(flow, plan))["heldBack"] if f"{SECRET}-svar" in each["text"]]
    for client in (flow.neighbour, flow.stranger):
        response = await client.post(f"/api/plans/{plan['id']}/releases", json={"parts": [part], "why": "Nyfiken"})
        assert response.status_code == 404
    assert SECRET not in await document(flow, plan)


async def test_nothing_sensitive_leaves_with_a_message(flow: "Flow") -> None:
    """With the plan on record, planned, told of and followed up."""
    person = await flow.consenting("fk")
    plan = await planned(flow, person)
    based_on = [{"reference": f"CarePlan/{plan['id']}"}]
    for kind in ("plan", "kartlaggning", "plan-followup"):
        await flow.post(flow.forms.activity(person, kind, basedOn=based_on))
    request = await flow.request(person)
    await flow.until(request, "delivered")
    await flow.quiet()
    sent = "".join(entry.request for system in flow.world.counterparts for entry in flow.ledger(system))
    assert "GC001" in sent, "something did leave"
    assert SECRET not in sent
    assert not [row for row in flow.rows("SELECT payload FROM outbox") if SECRET in str(row[0])]


# ---- Handing over ------------------------------------------------------------------------------------------------


async def test_that_it_was_handed_over_is_recorded(flow: "Flow") -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    response = await flow.coordinator.post(
        f"/api/plans/{plan['id']}/handovers", json={"version": 1, "how": "read-together"}
    )
    assert response.status_code == 201, response.text
    communication = (await flow.coordinator.get(f"/fhir/{response.json()['resource']}")).json()
    assert communication["about"] == [{"reference": f"CarePlan/{plan['id']}/_history/1"}]
    assert communication["recipient"] == [{"reference": person.reference}]
    assert communication["medium"] == [{"coding": [{"system": PARTICIPATION_MODE, "code": "FACE"}]}]
    assert communication["sender"]["identifier"]["value"].endswith("P0001")
    attachment = communication["payload"][0]["contentAttachment"]
    binary = (
        await flow.coordinator.get(f"/fhir/{attachment['url']}", headers={"Accept": "application/fhir+json"})
    ).json()
    kept = base64.b64decode(binary["data"])
    assert base64.b64decode(attachment["hash"]) == hashlib.sha1(kept, usedforsecurity=False).digest()
    assert SECRET not in kept.decode()
    assert ("Skriva", "create") in {(row[1], row[3]) for row in flow.accesses(person, response.headers["X-Request-Id"])}


async def test_which_versions_the_patient_has_can_be_seen(flow: "Flow") -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    operation = f"/fhir/CarePlan/{plan['id']}/$hand-over"
    first = told(("how", "valueCode", "paper"), ("version", "valueInteger", 1), ("why", "valueString", "Vid besöket"))
    assert (await flow.coordinator.post(operation, json=first)).status_code == 200
    plan = await flow.put({**plan, "title": "Reviderad plan"})
    stale = await flow.coordinator.post(operation, json=first)
    assert stale.status_code == 412, "a version that is no longer the current one"
    second = told(("how", "valueCode", "digital"), ("version", "valueInteger", 2))
    assert (await flow.coordinator.post(operation, json=second)).status_code == 200
    handed = (await seen(flow, plan))["handedOver"]
    assert [(each["version"], each["how"], each["why"]) for each in handed] == [
        (1, "paper", "Vid besöket"),
        (2, "digital", ""),
    ]
    trace = (await flow.coordinator.get(f"/api/trace/{plan['id']}")).json()
    assert trace["handedOver"] == handed
    assert trace["versions"] == [1, 2]
    everything = (await flow.coordinator.get(f"/fhir/Patient/{person.id}/$everything")).json()
    told_of = [each["resource"]["resourceType"] for each in everything["entry"]]
    assert told_of.count("Communication") == 2
    found = await flow.coordinator.get(f"/fhir/Communication?based-on=CarePlan/{plan['id']}")
    assert len(found.json()["entry"]) == 2


async def test_a_client_may_record_it_by_itself(flow: "Flow") -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    communication = {
        "resourceType": "Communication",
        "basedOn": [{"reference": f"CarePlan/{plan['id']}"}],
        "status": "completed",
        "subject": {"reference": person.reference},
        "topic": {"coding": [{"system": PLAN_EVENT, "code": "handed-over"}]},
        "about": [{"reference": f"CarePlan/{plan['id']}/_history/1"}],
        "sent": flow.forms.time(),
        "recipient": [{"reference": person.reference}],
        "sender": {"display": "Mottagningen"},
    }
    stored = await flow.post(communication)
    assert [(each["version"], each["how"], each["by"]) for each in (await seen(flow, plan))["handedOver"]] == [
        (1, None, "Mottagningen")
    ]
    await flow.put({**stored, "status": "entered-in-error"})
    assert (await seen(flow, plan))["handedOver"] == []


async def test_a_protected_identity_asks_for_a_reason(flow: "Flow") -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    await mark(flow, person)
    address = f"/api/plans/{plan['id']}/handovers"
    refused = await flow.coordinator.post(address, json={"version": 1, "how": "digital"})
    assert (refused.status_code, refused.json()["issues"][0]["rule"]) == (422, "protected-identity")
    reason = {"version": 1, "how": "digital", "why": "Ombudet hämtar den här"}
    assert (await flow.coordinator.post(address, json=reason)).status_code == 201
    together = {"version": 1, "how": "read-together"}
    assert (await flow.coordinator.post(address, json=together)).status_code == 201


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"version": 7, "how": "paper"}, 412),
        ({"version": 1, "how": "fax"}, 422),
        ({"version": 0, "how": "paper"}, 422),
        ({"version": 1}, 422),
        ({"version": 1, "how": "paper", "at": "2999-01-01T10:00:00Z"}, 422),
        ({"version": 1, "how": "paper", "why": "nej\u0000"}, 422),
    ],
)
async def test_what_is_no_handing_over(flow: "Flow", given: Json, status: int) -> None:
    plan = await planned(flow, await flow.consenting())
    before = await flow.stored()
    response = await flow.coordinator.post(f"/api/plans/{plan['id']}/handovers", json=given)
    assert response.status_code == status, response.text
    assert await flow.stored() == before


@pytest.mark.parametrize(
    "given",
    [
        [("how", "valueCode", "fax"), ("version", "valueInteger", 1)],
        [("how", "valueCode", "paper"), ("how", "valueCode", "digital"), ("version", "valueInteger", 1)],
        [("how", "valueCode", "paper"), ("version", "valueInteger", 1), ("to", "valueString", "grannen")],
        [("how", "valueString", "paper"), ("version", "valueInteger", 1)],
        [("how", "valueCode", "paper"), ("version", "valueInteger", 1), ("at", "valueDateTime", "2026")],
    ],
)
async def test_what_the_operation_does_not_take(flow: "Flow", given: list[tuple[str, str, Any]]) -> None:
    plan = await planned(flow, await flow.consenting())
    before = await flow.stored()
    response = await flow.coordinator.post(f"/fhir/CarePlan/{plan['id']}/$hand-over", json=told(*given))
    assert response.status_code in (400, 422), response.text
    assert await flow.stored() == before


@pytest.mark.parametrize("who", ["neighbour", "stranger"])
async def test_another_unit_sees_and_does_nothing(flow: "Flow", who: str) -> None:
    plan = await planned(flow, await flow.consenting())
    client = getattr(flow, who)
    for method, address, body in (
        ("GET", f"/api/plans/{plan['id']}", None),
        ("GET", f"/api/plans/{plan['id']}/document", None),
        ("POST", f"/api/plans/{plan['id']}/handovers", {"version": 1, "how": "paper"}),
        ("GET", f"/fhir/CarePlan/{plan['id']}/$patient-document", None),
        (
            "POST",
            f"/fhir/CarePlan/{plan['id']}/$hand-over",
            told(("how", "valueCode", "paper"), ("version", "valueInteger", 1)),
        ),
    ):
        assert (await client.request(method, address, json=body)).status_code == 404, address


async def test_who_only_reads_hands_nothing_over(flow: "Flow") -> None:
    plan = await planned(flow, await flow.consenting())
    handing = {"version": 1, "how": "paper"}
    assert (await flow.reader.post(f"/api/plans/{plan['id']}/handovers", json=handing)).status_code == 403
    assert (await flow.reader.get(f"/api/plans/{plan['id']}/document")).status_code == 200
    assert (await flow.lister.get(f"/api/plans/{plan['id']}/document")).status_code == 403


# ---- The pages ---------------------------------------------------------------------------------------------------


@asynccontextmanager
async def signed_in(flow: "Flow", who: str = "coordinator") -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=flow.app), base_url="http://reko") as browser:
        answer = await browser.post("/login", content=f"token=token-of-{who}", headers=FORM)
        assert answer.status_code == 303
        yield browser


async def test_the_pages_of_a_plan(flow: "Flow") -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    address = f"/units/{flow.UNIT}/plans/{plan['id']}"
    async with signed_in(flow) as browser:
        listed = html.fromstring((await browser.get(f"/units/{flow.UNIT}/plans")).text)
        [row] = listed.xpath(f"//tr[.//a[@href='{address}']]")
        assert person.name in row.text_content()
        page = html.fromstring((await browser.get(address)).text)
        assert SECRET not in page.xpath("//article")[0].text_content()
        boxes = page.xpath("//input[@name='part']/@value")
        assert len(boxes) == 4
        sent = httpx.QueryParams([("part", boxes[1]), ("why", "Hon vill ha det med")])
        page = html.fromstring((await browser.post(f"{address}/released", content=str(sent), headers=FORM)).text)
        assert page.xpath("//article")[0].text_content().count(SECRET) == 1
        given = await browser.post(f"{address}/handed-over", content="version=1&how=paper&why=", headers=FORM)
        assert "Version 1" in html.fromstring(given.text).xpath("//ul[@class='plain']")[0].text_content()
        printed = await browser.post(f"{address}/print", content="", headers=FORM)
        paper = await browser.post(f"{address}/pdf", content="", headers=FORM)
    assert paper.content.startswith(b"%PDF-")
    for response, interaction in ((printed, "plan-print"), (paper, "plan-pdf")):
        logged = flow.accesses(person, response.headers["X-Request-Id"])
        assert [(row[1], row[3]) for row in logged] == [("Utskrift", interaction)]


@pytest.mark.parametrize(
    ("action", "body", "status", "said"),
    [
        ("released", "why=x", 422, "Kryssa för vad som ska släppas."),
        ("released", "part=x&why=x", 409, "Planen har ändrats"),
        ("handed-over", "version=7&how=paper", 409, "Planen har ändrats"),
        ("handed-over", "version=1&how=fax", 400, "Frågan kunde inte läsas"),
        ("handed-over", "how=paper", 400, "Frågan kunde inte läsas"),
    ],
)
async def test_what_the_pages_do_not_do(flow: "Flow", action: str, body: str, status: int, said: str) -> None:
    plan = await planned(flow, await flow.consenting())
    async with signed_in(flow) as browser:
        response = await browser.post(f"/units/{flow.UNIT}/plans/{plan['id']}/{action}", content=body, headers=FORM)
    assert response.status_code == status
    assert said in words(response.text)
    assert (await seen(flow, plan))["handedOver"] == []


async def test_pages_of_another_unit_and_forms_of_another_site(flow: "Flow") -> None:
    plan = await planned(flow, await flow.consenting())
    own = f"/units/{flow.UNIT}/plans/{plan['id']}"
    async with signed_in(flow, "neighbour") as browser:
        assert (await browser.get(own)).status_code == 404
        assert (await browser.get(f"/units/{flow.OTHER_UNIT}/plans/{plan['id']}")).status_code == 404
    async with signed_in(flow, "reader") as browser:
        page = html.fromstring((await browser.get(own)).text)
        assert not page.xpath("//form[contains(@action, 'handed-over')]")
        refused = await browser.post(f"{own}/handed-over", content="version=1&how=paper", headers=FORM)
        assert refused.status_code == 403
        strange = {**FORM, "Origin": "http://elsewhere"}
        assert (await browser.post(f"{own}/pdf", content="", headers=strange)).status_code == 403
        assert (await browser.get(f"{own}/pdf")).headers["location"] == own
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=flow.app), base_url="http://reko") as nobody:
        assert (await nobody.get(own)).headers["location"] == "/login"


async def test_a_protected_patient_is_counted_and_not_listed(flow: "Flow") -> None:
    person = await flow.consenting()
    plan = await planned(flow, person)
    await mark(flow, person)
    async with signed_in(flow) as browser:
        listed = await browser.get(f"/units/{flow.UNIT}/plans")
        assert plan["id"] not in listed.text
        assert person.name not in listed.text
        assert "skyddade personuppgifter visas inte" in listed.text
        assert flow.accesses(person, listed.headers["X-Request-Id"]) == []
        assert (
            "Patienten har skyddade personuppgifter"
            in (await browser.get(f"/units/{flow.UNIT}/plans/{plan['id']}")).text
        )


async def test_a_plan_that_can_no_longer_be_read_does_not_hide_the_others(flow: "Flow") -> None:
    """Kept when the profile demanded less."""
    readable, old = await planned(flow, await flow.consenting()), await planned(flow, await flow.consenting())
    body = flow.rows("SELECT h.hid, h.body FROM history h JOIN resource r ON r.hid = h.hid WHERE r.id = ?", old["id"])
    [(hid, stored)] = body
    flow.change(
        "UPDATE history SET body = ? WHERE hid = ?", stored.replace(b'"scheduledPeriod"', b'"_scheduledPeriod"'), hid
    )
    async with signed_in(flow) as browser:
        listed = (await browser.get(f"/units/{flow.UNIT}/plans")).text
        assert readable["id"] in listed
        assert old["id"] not in listed
        assert "kan inte läsas" in listed
        assert (await browser.get(f"/units/{flow.UNIT}/plans/{old['id']}")).status_code == 422
