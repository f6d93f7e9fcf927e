"""An answer of either contract, read piece by piece, leniently (rehabstod.md § 1.8). Pure: no I/O, no clock.

The tree is followed while it grows: the records that have ended are judged and dropped, the last one waits for its end.
"""

from typing import Final

from lxml import etree

from adapters import soap
from adapters.intygstjanst import records
from adapters.intygstjanst.columns import own_text
from adapters.intygstjanst.growing import Growing
from adapters.intygstjanst.wire import CORE, TYPES, Contract
from contracts.errors import Unavailable
from contracts.sick_leave import Certificate, SetAside

_MAX_BYTES: Final = 512 * 1024 * 1024
_MAX_DEPTH: Final = 32
_PIECE: Final = 64 * 1024
_TOGETHER: Final = 128 * 1024
"""Bytes that are parsed, and bytes whose records are judged, at a time."""
_MAX_SPAN: Final = 1024 * 1024
"""Bytes in which a record must have ended. A record has some 1,600; texts and foreign parts this large are an attack,
and nothing is dropped from memory before a record ends."""

_ENVELOPE: Final = f"{{{soap.ENVELOPE}}}Envelope"
_BODY: Final = f"{{{soap.ENVELOPE}}}Body"
_FAULT: Final = f"{{{soap.ENVELOPE}}}Fault"
_LIST_DEPTH: Final = 4
_PROVIDER: Final = f"{{{CORE}}}vardgivarId/{{{TYPES}}}extension"
_RESULTS: Final = ("resultCode", "result/resultCode")
"""Below the response: where the one contract and the other have their result. A fault that was turned into an answer has
it in the first place whatever the contract says (§ 1.8), so both are looked at, in any namespace."""


class AnswerReader:
    """Reads an answer in memory that does not grow with it.

    What it hands out counts only once ``close`` has returned: a cut-off answer looks whole until then. Both methods raise
    ``Unavailable``, and its reason never copies a text of the answer, which may hold personal data.
    """

    def __init__(
        self, contract: Contract, max_bytes: int = _MAX_BYTES, max_depth: int = _MAX_DEPTH, together: int = _TOGETHER
    ) -> None:
        self._contract = contract
        self._answer = Growing()
        self._list: etree._Element | None = None
        self._is_deep = _deeper_than(max_depth - 1)
        self._is_deep_list = _deeper_than(max_depth - _LIST_DEPTH)
        self._max_bytes = max_bytes
        self._together = together
        self._bytes = 0
        self._span = 0

    def feed(self, chunk: bytes) -> list[Certificate | SetAside]:
        """The records that are seen to have ended by now."""
        found: list[Certificate | SetAside] = []
        for start in range(0, len(chunk), _PIECE):
            self._parse(chunk[start : start + _PIECE])
            found += self._ended()
        return found

    def close(self) -> list[Certificate | SetAside]:
        """Say that no more comes; the records that waited for it. Raises unless the answer is whole and its result OK."""
        try:
            root = self._answer.close()
        except soap.BadXml as error:
            raise _unreadable(error) from None
        self._check_root(root)
        if self._is_deep(root):
            raise _too_deep()
        listed = _checked(root, self._contract)
        return self._taken(listed, len(listed))

    def _parse(self, piece: bytes) -> None:
        self._measure(len(piece))
        try:
            self._answer.feed(piece)
        except soap.BadXml as error:
            raise _unreadable(error) from None
        self._check_root(self._answer.root)

    def _measure(self, size: int) -> None:
        self._bytes += size
        self._span += size
        if self._bytes > self._max_bytes:
            raise Unavailable("the answer is larger than the limit")
        if self._span > _MAX_SPAN:
            raise Unavailable("a part of the answer is larger than the limit")

    def _check_root(self, root: etree._Element | None) -> None:
        if root.tag != _ENVELOPE if root is not None else self._bytes > _PIECE:
            raise Unavailable("the answer is no SOAP envelope")

    def _ended(self) -> list[Certificate | SetAside]:
        if self._list is None and self._answer.root is not None:
            self._list = self._answer.root.find(f"{_BODY}/{self._contract.response}/{self._contract.listed}")
        if self._list is None or self._span < self._together or len(self._list) < 2:
            return []
        return self._taken(self._list, len(self._list) - 1)  # the last element may still grow

    def _taken(self, listed: etree._Element, ended: int) -> list[Certificate | SetAside]:
        """Judge so many elements of the list, then drop them from memory."""
        if self._is_deep_list(listed):
            raise _too_deep()
        waits = ended < len(listed) and listed[-1].tag == records.RECORD
        found = records.judged(listed, self._provider(listed), waits)
        del listed[:ended]
        if found:
            self._span = 0
        return found

    def _provider(self, listed: etree._Element) -> str:
        """The answer's own care provider, where it is that of every record."""
        path = f"../{{{self._contract.responder}}}vardgivare/{_PROVIDER}"
        found = listed.find(path) if self._contract.one_provider else None
        return "" if found is None else own_text(found)


def _deeper_than(levels: int) -> etree.XPath:
    """Whether an element has others that many levels and one below it."""
    return etree.XPath(f"boolean({'/'.join('*' * (levels + 1))})")


def _unreadable(error: soap.BadXml) -> Unavailable:
    return Unavailable(f"the answer cannot be read: {error}")


def _too_deep() -> Unavailable:
    return Unavailable("the answer is nested too deeply")


def _checked(envelope: etree._Element, contract: Contract) -> etree._Element:
    """The list of an answer whose result is OK."""
    content = _body_content(envelope)
    if content.tag == _FAULT:
        platform_code = soap.Fault("", (content.findtext("faultstring") or "").strip()).platform_code
        raise Unavailable(f"the answer is a SOAP fault {platform_code}".rstrip())
    if content.tag != contract.response:
        raise Unavailable("the answer is one of another contract")
    _check_result(content, contract)
    return _only_list(content, contract)


def _body_content(envelope: etree._Element) -> etree._Element:
    contents = envelope.findall(f"{_BODY}/*")
    if len(envelope.findall(_BODY)) != 1 or len(contents) != 1:
        raise Unavailable("the answer is no SOAP envelope with one body element")
    return contents[0]


def _check_result(response: etree._Element, contract: Contract) -> None:
    codes = {path: _codes(response, path) for path in _RESULTS}
    told = set().union(*codes.values())
    failed = told & {"ERROR", "INFO"}
    if failed:
        raise Unavailable(f"the answer's result is {' and '.join(sorted(failed))}")
    if told != {"OK"} or not codes[contract.result]:
        raise Unavailable("the answer has no known result")


def _codes(response: etree._Element, path: str) -> set[str]:
    in_any_namespace = "/".join(f"{{*}}{name}" for name in path.split("/"))
    return {own_text(code) for code in response.iterfind(in_any_namespace)}


def _only_list(response: etree._Element, contract: Contract) -> etree._Element:
    lists = response.findall(contract.listed)
    if len(lists) != 1:
        raise Unavailable("the answer has no list of certificates, or several")
    return lists[0]
