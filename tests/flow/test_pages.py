"""The pages over HTTP, read as HTML: signing in and out, the list, its filters, statuses, the print view, the summary.

Each test's certificates are issued by a doctor of its own: asking for that doctor shows its own people alone.
"""

import logging
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from adapters.mocking import Fault
from contracts.time import swedish_day
from service.console import overview, words
from service.rules.sick_leave.modes import MODES
from service.rules.sick_leave.order import COLUMNS
from service.rules.sick_leave.question import PARAMETERS
from service.rules.sick_leave.reko_status import NAMES
from service.security import token_hash

if TYPE_CHECKING:
    from tests.flow.conftest import Flow, Person

_NUMBERS: Final = count(500)


@dataclass(slots=True)
class Page:
    """An answer, and what stands in it."""

    response: httpx.Response
    tree: Any

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def text(self) -> str:
        return " ".join(self.tree.text_content().split())

    def texts(self, path: str) -> list[str]:
        return [" ".join(each.text_content().split()) for each in self.tree.xpath(path)]

    @property
    def names(self) -> list[str]:
        return [str(each).strip() for each in self.tree.xpath("//tbody//th[@scope='row']/text()[1]")]

    @property
    def warnings(self) -> list[str]:
        return self.texts("//*[contains(@class, 'warning')]")

    def fields(self, form: str) -> list[tuple[str, str]]:
        """The hidden fields of a form, by where it is sent."""
        return [
            (str(each.get("name")), str(each.get("value")))
            for each in self.tree.xpath(form + "//input[@type='hidden']")
        ]


@dataclass(slots=True)
class Desk:
    """Somebody before a browser without script, and the people of one test."""

    flow: "Flow"
    browser: httpx.AsyncClient
    doctor: str = field(default_factory=lambda: f"TSTNMT2321000156-D{next(_NUMBERS):04}")

    @property
    def address(self) -> str:
        return f"/units/{self.flow.UNIT}/sick-leaves"

    async def get(self, address: str = "") -> Page:
        return page(await self.browser.get(address or self.address))

    async def post(self, address: str = "", pairs: Sequence[tuple[str, str]] = (), **form: str) -> Page:
        sent = httpx.QueryParams([*pairs, *form.items()])
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://reko"}
        return page(await self.browser.post(address or self.address, content=str(sent), headers=headers))

    async def see(self, **form: str) -> Page:
        return await self.post(pairs=[("doctor", self.doctor), *form.items()])

    async def sign_in(self, token: str) -> Page:
        return await self.post("/login", token=token)

    async def admit(self, first: int = -10, last: int = 20, **elements: Any) -> "Person":
        """Somebody new with a certificate of this test's doctor."""
        person = next(self.flow.people)
        self.flow.certify(person, first, last, **{"doctor": self.doctor, "patient_name": person.name, **elements})
        return person

    async def pull(self) -> None:
        assert (await self.flow.coordinator.post(f"/api/units/{self.flow.UNIT}/pull")).status_code == 200

    def logged(self, seen: Page) -> list[tuple[str, str]]:
        """Action and interaction of the access log's rows of the request."""
        rows = self.flow.rows(
            "SELECT action, interaction FROM access_log WHERE request_id = ? ORDER BY number",
            seen.response.headers["X-Request-Id"],
        )
        return [(str(action), str(interaction)) for action, interaction in rows]


def page(response: httpx.Response) -> Page:
    return Page(response, html.fromstring(response.text) if response.text else html.fromstring("<p/>"))


