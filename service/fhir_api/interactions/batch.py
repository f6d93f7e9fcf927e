"""batch: https://hl7.org/fhir/R4/http.html#transaction; each entry is a request of its own, and answered as one"""

import asyncio
import base64
from collections.abc import Sequence
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope

from contracts.errors import Malformed
from fhir_mappings import r4
from fhir_mappings.primitives import to_instant
from service.fhir_api import answers
from service.fhir_api.bundle import bundle
from service.fhir_api.entries import Entry
from service.fhir_api.preferences import preferences
from service.fhir_api.surroundings import Surroundings
from service.http_edge import AskedRequest


async def batch(_: Surroundings, request: Request, entries: Sequence[Entry]) -> Response:
    """200 with what became of each entry, in their order; they know nothing of each other."""
    answered = await asyncio.gather(*(_answered(request, entry) for entry in entries))
    return answers.resource(bundle("batch-response", answered, {}, None))


async def _answered(request: Request, entry: Entry) -> bytes:
    if entry.wrong:
        return told(answers.error(400, Malformed(*entry.wrong)))
    media, body = _sent(entry)
    inner = AskedRequest(_scope(request, entry, media), _receiving(body))
    return told(await request.app.answer(inner, f"/{entry.path}"))


def _scope(request: Request, entry: Entry, media: str) -> Scope:
    """The request that the entry is, on behalf of the same caller. It has a row in the access log of its own."""
    return {
        **request.scope,
        "method": entry.method,
        "path": f"/{entry.path}",
        "root_path": "",
        "query_string": _query(entry),
        "headers": _headers(request, entry, media),
        "state": {"request_id": f"{request.state.request_id}.{entry.index}", "is_inside": True},
    }


def _query(entry: Entry) -> bytes:
    """Its parameters, but those that say how an answer looks: in a Bundle all are resources in its own form."""
    parameters = parse_qsl(entry.query, keep_blank_values=True)
    return urlencode([each for each in parameters if each[0] not in _FORMS]).encode()


_FORMS: Final = ("_format", "_pretty")


def _headers(request: Request, entry: Entry, media: str) -> list[tuple[bytes, bytes]]:
    stated = {name: str(entry.request[element]) for element, name in _CONDITIONS.items() if element in entry.request}
    if entry.since is not None:
        stated["if-modified-since"] = format_datetime(entry.since, usegmt=True)
    wishes = request.headers.getlist("prefer")
    if entry.method in ("POST", "PUT", "PATCH") and not any(
        each.startswith("return=") for each in preferences(request)
    ):
        wishes.append("return=minimal")
    headers = {
        "authorization": request.headers["authorization"],
        "accept": answers.FHIR_JSON,
        "content-type": media,
        "prefer": ", ".join(wishes),
        **stated,
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


_CONDITIONS: Final = {
    "ifMatch": "if-match",
    "ifNoneMatch": "if-none-match",
    "ifNoneExist": "if-none-exist",
}


def _sent(entry: Entry) -> tuple[str, bytes]:
    """The media type and the body: of a patch, which travels as a Binary, those of its content."""
    if entry.method == "PATCH":
        return patch_in(entry)
    return answers.FHIR_JSON, b"" if entry.document is None else entry.document.body


def patch_in(entry: Entry) -> tuple[str, bytes]:
    """The media type and the bytes of a patch. https://hl7.org/fhir/R4/http.html#patch"""
    body = b"" if entry.document is None else entry.document.body
    try:
        patch = r4.parse(body, expected="Binary")
        return patch["contentType"], base64.b64decode(patch.get("data", ""))
    except Malformed:
        return answers.FHIR_JSON, body  # FHIRPath Patch, or nothing that is known: told as such


def _receiving(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def told(response: Response) -> bytes:
    """An answer as an entry. Bytes that are no resource have no place in a Bundle: they could pass for entries."""
    is_resource = response.headers.get("content-type", "").startswith(answers.FHIR_JSON)
    body = bytes(response.body) if is_resource else b""
    stated = {
        "status": str(response.status_code),
        "location": response.headers.get("location"),
        "etag": response.headers.get("etag"),
        "lastModified": _instant(response.headers.get("last-modified")),
    }
    head = orjson.dumps({name: value for name, value in stated.items() if value})
    if not body:
        return b'{"response":' + head + b"}"
    if body.startswith(_OUTCOME):
        return b'{"response":' + head[:-1] + b',"outcome":' + body + b"}}"
    return b'{"resource":' + body + b',"response":' + head + b"}"


_OUTCOME: Final = b'{"resourceType":"OperationOutcome"'


def _instant(http_date: str | None) -> str | None:
    return None if http_date is None else to_instant(parsedate_to_datetime(http_date))
