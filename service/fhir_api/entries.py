"""Entries of a batch or a transaction, read. https://hl7.org/fhir/R4/bundle.html#Bundle.entry"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

import msgspec
import orjson

from contracts.errors import Issue, IssueType, Malformed, RekoError, TooLarge
from contracts.record import Document
from fhir_mappings import primitives, r4
from fhir_mappings.references import without_conditions
from service.http_edge import names_a_person

MOST_ENTRIES: Final = 1000
"""Nothing else is written while a transaction is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One request. ``path`` and ``query`` are its address below the base, without a slash in front. In a batch the
    document is bytes alone, its content empty; ``wrong`` is why the entry is no request."""

    index: int
    method: str
    path: str
    query: str
    full_url: str
    document: Document | None
    request: dict[str, Any]
    wrong: tuple[Issue, ...] = ()

    @property
    def at(self) -> str:
        """Where it stands."""
        return f"Bundle.entry[{self.index}]"

    @property
    def since(self) -> datetime | None:
        """Its ifModifiedSince. What cannot be reckoned with asks for nothing."""
        try:
            return primitives.instant(self.request["ifModifiedSince"])
        except (KeyError, ValueError):
            return None


class _RawBundle(msgspec.Struct):
    type: str = ""
    entry: list[dict[str, msgspec.Raw]] = []


def read_bundle(body: bytes, base: str) -> tuple[str, list[Entry]]:
    """The type of the Bundle and its entries. Raises ``Malformed`` with everything that is wrong with it; of a batch, what
    is wrong with one entry is that entry's alone, and the resources are not looked at here."""
    raw = _split(body)
    if len(raw.entry) > MOST_ENTRIES:
        raise TooLarge(f"at most {MOST_ENTRIES} entries at a time")
    content = _frame(body, raw) if raw.type == "batch" else _judged(body)
    if raw.type not in ("batch", "transaction"):
        text = "a Bundle that is posted here is a batch or a transaction"
        raise Malformed(Issue(IssueType.VALUE, text, "Bundle.type"))
    read = _request if raw.type == "batch" else _entry
    entries = [read(index, each, raw.entry[index], base) for index, each in enumerate(content.get("entry", []))]
    _refuse_the_same_address(entries)
    return raw.type, entries


def _refuse_the_same_address(entries: Sequence[Entry]) -> None:
    """bdl-7: what points at such an entry would mean two. https://hl7.org/fhir/R4/bundle.html#bdl-7"""
    known: set[str] = set()
    for entry in entries:
        if entry.full_url in known:
            text = "another entry has this fullUrl already"
            raise Malformed(Issue(IssueType.INVARIANT, text, f"{entry.at}.fullUrl", rule="bdl-7"))
        known.update([entry.full_url] if entry.full_url else [])


def _split(body: bytes) -> _RawBundle:
    try:
        return msgspec.json.decode(body, type=_RawBundle)
    except (msgspec.DecodeError, RecursionError):
        r4.parse(body, expected="Bundle")  # says what is wrong
        raise Malformed("this is no Bundle") from None


def _judged(body: bytes) -> dict[str, Any]:
    """The whole, judged with ids in the place of conditions."""
    judged = without_conditions(body)
    content = r4.parse(judged, expected="Bundle")
    return content if judged == body else orjson.loads(body)


def _frame(body: bytes, raw: _RawBundle) -> dict[str, Any]:
    """The Bundle without what its entries hold."""
    members = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    frame = {name: orjson.loads(bytes(value)) for name, value in members.items() if name != "entry"}
    entries = [{name: orjson.loads(bytes(each[name])) for name in each if name != "resource"} for each in raw.entry]
    if issues := r4.check(frame):
        raise Malformed(*issues)
    return frame | {"entry": entries}


def _request(index: int, stated: dict[str, Any], raw: dict[str, msgspec.Raw], base: str) -> Entry:
    """An entry of a batch, also when it is wrong."""
    try:
        _judge(index, stated)
        return _entry(index, stated, raw, base)
    except Malformed as wrong:
        return Entry(index, "", "", "", "", None, {}, wrong.issues)


def _judge(index: int, stated: dict[str, Any]) -> None:
    """Raises ``Malformed`` with everything that is wrong with what an entry of a batch holds."""
    if not stated:
        return  # but for its resource, perhaps
    if issues := r4.check({"resourceType": "Bundle", "type": "batch", "entry": [stated]}):
        raise Malformed(*(replace(each, expression=each.expression.replace("[0]", f"[{index}]", 1)) for each in issues))


def _entry(index: int, stated: dict[str, Any], raw: dict[str, msgspec.Raw], base: str) -> Entry:
    at = f"Bundle.entry[{index}]"
    if "request" not in stated:
        raise Malformed(Issue(IssueType.REQUIRED, "request is required here", f"{at}.request"))
    request = stated["request"]
    url = str(request.get("url", "")).removeprefix(base).lstrip("/")
    path, _, query = url.partition("?")
    if names_a_person(path.encode()):
        raise Malformed(Issue(IssueType.VALUE, "a personal number never stands in an address", f"{at}.request.url"))
    document = Document(stated.get("resource", {}), bytes(raw["resource"])) if "resource" in raw else None
    return Entry(index, request["method"], unquote(path), query, str(stated.get("fullUrl", "")), document, request)


@contextmanager
def told_at(entry: Entry) -> Iterator[None]:
    """Errors inside are told with the place of the entry."""
    try:
        yield
    except RekoError as error:
        raise type(error)(*(_placed(issue, entry.at) for issue in error.issues)) from error


def _placed(issue: Issue, at: str) -> Issue:
    _, dot, rest = issue.expression.partition(".")
    return replace(issue, expression=f"{at}.resource.{rest}" if dot else at)
