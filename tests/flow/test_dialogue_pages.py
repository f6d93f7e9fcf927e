"""The pages of dialogues over HTTP, read as HTML: the list, one dialogue, every form and what it refuses, files, the letter.

The other party is played as in test_dialogue.py, with the clock moved.
"""

import base64
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.mocking import Fault
from contracts.consent import Reason, RecipientKind
from contracts.dialogue import Says, Standing
from contracts.meeting import MeetingAnswer, MeetingStatus
from contracts.outbox import DeliveryState
from fhir_mappings.identifiers import (
    CONVERSATION_ID,
    HSA_ID,
    MESSAGE_ID,
    NOTIFICATION_TOPIC,
    ORGANISATION_NUMBER,
    SECURITY_LABEL,
)
from service.console import dialogue_words as words
from service.console.dialogue_forms import DEEDS
from service.console.dialogues import file_name
from service.rules import channels
from service.rules import dialogue as rules
from service.rules.letter import names_number
from tests.flow.test_dialogue import answer_to, history, instruct, one, pass_days, until
from tests.flow.test_pages import Desk, Page, sat_down

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

FORMS: Final = ("approve", "channel", "told", "answer", "steps")


@pytest.fixture
async def desk(flow: "Flow") -> AsyncIterator[Desk]:
    """The coordinator, signed in."""
    async with sat_down(flow, "coordinator") as sitting:
        yield sitting


def address(desk: Desk, id: str = "") -> str:
    return f"/units/{desk.flow.UNIT}/dialogues" + (f"/{id}" if id else "")


def offered(seen: Page) -> list[str]:
    """The forms that stand on the page."""
    return [name for name in FORMS if seen.tree.xpath(f"//section[@id='{name}']")]


def steps(seen: Page) -> list[str]:
    return [str(each) for each in seen.tree.xpath("//section[@id='steps']//button/@value")]


async def look(desk: Desk, id: str) -> Page:
    seen = await desk.get(address(desk, id))
    assert seen.status == 200, seen.text
    return seen


async def send(desk: Desk, seen: Page, form: str, **fields: str) -> Page:
    """Send a form of the page, as a browser does."""
    (element,) = seen.tree.xpath(f"//section[@id='{form}']/form")
    where = str(element.get("action")).partition("#")[0]
    return await desk.post(where, pairs=seen.fields(f"//section[@id='{form}']"), **fields)


async def obey(desk: Desk, id: str, form: str, **fields: str) -> Page:
    """Send a form that is obeyed; the page that follows."""
    answer = await send(desk, await look(desk, id), form, **fields)
    assert answer.status == 303, answer.text
    assert answer.response.headers["Location"] == f"{address(desk, id)}?done={form}#main"
    shown = await desk.get(f"{address(desk, id)}?done={form}")
    assert shown.texts("//p[@class='done']") == [words.DONE[form]]
    return shown


def beside(refused: Page, form: str) -> list[str]:
    """What is said beside a form."""
    return refused.texts(f"//section[@id='{form}']//div[@role='alert']//li")


async def waits_for_a_person(flow: "Flow", recipient: str = "fk") -> tuple["Person", str]:
    """Somebody of whom a person has to tell: no system can."""
    person = await flow.consenting(recipient)
    await flow.post(flow.forms.request(person, recipient=recipient))
    return person, (await until(flow, person, "needs-other-channel"))["id"]


async def informed(flow: "Flow", script: str = "silence") -> tuple["Person", str]:
    person = await flow.consenting("fk")
    instruct(flow, script)
    await flow.request(person)
    return person, (await until(flow, person, "informed"))["id"]


async def judged(flow: "Flow") -> tuple["Person", str, dict[str, Any]]:
    """A need is judged, and the patient has not been asked."""
    person = await flow.consenting()
    stored = await flow.post(flow.forms.request(person, flow.certify(person), status="draft"))
    return person, (await until(flow, person, "consent-to-ask"))["id"], stored


# The list


def order(seen: Page) -> list[str]:
    """Ids of the dialogues, as listed."""
    return [
        str(each).rpartition("/")[2] for each in seen.tree.xpath("//ol[@class='dialogues screen-only']/li//h2/a/@href")
    ]


async def test_what_needs_somebody_stands_first_and_the_urgent_on_top(desk: Desk) -> None:
    flow = desk.flow
    tardy, late = await informed(flow)
    await pass_days(flow, 6)
    quiet, resting = await informed(flow)
    person, waiting = await waits_for_a_person(flow)
    await pass_days(flow, 3)
    await desk.sign_in("token-of-coordinator")
    await until(flow, tardy, "answer-overdue")
    await until(flow, quiet, "informed")
    seen = await desk.get(address(desk))
    listed = [id for id in order(seen) if id in (late, waiting, resting)]
    assert listed == [late, waiting, resting]
    needing = await desk.get(f"{address(desk)}?show=waiting")
    assert resting not in order(needing)
    assert [id for id in order(needing) if id in listed] == [late, waiting]
    (count,) = re.findall(r"Behöver någon \((\d+)\)", seen.text)
    assert int(count) == len(order(needing))

    (row,) = [each for each in seen.texts("//ol/li") if person.name in each]
    number = f"{person.number[:8]}-{person.number[8:]}"
    for told in (number, "Försäkringskassan", "Information enligt 4 §", "Behöver annan väg"):
        assert told in row
    (row,) = [text for text, id in zip(seen.texts("//ol/li"), order(seen), strict=True) if id == late]
    assert "Svar dröjer 2 dagar över tiden" in row


