"""Bundles joined from stored bytes: no resource is parsed. https://hl7.org/fhir/R4/bundle.html"""

from collections.abc import Sequence

import orjson

from contracts.errors import Issue
from contracts.record import Record
from fhir_mappings.outcome import operation_outcome
from fhir_mappings.primitives import to_instant


def search_bundle(
    base: str,
    records: Sequence[Record],
    links: dict[str, str],
    total: int | None,
    warnings: Sequence[Issue],
    along: Sequence[Record] = (),
) -> bytes:
    """A searchset of what matches and what comes ``along``. ``warnings`` stand in it as an OperationOutcome."""
    entries = [_entry(base, record, b',"search":{"mode":"match"}') for record in records]
    entries += [_entry(base, record, b',"search":{"mode":"include"}') for record in along]
    if warnings:
        entries.append(b'{"resource":' + operation_outcome(warnings) + b',"search":{"mode":"outcome"}}')
    return _bundle("searchset", entries, links, total)


def history_bundle(base: str, records: Sequence[Record]) -> bytes:
    """A history of one resource, newest first."""
    entries = [_entry(base, record, _version(record)) for record in records]
    return _bundle("history", entries, {"self": f"{base}/{records[0].reference}/_history"}, len(records))


def _entry(base: str, record: Record, more: bytes) -> bytes:
    return b'{"fullUrl":"' + f"{base}/{record.reference}".encode() + b'","resource":' + record.body + more + b"}"


def _version(record: Record) -> bytes:
    method, url, status = ("POST", record.type, "201") if record.version == 1 else ("PUT", record.reference, "200")
    response = {"status": status, "etag": f'W/"{record.version}"', "lastModified": to_instant(record.updated)}
    return b',"request":' + orjson.dumps({"method": method, "url": url}) + b',"response":' + orjson.dumps(response)


def _bundle(type_: str, entries: Sequence[bytes], links: dict[str, str], total: int | None) -> bytes:
    head = {
        "resourceType": "Bundle",
        "type": type_,
        **({} if total is None else {"total": total}),
        "link": [{"relation": relation, "url": url} for relation, url in links.items()],
    }
    body = orjson.dumps(head)
    return body if not entries else body[:-1] + b',"entry":[' + b",".join(entries) + b"]}"
