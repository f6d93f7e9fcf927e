"""Headers of a request: what is looked up is what Starlette finds."""

import pytest
from starlette.datastructures import Headers

from service.http_edge import AskedHeaders

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
