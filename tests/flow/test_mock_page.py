"""The mock world's pages in a real browser."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters import soap
from adapters.mocking.courier import Courier
from adapters.mocking.people import PEOPLE
from service.clock import MovableClock
from service.mock_world import TITLES, MockWorld
from tests.unit.service.mock_samples import PARTIES, SEND, message, sdk_message

DECLINED = next(person for person in PEOPLE.values() if person.script == "decline")


class Care:
    """Takes SendMessageToCare and says OK; keeps what came."""

    def __init__(self) -> None:
        self.came: list[str] = []

    async def take(self, request: Request) -> Response:
        body = await request.body()
        content = soap.unwrap(body)
        assert not isinstance(content, soap.Fault)
        self.came.append(content.findtext("{*}meddelande", ""))
        namespace = "urn:riv:clinicalprocess:healthcond:certificate:SendMessageToCareResponder:2"
        core = "urn:riv:clinicalprocess:healthcond:certificate:3"
        answer = (
            f'<e:Envelope xmlns:e="{soap.ENVELOPE}"><e:Body><s:SendMessageToCareResponse xmlns:s="{namespace}" '
            f'xmlns:c="{core}"><s:result><c:resultCode>OK</c:resultCode></s:result></s:SendMessageToCareResponse>'
            "</e:Body></e:Envelope>"
        )
        return Response(answer, media_type="text/xml")


@pytest.fixture
def care() -> Care:
    return Care()


@pytest.fixture
async def address(care: Care, over_http: Callable[[ASGIApp], AbstractAsyncContextManager[str]]) -> AsyncIterator[str]:
    """The mock world on a port of this machine; its officer reaches care in this process."""
    inbound = Starlette(routes=[Route("/soap", care.take, methods=["POST"])])
    world = MockWorld(MovableClock(), courier=Courier(httpx.ASGITransport(inbound)))
    async with over_http(world.app()) as address:
        yield address


async def send(address: str, body: bytes) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{address}/forsakringskassan{SEND}", content=body)


class Seen:
    """What a visitor sees and does. The browser blocks, so all of it stands beside the loop."""

    def __init__(self, browser: Chrome, address: str) -> None:
        self._browser = browser
        self._address = address

    async def visit(self, path: str = "/") -> None:
        await asyncio.to_thread(self._browser.get, f"{self._address}{path}")

    async def text(self, selector: str = "main") -> str:
        return await asyncio.to_thread(lambda: self._browser.find_element(By.CSS_SELECTOR, selector).text)

    async def follow(self, words: str) -> None:
        await asyncio.to_thread(self._click, By.PARTIAL_LINK_TEXT, words)

    async def press(self, words: str) -> None:
        await asyncio.to_thread(self._click, By.XPATH, f"//button[normalize-space()='{words}']")

    def _click(self, by: str, words: str) -> None:
        """And wait until the next page stands: a click answers before that."""
        before = self._browser.find_element(By.TAG_NAME, "html")
        self._browser.find_element(by, words).click()
        # A page that is just going away is told of in several ways, not only as a stale element.
        patience = WebDriverWait(self._browser, 30, ignored_exceptions=[WebDriverException])
        patience.until(staleness_of(before))
        patience.until(lambda browser: browser.execute_script("return document.readyState") == "complete")

    async def choose(self, field: str, value: str) -> None:
        await asyncio.to_thread(lambda: Select(self._browser.find_element(By.ID, field)).select_by_value(value))

    async def write(self, field: str, text: str) -> None:
        def typed() -> None:
            element = self._browser.find_element(By.ID, field)
            element.clear()
            element.send_keys(text)

        await asyncio.to_thread(typed)

    async def wider_than(self, width: int) -> int:
        """By how much the page is wider than a window of that width."""

        def measured() -> int:
            metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
            self._browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
            try:
                found: int = self._browser.execute_script("return document.documentElement.scrollWidth")
            finally:
                self._browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
            return found - width

        return await asyncio.to_thread(measured)

    async def messages(self) -> list[str]:
        """What the browser complained of, the content policy's refusals among it."""
        found: list[dict[str, str]] = await asyncio.to_thread(self._browser.get_log, "browser")
        return [each["message"] for each in found if "favicon" not in each["message"]]


@pytest.fixture
def seen(browser: Chrome, address: str) -> Seen:
    return Seen(browser, address)


