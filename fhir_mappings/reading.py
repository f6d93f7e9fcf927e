"""One reading of a resource: everything that is wrong with it is collected, and refused together at the end.

Each method answers with a value that lets the reading go on; the issue that it noted keeps the value from getting out.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from contracts.errors import Invalid, Issue, IssueType
from contracts.identity import BadIdentity
from contracts.time import Period
from fhir_mappings import primitives, profiles
from fhir_mappings.primitives import Found, Json

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")


class Reading:
    """Collects issues."""

    __slots__ = ("_of_profile", "issues")

    def __init__(self, resource: Json | None = None) -> None:
        """``resource`` is held against its profile first; a part of one, or none, is not."""
        self._of_profile = () if resource is None else profiles.faults(resource)
        self.issues: list[Issue] = []

    def close(self) -> None:
        """End the reading: raises ``Invalid`` with every issue, if there is one. Where profile and reader both stumble on
        an element, the reader knows more of it, and is heard."""
        beside = [issue for issue in self._of_profile if not any(_covers(read, issue) for read in self.issues)]
        if beside or self.issues:
            raise Invalid(*beside, *self.issues)

    def note(self, type: IssueType, at: str, text: str, rule: str = "") -> None:
        """Something is wrong at an element."""
        self.issues.append(Issue(type, text, at, rule=rule))

    # ---- Codes ---------------------------------------------------------------------------------------------------

    def members(self, found: Iterable[Found], known: type[E], rule: str = "") -> list[E]:
        """Codes as members of a closed list. An unknown code is refused, never guessed."""
        return [member for code, at in found if (member := self.member(code, at, known, rule)) is not None]

    def member(self, code: str, at: str, known: type[E], rule: str = "") -> E | None:
        """One code as a member of a closed list."""
        member = _by_code(known).get(code)
        if member is None:
            self.note(IssueType.CODE_INVALID, at, "the code is not in the list: " + ", ".join(known), rule)
        return member

    def only(self, members: Sequence[E], at: str, what: str, rule: str = "") -> E | None:
        """The one member, where one and no more must be given."""
        if len(set(members)) > 1:
            self.note(IssueType.BUSINESS_RULE, at, f"{what}: one, not several", rule)
        return members[0] if members else None

    # ---- Time ----------------------------------------------------------------------------------------------------

    def instant(self, text: str | None, at: str, name: str = "") -> datetime | None:
        """A dateTime with at least the day, in the child ``name`` of the element."""
        return self._time(primitives.instant, text, at, name)

    def swedish_date(self, text: str | None, at: str) -> date | None:
        """The Swedish day of a date or dateTime."""
        return self._time(primitives.swedish_date, text, at)

    def period(self, element: Json | None, at: str) -> Period:
        """A Period whose ends say at least the day, and that does not end before it starts."""
        if element is None:
            return Period()
        start = self.instant(element.get("start"), at, "start")
        read = Period(start, self._time(primitives.after, element.get("end"), at, "end"))
        if read.is_reversed:
            self.note(IssueType.INVARIANT, at, "the period ends before it starts", "period-reversed")
        return read

    def _time(self, read: Callable[[str], T], text: str | None, at: str, name: str = "") -> T | None:
        try:
            return None if text is None else read(text)
        except ValueError:
            words = "a day, or a time with zone, is needed: YYYY-MM-DD or more"
            self.note(IssueType.VALUE, f"{at}.{name}" if name else at, words, "day-precision")
            return None

    # ---- References, identities and extensions -------------------------------------------------------------------

    def target(self, reference: Json | None, at: str, *types: str, rule: str = "") -> str:
        """``Type/id`` of a literal reference to one of the types, empty (with an issue) for any other."""
        found = primitives.literal(reference or {})
        if found is None or found[0] not in types:
            wanted = " or ".join(f"{type}/<id>" for type in types)
            kind = IssueType.VALUE if reference else IssueType.REQUIRED
            self.note(kind, at, f"a reference {wanted} is needed", rule)
            return ""
        return "/".join(found)

    def patient(self, content: Json, at: str, name: str = "subject") -> str:
        """The logical id of the patient that the resource is about."""
        found = self.target(content.get(name), f"{at}.{name}", "Patient", rule="patient-reference")
        return found.removeprefix("Patient/")

    def identity(self, make: Callable[[str], T], value: str | None, at: str) -> T | None:
        """A checked identity; what is wrong is told without the value."""
        try:
            return None if value is None else make(value)
        except BadIdentity as wrong:
            self.note(IssueType.VALUE, at, str(wrong), "identity-check")
            return None

    def extension(self, element: Json, at: str, url: str, kind: str) -> Any | None:
        """The value of an extension. That it stands once, with the right type of value, is for the profile to say."""
        return self.extension_at(element, at, url, kind)[0] if "extension" in element else None

    def extension_member(self, element: Json, at: str, url: str, known: type[E], rule: str) -> E | None:
        """The ``valueCode`` of such an extension as a member of a closed list."""
        code, found_at = self.extension_at(element, at, url, "valueCode")
        return None if code is None else self.member(code, found_at, known, rule)

    def extension_at(self, element: Json, at: str, url: str, kind: str) -> tuple[Any | None, str]:
        """The value of such an extension, and where it stands."""
        extensions = element.get("extension", ())
        found = [index for index, each in enumerate(extensions) if each["url"] == url]
        if not found:
            return None, at
        return extensions[found[0]].get(kind), f"{at}.extension[{found[0]}].value"


def _covers(read: Issue, found: Issue) -> bool:
    """Whether what the reader noted tells what the profile found: at the same element, or by the same rule near it."""
    near = read.expression.startswith(found.expression) or found.expression.startswith(read.expression)
    return read.expression == found.expression or (near and read.rule == found.rule)


@cache
def _by_code(known: type[E]) -> dict[str, E]:
    return {member.value: member for member in known}
