"""A document's tree while it grows: reachable as soon as it has begun, and none the worse for it at the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters import soap
from adapters.intygstjanst.growing import Growing

BODY = "<a><b>x<!-- y -->z</b><?p q?><c xmlns='urn:c'/></a>"
BEGINNINGS = {
    "nothing": ("", "utf-8"),
    "a declaration": ('<?xml version="1.0" encoding="UTF-8"?>', "utf-8"),
    "another encoding": ('<?xml version="1.0" encoding="ISO-8859-1"?>', "iso-8859-1"),
    "a byte order mark": ("", "utf-8-sig"),
    "both": ("<?xml version='1.0'?>\n", "utf-8-sig"),
    "UTF-16": ("", "utf-16"),
    "UTF-16 that says so": ('<?xml version="1.0" encoding="UTF-16"?>', "utf-16"),
    "an instruction": ("<?xml-stylesheet href='x'?>", "utf-8"),
    "a comment": ("<!-- ö -->", "utf-8"),
    "blanks": (" \n" * 20, "utf-8"),
}


@pytest.mark.parametrize(("beginning", "encoding"), BEGINNINGS.values(), ids=BEGINNINGS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_the_tree_is_the_one_that_a_whole_reading_gives(beginning: str, encoding: str, size: int) -> None:
    body, growing = (beginning + BODY).encode(encoding), Growing()
    for start in range(0, len(body), size):
        growing.feed(body[start : start + size])
    assert growing.root is not None
    root = growing.close()
    etree.strip_tags(root, etree.Comment)
    assert etree.tostring(root) == etree.tostring(soap.parse(body))


@given(st.integers(0, len(BODY)))
def test_it_grows(end: int) -> None:
    growing = Growing()
    growing.feed(BODY[:end].encode())
    assert (growing.root is not None) == (end >= 16)
    assert growing.root is None or growing.root.tag == "a"


def test_what_is_finished_may_be_taken_out_while_more_comes() -> None:
    growing = Growing()
    growing.feed(b"<list>                ")
    for number in range(1000):
        growing.feed(f"<item><deep>{number}</deep></item> text ".encode())
        assert growing.root is not None
        del growing.root[:-1]
    growing.feed(b"</list>")
    assert etree.tostring(growing.close()) == b"<list>                <item><deep>999</deep></item> text </list>"


@pytest.mark.parametrize(
    "body",
    ["", "<", "<a>", "<a/>", "<a></a><b/>", "<?xml version='1.0'", "<?xml version='1.0'?><?xml version='1.0'?><a/>"],
)
def test_what_is_no_whole_document_is_refused(body: str) -> None:
    growing = Growing()
    with pytest.raises(soap.BadXml):  # noqa: PT012 - the one or the other
        growing.feed(body.encode())
        growing.close()


@pytest.mark.parametrize(
    "definition", ["<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY e 'x'>]>", "<!DOCTYPE a SYSTEM 'file:///x'>"]
)
def test_a_document_type_is_refused_as_soon_as_the_root_begins(definition: str) -> None:
    growing = Growing()
    with pytest.raises(soap.BadXml, match="document type"):
        growing.feed(f"{definition}                <a>".encode())