@asynccontextmanager
async def sat_down(flow: "Flow", who: str) -> AsyncIterator[Desk]:
    transport = httpx.ASGITransport(app=flow.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://reko") as browser:
        desk = Desk(flow, browser)
        if who:
            assert (await desk.sign_in(f"token-of-{who}")).status == 303
        yield desk


@pytest.fixture
async def desk(flow: "Flow") -> AsyncIterator[Desk]:
    """The coordinator, signed in."""
    async with sat_down(flow, "coordinator") as sitting:
        yield sitting


@pytest.fixture
async def passer_by(flow: "Flow") -> AsyncIterator[Desk]:
    """Nobody is signed in."""
    async with sat_down(flow, "") as sitting:
        yield sitting


# Signing in and out


async def test_signing_in_leads_to_the_units_list(passer_by: Desk) -> None:
    asked = await passer_by.get("/login")
    assert asked.tree.xpath("//form[@action='/login']//input[@type='password']/@name") == ["token"]
    signed = await passer_by.sign_in("token-of-coordinator")
    assert (signed.status, signed.response.headers["Location"]) == (303, passer_by.address)
    assert (await passer_by.get()).status == 200


async def test_the_session_is_a_cookie_that_scripts_and_other_sites_never_get(passer_by: Desk) -> None:
    cookie = (await passer_by.sign_in("token-of-coordinator")).response.headers["Set-Cookie"]
    parts = [part.strip() for part in cookie.split(";")]
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=28800"} <= set(parts)
    assert "Secure" not in parts
    assert "token-of-coordinator" not in cookie
    assert token_hash("token-of-coordinator") not in cookie


async def test_behind_https_the_cookie_keeps_to_https(
    serve: Callable[..., AbstractAsyncContextManager["Flow"]], tmp_path: Path
) -> None:
    async with serve(tmp_path, public_url="https://reko") as flow, sat_down(flow, "") as passer_by:
        response = await passer_by.browser.post(
            "/login", data={"token": "token-of-coordinator"}, headers={"Origin": "https://reko"}
        )
    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-reko=")
    assert "Secure" in [part.strip() for part in cookie.split(";")]
    assert "Domain" not in cookie


async def test_a_wrong_token_opens_nothing_and_is_not_repeated(passer_by: Desk) -> None:
    refused = await passer_by.sign_in("token-of-somebody-else")
    assert refused.status == 401
    assert refused.warnings == [words.NOT_KNOWN]
    assert "somebody-else" not in refused.response.text
    assert "Set-Cookie" not in refused.response.headers


async def test_whoever_is_not_signed_in_is_asked_to(passer_by: Desk) -> None:
    for address in (passer_by.address, f"{passer_by.address}/summary"):
        sent_away = await passer_by.get(address)
        assert (sent_away.status, sent_away.response.headers["Location"]) == (303, "/login")
    for address in (passer_by.address, f"{passer_by.address}/print", status_address(passer_by, "p")):
        refused = await passer_by.post(address)
        assert (refused.status, refused.warnings) == (401, [words.SIGNED_OUT])


async def test_a_session_ends_when_the_working_day_does(desk: Desk) -> None:
    for hours, status in ((7, 200), (2, 303)):
        desk.flow.clock.advance(timedelta(hours=hours))
        assert (await desk.get()).status == status
    desk.flow.clock.advance(timedelta(hours=-9))


async def test_signing_out_ends_the_session_and_its_copies(desk: Desk) -> None:
    copy = dict(desk.browser.cookies)
    left = await desk.post("/logout")
    assert (left.status, left.response.headers["Location"]) == (303, "/")
    assert not dict(desk.browser.cookies)
    desk.browser.cookies.update(copy)
    assert (await desk.get()).status == 303


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAABw", "é"])
async def test_a_made_up_cookie_is_nobodys(passer_by: Desk, cookie: str) -> None:
    headers = [(b"Cookie", f"reko={cookie}".encode("latin-1"))]
    assert (await passer_by.browser.get(passer_by.address, headers=headers)).status_code == 303


@pytest.mark.parametrize("origin", [None, "null", "http://reko.example", "http://rek", "https://other"])
async def test_a_form_of_another_site_changes_and_shows_nothing(desk: Desk, origin: str | None) -> None:
    before = await desk.flow.stored()
    headers = {"Origin": origin} if origin else {}
    for address in ("/login", "/logout", desk.address, f"{desk.address}/print", status_address(desk, "p")):
        response = await desk.browser.post(address, data={"set": "REKO_2"}, headers=headers)
        assert response.status_code == 403, address
        assert "Inte tillåtet" in response.text
    assert await desk.flow.stored() == before
    assert (await desk.get()).status == 200


async def test_the_front_page_leads_on(desk: Desk, passer_by: Desk) -> None:
    assert "/login" in (await passer_by.get("/")).tree.xpath("//a/@href")
    links = (await desk.get("/")).tree.xpath("//a/@href")
    assert {desk.address, f"{desk.address}/summary", "/api/docs"} <= set(links)


# Every page


async def pages_of(desk: Desk) -> list[Page]:
    person = await desk.admit()
    await desk.pull()
    listed = await desk.see()
    return [
        await desk.get("/"),
        await desk.get("/login"),
        await desk.get(),
        listed,
        await desk.see(gap="x"),
        await desk.post(f"{desk.address}/print", doctor=desk.doctor),
        await desk.get(f"{desk.address}/summary"),
        await desk.post(status_address(desk, patient_of(listed, person)), set="REKO_2"),
        await desk.get("/units/nowhere/sick-leaves"),
        await desk.get("/units/nowhere"),
    ]


async def test_every_page_is_closed_to_scripts_frames_and_caches(desk: Desk) -> None:
    for seen in await pages_of(desk):
        headers = seen.response.headers
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert not seen.tree.xpath("//script | //@style | //style | //@*[starts-with(name(), 'on')]")
        own = [str(link) for link in seen.tree.xpath("//@href | //@src | //@action | //@formaction")]
        assert [link for link in own if not link.startswith(("/", "#", "data:,"))] == []


async def test_every_page_is_swedish_has_a_heading_and_names_its_controls(desk: Desk) -> None:
    for seen in await pages_of(desk):
        assert seen.tree.xpath("/html/@lang") == ["sv"]
        assert len(seen.tree.xpath("//h1")) == 1
        assert not seen.tree.xpath(
            "//*[self::input[not(@type='hidden')] or self::select][not(@aria-label) and not(ancestor::label)]"
        )
        assert not seen.tree.xpath("//th[not(@scope)]")
        ids = seen.tree.xpath("//@id")
        assert len(ids) == len(set(ids))


async def test_no_page_names_anybody_in_its_title_or_an_address(desk: Desk) -> None:
    person = await desk.admit(patient_name="Unik Utterlund")
    await desk.pull()
    for seen in (await desk.see(text="utterlund"), await desk.post(f"{desk.address}/print", text="utterlund")):
        assert seen.names == ["Unik Utterlund"]
        places = [*seen.texts("//title"), *seen.tree.xpath("//@href | //@action | //@formaction | //@id")]
        assert not [place for place in places if "tterlund" in place or person.number[:8] in place]


async def test_what_others_have_written_is_text(desk: Desk) -> None:
    await desk.admit(patient_name="<script>alert(1)</script>", doctor_name='"><b>Läkare</b>')
    await desk.pull()
    seen = await desk.see(text="<script>")
    assert seen.names == ["<script>alert(1)</script>"]
    assert not seen.tree.xpath("//script | //td//b")


async def test_another_units_pages_are_told_like_none(desk: Desk) -> None:
    other = f"/units/{desk.flow.OTHER_UNIT}/sick-leaves"
    for seen in (await desk.get(other), await desk.post(f"{other}/print"), await desk.get(f"{other}/summary")):
        assert (seen.status, seen.texts("//h1")) == (404, ["Finns inte"])


async def test_addresses_that_lead_nowhere_are_told_as_pages(desk: Desk) -> None:
    assert (await desk.get("/units/x/nothing")).texts("//h1") == ["Finns inte"]
    put = page(await desk.browser.put(desk.address))
    assert (put.status, put.texts("//h1")) == (405, ["Görs inte här"])
    for address in (f"{desk.address}/print", status_address(desk, "p")):
        again = await desk.get(address)
        assert (again.status, again.response.headers["Location"]) == (303, desk.address)
    named = await desk.get(f"{desk.address}?gap=19500101-9800")
    assert (named.status, named.texts("//h1")) == (400, ["Frågan kunde inte läsas"])


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"\xff", "application/x-www-form-urlencoded", 400),
        (b"text=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"length=0-14"] * 1001), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"x" * (5 * 1024 * 1024 + 1), "application/x-www-form-urlencoded", 413),
    ],
    ids=["bytes", "escapes", "fields", "media", "size"],
)
async def test_forms_that_no_browser_sends(desk: Desk, body: bytes, media: str, status: int) -> None:
    headers = {"Content-Type": media, "Origin": "http://reko"}
    assert (await desk.browser.post(desk.address, content=body, headers=headers)).status_code == status