async def test_the_lists_addresses_and_the_rows_of_the_overview_name_nobody(desk: Desk) -> None:
    flow = desk.flow
    person, id = await waits_for_a_person(flow)
    flow.certify(person, doctor=desk.doctor, patient_name=person.name)
    await desk.pull()
    (link,) = (await desk.see()).tree.xpath("//th/a[starts-with(., 'Dialoger')]/@href")
    assert link == f"{address(desk)}?patient={person.id}"
    seen = await desk.get(link)
    assert order(seen) == [id]
    assert desk.logged(seen) == [("Läsa", "dialogue-list")]
    for page in (seen, await look(desk, id)):
        for found in page.tree.xpath("//@href | //@action"):
            assert person.number not in str(found)


async def test_a_patients_own_list_holds_what_is_over_too(desk: Desk) -> None:
    flow = desk.flow
    person, id = await informed(flow)
    await obey(desk, id, "steps", to="closed")
    assert order(await desk.get(f"{address(desk)}?patient={person.id}")) == [id]
    assert id not in order(await desk.get(address(desk)))


async def test_no_dialogue_is_said_in_words(flow: "Flow") -> None:
    async with sat_down(flow, "neighbour") as neighbour:
        here = f"/units/{flow.OTHER_UNIT}/dialogues"
        for question, said in (
            ("", "inga öppna dialoger"),
            ("?show=waiting", "Ingen dialog behöver någon"),
            ("?patient=x", "Patienten har inga"),
        ):
            seen = await neighbour.get(f"{here}{question}")
            assert said in seen.text
            assert neighbour.logged(seen) == []


async def test_another_units_dialogues_are_not_there(flow: "Flow", desk: Desk) -> None:
    person, id = await waits_for_a_person(flow)
    theirs = f"/units/{flow.OTHER_UNIT}/dialogues"
    async with sat_down(flow, "neighbour") as neighbour:
        for there in (theirs, address(desk)):
            for page in (f"{there}/{id}", f"{there}/{id}/letter", f"{there}/{id}/files/x"):
                assert (await neighbour.get(page)).status == 404, page
            for deed in DEEDS:
                form = {"to": "closed", "mode": "telephone", "channel": "manual", "says": "meeting"}
                assert (await neighbour.post(f"{there}/{id}/{deed}", list(form.items()))).status == 404, deed
        assert (await neighbour.get(address(desk))).status == 404
        assert order(await neighbour.get(f"{theirs}?patient={person.id}")) == []
    assert (await desk.get(f"{theirs}/{id}")).status == 404
    assert flow.promised(f"CommunicationRequest/{person.id}") == []
    assert await history(flow, id) == ["needs-other-channel"]


async def test_whoever_may_only_read_sees_all_and_is_offered_nothing(flow: "Flow") -> None:
    _, id = await waits_for_a_person(flow)
    async with sat_down(flow, "reader") as reader:
        seen = await look(reader, id)
        assert "Nås vardagar 8-10." in seen.text
        assert offered(seen) == []
        for deed in DEEDS:
            refused = await reader.post(f"{address(reader, id)}/{deed}", to="closed", version="1")
            assert (refused.status, refused.texts("//h1")) == (403, ["Inte tillåtet"])
    async with sat_down(flow, "lister") as lister:
        for page in (address(lister), address(lister, id), f"{address(lister, id)}/letter"):
            assert (await lister.get(page)).status == 403


async def test_nobody_reads_or_does_without_signing_in_or_from_another_site(flow: "Flow", desk: Desk) -> None:
    _, id = await waits_for_a_person(flow)
    async with sat_down(flow, "") as passer_by:
        for page in (address(desk), address(desk, id), f"{address(desk, id)}/letter"):
            assert (await passer_by.get(page)).response.headers["Location"] == "/login"
        assert (await passer_by.post(f"{address(desk, id)}/told", mode="telephone")).status == 401
    foreign = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://elsewhere"}
    response = await desk.browser.post(f"{address(desk, id)}/told", content="mode=telephone", headers=foreign)
    assert response.status_code == 403
    assert await history(flow, id) == ["needs-other-channel"]


async def test_somebody_protected_is_not_named(desk: Desk) -> None:
    flow = desk.flow
    person, id = await waits_for_a_person(flow)
    stored = (await flow.coordinator.get(f"/fhir/Patient/{person.id}")).json()
    label = {"system": SECURITY_LABEL, "code": "sekretessmarkering"}
    await flow.put(stored | {"meta": {"security": [label]}})
    for seen in (await desk.get(f"{address(desk)}?patient={person.id}"), await look(desk, id)):
        assert "Skyddad personuppgift" in seen.text
        assert person.name not in seen.text
        assert person.number[:8] not in seen.text


