"""Write-back over FHIR R4: a conditional update, matched on the record system's own identifier. Pure.

Sources: http://hl7.org/fhir/R4/http.html#cond-update, search.html#escaping; decisions D10, D25.
"""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote

import orjson

from contracts.activity import Identifier
from contracts.identity import BadIdentity, PersonId
from contracts.outbox import RecordCopy
from fhir_mappings.identifiers import is_national_person_system

CONTENT_TYPE: Final = "application/fhir+json"
MAX_IDENTIFIER: Final = 1000
"""Characters of system and value together: addresses much longer are refused on the way."""

_ESCAPED: Final = {ord(character): f"\\{character}" for character in "\\|,$"}
"""Characters that part a search value, and the one that says they do not (search.html#escaping)."""


class Unmatchable(ValueError):
    """No address may be made of the identifier. The message never repeats it."""


@dataclass(frozen=True, slots=True)
class Request:
    """The conditional update: ``target`` is path and query, percent-encoded."""

    target: str
    headers: dict[str, str]
    body: bytes


def request(copy: RecordCopy) -> Request:
    """``PUT <type>?identifier=<system>|<value>`` with the record as promised. Raises ``Unmatchable``."""
    _check(copy.match)
    token = f"{copy.match.system.translate(_ESCAPED)}|{copy.match.value.translate(_ESCAPED)}"
    target = f"/{quote(copy.resource_type, safe='')}?identifier={quote(token, safe='')}"
    return Request(target, {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE}, copy.body.encode())


def read(query: str) -> Identifier:
    """The identifier that a query string matches on. Raises ``Unmatchable``: none, several, or one not to be used."""
    try:
        criteria = parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise Unmatchable("the criteria are not percent-encoded UTF-8") from None
    if [name for name, _ in criteria] != ["identifier"]:
        raise Unmatchable("the criteria are not one identifier")
    parts = _parts(criteria[0][1])
    if len(parts) != 2:
        raise Unmatchable("the identifier is not one system and one value")
    match = Identifier(parts[0], parts[1])
    _check(match)
    return match


def is_readable(answer: bytes) -> bool:
    """Whether the body of an accepting answer is what FHIR allows: nothing, or one resource (an OperationOutcome is)."""
    if not answer:
        return True
    try:
        resource = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return False
    return isinstance(resource, dict) and isinstance(resource.get("resourceType"), str)


def _check(match: Identifier) -> None:
    if not match.value.strip():
        raise Unmatchable("the identifier to match on is empty")
    if _is_personal(match.system):
        raise Unmatchable("a national person identifier never stands in an address (D10)")
    if _holds_a_person(match.system) or _holds_a_person(match.value):
        raise Unmatchable("a national person number never stands in an address (D10)")
    if len(match.system) + len(match.value) > MAX_IDENTIFIER:
        raise Unmatchable("the identifier to match on is too long for an address")


def _is_personal(system: str) -> bool:
    # A record system may write the OID bare, or with capitals: what looks like the national system is it.
    plain = system.strip().lower()
    return any(is_national_person_system(written) for written in (plain, f"urn:oid:{plain}"))


def _holds_a_person(text: str) -> bool:
    return any(_is_person(found[0]) for found in _PERSON.finditer(text))


def _is_person(digits: str) -> bool:
    try:
        PersonId(digits.replace("-", ""))
    except BadIdentity:
        return False
    return True


_PERSON: Final = re.compile(r"(?<![0-9A-Za-z])\d{8}-?\d{4}(?![0-9A-Za-z])", re.ASCII)


def _parts(token: str) -> list[str]:
    """The parts between bars that are not escaped; an unescaped comma (an "or") counts as a bar too many."""
    parts, escaped = [""], False
    for character in token:
        if character in "|," and not escaped:
            parts.append("")
        elif character != "\\" or escaped:
            parts[-1] += character
        escaped = character == "\\" and not escaped
    return parts
