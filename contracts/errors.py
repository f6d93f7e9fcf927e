"""The error tree. Each leaf is one thing a caller can act on; HTTP, SOAP and FHIR forms are made at the edges.

RekoError                   carries one or more issues, never a personal number, name or diagnosis
├── Refused                 what came in cannot be accepted; sending it again unchanged cannot help
│   ├── Malformed           it cannot be read as what it claims to be (syntax, FHIR structure)
│   │   ├── TooLarge        more bytes than the limit
│   │   └── WrongMedia      a content type that is not served here
│   ├── Invalid             it is readable, but breaks a profile or a domain rule
│   ├── Unauthenticated     nobody is known to be asking
│   ├── Forbidden           somebody is known, and lacks the right
│   ├── NotSupported        it is not done here to this kind of thing
│   ├── NotFound            it is not there, or not for this caller (the two are told alike)
│   │   └── Gone            it was there, and has been deleted
│   ├── Conflict            it clashes with what is stored
│   └── VersionConflict     it was written against another version than the current one
└── Unavailable             a part that is needed does not answer; later may go well
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """FHIR R4 issue-severity."""

    ERROR = "error"
    WARNING = "warning"
    INFORMATION = "information"


class IssueType(StrEnum):
    """The FHIR R4 issue-type codes that this service uses (http://hl7.org/fhir/R4/valueset-issue-type.html)."""

    STRUCTURE = "structure"
    REQUIRED = "required"
    VALUE = "value"
    INVARIANT = "invariant"
    CODE_INVALID = "code-invalid"
    BUSINESS_RULE = "business-rule"
    NOT_FOUND = "not-found"
    DELETED = "deleted"
    NOT_SUPPORTED = "not-supported"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    TOO_LONG = "too-long"
    TOO_COSTLY = "too-costly"
    LOGIN = "login"
    FORBIDDEN = "forbidden"
    EXCEPTION = "exception"
    TRANSIENT = "transient"
    INFORMATIONAL = "informational"


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing that is wrong, or worth knowing.

    ``text`` is plain words for the person who reads it and never repeats the refused value. ``expression`` is the
    FHIRPath of the element (``Procedure.code.coding[0].code``) and empty when no element is meant. ``rule`` names the
    domain rule that spoke (``kva-no-diagnosis``), empty for syntax.
    """

    type: IssueType
    text: str
    expression: str = ""
    severity: Severity = Severity.ERROR
    rule: str = ""


def note(text: str, rule: str) -> Issue:
    """Something worth knowing that is not wrong: what a rule did, what became of a message."""
    return Issue(IssueType.INFORMATIONAL, text, severity=Severity.INFORMATION, rule=rule)


class RekoError(Exception):
    """The root: every error that the service tells a caller about."""

    default_type = IssueType.EXCEPTION

    def __init__(self, *issues: Issue | str) -> None:
        self.issues: tuple[Issue, ...] = tuple(
            Issue(self.default_type, issue) if isinstance(issue, str) else issue for issue in issues
        )
        super().__init__("; ".join(f"{issue.expression}: {issue.text}".lstrip(": ") for issue in self.issues))

    @classmethod
    def of(cls, issues: Iterable[Issue]) -> "RekoError":
        """The same error from a collected list."""
        return cls(*issues)


class Refused(RekoError):
    default_type = IssueType.BUSINESS_RULE


class Malformed(Refused):
    default_type = IssueType.STRUCTURE


class TooLarge(Malformed):
    default_type = IssueType.TOO_LONG


class WrongMedia(Malformed):
    default_type = IssueType.NOT_SUPPORTED


class NotAcceptable(Malformed):
    default_type = IssueType.NOT_SUPPORTED


class Invalid(Refused):
    default_type = IssueType.BUSINESS_RULE


class Unauthenticated(Refused):
    default_type = IssueType.LOGIN


class Forbidden(Refused):
    default_type = IssueType.FORBIDDEN


class NotSupported(Refused):
    default_type = IssueType.NOT_SUPPORTED


class NotFound(Refused):
    default_type = IssueType.NOT_FOUND


class Gone(NotFound):
    default_type = IssueType.DELETED


class Conflict(Refused):
    default_type = IssueType.CONFLICT


class VersionConflict(Refused):
    default_type = IssueType.CONFLICT


class Unavailable(RekoError):
    default_type = IssueType.TRANSIENT