# One dialogue


async def test_a_dialogue_shows_all_that_was_said_and_who_moved_it(desk: Desk) -> None:
    flow = desk.flow
    person, id = await informed(flow, "accept")
    await pass_days(flow, 1)
    await until(flow, person, "answered")
    flow.clock.advance(timedelta(minutes=1))
    await desk.sign_in("token-of-coordinator")
    shown = await obey(
        desk, id, "answer", says="accepted", officer="Frida Handläggare", next_step="Samtal", follow_up="I mars"
    )
    ours, theirs = shown.texts("//article")
    assert ours.startswith("Till Försäkringskassan")
    assert "Behov kan antas." in ours
    assert "Frida Handläggare, Försäkringskassan, telefon 010-000 00 00" in theirs
    assert shown.texts("//dl[@class='said']/div") == [
        "Svaret sägerJa", "HandläggareFrida Handläggare", "Nästa stegSamtal", "UppföljningI mars"
    ]  # fmt: skip
    rows = [[" ".join(cell.text_content().split()) for cell in row] for row in shown.tree.xpath("//tbody/tr")]
    assert [(row[1], row[3]) for row in rows] == [
        ("På väg", flow.COORDINATOR),
        ("Meddelad; svar väntas", "tjänsten"),
        ("Svar har kommit", "tjänsten"),
        ("Ja", flow.COORDINATOR),
    ]
    assert desk.logged(shown) == [("Läsa", "dialogue-read")]


async def test_what_is_not_sent_stands_word_for_word_with_every_way_and_why(desk: Desk) -> None:
    flow = desk.flow
    _, id = await waits_for_a_person(flow)
    seen, told = await look(desk, id), (await one(flow, id))["unsent"]
    assert seen.tree.xpath("//blockquote")[0].text_content() == told["text"]
    assert seen.texts("//ul[@class='ways-there']/li") == [
        "Ärendekommunikation om intyget: kan inte, inget intyg för patienten är känt här",
        "Säker digital kommunikation (SDK): kan inte, ingen funktionsadress till mottagaren är känd",
        "En person berättar: telefon, brev eller möte: kan alltid",
    ]


async def test_a_draft_shows_what_the_patient_is_asked_about(desk: Desk) -> None:
    _, id, _ = await judged(desk.flow)
    seen = await look(desk, id)
    assert seen.texts("//dl[@class='draft']/div") == [
        "Antaget behov av rehabiliteringBehov kan antas.",
        "KontaktuppgifterNås vardagar 8-10.",
    ]
    assert offered(seen) == ["steps"]
    assert steps(seen) == ["consent-asked", "consent-refused", "closed"]


async def test_what_can_be_written_for_nobody_is_said_and_the_page_stands(desk: Desk) -> None:
    flow = desk.flow
    person = await flow.consenting("employer")
    contact = {"coding": [{"system": NOTIFICATION_TOPIC, "code": "contact"}]}
    request = flow.forms.request(person, recipient="employer", category=[contact])
    for part in request["payload"]:
        part["contentString"] = "utan ord"
    await flow.post(request)
    id = (await until(flow, person, "needs-other-channel"))["id"]
    # As an earlier version may have kept it: by now a part without any text is refused.
    said = "CAST(replace(CAST(payload AS TEXT), 'utan ord', ' ') AS BLOB)"
    flow.change(f"UPDATE outbox SET payload = {said} WHERE patient = ?", person.id)  # noqa: S608 - our own words
    seen = await look(desk, id)
    assert "går inte att skriva: meddelandet har ingen text." in seen.text
    assert offered(seen) == ["steps"]
    refused = await desk.get(f"{address(desk, id)}/letter")
    assert (refused.status, refused.warnings) == (409, ["Brevet kan inte skrivas ut: meddelandet har ingen text."])
    await obey(desk, id, "steps", to="closed")


# What may be done, and what not


async def test_nothing_is_offered_that_the_rules_refuse(desk: Desk) -> None:
    """For every standing that comes about here, the page's buttons are the rules' own."""
    flow = desk.flow
    met: dict[str, Page] = {}
    for id in (
        (await judged(flow))[1],
        (await waits_for_a_person(flow))[1],
        (await informed(flow))[1],
    ):
        seen = await look(desk, id)
        met[(await one(flow, id))["state"]] = seen
    for state, seen in met.items():
        standing = Standing(state)
        assert steps(seen) == [to.value for to in words.STEPS if rules.may_step(standing, to)]
        readable = [says for says, to in rules.OF_ANSWER.items() if rules.may_step(standing, to)]
        assert seen.tree.xpath("//section[@id='answer']//input[@name='says']/@value") == readable
    assert set(met) == {"consent-to-ask", "needs-other-channel", "informed"}


