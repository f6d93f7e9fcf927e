"""The pages, as a browser without script asks for them. What a real browser makes of them: tests/flow/test_mock_page.py."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.mocking.faults import CATALOGUE
from adapters.mocking.page import FAULTS
from adapters.mocking.parsed import parsed_lines
from service.clock import MovableClock
from service.mock_world import MockWorld
from tests.unit.service.mock_samples import PARTIES, sdk_message


@pytest.fixture
def mocks() -> MockWorld:
    return MockWorld(MovableClock(), size=30)


@pytest.fixture
async def visitor(mocks: MockWorld) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(mocks.app())
    accept = {"Accept": "text/html,*/*;q=0.8"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://mocks", headers=accept, follow_redirects=True
    ) as client:
        yield client


async def refused(visitor: httpx.AsyncClient, body: bytes = b"<script>alert(1)</script>", namespace: str = "") -> None:
    await visitor.post("/regional_platform/events", content=body, headers={"X-Mock-Namespace": namespace})


async def test_programs_and_people_are_answered_each_in_their_way(visitor: httpx.AsyncClient) -> None:
    assert "<h1>Utbyten</h1>" in (await visitor.get("/")).text
    assert (await visitor.get("/", headers={"Accept": "*/*"})).headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    ["/", "/_page/officer", "/_page/parties/employer", "/_page/faults", "/_page/exchange/regional_platform/1"],
)
async def test_every_page_is_swedish_and_lets_nothing_in(visitor: httpx.AsyncClient, path: str) -> None:
    await refused(visitor)
    await visitor.post("/employer/messages", content=sdk_message("employer"))
    page = await visitor.get(path)
    assert page.status_code == 200
    assert '<html lang="sv">' in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    labels, fields = re.findall(r'<label for="([^"]+)"', page.text), re.findall(r' id="([^"]+)" name=', page.text)
    assert set(fields) <= set(labels)


async def test_the_list_shows_the_newest_and_tells_of_the_others(visitor: httpx.AsyncClient) -> None:
    for _ in range(40):
        await refused(visitor)
    page = (await visitor.get("/")).text
    assert "40 utbyten i allt, varav 10 äldre inte finns kvar; 30 visas" in page
    assert page.count("/_page/exchange/") == 30
    assert "Inget har kommit än" in (await visitor.get("/?system=ehr")).text


async def test_what_was_sent_is_shown_and_does_nothing(visitor: httpx.AsyncClient) -> None:
    await refused(visitor)
    page = (await visitor.get("/_page/exchange/regional_platform/1")).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert '<dd id="accepted">nej</dd>' in page
    assert '<dd id="rule" class="code">MEDIA</dd>' in page


async def test_only_what_was_refused(visitor: httpx.AsyncClient) -> None:
    form = {"grant_type": "client_credentials", "client_id": "x"}
    await visitor.post("/identity_provider/token", data=form)
    await refused(visitor)
    assert (await visitor.get("/")).text.count("/_page/exchange/") == 2
    assert (await visitor.get("/?refused=1")).text.count("/_page/exchange/") == 1


async def test_faults_are_ordered_and_taken_away(visitor: httpx.AsyncClient, mocks: MockWorld) -> None:
    for name, times in (("VP009", "2"), ("busy", "")):
        form = {"system": "forsakringskassan", "name": name, "times": times}
        page = await visitor.post("/_page/faults", data=form)
    assert "Felet är beställt" in page.text
    waiting = mocks.counterparts["forsakringskassan"].room().waiting
    assert [(fault.name, fault.times) for fault in waiting] == [("VP009", 2), ("busy", None)]
    assert "tills det tas bort" in page.text
    page = await visitor.post("/_page/faults/clear", data={"system": "forsakringskassan"})
    assert "Inga fel väntar." in page.text


def test_every_fault_has_its_words_in_swedish() -> None:
    assert list(FAULTS) == [name for name, row in CATALOGUE.items() if row.fault is not None]


async def test_a_wrong_order_is_explained(visitor: httpx.AsyncClient) -> None:
    page = await visitor.post("/_page/faults", data={"system": "ehr", "name": "no-such", "times": "1"})
    assert page.status_code == 422
    assert "there is no fault of that name" in page.text
    assert (await visitor.get("/_page/exchange/ehr/99")).status_code == 404


@pytest.mark.parametrize("party", PARTIES)
async def test_a_party_is_instructed_and_answers(visitor: httpx.AsyncClient, party: str) -> None:
    await visitor.post(f"/{party}/messages", content=sdk_message(party))
    page = await visitor.post(f"/_page/parties/{party}", data={"script": "reminder"})
    assert "Handläggaren arbetar så" in page.text
    assert '<option value="reminder" selected>' in page.text
    for subject, told in (("", "Kontakt (svar)"), ("Övrigt", "Övrigt, <time")):
        page = await visitor.post(f"/_page/parties/{party}/1", data={"subject": subject, "text": "Vi hör av oss."})
        assert "Meddelandet kom fram" in page.text
        assert told in page.text
    assert (await visitor.get("/_page/parties/nobody")).status_code == 404


async def test_another_site_cannot_press_the_buttons(visitor: httpx.AsyncClient, mocks: MockWorld) -> None:
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 200)):
        headers = {"Sec-Fetch-Site": site}
        answer = await visitor.post("/_page/clock", data={"advance": "P1D"}, headers=headers)
        assert answer.status_code == status
    assert mocks.clock.ahead.days == 1


async def test_the_clock_is_moved(visitor: httpx.AsyncClient, mocks: MockWorld) -> None:
    before = mocks.clock.ahead
    page = await visitor.post("/_page/clock", data={"advance": "P7D"})
    assert (mocks.clock.ahead - before).days == 7
    assert "Klockan är flyttad" in page.text


async def test_a_namespace_is_kept_from_page_to_page(visitor: httpx.AsyncClient) -> None:
    await refused(visitor, namespace="a & b")
    assert "Inget har kommit än" in (await visitor.get("/")).text
    page = (await visitor.get("/", params={"namespace": "a & b"})).text
    (link,) = re.findall(r'href="(/_page/exchange[^"]+)"', page)
    assert (await visitor.get(link.replace("&amp;", "&"))).status_code == 200
    assert "Utbytena är glömda" in (await visitor.post("/_page/forget", data={"namespace": "a & b"})).text
    assert "Inget har kommit än" in (await visitor.get("/", params={"namespace": "a & b"})).text


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        ("<a xmlns='u'><b>1</b></a>", [(0, "a", ""), (1, "b", "1")]),
        ('{"a": [1, {"b": null}]}', [(0, "", ""), (1, "a", ""), (2, "0", "1"), (2, "1", ""), (3, "b", "null")]),
        ('{"a": true, "b": "ja"}', [(0, "", ""), (1, "a", "true"), (1, "b", "ja")]),
        ("<broken", []),
        ("{broken", []),
        ("plain", []),
        ("", []),
    ],
)
def test_bodies_are_parsed(body: str, lines: list[tuple[int, str, str]]) -> None:
    assert list(parsed_lines(body)) == lines
