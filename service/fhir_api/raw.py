"""Binary as the bytes that it holds. https://hl7.org/fhir/R4/binary.html#rest"""

import base64
import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Malformed, WrongMedia
from contracts.record import Document, Record
from fhir_mappings import r4
from fhir_mappings.document import decode, from_content
from service.fhir_api import answers
from service.fhir_api.formats import FHIR_XML, names_fhir
from service.fhir_api.preferences import JSON, media_type
from service.http_edge import read_body

_MEDIA: Final = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_UNKNOWN: Final = "application/octet-stream"


def is_raw(request: Request, type_: str) -> bool:
    """Whether the body is the content itself, and not a resource around it."""
    return type_ == "Binary" and media_type(request) not in (*JSON, FHIR_XML)


async def read_raw(request: Request) -> Document:
    """The resource around the bytes that were sent. ``X-Security-Context`` names whom they are about. Raises
    ``WrongMedia`` for a content type that is none, and ``Malformed``."""
    media, about = media_type(request), request.headers.get("x-security-context")
    if not _MEDIA.fullmatch(media):
        raise WrongMedia("the content type of the bytes is wanted, as in image/png")
    data = base64.b64encode(await read_body(request)).decode()
    if not data:
        raise Malformed("the body is empty")
    document = from_content(
        {
            "resourceType": "Binary",
            "contentType": media,
            **({"securityContext": {"reference": about}} if about else {}),
            "data": data,
        }
    )
    r4.parse(document.body, expected="Binary")
    return document


def wants_raw(request: Request, record: Record) -> bool:
    """Whether the bytes are wanted and not the resource: unless FHIR's own format is asked for by name."""
    return record.type == "Binary" and not names_fhir(request)


def raw(record: Record) -> Response:
    """The bytes. A browser is told to keep them apart: they may be a page that somebody made to do harm."""
    content = decode(record.body).content
    headers = {
        **answers.version_headers(record),
        "Content-Type": content["contentType"] if _MEDIA.fullmatch(content["contentType"]) else _UNKNOWN,
        "Content-Disposition": "attachment",
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    about = content.get("securityContext", {}).get("reference")
    return Response(
        base64.b64decode(content.get("data", "")), headers=headers | ({"X-Security-Context": about} if about else {})
    )