# The list


async def test_a_row_tells_what_rehabstod_tells(desk: Desk) -> None:
    today = swedish_day(desk.flow.clock.now())
    periods = tuple(
        {"start": today + timedelta(days=first), "end": today + timedelta(days=last), "degree": degree}
        for first, last, degree in ((-10, -1, 100), (0, 20, 50))
    )
    person = await desk.admit(
        diagnosis="F43.8A Utmattningssyndrom",
        occupations=("ARBETSSOKANDE",),
        doctor_name="Ro Rad",
        periods=periods,
    )
    await desk.pull()
    seen = await desk.see()
    (row,) = seen.tree.xpath("//tbody/tr")
    told = " ".join(row.text_content().split())
    number = f"{person.number[:8]}-{person.number[8:]}"
    expected = (
        number, person.name, "Kvinna", "F438A Utmattningssyndrom", "Arbetssökande", "Ro Rad", "31 dagar", "1 intyg",
        f"{today - timedelta(days=10)}", f"{today + timedelta(days=20)}", "20 dagar kvar", "50 %", "100 → 50",
    )  # fmt: skip
    assert not [part for part in expected if part not in told]
    assert seen.texts("//svg/title") == [
        f"100 % {today - timedelta(days=10)} – {today - timedelta(days=1)}, 50 % {today} – {today + timedelta(days=20)}"
    ]
    headings = " ".join(seen.texts("//thead//th"))
    assert not [column.label for column in COLUMNS.values() if column.label not in headings]