@pytest.mark.parametrize(("to", "state"), [("consent-asked", "consent-asked"), ("consent-refused", "consent-refused")])
async def test_the_patient_was_asked_or_has_refused(desk: Desk, to: str, state: str) -> None:
    _, id, _ = await judged(desk.flow)
    shown = await obey(desk, id, "steps", to=to, why="Vid besöket\r\ni dag")
    assert (await one(desk.flow, id))["state"] == state
    assert "Vid besöket" in shown.text


async def test_told_by_telephone_with_the_answer_at_once(desk: Desk) -> None:
    flow = desk.flow
    person, id = await waits_for_a_person(flow)
    seen = await look(desk, id)
    assert offered(seen) == ["told", "steps"]
    shown = await obey(desk, id, "told", mode="telephone", says="accepted", officer="Olle", text="De tar hand om det.")
    assert (await one(flow, id))["state"] == "accepted"
    assert "De tar hand om det." in shown.text
    assert await history(flow, id) == ["needs-other-channel", "informed", "accepted"]
    deeds = await flow.coordinator.get(f"/fhir/Procedure?subject=Patient/{person.id}")
    modes = [each["resource"]["extension"][0]["valueCode"] for each in deeds.json()["entry"]]
    assert modes == ["telephone"]


async def test_told_by_letter_without_any_answer(desk: Desk) -> None:
    _, id = await waits_for_a_person(desk.flow)
    await obey(desk, id, "told", mode="letter", says="")
    assert (await one(desk.flow, id))["state"] == "informed"
    assert offered(await look(desk, id)) == ["answer", "steps"]


async def test_telling_an_answer_to_their_question_asks_for_no_yes_or_no(desk: Desk) -> None:
    flow = desk.flow
    person, _ = await informed(flow, "reminder")
    await pass_days(flow, 1)
    await desk.sign_in("token-of-coordinator")
    id = (await until(flow, person, "to-answer", "contact"))["id"]
    assert offered(await look(desk, id)) == ["steps"]
    (letter,) = (await one(flow, id))["messages"]
    async with flow.paused():
        await flow.post(answer_to(flow, person, letter["resource"], "contact"))
        await until(flow, person, "queued", "contact")
        seen = await look(desk, id)
        assert offered(seen) == ["channel", "told"]
        assert seen.tree.xpath("//section[@id='told']//input[@name='says']/@value") == ["", "meeting"]
        await obey(desk, id, "told", mode="telephone")
    assert (await one(flow, id))["state"] == "answer-sent"


async def test_a_meeting_that_a_dialogue_leads_to_stands_there(desk: Desk) -> None:
    flow = desk.flow
    person, id = await informed(flow)
    fk = {"kind": "forsakringskassan"}
    planned = await flow.coordinator.post(
        "/api/meetings",
        json={
            "kind": "avstamningsmote",
            "patient": {"id": person.id},
            "parties": [{"recipient": fk, "name": "Frida Handläggare", "role": "Handläggare", "answer": "coming"}],
            "persons": [{"name": "Dan Doktor", "role": "Läkare"}],
            "start": (flow.clock.now() + timedelta(days=10)).isoformat(),
            "place": "Vårdcentralen Exempel",
            "dialogue": id,
        },
    )
    assert planned.status_code in (200, 201), planned.text
    seen = await look(desk, id)
    (meeting,) = seen.texts("//section[@aria-labelledby='h-meetings']//article")
    assert meeting.startswith("Avstämningsmöte Föreslaget")
    for told in (
        ", Vårdcentralen Exempel",
        "Patienten: Kommer",
        "Frida Handläggare, Handläggare: Kommer",
        "Dan Doktor, Läkare: Har inte svarat",
    ):
        assert told in meeting
    assert "Task/" not in seen.text


async def test_no_letter_about_somebody_whose_name_is_not_known(desk: Desk) -> None:
    flow = desk.flow
    person, id = await waits_for_a_person(flow)
    stored = (await flow.coordinator.get(f"/fhir/Patient/{person.id}")).json()
    del stored["name"]
    await flow.put(stored)
    refused = await desk.get(f"{address(desk, id)}/letter")
    assert refused.warnings == ["Brevet kan inte skrivas ut: patientens namn är inte känt här."]
    assert desk.logged(refused) == [("Läsa", "dialogue-preview")]


UNFILLED: Final[tuple[tuple[dict[str, str], str], ...]] = (
    ({"says": ""}, "Vad svaret betyder behöver väljas."),
    ({"says": "perhaps"}, "Vad svaret betyder behöver väljas."),
    ({"says": "declined"}, "Skälet behöver fyllas i."),
    ({"says": "accepted"}, words.INCOMPLETE),
    ({"says": "meeting", "mode": "telephone"}, "Vad som sades behöver fyllas i."),
    ({"says": "meeting", "mode": "pigeon", "text": "x"}, "Sättet behöver väljas."),
    ({"says": "meeting", "mode": "telephone", "text": "x", "at": "2100-01-01T10:00"}, "Tiden ska vara en tid som har varit."),
    ({"says": "meeting", "mode": "telephone", "text": "x", "at": "i går"}, "Tiden ska vara en tid som har varit."),
    ({"says": "meeting", "officer": "x" * 501}, "Handläggaren får ha högst 500 tecken."),
    ({"says": "meeting", "next_step": "\x07"}, "Nästa steg har ett tecken som inte kan sparas."),
)  # fmt: skip


