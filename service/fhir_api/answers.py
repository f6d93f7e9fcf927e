"""Answers on the FHIR surface: stored bytes, and OperationOutcome for errors."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from starlette.responses import Response

from contracts.errors import RekoError
from contracts.record import Record
from fhir_mappings.outcome import operation_outcome
from service.http_edge import headers_of

FHIR_JSON: Final = "application/fhir+json"
CONTENT_TYPE: Final = f"{FHIR_JSON}; charset=utf-8"
"""Of a resource. A Binary's own bytes never have it: they are told without parameters."""


def resource(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A resource as bytes."""
    return Response(body, status, {"content-type": CONTENT_TYPE, **(headers or {})})


def record(stored: Record, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A stored version with its ETag and time. https://hl7.org/fhir/R4/http.html#versions"""
    return resource(stored.body, status, {**version_headers(stored), **(headers or {})})


def version_headers(stored: Record) -> dict[str, str]:
    """``ETag`` and ``Last-Modified``."""
    return {
        "ETag": f'W/"{stored.version}"',
        "Last-Modified": _http_date(stored.updated.replace(microsecond=0)),
    }


@lru_cache(1000)
def _http_date(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC), usegmt=True)


def error(status: int, problem: RekoError, headers: dict[str, str] | None = None) -> Response:
    """The OperationOutcome of an error."""
    return resource(operation_outcome(problem.issues), status, {**headers_of(status), **(headers or {})})