async def test_the_list_says_how_it_was_counted(desk: Desk) -> None:
    await desk.admit()
    await desk.pull()
    for mode, (name, meaning) in words.MODES.items():
        (told,) = (await desk.see(mode=mode, gap="9", maxDaysSinceEnd="0")).texts("//dl")
        assert f"{name}: {meaning}" in told
        assert "högst 9" in told
        assert re.search(r"Hämtat: \d{4}-\d\d-\d\d kl\. \d\d\.\d\d", told)


async def test_an_ended_sick_leave_is_said_to_be_so(desk: Desk) -> None:
    await desk.admit(-10, -2)
    response = await desk.flow.coordinator.post(f"/api/units/{desk.flow.UNIT}/pull", params={"max_days_since_end": 5})
    assert response.status_code == 200
    assert (await desk.see()).text.count("avslutat för 2 dagar sedan") == 0
    assert "avslutat för 2 dagar sedan" in (await desk.see(maxDaysSinceEnd="5")).text
    (warning,) = (await desk.see(maxDaysSinceEnd="9")).warnings
    assert warning == words.TOO_NARROW.format(days=5)


FILTERED: Final[tuple[tuple[dict[str, str], str], ...]] = (
    ({"length": "0-14"}, "kort"),
    ({"endsWithin": "3"}, "kort"),
    ({"chapter": "M00-M99"}, "lång"),
    ({"occupation": "STUDIER"}, "lång"),
    ({"status": "REKO_1", "text": "lång"}, "lång"),
    ({"text": "m545"}, "lång"),
    ({"ageFrom": "0", "ageTo": "150", "length": "0-14"}, "kort"),
)