@pytest.mark.parametrize(("form", "said"), UNFILLED)
async def test_what_an_answer_lacks_is_said_beside_it_and_what_was_written_stays(
    desk: Desk, form: dict[str, str], said: str
) -> None:
    _, id = await informed(desk.flow)
    refused = await send(desk, await look(desk, id), "answer", **{"follow_up": "I mars", **form})
    assert refused.status == 422
    assert beside(refused, "answer") == [said]
    assert refused.tree.xpath("//section[@id='answer']//input[@name='follow_up']/@value") == ["I mars"]
    chosen = refused.tree.xpath("//section[@id='answer']//input[@name='says'][@checked]/@value")
    assert chosen == [form["says"]] * (form["says"] in set(Says))
    assert await history(desk.flow, id) == ["queued", "informed"]
    assert len(desk.logged(refused)) == 1


async def test_an_answer_heard_by_telephone_is_kept_as_it_was_said(desk: Desk) -> None:
    flow = desk.flow
    person, id = await informed(flow)
    await pass_days(flow, 8)
    await until(flow, person, "answer-overdue")
    await desk.sign_in("token-of-coordinator")
    shown = await obey(
        desk, id, "answer", says="declined", reason="Behandling pågår", mode="telephone", at="2026-11-30T09:15", text="Nej, inte nu."
    )  # fmt: skip
    assert "Nej, inte nu." in shown.texts("//article")[-1]
    assert (await one(flow, id))["messages"][-1]["at"] == "2026-11-30T08:15:00Z"
    assert (await one(flow, id))["state"] == "declined"


async def test_another_way_is_chosen(desk: Desk) -> None:
    flow = desk.flow
    person = await flow.consenting("fk")
    flow.order("forsakringskassan", Fault(kind="result", result_code="ERROR", error_id="REVOKED", text="makulerat"))
    await flow.request(person)
    id = (await until(flow, person, "parked"))["id"]
    flow.order("forsakringskassan")
    seen = await look(desk, id)
    assert offered(seen) == ["channel", "told", "steps"]
    assert seen.tree.xpath("//section[@id='channel']//button/@value") == ["forsakringskassan", "manual"]
    refused = await send(desk, seen, "channel", channel="sdk")
    assert (refused.status, beside(refused, "channel")) == (409, [words.NO_LONGER])
    await obey(desk, id, "channel", channel="manual")
    assert (await one(flow, id))["state"] == "needs-other-channel"
    await obey(desk, id, "channel", channel="forsakringskassan")
    await until(flow, person, "informed")


async def test_without_consent_nothing_is_offered_that_tells_and_a_forged_form_tells_nothing(desk: Desk) -> None:
    flow = desk.flow
    person = await flow.consenting()
    about = await flow.request(person)
    id = (await until(flow, person, "withheld"))["id"]
    seen = await look(desk, id)
    assert "Får inte lämnas nu: inget samtycke till att lämna uppgifterna är registrerat." in seen.warnings
    assert offered(seen) == ["steps"]
    for form, fields in (("told", {"mode": "telephone"}), ("channel", {"channel": "manual"})):
        stamp = seen.fields("//section[@id='steps']")
        refused = await desk.post(f"{address(desk, id)}/{form}", pairs=stamp, **fields)
        assert refused.status == 409
        assert "Det får inte lämnas nu: inget samtycke till att lämna uppgifterna är registrerat." in refused.warnings
    assert flow.promised(about)[0].state == "withheld"


async def test_a_consent_that_ends_while_the_page_is_open_is_asked_again(desk: Desk) -> None:
    flow = desk.flow
    person, id = await waits_for_a_person(flow)
    seen = await look(desk, id)
    await flow.post(flow.forms.disclosure(person, effect="deny"))
    refused = await send(desk, seen, "told", mode="telephone")
    assert refused.status == 409
    assert (await one(flow, id))["state"] == "consent-refused"
    assert refused.warnings[0] == words.STALE


async def test_the_same_form_twice_does_its_deed_once(desk: Desk) -> None:
    flow = desk.flow
    _, id = await informed(flow)
    seen = await look(desk, id)
    form = {"says": "meeting", "mode": "telephone", "text": "På tisdag."}
    assert (await send(desk, seen, "answer", **form)).status == 303
    again = await send(desk, seen, "answer", **form)
    assert (again.status, beside(again, "answer")) == (409, [words.STALE])
    assert [each["direction"] for each in (await one(flow, id))["messages"]] == ["sent", "received"]


