"""Headers of a request: what is looked up is what Starlette finds. Its query: it means the same, escaped or not."""

from urllib.parse import quote, unquote_plus

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from contracts.errors import RekoError
from service.http_edge import AskedHeaders, Edge, holds_a_number, names_a_person

SENT = [
    (b"accept", b"application/json"),
    (b"prefer", b"return=minimal"),
    (b"prefer", b"handling=lenient"),
    (b"x-name", b"\xe5"),
]


@pytest.mark.parametrize("name", ["accept", "Accept", "prefer", "PREFER", "x-name", "if-match", ""])
def test_a_header_is_found_as_starlette_finds_it(name: str) -> None:
    asked, known = AskedHeaders({"headers": list(SENT)}), Headers(raw=list(SENT))
    assert asked.get(name) == known.get(name)
    assert asked.get(name, "another") == known.get(name, "another")
    assert (name in asked) == (name in known)
    assert asked.getlist(name) == known.getlist(name)
    if name in known:
        assert asked[name] == known[name]
    else:
        with pytest.raises(KeyError):
            asked[name]


def test_all_of_them_are_there() -> None:
    assert AskedHeaders({"headers": list(SENT)}) == Headers(raw=list(SENT))


WRITTEN = st.sampled_from(
    ["19500101-9801", "500101-9801", "19500101+9801", "1950\u201101019801", "1950-01-01 9801", "\uff11950"]
)
PIECES = st.lists(WRITTEN | st.text("0123456789-+%/?=aE \uff16", max_size=6), max_size=4).map("".join)


@given(text=PIECES, times=st.integers(0, 2), split=st.booleans())
def test_no_number_passes_because_it_was_not_looked_at_closely(text: str, times: int, split: bool) -> None:
    """Most addresses are let through at a glance: those alone in which nothing is found by reading them whole."""
    for _ in range(times):
        text = quote(text, safe="" if split else "-+/?=")
    address = text.encode()
    read = unquote_plus(unquote_plus(address.decode("latin-1")))
    assert names_a_person(address) is holds_a_number(read)


def _page(status: int, _: RekoError) -> PlainTextResponse:
    return PlainTextResponse("", status)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("name=Ödman&identifier=urn:x|中%2B+1", 200),
        ("name=%C3%96dman&identifier=urn:x%7C%E4%B8%AD%2B+1", 200),
        ("name=Ödman&identifier=19500101-980\uff16", 400),
    ],
)
async def test_a_query_that_is_not_escaped_means_what_it_says(sent: str, status: int) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked = Request(scope).query_params
        assert scope["query_string"].isascii()
        await PlainTextResponse(f"{asked['name']} {asked['identifier']}")(scope, receive, send)

    async def raw(scope: Scope, receive: Receive, send: Send) -> None:
        await Edge(app, lambda _: _page)({**scope, "query_string": sent.encode()}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(raw), base_url="http://reko") as client:
        answer = await client.get("/fhir/Patient")
    assert (answer.status_code, answer.text) == (status, "Ödman urn:x|中+ 1" if status == 200 else "")