async def test_an_exchange_is_found_and_opened(seen: Seen, address: str) -> None:
    await send(address, message())
    await send(address, message("m-2", certificate="unknown"))
    await seen.visit()
    assert "2 utbyten i allt" in await seen.text()
    await seen.follow("Öppna")  # the newest is the first
    assert await seen.text("#accepted") == "nej"
    assert await seen.text("#rule") == "CERTIFICATE_NOT_FOUND_ERROR"
    assert "the certificate is not known" in await seen.text("#report")
    assert "<s:meddelande>Behov kan antas.</s:meddelande>" in await seen.text("#raw")
    assert "meddelande Behov kan antas." in await seen.text(".parsed")
    assert await seen.messages() == []


async def test_answering_as_the_officer(seen: Seen, address: str, care: Care) -> None:
    await send(address, message())
    await seen.visit("/_page/officer")
    await seen.write("deliverTo", "http://care.test/soap")
    await seen.press("Spara")
    await seen.write("text-1", "Vi hör av oss på tisdag.")
    await seen.press("Skicka till vården")
    assert "Meddelandet kom fram: OK." in await seen.text(".told")
    assert care.came == ["Vi hör av oss på tisdag."]
    assert "kom fram" in await seen.text(".case")


@pytest.mark.parametrize("party", PARTIES)
async def test_answering_as_a_party(seen: Seen, address: str, party: str) -> None:
    async with httpx.AsyncClient(trust_env=False, headers={"Authorization": "Bearer x"}) as client:
        await client.post(f"{address}/{party}/messages", content=sdk_message(party))
        await seen.visit()
        await seen.follow(TITLES[party])
        assert await seen.text("h1") == TITLES[party]
        assert "Ärende 1: Kontakt" in await seen.text(".case")
        await seen.choose("script", "accept")
        await seen.press("Spara")
        await seen.choose("subject-1", "Övrigt")
        await seen.write("text-1", "Vi hör av oss på tisdag.")
        await seen.press("Skicka till vården")
        assert "Meddelandet kom fram" in await seen.text(".told")
        assert "Övrigt" in await seen.text(".case ul")
        listed = (await client.get(f"{address}/message_service/v1/sdk/messages")).json()["data"]
        assert [each["attributes"]["label"] for each in listed] == ["Övrigt"]
        assert await seen.messages() == []


async def test_seven_days_later(seen: Seen, address: str, care: Care) -> None:
    await seen.visit("/_page/officer")
    await seen.write("deliverTo", "http://care.test/soap")
    await seen.press("Spara")
    await send(address, message(person=DECLINED))
    await seen.visit("/_page/officer")
    assert "Planerat" in await seen.text()
    await seen.choose("advance", "P7D")
    await seen.press("Flytta")
    assert "1 planerade händelser inträffade" in await seen.text(".told")
    assert len(care.came) == 1


async def test_a_fault_is_ordered_and_seen(seen: Seen, address: str) -> None:
    await seen.visit("/_page/faults")
    await seen.choose("system", "forsakringskassan")
    await seen.choose("name", "VP007")
    await seen.press("Beställ")
    assert "VP007, 1 anrop" in await seen.text()
    await send(address, message())
    await seen.visit("/_page/faults")
    assert "Inga fel väntar." in await seen.text()
    await seen.follow("Utbyten")
    assert "VP007" in await seen.text("tbody")


async def test_the_question_is_read_from_the_case_and_the_clock_leaves_one_there(seen: Seen, address: str) -> None:
    await send(address, message())
    await seen.visit("/_page/officer")
    await seen.press("Flytta")
    assert await seen.text("h1") == "Försäkringskassans handläggare"
    await seen.write("text-1", "Vi hör av oss på tisdag.")
    await seen.press("Skicka till vården")
    assert "kom inte fram: ingen adress är angiven" in await seen.text(".case")
    await seen.follow("Läs frågan")
    assert "meddelande Behov kan antas." in await seen.text(".parsed")


async def test_a_namespace_in_the_address_is_the_one_that_is_shown(seen: Seen, address: str) -> None:
    await send(f"{address}/_ns/mine", message())
    await seen.visit("/_ns/mine/")
    assert "1 utbyten i allt" in await seen.text()
    await seen.follow("Öppna")
    assert "Behov kan antas." in await seen.text("#raw")


async def test_no_page_is_wider_than_a_narrow_window(seen: Seen, address: str) -> None:
    await send(address, message())
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.post(f"{address}/municipality/messages", content=sdk_message("municipality"))
    for path in (
        "/",
        "/_page/officer",
        "/_page/parties/municipality",
        "/_page/faults",
        "/_page/exchange/forsakringskassan/1",
        "/_page/exchange/municipality/1",
        "/_page/exchange/municipality/9",
    ):
        await seen.visit(path)
        assert await seen.wider_than(360) <= 0, path