@pytest.mark.parametrize(("asked", "found"), FILTERED)
async def test_filters(desk: Desk, asked: dict[str, str], found: str) -> None:
    await desk.admit(-5, 2, patient_name="kort", diagnosis="F32")
    await desk.admit(-100, 100, patient_name="lång", diagnosis="M54.5", occupations=("STUDIER",))
    await desk.pull()
    seen = await desk.see(**asked)
    assert seen.names == [found]
    assert "Filter:" in seen.text
    assert seen.tree.xpath("//details[@class='filters']/@open") == [""]
    assert str(seen.response.url) == f"http://reko{desk.address}"


async def test_the_form_keeps_what_was_asked(desk: Desk) -> None:
    await desk.admit()
    await desk.pull()
    seen = await desk.see(text="prov", length="31-60", endTo="2099-12-31", mode="corrected", gap="7", limit="25")
    (form,) = seen.tree.xpath("//details[@class='filters']//form")
    kept = dict(form.form_values())
    asked = {"text": "prov", "length": "31-60", "endTo": "2099-12-31", "mode": "corrected", "gap": "7", "limit": "25"}
    assert asked.items() <= kept.items()
    assert kept["doctor"] == desk.doctor
    again = await desk.post(pairs=form.form_values())
    assert again.names == seen.names


async def test_the_form_offers_what_can_be_asked(desk: Desk) -> None:
    await desk.admit()
    await desk.pull()
    (form,) = (await desk.get()).tree.xpath("//details[@class='filters']//form")
    assert {each.get("name") for each in form.xpath(".//input | .//select")} == {
        each.name for each in PARAMETERS if each.name != "offset"
    }


REFUSED: Final[tuple[tuple[dict[str, str], str], ...]] = (
    ({"gap": "91"}, "Dagar mellan intyg ska vara ett heltal från 0 till 90."),
    ({"maxDaysSinceEnd": "-1"}, "Dagar sedan avslut ska vara ett heltal från 0 till 14."),
    ({"endFrom": "i går"}, "Slutdatum från ska vara ett datum (ÅÅÅÅ-MM-DD), inte mer än slutdatum till."),
    ({"ageFrom": "9", "ageTo": "8"}, "Ålder från ska vara ett heltal från 0 till 150, inte mer än ålder till."),
    ({"chapter": "sju"}, "Diagnoskapitel ska vara något som finns att välja."),
    ({"mode": "sju"}, "Räknesätt ska vara något som finns att välja."),
    ({"text": "x" * 201}, "Fritext ska vara högst 200 tecken."),
    ({"sju": "sju"}, "Frågan har en del som inte är känd här."),
)


@pytest.mark.parametrize(("asked", "told"), REFUSED)
async def test_what_cannot_be_asked_is_told_in_swedish(desk: Desk, asked: dict[str, str], told: str) -> None:
    refused = await desk.see(**asked)
    assert refused.status == 422
    assert told in refused.warnings[0]
    assert not refused.names
    assert desk.logged(refused) == []


async def test_filters_never_stand_in_an_address(desk: Desk) -> None:
    for name in ("text=a", "doctor=a", "length=0-14", "status=REKO_2"):
        assert (await desk.get(f"{desk.address}?{name}")).status == 422
    assert (await desk.get(f"{desk.address}?gap=3&mode=corrected")).status == 200


