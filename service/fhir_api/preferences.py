"""What request headers ask for. https://hl7.org/fhir/R4/http.html#general"""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Severity, WrongMedia
from contracts.record import Record
from fhir_mappings.outcome import operation_outcome
from fhir_mappings.xml import to_json
from service.fhir_api import answers
from service.http_edge import read_body
from service.usecases.context import Recorded

JSON: Final = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
XML: Final = frozenset({"application/fhir+xml", "application/xml", "application/xml+fhir", "text/xml"})


def media_type(request: Request) -> str:
    """The content type of the body, without parameters."""
    return request.headers.get("content-type", answers.FHIR_JSON).partition(";")[0].strip().lower()


def expects_fhir(request: Request) -> None:
    """Raises ``WrongMedia`` for a body in another format."""
    if media_type(request) not in JSON | XML:
        raise WrongMedia("send application/fhir+json or application/fhir+xml")


async def read_fhir(request: Request) -> bytes:
    """The body as JSON. Raises ``WrongMedia``, ``TooLarge`` and, for what is no FHIR XML, ``Malformed``."""
    expects_fhir(request)
    body = await read_body(request)
    return to_json(body) if body and media_type(request) in XML else body


def is_lenient(request: Request) -> bool:
    """Whether ``Prefer: handling=lenient`` was sent."""
    return "handling=lenient" in preferences(request)


def written(request: Request, base: str, recorded: Recorded) -> Response:
    """The answer to a create, an update or a patch: 201 with ``Location`` for what is new. ``Content-Location`` says which
    version the body is (RFC 9110 § 8.7); HAPI's client reads the id from it."""
    address = version_address(base, recorded.record)
    if not recorded.created:
        return preferred(request, recorded, 200, {"Content-Location": address})
    return preferred(request, recorded, 201, {"Location": address, "Content-Location": address})


def version_address(base: str, record: Record) -> str:
    """Where a version is read."""
    return f"{base}/{record.reference}/_history/{record.version}"


def preferred(request: Request, recorded: Recorded, status: int, headers: dict[str, str]) -> Response:
    """The answer to a write in the form that ``Prefer: return=`` asks for; the whole resource by default.

    The OperationOutcome tells which rule gave which code, and what became of each message.
    """
    wished = preferences(request)
    headers = {**answers.version_headers(recorded.record), **headers}
    if "return=minimal" in wished:
        return Response(status_code=status, headers=headers)
    if "return=OperationOutcome" in wished:
        return answers.resource(outcome_of(recorded), status, headers)
    return answers.record(recorded.record, status, headers)


def outcome_of(recorded: Recorded) -> bytes:
    """What the rules did, as an OperationOutcome."""
    return operation_outcome(recorded.notes or (_ALL_WELL,))


_ALL_WELL: Final = Issue(IssueType.INFORMATIONAL, "all is well", severity=Severity.INFORMATION)


def preferences(request: Request) -> frozenset[str]:
    """Every wish of every ``Prefer`` header, without quotes: clients join them with commas or semicolons.
    https://www.rfc-editor.org/rfc/rfc7240#section-2"""
    stated = (wish for header in request.headers.getlist("prefer") for wish in _WISH.finditer(header))
    return frozenset(
        f"{name.lower()}={quoted or plain}" for name, quoted, plain in (wish.groups("") for wish in stated)
    )


_WISH: Final = re.compile(r"""([^\s,;="]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?""")
