"""What the tests of the store share: a clock that stands, things to store, and the checker of what is stored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Protocol

import orjson
from sqlalchemy import Select, select

from contracts.consent import InformationCategory, Purpose, Question, Recipient, RecipientKind
from contracts.dialogue import CareUnit, MessagePart, PartyMessage, Sender, Topic
from contracts.identity import HsaId
from contracts.outbox import DeliveryState, EventType, OutboxMessage, RecordEvent
from contracts.record import Access, AccessAction, Caller, Document
from fhir_mappings.document import decode
from service.fhir_api.search import index, parameters
from service.store.database import Place
from service.store.store import SqlStore
from service.store.tables import INDEX_TABLES, history, resource
from service.store.transaction import SqlTransaction

NOW: Final = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)
UNIT: Final = HsaId("SE2321000016-1001")
PROVIDER: Final = HsaId("SE2321000016-1000")
CALLER: Final = Caller(HsaId("SE2321000016-9001"), "c-1", UNIT, PROVIDER, frozenset(), "request-1")
PLATFORM: Final = Recipient(RecipientKind.REGIONAL_PLATFORM, "regional_platform")
MUNICIPALITY: Final = Recipient(RecipientKind.MUNICIPALITY, "2120009994", "Kommunen")


class StillClock:
    """A clock that stands until somebody moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


def open_store(
    place: Place,
    clock: StillClock | None = None,
    definitions: Mapping[tuple[str, str], str] | None = None,
    rows_of: Callable[[Any, Any], Any] = index.rows_of,
) -> SqlStore:
    return SqlStore(place, clock or StillClock(), definitions or parameters.definitions(), rows_of)


@cache
def _new_file() -> bytes:
    with TemporaryDirectory() as home:
        open_store(Path(home) / "reko.db").close()
        return (Path(home) / "reko.db").read_bytes()


def open_new(file: Path, clock: StillClock | None = None) -> SqlStore:
    """A new store, sooner: the empty file is made once and copied."""
    if not file.exists():
        file.write_bytes(_new_file())
    return open_store(file, clock)


def document(content: dict[str, Any]) -> Document:
    return Document(content, orjson.dumps(content))


def procedure(patient: str = "p-1", **more: Any) -> Document:
    """A resource with rows in three of the index tables."""
    return document(
        {
            "resourceType": "Procedure",
            "identifier": [{"system": "urn:ehr", "value": more.pop("identifier", "ehr-1")}],
            "status": "completed",
            "code": {"coding": [{"system": "urn:kva", "code": "GC001"}]},
            "subject": {"reference": f"Patient/{patient}"},
            "performedDateTime": "2026-05-04",
            **more,
        }
    )


def person(family: str = "Åström", **more: Any) -> Document:
    return document({"resourceType": "Patient", "name": [{"family": family, "given": ["Åsa"]}], **more})


def message(id: str, patient: str = "p-1", destination: str = "platform", about: str = "") -> OutboxMessage:
    about = about or f"Procedure/{id}"
    question = Question(
        patient, UNIT, PLATFORM, frozenset({InformationCategory.CARE_MEASURES}), Purpose.COORDINATION, NOW
    )
    event = RecordEvent(id, EventType.ACTIVITY_CODED, about, NOW, 1, '{"resourceType":"Procedure","note":"å"}')
    return OutboxMessage(id, destination, about, question, event)


def party_message(id: str, patient: str = "p-1") -> OutboxMessage:
    """A message to a municipality."""
    asked = message(id, patient, "sdk", f"CommunicationRequest/{id}")
    sender = Sender(CALLER.employee, CareUnit(UNIT, PROVIDER))
    parts = (MessagePart(InformationCategory.CARE_MEASURES, "Kan ni delta den 12 maj?"),)
    payload = PartyMessage(id, Topic.SIP, MUNICIPALITY, None, sender, NOW, parts, "", UNIT)
    return replace(asked, question=replace(asked.question, recipient=MUNICIPALITY), payload=payload)


def access(resource: str = "Procedure/a-1", action: AccessAction = AccessAction.WRITE, patient: str = "p-1") -> Access:
    return Access(CALLER, action, patient, resource, "create")


def record_all(transaction: SqlTransaction, id: str, note: str = "") -> str:
    """What a use case writes: a version, a message and a row in the access log, in one transaction."""
    more = {"note": [{"text": note}]} if note else {}
    first = transaction.read("Procedure", id) is None
    transaction.save(procedure(f"p-{id}", identifier=f"ehr-{id}", **more), id, UNIT.value)
    if first:
        transaction.promise(message(f"m-{id}", f"p-{id}", about=f"Procedure/{id}"), DeliveryState.WAITING)
    transaction.log_access(access(f"Procedure/{id}", patient=f"p-{id}"))
    return id


class Examined(Protocol):
    """A store that shows what is in it."""

    @property
    def numbers(self) -> Mapping[tuple[str, str], int]: ...
    async def select(self, statement: Select[Any]) -> Sequence[tuple[Any, ...]]: ...


async def disagreements(store: Examined) -> list[str]:
    """Everything in which index, versions and bodies contradict each other."""
    current = await store.select(
        select(
            resource.c.rid, resource.c.id, resource.c.version, history.c.rid, history.c.version, history.c.body
        ).join(history, history.c.hid == resource.c.hid, isouter=True)
    )
    return [*_torn(current), *await _misindexed(store, current), *await _gaps(store)]


def _torn(current: Any) -> list[str]:
    return [
        f"{id} version {version}"
        for rid, id, version, owner, written, body in current
        if (rid, version) != (owner, written) or (body and _named(body) != (id, str(version)))
    ]


def _named(body: bytes) -> tuple[str, str]:
    content = decode(body).content
    return content["id"], content["meta"]["versionId"]


async def _misindexed(store: Examined, current: Any) -> list[str]:
    wanted: dict[str, set[tuple[Any, ...]]] = {kind: set() for kind in INDEX_TABLES}
    for rid, *_, body in current:
        content = decode(body).content if body else None  # of what is deleted nothing is found
        for kind, rows in index.rows_of(store.numbers, content).items() if content else ():
            wanted[kind].update((*row, rid) for row in rows)
    found = {kind: set(await store.select(select(table))) for kind, table in INDEX_TABLES.items()}
    return [f"{kind}: {row}" for kind in wanted for row in wanted[kind] ^ found[kind]]


async def _gaps(store: Examined) -> list[str]:
    """Each resource has its versions from 1 to the current one."""
    rows = await store.select(
        select(resource.c.id, resource.c.version, history.c.version).join(history, history.c.rid == resource.c.rid)
    )
    versions: dict[tuple[str, int], set[int]] = {}
    for id, newest, version in rows:
        versions.setdefault((id, newest), set()).add(version)
    return [f"versions of {id}" for (id, newest), found in versions.items() if found != set(range(1, newest + 1))]