async def test_a_heading_sorts_and_turns(desk: Desk) -> None:
    for name in ("Berit", "Adam", "Örjan", "Åke"):
        await desk.admit(patient_name=name)
    await desk.pull()
    seen = await desk.see()
    for order, expected in (
        ("ascending", ["Adam", "Berit", "Åke", "Örjan"]),
        ("descending", ["Örjan", "Åke", "Berit", "Adam"]),
    ):
        (button,) = seen.tree.xpath("//button[@form='order'][starts-with(., 'Namn')]")
        fields = seen.fields("//form[@id='order']")
        seen = await desk.post(pairs=[*fields, ("sort", button.get("value"))])
        assert seen.names == expected
        assert seen.tree.xpath("//th[contains(., 'Namn')]/@aria-sort") == [order]
        assert len(seen.tree.xpath("//th[@aria-sort]")) == 1


async def test_pages_follow_each_other(desk: Desk) -> None:
    everybody = sorted([(await desk.admit()).name for _ in range(5)])
    await desk.pull()
    first = await desk.see(limit="2", sort="name")
    second = await desk.post(pairs=first.fields("//nav[@class='pages']/form[contains(., 'Nästa')]"))
    third = await desk.post(pairs=second.fields("//nav[@class='pages']/form[contains(., 'Nästa')]"))
    assert sorted(first.names + second.names + third.names) == everybody
    assert "Visar 3–4 av 5 sjukfall." in second.text
    assert not third.tree.xpath("//nav[@class='pages']/form[contains(., 'Nästa')]")
    back = await desk.post(pairs=third.fields("//nav[@class='pages']/form[contains(., 'Föregående')]"))
    assert back.names == second.names
    assert not first.tree.xpath("//nav[@class='pages']/form[contains(., 'Föregående')]")
    assert desk.logged(second) == [("Läsa", "sick-leaves")] * 2


async def test_nobody_is_said_in_words(desk: Desk) -> None:
    await desk.pull()
    assert "Inga sjukfall som filtren släpper igenom." in (await desk.see()).text


async def test_a_unit_that_was_never_pulled_says_so(flow: "Flow") -> None:
    async with sat_down(flow, "neighbour") as neighbour:
        seen = await neighbour.get(f"/units/{flow.OTHER_UNIT}/sick-leaves")
    assert seen.warnings == [words.NEVER_PULLED]
    assert "Inga sjukfall." in seen.text


async def test_a_pull_that_failed_and_one_that_is_old_are_warned_of(desk: Desk) -> None:
    flow = desk.flow
    await desk.admit()
    await desk.pull()
    assert (await desk.see()).warnings == []
    flow.order("intygstjanst", Fault(kind="http", status=500, times=9))
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 503
    (failed,) = (await desk.see()).warnings
    assert re.fullmatch(r"Den senaste hämtningen, .+, misslyckades\. Listan visar vad som gällde .+\.", failed)
    flow.order("intygstjanst")
    await desk.pull()
    flow.clock.advance(timedelta(hours=25))
    await desk.sign_in("token-of-coordinator")
    (old,) = (await desk.see()).warnings
    assert "för mer än ett dygn sedan" in old
    flow.clock.advance(timedelta(hours=-25))


async def test_each_patient_shown_is_logged_before_the_page_leaves(desk: Desk) -> None:
    for _ in range(3):
        await desk.admit(patient_name="Logg Loggsson")
    await desk.pull()
    assert desk.logged(await desk.see()) == [("Läsa", "sick-leaves")] * 3
    with desk.flow.no_room("access_log"):
        for seen in (await desk.see(), await desk.post(f"{desk.address}/print", doctor=desk.doctor)):
            assert (seen.status, seen.texts("//h1")) == (503, ["Tillfälligt fel"])
            assert "Loggsson" not in seen.response.text


# RekoStatus


def status_address(desk: Desk, patient: str) -> str:
    return f"/units/{desk.flow.UNIT}/patients/{patient}/reko-status"


