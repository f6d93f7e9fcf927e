"""The pages in a real browser: signing in, reading, filtering, sorting, leafing, setting a status, printing.

What stands in the HTML is tested in test_pages.py; here it is what only a browser does: forms sent by clicks, the cookie, the
policy that forbids everything else, sizes, and paper.
"""

import asyncio
import base64
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from contracts.time import swedish_day

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
