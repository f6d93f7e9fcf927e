"""The national block service, as far as CheckBlocks goes: it judges what it gets by the schema, and answers row by row.

Blocks are the room's state. An inner block keeps what a unit knows from other units of its care provider too; an outer one
keeps what a care provider knows from other providers (PDL 4 kap. 4 §). An actor's own unit is never blocked for it.
"""

from dataclasses import dataclass, field
from typing import Final

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters import soap
from adapters.block_service import wire
from adapters.block_service.settings import PATH
from adapters.mocking import Counterpart, Entry, Fault, Room, play

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
    """The application."""

    async def endpoint(request: Request) -> Response:
        return await play(counterpart, request, lambda *given: _answer(counterpart, *given))

    return Starlette(routes=[Route(PATH, endpoint, methods=["POST"])])


def register(counterpart: Counterpart, blocks: list[Block], namespace: str = "") -> None:
    """Replace the blocks that are known."""
    counterpart.room(namespace).state["blocks"] = blocks


async def _answer(counterpart: Counterpart, request: Request, room: Room, fault: Fault | None) -> Response:
    body = await request.body()
    report, asked = _judged(body)
    accepted = not report and fault is None
    room.ledger.write(
        Entry(
            counterpart.now(),
            "",
            accepted,
            body.decode(errors="replace"),
            report,
            fault.kind if fault else "",
            {"rows": 0 if asked is None else len(asked.findall(_ROWS))},
        )
    )
    if fault is not None and fault.kind == "soap-fault":
        return _xml(soap.fault(fault.fault_code, fault.text), 500)
    if fault is not None:
        return _xml(_response(fault.result_code, []))
    if asked is None:
        return _xml(soap.fault("Client", "the request cannot be read"), 500)
    if report:
        return _xml(_response("VALIDATIONERROR", []))
    return _xml(_response("OK", _checked(room, asked)))


def _judged(body: bytes) -> tuple[tuple[str, ...], etree._Element | None]:
    """What is wrong with a request, and the request."""
    try:
        content = soap.unwrap(body)
    except soap.BadXml as bad:
        return (str(bad),), None
    if isinstance(content, soap.Fault):
        return ("the body is a fault",), None
    return soap.schema_errors(wire.SCHEMA, content), content


def _checked(room: Room, asked: etree._Element) -> list[tuple[str, str]]:
    """(row number, status) of each row."""
    blocks: list[Block] = room.state.get("blocks", [])
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


def _response(code: str, rows: list[tuple[str, str]]) -> bytes:
    content = etree.Element(f"{{{wire.RESPONDER}}}CheckBlocksResponse", nsmap={"r": wire.RESPONDER, "b": wire.CORE})
    told = etree.SubElement(content, f"{{{wire.RESPONDER}}}checkBlocksResult")
    result = etree.SubElement(told, f"{{{wire.CORE}}}result")
    etree.SubElement(result, f"{{{wire.CORE}}}resultCode").text = code
    for number, status in rows:
        checked = etree.SubElement(told, f"{{{wire.CORE}}}checkResults")
        etree.SubElement(checked, f"{{{wire.CORE}}}status").text = status
        etree.SubElement(checked, f"{{{wire.CORE}}}rowNumber").text = number
    return soap.wrap(content)


def _xml(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type=soap.CONTENT_TYPE)
