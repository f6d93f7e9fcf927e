"""The national block service, as far as CheckBlocks goes: it judges what it gets by the schema, and answers row by row.

Blocks are the room's state. An inner block keeps what a unit knows from other units of its care provider too; an outer one
keeps what a care provider knows from other providers (PDL 4 kap. 4 §). An actor's own unit is never blocked for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from lxml import etree
from starlette.applications import Starlette

from adapters.block_service import wire
from adapters.mocking import Counterpart, Room
from adapters.mocking.rivta import Operation, Spoken, service

_ROWS: Final = f"{{{wire.RESPONDER}}}informationEntities"


@dataclass(frozen=True, slots=True)
class Block:
    """The patient bars what a unit knows (inner), or, without a unit, all that the care provider knows (outer)."""

    patient: str = field(repr=False)
    provider: str
    unit: str = ""

    def holds(self, patient: str, actor: tuple[str, str], owner: tuple[str, str]) -> bool:
        """Whether it keeps the owner's information from the actor; each is (care unit, care provider)."""
        if self.patient != patient or self.provider != owner[1]:
            return False
        return actor != owner and self.unit == owner[0] if self.unit else actor[1] != owner[1]


def create(counterpart: Counterpart) -> Starlette:
    """The application, with its WSDL and schemas."""
    return service(counterpart, (CHECK,))


def register(counterpart: Counterpart, blocks: list[Block], namespace: str = "") -> None:
    """Replace the blocks that are known."""
    counterpart.room(namespace).state["blocks"] = blocks


def _check(counterpart: Counterpart, room: Room, asked: etree._Element) -> Spoken:
    rows = _checked(counterpart, room, asked)
    return Spoken(_response("OK", "", rows), summary={"rows": len(rows)})


def _checked(counterpart: Counterpart, room: Room, asked: etree._Element) -> list[tuple[str, str]]:
    """(row number, status) of each row."""
    blocks: list[Block] = room.state.get("blocks", counterpart.room().state.get("blocks", []))
    patient = _text(asked, f"{{{wire.RESPONDER}}}patientId", "extension")
    at = f"{{{wire.RESPONDER}}}accessingActor"
    actor = _text(asked, at, "careUnitId"), _text(asked, at, "careProviderId")
    return [
        (_text(row, "", "rowNumber"), "BLOCKED" if _is_blocked(blocks, patient, actor, row) else "OK")
        for row in asked.iterfind(_ROWS)
    ]


def _is_blocked(blocks: list[Block], patient: str, actor: tuple[str, str], row: etree._Element) -> bool:
    owner = _text(row, "", "informationCareUnitId"), _text(row, "", "informationCareProviderId")
    return any(block.holds(patient, actor, owner) for block in blocks)


def _text(element: etree._Element, parent: str, name: str) -> str:
    path = f"{parent}/" if parent else ""
    return element.findtext(f"{path}{{{wire.CORE}}}{name}", default="").strip()


def _response(code: str, words: str = "", rows: Iterable[tuple[str, str]] = ()) -> etree._Element:
    content = etree.Element(f"{{{wire.RESPONDER}}}CheckBlocksResponse", nsmap={"r": wire.RESPONDER, "b": wire.CORE})
    told = etree.SubElement(content, f"{{{wire.RESPONDER}}}checkBlocksResult")
    result = etree.SubElement(told, f"{{{wire.CORE}}}result")
    for name, text in (("resultCode", code), ("resultText", words)):
        if text:
            etree.SubElement(result, f"{{{wire.CORE}}}{name}").text = text
    for number, status in rows:
        checked = etree.SubElement(told, f"{{{wire.CORE}}}checkResults")
        etree.SubElement(checked, f"{{{wire.CORE}}}status").text = status
        etree.SubElement(checked, f"{{{wire.CORE}}}rowNumber").text = number
    return content


CHECK: Final = Operation(
    "informationsecurity:authorization:blocking",
    "CheckBlocks",
    4,
    "check_blocks_4",
    _check,
    _response,
    "VALIDATIONERROR",
)
