"""What request headers ask for. https://hl7.org/fhir/R4/http.html#general"""

import re
from typing import Final
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed, Severity, WrongMedia
from fhir_mappings.outcome import operation_outcome
from service.fhir_api import answers
from service.usecases.context import Recorded

_JSON: Final = frozenset({"application/fhir+json", "application/json", "application/json+fhir"})
_VERSION: Final = re.compile(r'(?:W/)?"(\d{1,9})"')


def expects_json(request: Request) -> None:
    """Raises ``WrongMedia`` for a body in another format."""
    media = request.headers.get("content-type", answers.FHIR_JSON).partition(";")[0].strip().lower()
    if media not in _JSON:
        raise WrongMedia("send application/fhir+json")


def expected_version(request: Request) -> int | None:
    """The version of ``If-Match``. Raises ``Malformed``. https://hl7.org/fhir/R4/http.html#concurrency"""
    stated = request.headers.get("if-match")
    if stated is None:
        return None
    match = _VERSION.fullmatch(stated.strip())
    if match is None:
        raise Malformed('If-Match takes one version, as in W/"3"')
    return int(match[1])


def condition(request: Request) -> tuple[str, str] | None:
    """System and value of ``If-None-Exist: identifier=system|value``. Raises ``Malformed`` for any other condition."""
    stated = request.headers.get("if-none-exist")
    if stated is None:
        return None
    address, mark, query = stated.partition("?")
    # HAPI's client writes the whole address of the search; R4 speaks of what stands behind its question mark.
    name, _, token = (query if mark and "=" not in address else stated).partition("=")
    system, bar, value = unquote(token).partition("|")
    if name != "identifier" or not bar or not value or "&" in token:
        raise Malformed("If-None-Exist takes identifier=system|value")
    return system, value


def is_lenient(request: Request) -> bool:
    """Whether ``Prefer: handling=lenient`` was sent."""
    return "handling=lenient" in _preferences(request)


def preferred(request: Request, recorded: Recorded, status: int, headers: dict[str, str]) -> Response:
    """The answer to a write in the form that ``Prefer: return=`` asks for; the whole resource by default.

    The OperationOutcome tells which rule gave which code, and what became of each message.
    """
    wished = _preferences(request)
    headers = {**answers.version_headers(recorded.record), **headers}
    if "return=minimal" in wished:
        return Response(status_code=status, headers=headers)
    if "return=OperationOutcome" in wished:
        return answers.resource(operation_outcome(recorded.notes or (_ALL_WELL,)), status, headers)
    return answers.record(recorded.record, status, headers)


_ALL_WELL: Final = Issue(IssueType.INFORMATIONAL, "all is well", severity=Severity.INFORMATION)


def _preferences(request: Request) -> frozenset[str]:
    return frozenset(
        wish.strip()
        for header in request.headers.getlist("prefer")
        for part in header.split(";")
        for wish in part.split(",")
    )