async def test_a_text_that_was_corrected_while_it_was_read_is_not_approved(
    serve: Callable[..., AbstractAsyncContextManager["Flow"]], tmp_path: Path
) -> None:
    async with serve(tmp_path, units=approving(tmp_path)) as flow, sat_down(flow, "coordinator") as desk:
        person = await flow.consenting("fk")
        stored = await flow.post(flow.forms.request(person, flow.certify(person)))
        id = (await until(flow, person, "to-approve"))["id"]
        seen = await look(desk, id)
        assert offered(seen) == ["approve", "channel", "told", "steps"]
        changed = stored["payload"]
        changed[0]["contentString"] = "Något annat."
        await flow.put(stored | {"payload": changed})
        refused = await send(desk, seen, "approve")
        assert (refused.status, beside(refused, "approve")) == (409, [words.STALE])
        assert "Något annat." in refused.text
        about = f"CommunicationRequest/{stored['id']}"
        assert [each.state for each in flow.promised(about)] == ["cancelled", "needs-approval"]
        await obey(desk, id, "approve")
        await until(flow, person, "informed")
        assert f"godkänt av {flow.COORDINATOR}" in " ".join((await look(desk, id)).texts("//tbody/tr"))


def approving(home: Path) -> Path:
    """The file of units: the coordinator's reads what is for others first."""
    file = home / "units.toml"
    file.write_text(
        'actor = "TSTNMT2321000156-F0002"\nevery_minutes = 10000\n[[unit]]\ncare_unit = "TSTNMT2321000156-E0001"\n'
        'care_provider = "TSTNMT2321000156-S0001"\napprove_before_sending = true\n',
        encoding="utf-8",
    )
    return file


async def test_addresses_that_answer_a_form_lead_to_the_dialogue(desk: Desk) -> None:
    _, id = await waits_for_a_person(desk.flow)
    for deed in DEEDS:
        sent = await desk.get(f"{address(desk, id)}/{deed}")
        assert (sent.status, sent.response.headers["Location"]) == (303, address(desk, id))


_VALUES: Final = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", "closed", "accepted", "telephone", "manual", "2026-11-28T10:00", "0001-01-01T00:00", "1"]),
)
_NAMES: Final = ("to", "why", "says", "mode", "at", "text", "reason", "officer", "channel", "version", "message", "x")


@given(pairs=st.lists(st.tuples(st.sampled_from(_NAMES), _VALUES), max_size=6))
@hypothesis.settings(
    max_examples=30, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
async def test_any_form_is_answered(desk: Desk, pairs: list[tuple[str, str]]) -> None:
    _, id = await waits_for_a_person(desk.flow)
    sent = [(name, value.encode("utf-8", "replace").decode()) for name, value in pairs]
    for deed in DEEDS:
        assert (await desk.post(f"{address(desk, id)}/{deed}", sent)).status < 500


# Files


async def attached(flow: "Flow", name: str, kind: str, content: bytes) -> tuple[str, str]:
    """A dialogue in which a message has come with a file: ids of the two."""
    person, id = await informed(flow)
    data = base64.b64encode(content).decode()
    binary = await flow.post({"resourceType": "Binary", "contentType": kind, "data": data})
    conversation = (await one(flow, id))["conversation"]
    await flow.post(
        {
            "resourceType": "Communication",
            "identifier": [{"system": CONVERSATION_ID, "value": conversation}],
            "status": "completed",
            "subject": {"reference": person.reference},
            "received": flow.forms.time(),
            "recipient": [{"identifier": {"system": HSA_ID.fhir, "value": flow.UNIT}, "type": "Organization"}],
            "payload": [{"contentAttachment": {"contentType": kind, "url": f"Binary/{binary['id']}", "title": name}}],
        }
    )
    return id, binary["id"]


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [("Beslut å.pdf", "application/pdf", "application/pdf"), ("x.html", "text/html", "application/octet-stream")],
)
async def test_a_file_is_saved_and_never_opened_as_a_page(desk: Desk, name: str, kind: str, told: str) -> None:
    content = b"<script>alert(1)</script>"
    id, binary = await attached(desk.flow, name, kind, content)
    (link,) = (await look(desk, id)).tree.xpath("//ul[@class='files']//a/@href")
    assert link == f"{address(desk, id)}/files/{binary}"
    response = await desk.browser.get(link)
    assert response.content == content
    assert response.headers["Content-Type"] == told
    assert response.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    rows = desk.flow.rows(
        "SELECT action, interaction FROM access_log WHERE request_id = ?", response.headers["X-Request-Id"]
    )
    assert rows == [("Läsa", "dialogue-attachment")]


async def test_a_file_of_another_dialogue_is_not_there(desk: Desk) -> None:
    _, binary = await attached(desk.flow, "x.pdf", "application/pdf", b"x")
    _, other = await informed(desk.flow)
    assert (await desk.get(f"{address(desk, other)}/files/{binary}")).status == 404


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("Beslut.pdf", "Beslut.pdf"),
        ("../../etc/passwd", "etc_passwd"),
        ("a\r\nb.pdf", "a_b.pdf"),
        ("", "bilaga"),
        ("intyg 19800101-9800.PDF", "bilaga.pdf"),
        ("198001019800.pdf", "bilaga.pdf"),
        ("fdp.\u202eexe", "fdp._exe"),
    ],
)
def test_a_files_name_is_a_name_and_no_number(given_name: str, kept: str) -> None:
    assert file_name(given_name) == kept


