"""capabilities: https://hl7.org/fhir/R4/http.html#capabilities; made from the rows that also make the routes"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from fhir_mappings.audit_event import AUTHZ_CONSENT, PRIVACY_DISCLOSURE
from fhir_mappings.identifiers import BASE
from service.fhir_api import answers
from service.fhir_api.operations.table import OPERATIONS
from service.fhir_api.resources import ROWS, Row
from service.fhir_api.search.parameters import PARAMETERS, SearchParameter
from service.fhir_api.surroundings import Surroundings

VERSION: Final = "0.1.0"
DATE: Final = "2026-11-22"


async def capabilities(around: Surroundings, _: Request) -> Response:
    """What this server does, for anybody who asks."""
    return answers.resource(orjson.dumps(statement(around.base)))


def statement(base: str) -> dict[str, Any]:
    """The CapabilityStatement."""
    return {
        "resourceType": "CapabilityStatement",
        "url": f"{BASE}/CapabilityStatement/rekobryggan",
        "version": VERSION,
        "name": "Rekobryggan",
        "title": "Rekobryggan: coordination of sick-leave rehabilitation",
        "status": "active",
        "date": DATE,
        "kind": "instance",
        "software": {"name": "Rekobryggan", "version": VERSION},
        "implementation": {"description": "Rekobryggan", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{"mode": "server", "security": _SECURITY, "resource": [*map(_resource, ROWS.values()), _AUDIT_EVENT]}],
    }


_SECURITY: Final[Mapping[str, Any]] = {"description": "Every request but this one carries a bearer token."}


_OPERATIONS: Final[Mapping[str, list[dict[str, str]]]] = {
    "Consent": [{"name": "decide", "definition": f"{BASE}/OperationDefinition/consent-decide"}],
}

_AUDIT_EVENT: Final[Mapping[str, Any]] = {
    "type": "AuditEvent",
    "supportedProfile": [AUTHZ_CONSENT, PRIVACY_DISCLOSURE],
    "interaction": [{"code": "read"}, {"code": "search-type"}],
    "versioning": "no-version",
    "searchParam": [{"name": "patient", "type": "reference"}, {"name": "date", "type": "date"}],
}
"""Made from other rows when asked for: it has no versions."""


def _resource(row: Row) -> dict[str, Any]:
    writes = [] if row.write is None else ["create", "update"]
    return {
        "type": row.type,
        **({"supportedProfile": [row.profile]} if row.profile else {}),
        "interaction": [{"code": code} for code in ("read", "vread", "history-instance", "search-type", *writes)],
        "versioning": "versioned" if row.write is None else "versioned-update",
        "readHistory": True,
        "updateCreate": False,
        "conditionalCreate": row.write is not None,
        **({"operation": _OPERATIONS[row.type]} if row.type in _OPERATIONS else {}),
        "searchParam": [{"name": "_id", "type": "token"}, {"name": "_lastUpdated", "type": "date"}]
        + [_parameter(parameter) for parameter in PARAMETERS[row.type]],
        **(
            {"operation": operations} if (operations := [o.described for o in OPERATIONS if o.type == row.type]) else {}
        ),
    }


def _parameter(parameter: SearchParameter) -> dict[str, str]:
    return {"name": parameter.code, "type": parameter.kind}
