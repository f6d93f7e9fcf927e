"""A document that comes piece by piece, and its tree while it grows. Pure.

The parser hands out comments, and from a comment the tree can be reached: so one of our own goes in first, where XML
allows it. The usual way, to hear of elements as they begin and end, takes half as long again.
"""

from typing import Final

from lxml import etree

from adapters import soap
from fhir_mappings import safe_xml

_COMMENT: Final = "<!---->"
_ENOUGH: Final = 16
"""Bytes that tell of the encoding and whether there is a declaration."""
_BYTE_ORDERS: Final = (
    (b"\xef\xbb\xbf", "ascii"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"", "ascii"),
)
"""Marks that a document may begin with, and how its markup is then encoded. UTF-16 needs one (XML 1.0, § 4.3.3)."""


class Growing:
    """Both methods raise ``soap.BadXml``. ``root`` is there once it has begun; comments stay in it, and divide texts."""

    def __init__(self) -> None:
        self.root: etree._Element | None = None
        self._parser = safe_xml.pull_parser()
        self._held: bytes | None = b""
        self._comment: etree._Element | None = None

    def feed(self, piece: bytes) -> None:
        """Read on. A document with a DTD is refused as soon as its root begins."""
        try:
            self._parser.feed(self._with_comment(piece))
        except etree.XMLSyntaxError:
            raise soap.BadXml("the document is not well-formed XML") from None
        for _, comment in self._parser.read_events():
            self._comment = comment if self._comment is None else self._comment
        if self.root is None and self._comment is not None:
            self.root = _root(self._comment)

    def close(self) -> etree._Element:
        """The root of the whole document, when no more comes."""
        try:
            return self._parser.close()
        except etree.XMLSyntaxError:
            raise soap.BadXml("the document is cut off or is not well-formed XML") from None

    def _with_comment(self, piece: bytes) -> bytes:
        """The piece. The first bytes are held back until it is seen where the comment may stand."""
        if self._held is None:
            return piece
        head = self._held + piece
        commented = _commented(head)
        self._held = head if commented is None else None
        return commented or b""


def _commented(head: bytes) -> bytes | None:
    """With our comment behind mark and declaration; ``None`` while more of them may come."""
    if len(head) < _ENOUGH:
        return None
    mark, encoding = next((mark, encoding) for mark, encoding in _BYTE_ORDERS if head.startswith(mark))
    opening, closing, comment = (text.encode(encoding) for text in ("<?xml", "?>", _COMMENT))
    if not head.startswith(opening, len(mark)):
        return mark + comment + head[len(mark) :]
    declaration, end, rest = head.partition(closing)
    return declaration + end + comment + rest if end else None


def _root(comment: etree._Element) -> etree._Element | None:
    document = comment.getroottree()
    root = document.getroot()
    if root is not None and document.docinfo.internalDTD is not None:
        raise soap.BadXml("a document type declaration is not accepted")
    return root
