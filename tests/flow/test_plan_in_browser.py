"""A plan's pages in a real browser, without script: what a coordinator ticks and sends, and what comes on paper."""

import asyncio
import base64
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.flow.test_browser import Seat, without_scripts
from tests.flow.test_patient_document import SECRET, planned

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from tests.flow.conftest import Flow


def releases_and_hands_over(seat: Seat, name: str) -> None:
    seat.sign_in()
    seat.follow("//a[.='Planer']")
    seat.follow(f"//a[.='{name}']")
    document = seat.one("//article")
    assert seat.one("//article//h1").text == "Din plan för att komma tillbaka i arbete"
    assert SECRET not in document.text
    page, window = seat.widths()
    assert page <= window
    bars = seat.browser.find_elements(By.CSS_SELECTOR, ".ladder .work")
    widths = [bar.rect["width"] for bar in bars]
    assert widths == sorted(widths)
    assert widths[-1] > 100, "the last step is the whole bar"
    assert document.value_of_css_property("background-color") == "rgba(255, 255, 255, 1)"

    seat.one(f"//label[contains(., '{SECRET}-svar')]/input").click()
    seat.one("//input[@name='why' and @required]").send_keys("Hon vill ha det med")
    seat.follow("//button[.='Släpp till patienten']")
    assert f"{SECRET}-svar" in seat.one("//article").text

    Select(seat.one("//select[@name='how']")).select_by_visible_text("På papper")
    seat.follow("//button[.='Anteckna att planen är lämnad']")
    assert "Version 1" in seat.one("//ul[@class='plain']").text


def prints(seat: Seat) -> None:
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not seat.one("//article").is_displayed(), "what is not logged as a print does not go on paper"
    assert seat.one("//*[@class='on-paper']").is_displayed()
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    seat.follow("//button[.='Utskriftsvy']")
    paper = base64.b64decode(seat.browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"])
    assert b"/MediaBox [0 0 595" in paper or b"/MediaBox [0 0 594" in paper, "A4, standing"
    assert paper.count(b"/Type /Page\n") <= 3
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not seat.one("//header").is_displayed()
    assert seat.one("//article").is_displayed()
    seat.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def is_narrow(seat: Seat) -> None:
    seat.follow("//a[contains(., 'Till planen')]")
    seat.browser.set_window_size(500, 900)
    page, window = seat.widths()
    seat.browser.set_window_size(1280, 900)
    assert page <= window
    assert seat.complaints() == []
    seat.follow("//button[.='Logga ut']")


async def test_a_plan_is_looked_at_released_and_handed_over(
    flow: "Flow",
    browser: Chrome,
    over_http: "Callable[[ASGIApp], AbstractAsyncContextManager[str]]",
) -> None:
    person = await flow.consenting("fk", "employer")
    await planned(flow, person)
    async with over_http(flow.app) as base:
        seat = Seat(browser, base)
        for part in (lambda seat: releases_and_hands_over(seat, person.name), prints, is_narrow):
            await asyncio.to_thread(without_scripts, seat, part)
    actions = [(row[1], row[3]) for row in flow.accesses(person) if str(row[3]).startswith("plan")]
    assert actions.count(("Utskrift", "plan-print")) == 1
    assert ("Läsa", "plans") in actions