# What does not say whom it is about


async def stray(flow: "Flow", text: str) -> str:
    """A message has come that tells of nobody: its id. Clients may write none that has a message's id: it is put there beside
    the service, as if a mailbox had brought it."""
    sender = {"identifier": {"system": ORGANISATION_NUMBER.fhir, "value": FK}, "display": "Försäkringskassan"}
    stored = await flow.post(
        {
            "resourceType": "Communication",
            "identifier": [
                {"system": "urn:x", "value": f"message-{next(_STRAYS)}"},
                {"system": CONVERSATION_ID, "value": f"conversation-{next(_STRAYS)}"},
            ],
            "status": "completed",
            "topic": {"text": "Förfrågan"},
            "sent": flow.forms.time(),
            "received": flow.forms.time(),
            "recipient": [{"identifier": {"system": HSA_ID.fhir, "value": flow.UNIT}, "type": "Organization"}],
            "sender": sender,
            "payload": [{"contentString": text}],
        }
    )
    flow.change(
        "UPDATE history SET body = CAST(replace(CAST(body AS TEXT), 'urn:x', ?) AS BLOB) "
        "WHERE hid = (SELECT hid FROM resource WHERE id = ?)",
        MESSAGE_ID,
        stored["id"],
    )
    return str(stored["id"])


_STRAYS: Final = count()
FK: Final = "2021005521"


async def test_a_message_that_tells_of_nobody_is_sorted_by_a_person(desk: Desk) -> None:
    flow = desk.flow
    person, id = await flow.patient(), await stray(flow, "Gäller Prov. Kan ni ringa?")
    there = f"/units/{flow.UNIT}/unsorted-messages"
    assert f'href="{there}"' in (await desk.get(address(desk))).response.text
    seen = await desk.get(there)
    (message,) = [each for each in seen.texts("//article") if "Kan ni ringa?" in each]
    assert message.startswith("Från Försäkringskassan")
    assert desk.logged(seen) == []
    stranger = next(flow.people)
    for number, status, said in (
        ("1950", 422, words.NO_NUMBER),
        (stranger.number, 404, words.NOBODY),
    ):
        refused = await desk.post(f"{there}/{id}", number=number)
        assert (refused.status, refused.texts(f"//article[@id='m-{id}']//*[@role='alert']")) == (status, [said])
        assert refused.tree.xpath("//input[@aria-describedby]/@value") == [number]
    sorted_ = await desk.post(f"{there}/{id}", number=f"{person.number[:8]}-{person.number[8:]}")
    assert sorted_.status == 303
    dialogue = await desk.get(sorted_.response.headers["Location"])
    assert dialogue.texts("//p[@class='done']") == [words.DONE["sorted"]]
    assert person.name in dialogue.text
    assert "Kan ni ringa?" in dialogue.text
    again = await desk.post(f"{there}/{id}", number=person.number)
    assert (again.status, again.warnings) == (409, [words.SORTED])
    assert ("Skriva", "message-sorted") in [(row[1], row[3]) for row in flow.accesses(person)]


async def test_who_may_not_sort(flow: "Flow") -> None:
    person, id = await flow.patient(), await stray(flow, "Till vem?")
    there = f"/units/{flow.UNIT}/unsorted-messages"
    async with sat_down(flow, "reader") as reader:
        assert not (await reader.get(there)).tree.xpath("//form[@class='deed']")
        assert (await reader.post(f"{there}/{id}", number=person.number)).status == 403
    async with sat_down(flow, "neighbour") as neighbour:
        assert (await neighbour.get(there)).status == 404
        assert (await neighbour.post(f"{there}/{id}", number=person.number)).status == 404
        theirs = await neighbour.get(f"/units/{flow.OTHER_UNIT}/unsorted-messages")
        assert "Inget meddelande väntar" in theirs.text
    async with sat_down(flow, "") as passer_by:
        assert (await passer_by.get(there)).response.headers["Location"] == "/login"


# The letter


async def test_a_letter_to_an_authority_holds_what_it_needs(desk: Desk) -> None:
    flow = desk.flow
    person, id = await waits_for_a_person(flow)
    seen = await desk.get(f"{address(desk, id)}/letter")
    assert seen.status == 200
    assert desk.logged(seen) == [("Utskrift", "dialogue-preview")]
    (letter,) = seen.tree.xpath("//article[@class='paper-letter']")
    text = " ".join(letter.text_content().split())
    for part in ("Vårdcentralen Exempel", "Exempelgatan 1", "400 00 Göteborg", "Telefon 010-000 00 00", "Försäkringskassan", "Underskrift"):  # fmt: skip
        assert part in text
    assert f"Gäller: {person.name}, personnummer {person.number[:8]}-{person.number[8:]}" in text
    assert letter.xpath(".//div[@class='verbatim']")[0].text_content() == (await one(flow, id))["unsent"]["text"]
    assert (await one(flow, id))["state"] == "needs-other-channel", "printing tells nobody"


