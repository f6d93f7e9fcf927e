"""The pages in a real browser: signing in, reading, filtering, sorting, leafing, setting a status, printing; a dialogue from the
judged need to its end, and a letter.

What stands in the HTML is tested in test_pages.py; here it is what only a browser does: forms sent by clicks, the cookie, the
policy that forbids everything else, sizes, and paper.
"""

import asyncio
import base64
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from contracts.time import swedish_day
from tests.flow.test_dialogue import history, instruct, pass_days, until
from tests.flow.test_dialogue_pages import approving

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from tests.flow.conftest import Flow


class Seat:
    """Somebody before the browser."""

    def __init__(self, browser: Chrome, base: str) -> None:
        self.browser, self.base = browser, base

    def one(self, path: str) -> WebElement:
        return self.browser.find_element(By.XPATH, path)

    def names(self) -> list[str]:
        return [each.text.splitlines()[0] for each in self.browser.find_elements(By.XPATH, "//tbody//th")]

    def follow(self, path: str) -> None:
        """Click, and wait for the page that comes."""
        page = self.one("/html")
        self.one(path).click()
        # A page that is just going away is told of in several ways, not only as a stale element.
        WebDriverWait(self.browser, 60, ignored_exceptions=[WebDriverException]).until(staleness_of(page))

    def sign_in(self) -> None:
        self.browser.get(f"{self.base}/")
        self.follow("//a[.='Logga in']")
        self.one("//input[@name='token']").send_keys("token-of-coordinator")
        self.follow("//button[.='Logga in']")

    def widths(self) -> tuple[int, int]:
        """Of the page, and of the window that shows it."""
        script = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        page, window = self.browser.execute_script(script)
        return page, window

    def complaints(self) -> list[Any]:
        """What the browser has logged: broken policies, missing files, failures."""
        return [each for each in self.browser.get_log("browser") if each["level"] != "INFO"]  # type: ignore[no-untyped-call]


def works_through_the_list(seat: Seat) -> None:
    seat.sign_in()
    assert seat.names() == ["Eva", "Disa", "Cia", "Bo", "Adam"], "the first to end stands first"
    page, window = seat.widths()
    assert page <= window, "the page is as wide as the screen"
    table = seat.one("//table")
    assert table.size["width"] <= seat.one("//div[@class='wide']").size["width"], "and so is the table"
    assert seat.one("//tbody/tr[5]//*[name()='svg']").size["width"] > 200

    seat.follow("//thead//button[starts-with(., 'Namn')]")
    assert seat.names() == ["Adam", "Bo", "Cia", "Disa", "Eva"]

    seat.one("//summary[.='Filter och inställningar']").click()
    seat.one("//input[@name='limit']").send_keys("2")
    seat.one("//input[@name='endsWithin']").send_keys("35")
    seat.follow("//button[.='Visa']")
    assert seat.names() == ["Bo", "Cia"]
    seat.follow("//button[contains(., 'Nästa')]")
    assert seat.names() == ["Disa", "Eva"]
    assert "?" not in seat.browser.current_url

    Select(seat.one("//tbody/tr[2]//select")).select_by_visible_text("Aktiv")
    seat.follow("//tbody/tr[2]//button")
    assert seat.names() == ["Disa", "Eva"]
    assert seat.one("//tr[@class='saved']//small[.='Sparad']").is_displayed()
    assert Select(seat.one("//tbody/tr[2]//select")).first_selected_option.text == "Aktiv"