def patient_of(seen: Page, person: "Person") -> str:
    (row,) = seen.tree.xpath(f"//tbody/tr[contains(., '{person.number[:8]}-{person.number[8:]}')]")
    return str(row.get("id")).removeprefix("p-")


async def test_a_status_is_set_in_its_row(desk: Desk) -> None:
    person, other = await desk.admit(), await desk.admit()
    await desk.pull()
    seen = await desk.see(sort="-name")
    patient = patient_of(seen, person)
    (form,) = seen.tree.xpath(f"//tr[@id='p-{patient}']//form")
    assert form.get("action") == f"{status_address(desk, patient)}#p-{patient}"
    assert form.xpath(".//select/option/text()") == list(NAMES.values())
    fields = [(name, value) for name, value in form.form_values() if name != "set"]
    saved = await desk.post(status_address(desk, patient), pairs=[*fields, ("set", "REKO_3")])
    assert saved.status == 200
    assert saved.names == seen.names
    assert saved.texts("//tr[@class='saved']//small[@role='status']") == ["Sparad"]
    assert saved.tree.xpath(f"//tr[@id='p-{patient}']//option[@selected]/text()") == ["Aktiv"]
    assert not saved.tree.xpath(f"//tr[@id='p-{patient_of(saved, other)}']//option[@selected]")
    assert sorted(desk.logged(saved)) == [("Läsa", "sick-leaves")] * 2 + [("Skriva", "reko-status")]


async def test_statuses_that_are_not_set(desk: Desk) -> None:
    person = await desk.admit()
    await desk.pull()
    patient = patient_of(await desk.see(), person)
    before = desk.flow.rows("SELECT count(*) FROM reko_status")
    for address, form, status in (
        (status_address(desk, patient), {"set": "REKO_9"}, 400),
        (status_address(desk, patient), {}, 400),
        (status_address(desk, "nobody"), {"set": "REKO_2"}, 404),
        (f"/units/{desk.flow.OTHER_UNIT}/patients/{patient}/reko-status", {"set": "REKO_2"}, 404),
        (status_address(desk, patient), {"set": "REKO_2", "gap": "x"}, 422),
    ):
        assert (await desk.post(address, list(form.items()))).status == status, form
    assert desk.flow.rows("SELECT count(*) FROM reko_status") == before


@pytest.mark.parametrize("who", ["reader", "doctor"])
async def test_who_may_not_set_a_status_sees_it_and_gets_no_form(flow: "Flow", who: str) -> None:
    async with sat_down(flow, who) as desk:
        person = await desk.admit(doctor=flow.DOCTOR)
        await desk.pull()
        seen = await desk.post(text=person.name)
        assert seen.names == [person.name]
        assert not seen.tree.xpath("//select[@name='set']")
        refused = await desk.post(status_address(desk, patient_of(seen, person)), set="REKO_2")
        assert (refused.status, refused.texts("//h1")) == (403, ["Inte tillåtet"])


async def test_a_doctor_sees_her_own_and_no_filter_of_doctors(flow: "Flow") -> None:
    async with sat_down(flow, "doctor") as desk:
        await desk.admit(patient_name="en annans")
        await desk.admit(patient_name="min egen", doctor=flow.DOCTOR)
        await desk.pull()
        seen = await desk.post(limit="1000")
        assert "min egen" in seen.names
        assert "en annans" not in seen.names
        assert not seen.tree.xpath("//input[@name='doctor'][@type='checkbox']")
        assert "som du själv har utfärdat" in seen.text


# On paper


async def test_the_print_view_holds_all_that_the_filters_let_through_and_is_logged_as_a_print(desk: Desk) -> None:
    everybody = sorted([(await desk.admit()).name for _ in range(3)])
    await desk.pull()
    seen = await desk.see(limit="2", sort="name")
    printed = await desk.post(f"{desk.address}/print", pairs=seen.fields(f"//form[@action='{desk.address}/print']"))
    assert sorted(printed.names) == everybody
    assert "Filter: Läkare" in printed.text
    assert desk.flow.COORDINATOR in printed.text
    assert desk.logged(printed) == [("Utskrift", "sick-leaves-print")] * 3
    assert not printed.tree.xpath("//table//form | //table//button")