async def test_a_letter_to_an_employer_holds_the_name_and_no_number(desk: Desk) -> None:
    flow = desk.flow
    person, id = await waits_for_a_person(flow, "employer")
    seen = await desk.get(f"{address(desk, id)}/letter")
    assert f"Gäller: {person.name}" in seen.text
    assert "Exempelbolaget AB" in seen.text
    assert "personnummer" not in seen.text.lower()
    for written in (person.number, person.number[:8], person.number[2:8]):
        assert written not in seen.response.text


def test_whoever_files_by_number_gets_it_and_nobody_else() -> None:
    assert {kind for kind in RecipientKind if names_number(kind)} == {
        RecipientKind.FORSAKRINGSKASSAN,
        RecipientKind.ARBETSFORMEDLINGEN,
        RecipientKind.MUNICIPALITY,
        RecipientKind.OTHER_CARE_PROVIDER,
        RecipientKind.SAME_CARE_PROVIDER,
    }


async def test_a_letter_goes_to_the_address_that_the_organisation_has_here(desk: Desk) -> None:
    flow = desk.flow
    stored = (await flow.coordinator.get(f"/fhir/{flow.forms.refs['employer']}")).json()
    there = {"line": ["Fabriksgatan 2"], "postalCode": "411 00", "city": "Göteborg"}
    await flow.put(stored | {"address": [there]})
    _, id = await waits_for_a_person(flow, "employer")
    (to,) = (await desk.get(f"{address(desk, id)}/letter")).texts("//address[@class='to']")
    assert re.fullmatch("Exempelbolaget AB ?Fabriksgatan 2 ?411 00 Göteborg", to)


async def test_no_letter_without_consent_or_for_what_is_on_its_way_or_told(desk: Desk) -> None:
    flow = desk.flow
    person = await flow.consenting()
    await flow.request(person)
    withheld = (await until(flow, person, "withheld"))["id"]
    refused = await desk.get(f"{address(desk, withheld)}/letter")
    assert refused.status == 409
    assert refused.warnings == ["Brevet kan inte skrivas ut: inget samtycke till att lämna uppgifterna är registrerat."]
    assert person.name not in refused.text
    assert desk.logged(refused) == [("Läsa", "dialogue-preview")]
    assert not (await look(desk, withheld)).tree.xpath("//a[contains(@href, '/letter')]")

    other = await flow.consenting("fk")
    async with flow.paused():
        await flow.request(other)
        queued = (await until(flow, other, "queued"))["id"]
        assert "på väg av sig självt" in (await desk.get(f"{address(desk, queued)}/letter")).text
        assert not (await look(desk, queued)).tree.xpath("//a[contains(@href, '/letter')]")
    await until(flow, other, "informed")
    assert (await desk.get(f"{address(desk, queued)}/letter")).status == 404


# Leaks and words


async def test_nothing_of_whom_is_shown_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    flow = desk.flow
    person, id = await waits_for_a_person(flow)
    caplog.set_level(logging.DEBUG)
    await desk.get(address(desk))
    await desk.get(f"{address(desk, id)}/letter")
    await obey(desk, id, "told", mode="telephone", says="declined", reason=person.number, text="Unik text.")
    assert not [each for each in caplog.messages if person.name in each or person.number in each or "Unik text" in each]
    assert (await desk.get(f"{address(desk)}?patient={person.number}")).status == 400


def test_every_standing_and_every_reason_has_its_words() -> None:
    assert set(words.MEANS) == set(Standing)
    assert set(words.REFUSED) == set(Reason)
    assert set(words.SAYS) == set(Says)
    assert set(words.MEETINGS) == set(MeetingStatus)
    assert all(words.name("coming", each) != each for each in MeetingAnswer)
    assert set(words.STEPS) | set(rules.OF_ANSWER.values()) == set(rules.BY_PERSON)
    ways = {channel for order in channels.ORDER.values() for channel in order}
    assert ways <= set(words.CHANNELS)
    obstacles = [why for each in channels._OBSTACLES.values() for why in each]
    assert {*obstacles, *channels._WHY.values()} <= set(words.REASONS)
    assert DeliveryState.NEEDS_APPROVAL in rules.OF_DELIVERY


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("", ""),
        ("no-consent", "inget samtycke till att lämna uppgifterna är registrerat"),
        ("expired, category-not-covered", "samtycket har gått ut; samtycket täcker inte alla uppgifter i meddelandet"),
        ("approved by TST-1", "godkänt av TST-1"),
        ("told by telephone by TST-1", "TST-1 berättade: telefon"),
        ("released by TST-1: hon vill det", "TST-1 beslutade att det får lämnas: hon vill det"),
        ("manual chosen by TST-1", "TST-1 valde att en person berättar"),
        ("REVOKED: makulerat; another channel may carry it", "mottagaren tog inte emot det: en annan väg kan fungera (REVOKED: makulerat)"),
        ("Patienten ringde, ville vänta", "Patienten ringde, ville vänta"),
    ],
)  # fmt: skip
def test_reasons_are_told_in_swedish(reason: str, told: str) -> None:
    assert words.reason(reason) == told
