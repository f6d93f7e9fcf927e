"""What every read passes: the caller may see it, and the access log has a row per patient before a byte leaves."""

from collections.abc import Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request

from contracts.errors import Gone, Issue, IssueType, Malformed, NotFound
from contracts.record import Access, AccessAction, Caller, Record
from service.fhir_api.search import query as queries
from service.fhir_api.search import subset
from service.fhir_api.surroundings import Surroundings


async def shown(around: Surroundings, caller: Caller, type_: str, id: str, interaction: str) -> Record:
    """The current version, once its row in the access log is durable. It is read beside the writer: what is answered was
    the newest when it was read. Raises ``Gone`` for what has been deleted, and ``NotFound``."""
    record = visible(around.store.read(type_, id) or around.store.standing(type_, id), caller, type_)
    if not record.body:
        raise Gone(f"this {type_} has been deleted")
    await log_reading(around, caller, [record], interaction)
    return record


def visible(record: Record | None, caller: Caller, type_: str) -> Record:
    """The record if it is there for this caller. Raises ``NotFound``: another unit's data is told like none."""
    if record is None or not caller.may_see(record):
        raise NotFound(f"there is no such {type_}")
    return record


async def log_reading(around: Surroundings, caller: Caller, records: Sequence[Record], interaction: str) -> None:
    """Commit one row per patient; a Binary that does not say whom it is about has one of its own. What is shown would outlast
    a power loss then. Raises ``Unavailable`` when the log cannot be written: then nothing is shown."""
    rows = rows_of(caller, records, interaction)
    if rows:
        await around.store.log(*rows)
    else:
        await around.store.settled()


def rows_of(caller: Caller, records: Sequence[Record], interaction: str) -> Sequence[Access]:
    """The rows of the access log for what is shown."""
    first = {record.patient: record for record in reversed(records) if record.patient or record.type == "Binary"}
    return [
        Access(caller, AccessAction.READ, patient, record.reference, interaction) for patient, record in first.items()
    ]


def part_asked(request: Request, type_: str, body: bytes) -> bytes:
    """The part of a resource that ``_summary`` and ``_elements`` ask for, the whole where they do not stand. Raises
    ``Malformed``. https://hl7.org/fhir/R4/http.html#parameters"""
    query = request.scope["query_string"]
    if b"_summary=" not in query and b"_elements=" not in query:
        return body
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    asked = queries.parse(type_, [pair for pair in pairs if pair[0] in ("_summary", "_elements")])
    if asked.summary == "count":
        raise Malformed(Issue(IssueType.VALUE, "_summary=count is asked of a search"))
    return subset.subset(type_, body, asked.summary, asked.elements)
