"""capabilities: https://hl7.org/fhir/R4/http.html#capabilities; made from the rows that also make the routes"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed
from fhir_mappings import guide
from fhir_mappings.audit_event import AUTHZ_CONSENT, PRIVACY_DISCLOSURE
from fhir_mappings.identifiers import BASE
from service.fhir_api import answers
from service.fhir_api.operations import everything, terminology
from service.fhir_api.operations.table import OPERATIONS
from service.fhir_api.resources import ROWS, Row
from service.fhir_api.search.including import references, types_of
from service.fhir_api.search.parameters import MADE, PARAMETERS, SPECIAL, SearchParameter
from service.fhir_api.surroundings import Surroundings

VERSION: Final = "0.1.0"
DATE: Final = "2026-11-22"


async def capabilities(around: Surroundings, request: Request) -> Response:
    """What this server does, for anybody who asks. Raises ``Malformed`` for a ``mode`` that asks for something else."""
    if request.query_params.get("mode", "full") not in ("full", "normative"):
        raise Malformed(Issue(IssueType.NOT_SUPPORTED, "mode is full or normative"))
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
        "format": ["json", "xml"],
        "patchFormat": ["application/json-patch+json", "application/merge-patch+json"],
        "rest": [
            {
                "mode": "server",
                "security": _SECURITY,
                "resource": [*map(_resource, ROWS.values()), _audit_event(), *map(_artefacts, guide.TYPES)],
                "interaction": [{"code": code} for code in ("transaction", "batch", "history-system")],
            }
        ],
    }


_SECURITY: Final[Mapping[str, Any]] = {"description": "Every request but this one carries a bearer token."}


def _parameter(parameter: SearchParameter) -> dict[str, str]:
    return {"name": parameter.code, "definition": parameter.url, "type": parameter.kind}


def _audit_event() -> dict[str, Any]:
    """Made from other rows when asked for: it has no versions."""
    return {
        "type": MADE,
        "supportedProfile": [AUTHZ_CONSENT, PRIVACY_DISCLOSURE],
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchInclude": _includes(MADE),
        "searchRevInclude": _revincludes(MADE),
        "searchParam": _parameters(MADE),
    }


def _resource(row: Row) -> dict[str, Any]:
    return {
        "type": row.type,
        **({"supportedProfile": [row.profile]} if row.profile else {}),
        "interaction": [{"code": code} for code in (*_READS, *_writes(row))],
        "versioning": "versioned-update" if _is_changeable(row) else "versioned",
        "readHistory": True,
        "updateCreate": _is_changeable(row),
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": _is_changeable(row),
        "conditionalDelete": "not-supported" if row.delete is None else "single",
        "referencePolicy": ["literal", "logical", "enforced", "local"],
        "searchInclude": _includes(row.type),
        "searchRevInclude": _revincludes(row.type),
        "searchParam": _parameters(row.type),
        "operation": [*_operations(row)],
    }


def _artefacts(type: str) -> dict[str, Any]:
    """A type of our guide."""
    definition = "http://hl7.org/fhir/OperationDefinition"
    operations = [
        {"name": name, "definition": f"{definition}/{of}-{name}"}
        for of, name, _ in terminology.OPERATIONS
        if of == type
    ]
    return {
        "type": type,
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": _parameters(type),
        **({"operation": operations} if operations else {}),
    }


_READS: Final = ("read", "vread", "history-instance", "history-type", "search-type")


def _writes(row: Row) -> Iterator[str]:
    yield "create"
    if _is_changeable(row):
        yield from ("update", "patch")
    if row.delete is not None:
        yield "delete"


def _operations(row: Row) -> Iterator[Mapping[str, str]]:
    yield {"name": "validate", "definition": "http://hl7.org/fhir/OperationDefinition/Resource-validate"}
    if row.type in everything.OF:
        yield {"name": "everything", "definition": everything.OF[row.type]}
    yield from (each.described for each in OPERATIONS if each.type == row.type)


def _is_changeable(row: Row) -> bool:
    return not row.written_once


def _parameters(type_: str) -> list[dict[str, str]]:
    return [_parameter(each) for each in (*SPECIAL.values(), *PARAMETERS[type_].values())]


def _includes(type_: str) -> list[str]:
    return ["*", *(f"{type_}:{each.code}" for each in references(type_) if types_of(each))]


def _revincludes(type_: str) -> list[str]:
    pointing = ((source, each) for source in ROWS for each in references(source) if type_ in types_of(each))
    return ["*", *(f"{source}:{each.code}" for source, each in pointing)]
