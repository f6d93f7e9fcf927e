import orjson
import pytest

from contracts.errors import Issue, IssueType, Severity
from fhir_mappings import r4
from fhir_mappings.outcome import RULE, operation_outcome


@pytest.mark.parametrize(
    ("issues", "told"),
    [
        (
            [Issue(IssueType.REQUIRED, "why", "Procedure.category", rule="activity-kind")],
            [
                {
                    "severity": "error",
                    "code": "required",
                    "details": {"coding": [{"system": RULE, "code": "activity-kind"}]},
                    "diagnostics": "why",
                    "expression": ["Procedure.category"],
                }
            ],
        ),
        (
            [Issue(IssueType.LOGIN, "who"), Issue(IssueType.INFORMATIONAL, "så", severity=Severity.INFORMATION)],
            [
                {"severity": "error", "code": "login", "diagnostics": "who"},
                {"severity": "information", "code": "informational", "diagnostics": "så"},
            ],
        ),
        ([], [{"severity": "information", "code": "informational", "diagnostics": "No problem was found."}]),
    ],
)
def test_outcomes(issues: list[Issue], told: list[object]) -> None:
    assert orjson.loads(operation_outcome(issues)) == {"resourceType": "OperationOutcome", "issue": told}


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("type_", IssueType)
def test_every_issue_is_one_that_fhir_knows(type_: IssueType, severity: Severity) -> None:
    r4.parse(operation_outcome([Issue(type_, "text", "Patient", severity, "rule")]), expected="OperationOutcome")
