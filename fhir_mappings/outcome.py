"""Errors as FHIR R4 ``OperationOutcome`` (http://hl7.org/fhir/R4/operationoutcome.html)."""

from collections.abc import Iterable
from typing import Any, Final

import orjson

from contracts.errors import Issue, IssueType, Severity
from fhir_mappings.identifiers import BASE

RULE: Final = f"{BASE}/CodeSystem/rule"
"""Names of the domain rules, for whoever reads the answer by machine."""

_NOTHING_WRONG: Final = Issue(IssueType.INFORMATIONAL, "No problem was found.", severity=Severity.INFORMATION)


def operation_outcome(issues: Iterable[Issue]) -> bytes:
    """Every issue, in order. FHIR wants at least one: without any, it says that nothing is wrong."""
    told = [_issue(each) for each in issues] or [_issue(_NOTHING_WRONG)]
    return orjson.dumps({"resourceType": "OperationOutcome", "issue": told})


def _issue(issue: Issue) -> dict[str, Any]:
    elements: dict[str, Any] = {
        "severity": issue.severity,
        "code": issue.type,
        "details": {"coding": [{"system": RULE, "code": issue.rule}]} if issue.rule else None,
        "diagnostics": issue.text,
        "expression": [issue.expression] if issue.expression else None,
    }
    return {name: value for name, value in elements.items() if value}