def prints(seat: Seat) -> None:
    on_paper = "return matchMedia('print').matches"
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert seat.browser.execute_script(on_paper)
    assert not seat.one("//table").is_displayed(), "what is not logged as a print does not go on paper"
    assert seat.one("//*[@class='on-paper']").is_displayed()
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    seat.follow("//button[.='Utskriftsvy']")
    assert seat.names() == ["Bo", "Cia", "Disa", "Eva"]
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert seat.one("//table").is_displayed()
    assert not seat.one("//form[contains(., 'Till listan')]").is_displayed()
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    paper = base64.b64decode(seat.browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert paper.count(b"/Type /Page\n") == 1
    assert b"/MediaBox [0 0 842" in paper or b"/MediaBox [0 0 841" in paper, "A4, lying"


def sees_the_rest(seat: Seat) -> None:
    seat.follow("//a[.='Sammanfattning']")
    assert "5 sjukfall" in seat.one("//section[1]").text
    seat.browser.set_window_size(640, 900)
    assert seat.widths()[0] <= seat.widths()[1]
    seat.follow("//a[.='Sjukfall']")
    assert seat.widths()[0] <= seat.widths()[1], "narrow: the table scrolls in itself"
    seat.browser.set_window_size(1280, 900)
    assert seat.complaints() == []
    seat.follow("//button[.='Logga ut']")
    seat.browser.get(f"{seat.base}/units/x/sick-leaves")
    assert seat.browser.current_url.endswith("/login")


def without_scripts(seat: Seat, part: Callable[[Seat], None]) -> None:
    """Pages may run none meanwhile; the driver's own questions are asked all the same."""
    seat.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        part(seat)
    finally:
        seat.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


async def test_a_coordinators_morning(
    flow: "Flow",
    browser: Chrome,
    over_http: "Callable[[ASGIApp], AbstractAsyncContextManager[str]]",
) -> None:
    today = swedish_day(flow.clock.now())
    for index, name in enumerate(["Adam", "Bo", "Cia", "Disa", "Eva"]):
        spans = ((-200, -40, 100), (-39, -1, 75), (0, 40 - 8 * index, 50))
        periods = tuple(
            {"start": today + timedelta(days=first), "end": today + timedelta(days=last), "degree": degree}
            for first, last, degree in spans
        )
        diagnosis = "F43.8A Utmattningssyndrom"
        flow.certify(next(flow.people), id=name, patient_name=name, periods=periods, diagnosis=diagnosis)
    assert (await flow.coordinator.post(f"/api/units/{flow.UNIT}/pull")).status_code == 200
    async with over_http(flow.app) as base:
        seat = Seat(browser, base)
        for part in (works_through_the_list, prints, sees_the_rest):
            await asyncio.to_thread(without_scripts, seat, part)
    actions = flow.rows("SELECT action, count(*) FROM access_log WHERE interaction LIKE 'sick-leaves%' GROUP BY action")
    assert dict(actions) == {"Läsa": 5 + 5 + 2 + 2 + 2 + 5, "Utskrift": 4}


# A dialogue


def row_of(name: str) -> str:
    return f"//ol/li[contains(., '{name}')]"


def asks_the_patient(seat: Seat, name: str) -> None:
    seat.sign_in()
    seat.follow("//a[.='Dialoger']")
    assert "Samtycke ska frågas" in seat.one(row_of(name)).text
    seat.follow(f"{row_of(name)}//a")
    assert "Behov kan antas." in seat.one("//dl[@class='draft']").text
    seat.one("//textarea[@name='why']").send_keys("Vid besöket")
    seat.follow("//button[.='Patienten är tillfrågad']")
    assert seat.one("//p[@class='done']").is_displayed()
    assert seat.one("//span[@class='badge']").text == "Samtycke efterfrågat"


def reads_and_approves(seat: Seat) -> None:
    seat.browser.refresh()
    assert seat.one("//span[@class='badge']").text == "Ska godkännas"
    assert "Behov kan antas." in seat.one("//blockquote").text
    seat.follow("//button[.='Godkänn och skicka']")
    assert seat.one("//p[@class='done']").text == "Godkänt: meddelandet skickas nu."


def reads_the_answer_and_ends_it(seat: Seat, name: str) -> None:
    seat.sign_in()
    seat.follow("//a[.='Dialoger']")
    assert "Svar har kommit" in seat.one(row_of(name)).text
    seat.follow(f"{row_of(name)}//a")
    assert "Frida Handläggare" in seat.one("//article[2]").text
    seat.one("//section[@id='answer']//input[@value='accepted']").click()
    seat.one("//input[@name='follow_up']").send_keys("I mars")
    seat.follow("//button[.='Anteckna svaret']")
    refused = seat.one("//section[@id='answer']//*[@role='alert']")
    assert "handläggare eller nästa steg" in refused.text
    assert 0 <= refused.location["y"] - seat.browser.execute_script("return scrollY") < 900, (
        "the page opens at the form"
    )
    assert seat.one("//input[@name='follow_up']").get_attribute("value") == "I mars"
    seat.one("//input[@name='officer']").send_keys("Frida Handläggare")
    seat.follow("//button[.='Anteckna svaret']")
    assert seat.one("//span[@class='badge']").text == "Ja"
    assert seat.browser.execute_script("return scrollY") < 200, "what was done is seen"
    seat.follow("//button[.='Avsluta dialogen']")
    assert seat.one("//span[@class='badge']").text == "Avslutad"
    buttons = seat.browser.find_elements(By.XPATH, "//main//button")
    assert [each.text for each in buttons] == ["Ska besvaras av enheten"]
    assert len(seat.browser.find_elements(By.XPATH, "//tbody/tr")) == 8


def prints_a_letter(seat: Seat, name: str) -> None:
    seat.follow("//a[.='Dialoger']")
    seat.follow(f"{row_of(name)}//a")
    assert not [each for each in seat.complaints() if "status of 422" not in each["message"]]
    for width in (400, 1280):
        seat.browser.set_window_size(width, 900)
        assert seat.widths()[0] <= seat.widths()[1]
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert name not in seat.one("//body").text, "what is not logged as a print does not go on paper"
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    seat.follow("//a[.='Som brev, för utskrift']")
    assert "Exempelbolaget AB" in seat.one("//address[@class='to']").text
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert f"Gäller: {name}" in seat.one("//body").text
    assert "Till dialogen" not in seat.one("//body").text
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    paper = base64.b64decode(seat.browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert paper.count(b"/Type /Page\n") == 1
    assert b"/MediaBox [0 0 594" in paper or b"/MediaBox [0 0 595" in paper, "A4, standing"
    seat.follow("//a[contains(., 'Till dialogen')]")
    Select(seat.one("//section[@id='told']//select")).select_by_visible_text("Brev")
    seat.follow("//button[.='Anteckna att det är berättat']")
    assert seat.one("//span[@class='badge']").text == "Meddelad; svar väntas"


async def test_a_dialogue_from_the_judged_need_to_its_end_and_a_letter(
    serve: "Callable[..., AbstractAsyncContextManager[Flow]]",
    tmp_path: Path,
    browser: Chrome,
    over_http: "Callable[[ASGIApp], AbstractAsyncContextManager[str]]",
) -> None:
    async with serve(tmp_path, units=approving(tmp_path)) as flow, over_http(flow.app) as base:
        seat = Seat(browser, base)

        async def sits(part: Callable[[Seat], None]) -> None:
            await asyncio.to_thread(without_scripts, seat, part)

        person = await flow.consenting()
        draft = await flow.post(flow.forms.request(person, flow.certify(person), status="draft"))
        await sits(lambda seat: asks_the_patient(seat, person.name))
        await flow.post(flow.forms.disclosure(person))
        instruct(flow, "accept")
        await flow.put(draft | {"status": "active"})
        await sits(reads_and_approves)
        id = (await until(flow, person, "informed"))["id"]
        await pass_days(flow, 1)
        await until(flow, person, "answered")
        await sits(lambda seat: reads_the_answer_and_ends_it(seat, person.name))
        stood = [
            "consent-to-ask",
            "consent-asked",
            "to-approve",
            "queued",
            "informed",
            "answered",
            "accepted",
            "closed",
        ]
        assert await history(flow, id) == stood

        told = await flow.consenting("employer")
        await flow.post(flow.forms.request(told, recipient="employer"))
        await sits(lambda seat: prints_a_letter(seat, told.name))
        assert [row[1] for row in flow.accesses(told)].count("Utskrift") == 1
