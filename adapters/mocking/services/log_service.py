"""The national log service: StoreLog 2. Facts: rehabstod.md § 1.11, forsakringskassan.md §§ 4.1, 5.3."""

from collections.abc import Iterator
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


def create(counterpart: Counterpart) -> Starlette:
    """StoreLog 2."""
    return service(counterpart, (STORE,))


def _stored(code: str, words: str = "") -> etree._Element:
    maker = ElementMaker(namespace=STORE.responder, nsmap={"s": STORE.responder, "c": _CORE})
    children = [*([_C("resultCode", code)] if code else []), *([_C("resultText", words)] if words else [])]
    return maker("StoreLogResponse", maker("result", *children))


def _store(counterpart: Counterpart, room: Room, asked: etree._Element) -> Spoken:
    """The whole batch is taken or none of it; a row that has come before is noted and kept once."""
    rows = asked.findall("s:log", {"s": STORE.responder})
    ids = [row.findtext("c:logId", "", {"c": _CORE}) for row in rows]
    known = room.remembered("rows")
    report = () if counterpart.validation(room).rules is Level.OFF else tuple(_noted(rows, ids, known))
    for id, row in zip(ids, rows, strict=True):
        known[id] = row.findtext("c:activity/c:activityType", "", {"c": _CORE})
    return Spoken(_stored("OK"), id=",".join(ids), report=report, summary={"rows": len(rows)})


def _noted(rows: list[etree._Element], ids: list[str], known: dict[str, str]) -> Iterator[str]:
    for number, (row, id) in enumerate(zip(rows, ids, strict=True), 1):
        names = {"c": _CORE}
        if id in known or ids.count(id) > 1:
            yield f"row {number}: its logId has come before"
        if row.findtext("c:activity/c:activityType", "", names) not in ACTIVITIES:
            yield f"row {number}: no activity in use"
        if len(row.findall("c:resources/c:resource", names)) > 1:
            yield f"row {number}: more than one resource; senders split them, one patient a row"


STORE: Final = Operation(_DOMAIN, "StoreLog", 2, "store_log_2", _store, _stored)