async def test_a_print_that_cannot_be_asked_is_none(desk: Desk) -> None:
    refused = await desk.post(f"{desk.address}/print", gap="x")
    assert refused.status == 422
    assert desk.logged(refused) == []


# In figures


async def test_the_summary_counts_both_ways_and_names_nobody(flow: "Flow") -> None:
    async with sat_down(flow, "coordinator") as desk:
        person = await desk.admit(-10, -5, id="sum-1")
        flow.certify(person, -3, 20, id="sum-2", doctor=desk.doctor, patient_name=person.name)
        await desk.pull()
        seen = await desk.get(f"{desk.address}/summary?gap=5")
        assert seen.status == 200
        ours, national = (" ".join(each.text_content().split()) for each in seen.tree.xpath("//section"))
        assert "högst 5" in ours
        assert "högst 0" in national
        for heading in ("Diagnosgrupp", "Sjukskrivningsgrad", "Antal grader i intyget", "Sjukskrivningslängd (dagar)"):
            assert heading in ours
            assert heading in national
        assert person.name not in seen.response.text
        assert desk.logged(seen) == []
        api = (await flow.coordinator.get(f"/api{desk.address}/summary?gap=5")).json()
        for way, name in ((ours, "asked"), (national, "national")):
            women, men = (each["count"] for each in api[name]["genders"])
            assert f"{api[name]['total']} sjukfall: {women} kvinnor" in way
            assert f"{men} män" in way


async def test_a_summary_takes_settings_alone(desk: Desk) -> None:
    assert (await desk.get(f"{desk.address}/summary?gap=99")).status == 422
    assert (await desk.get(f"{desk.address}/summary?length=0-14")).status == 422


# Whatever is sent


_VALUES: Final = st.one_of(
    st.text(max_size=8), st.sampled_from(["0", "-1", "2026-11-28", "0001-01-01", "9999-12-31", "-", "730-"])
)


@given(pairs=st.lists(st.tuples(st.sampled_from([*words.NAMES, "set", "x"]), _VALUES), max_size=5))
@hypothesis.settings(
    max_examples=30, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
async def test_any_form_is_answered(desk: Desk, pairs: list[tuple[str, str]]) -> None:
    sent = [(name, value.encode("utf-8", "replace").decode()) for name, value in pairs]
    for address in ("", f"{desk.address}/print", status_address(desk, "p"), "/login"):
        assert (await desk.post(address, sent)).status < 500


async def test_a_failure_of_ours_is_told_with_its_number_alone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("Hemlig Hemligsson")

    monkeypatch.setattr(overview, "sheet", fail)
    seen = await desk.see()
    assert (seen.status, seen.texts("//h1")) == (500, ["Något gick fel"])
    assert seen.response.headers["X-Request-Id"] in seen.text
    assert "Hemlig" not in seen.response.text


async def test_nothing_of_whom_is_shown_is_logged(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    person = await desk.admit(patient_name="Unik Utterlund")
    await desk.pull()
    caplog.set_level(logging.DEBUG)
    seen = await desk.see(text="utterlund")
    assert seen.names == ["Unik Utterlund"]
    await desk.post(status_address(desk, patient_of(seen, person)), text=person.number, set="REKO_2")
    await desk.post(f"{desk.address}/print", text=person.number)
    await desk.post(text=person.number, gap=person.number)
    assert not [each for each in caplog.messages if "tterlund" in each or person.number in each]


# Words


def test_every_part_of_a_question_and_every_mode_has_its_words() -> None:
    assert set(words.NAMES) == {each.name for each in PARAMETERS}
    assert set(words.MODES) == set(MODES)
