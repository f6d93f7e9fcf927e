"""Bundles joined from stored bytes: no resource is parsed. https://hl7.org/fhir/R4/bundle.html"""

from collections.abc import Sequence
from typing import Final

import orjson

from contracts.errors import Issue
from contracts.record import Operation, Record, Version
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
    return bundle("searchset", entries, links, total)


def history_bundle(base: str, versions: Sequence[Version], links: dict[str, str], total: int | None) -> bytes:
    """A history, newest first. https://hl7.org/fhir/R4/http.html#history"""
    entries = [
        _entry(base, each.record, _made_by(each)) if each.record.body else _deletion(base, each) for each in versions
    ]
    return bundle("history", entries, links, total)


def _entry(base: str, record: Record, more: bytes) -> bytes:
    return b'{"fullUrl":"' + f"{base}/{record.reference}".encode() + b'","resource":' + record.body + more + b"}"


def _deletion(base: str, version: Version) -> bytes:
    """An entry without a resource."""
    return b'{"fullUrl":"' + f"{base}/{version.record.reference}".encode() + b'"' + _made_by(version) + b"}"


def _made_by(version: Version) -> bytes:
    record = version.record
    method, status = _MADE_BY[version.operation]
    url = record.type if version.operation is Operation.CREATE else record.reference
    response = {"status": status, "etag": f'W/"{record.version}"', "lastModified": to_instant(record.updated)}
    return b',"request":' + orjson.dumps({"method": method, "url": url}) + b',"response":' + orjson.dumps(response)


_MADE_BY: Final = {
    Operation.CREATE: ("POST", "201"),
    Operation.UPDATE_AS_CREATE: ("PUT", "201"),
    Operation.UPDATE: ("PUT", "200"),
    Operation.DELETE: ("DELETE", "204"),
}


def bundle(type_: str, entries: Sequence[bytes], links: dict[str, str], total: int | None) -> bytes:
    head = {
        "resourceType": "Bundle",
        "type": type_,
        **({} if total is None else {"total": total}),
        **({"link": [{"relation": relation, "url": url} for relation, url in links.items()]} if links else {}),
    }
    body = orjson.dumps(head)
    return body if not entries else body[:-1] + b',"entry":[' + b",".join(entries) + b"]}"
