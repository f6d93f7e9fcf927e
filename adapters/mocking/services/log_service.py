"""The national log service: StoreLog 2. Facts: rehabstod.md § 1.11, forsakringskassan.md §§ 4.1, 5.3; the domain's service
contract description 2.0.8: an id that has been seen is a VALIDATION_ERROR, and a call holds no more than 500 rows."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree
from lxml.builder import ElementMaker
from starlette.applications import Starlette

from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.rivta import Operation, Spoken, service
from adapters.mocking.validation import Level

TITLE: Final = "Loggtjänst"
_DOMAIN: Final = "informationsecurity:auditing:log"
_CORE: Final = f"urn:riv:{_DOMAIN}:2"
_C: Final = ElementMaker(namespace=_CORE, nsmap={"c": _CORE})
ACTIVITIES: Final = ("Läsa", "Skriva", "Signera", "Utskrift", "Radera", "Nödöppning")
"""The words in use; another is noted, not refused."""
MOST: Final = 500
"""Rows of one call."""


def create(counterpart: Counterpart) -> Starlette:
    """StoreLog 2."""
    return service(counterpart, (STORE,))


def _stored(code: str, words: str = "") -> etree._Element:
    maker = ElementMaker(namespace=STORE.responder, nsmap={"s": STORE.responder, "c": _CORE})
    children = [*([_C("resultCode", code)] if code else []), *([_C("resultText", words)] if words else [])]
    return maker("StoreLogResponse", maker("result", *children))


def _store(counterpart: Counterpart, room: Room, asked: etree._Element) -> Spoken:
    """The whole batch is taken or none of it. Unless rules are strict, a row that has come before is kept once."""
    rows = asked.findall("s:log", {"s": STORE.responder})
    ids = [row.findtext("c:logId", "", {"c": _CORE}) for row in rows]
    known, level = room.remembered("rows"), counterpart.validation(room).rules
    broken = () if level is Level.OFF else tuple(_broken(ids, known))
    if broken and level is Level.STRICT:
        return Spoken(_stored("VALIDATION_ERROR", "; ".join(broken)), ",".join(ids), "VALIDATION_ERROR", broken)
    for id, row in zip(ids, rows, strict=True):
        known[id] = row.findtext("c:activity/c:activityType", "", {"c": _CORE})
    report = () if level is Level.OFF else (*broken, *_noted(rows))
    return Spoken(_stored("OK"), id=",".join(ids), report=report, summary={"rows": len(rows)})


def _broken(ids: list[str], known: Mapping[str, str]) -> Iterator[str]:
    """The contract's own rules."""
    if len(ids) > MOST:
        yield f"more than {MOST} rows"
    times = Counter(ids)
    for number, id in enumerate(ids, 1):
        if id in known or times[id] > 1:
            yield f"row {number}: its logId has come before"


def _noted(rows: list[etree._Element]) -> Iterator[str]:
    """What is out of use without being wrong."""
    for number, row in enumerate(rows, 1):
        if row.findtext("c:activity/c:activityType", "", {"c": _CORE}) not in ACTIVITIES:
            yield f"row {number}: no activity in use"
        if len(row.findall("c:resources/c:resource", {"c": _CORE})) > 1:
            yield f"row {number}: more than one resource; senders split them, one patient a row"


STORE: Final = Operation(_DOMAIN, "StoreLog", 2, "store_log_2", _store, _stored)
