"""The question to ``Consent/$decide`` and its answer: FHIR R4 ``Parameters`` in and out.

In: ``patient`` (Reference), ``recipient`` (Reference to an organisation, literal or by number), ``kind`` (what a recipient
by number is to the unit), ``category`` (once for each), ``purpose``, ``direction``, ``basis``, ``why``, ``request``, and
``source`` with the parts ``unit`` and ``provider``. Out: ``permitted``, ``basis``, every ``reason``, every ``consent`` it
rests on, ``at`` and ``decision``, the number under which it is kept. Codes are those of docs/consent.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from contracts.asking import Asked
from contracts.consent import (
    DecisionRecord,
    Direction,
    InformationCategory,
    InformationSource,
    LegalBasis,
    Purpose,
    RecipientKind,
)
from contracts.errors import IssueType
from contracts.identity import HsaId
from contracts.people import Party
from fhir_mappings import people, primitives
from fhir_mappings.people import PartyOf
from fhir_mappings.primitives import Json
from fhir_mappings.reading import Reading


class _Rule(NamedTuple):
    """How a parameter's value is written, and how often it may stand."""

    kind: str
    at_most: int = 1


PARAMETERS: Final = {
    "patient": _Rule("valueReference"),
    "recipient": _Rule("valueReference"),
    "kind": _Rule("valueCode"),
    "category": _Rule("valueCode", len(InformationCategory)),
    "purpose": _Rule("valueCode"),
    "direction": _Rule("valueCode"),
    "basis": _Rule("valueCode"),
    "why": _Rule("valueString"),
    "request": _Rule("valueString"),
    "source": _Rule("part", 50),
}
"""What a question may hold, as the guide's OperationDefinition says it."""


# ---- FHIR in -----------------------------------------------------------------------------------------------------


def from_fhir(parameters: Json, party_of: PartyOf) -> tuple[str, Asked]:
    """The patient's logical id and the question. Raises ``Invalid`` with everything that is wrong."""
    reading = Reading()
    given = _given(parameters, reading)
    patient = _reference(given, "patient")
    categories = reading.members(_codes(given, "category"), InformationCategory, "decide-category")
    purposes = reading.members(_codes(given, "purpose"), Purpose, "decide-purpose")
    directions = reading.members(_codes(given, "direction"), Direction, "decide-direction")
    bases = reading.members(_codes(given, "basis"), LegalBasis, "decide-basis")
    asked = Asked(
        recipient=_recipient(given, party_of, reading),
        categories=frozenset(categories),
        purpose=purposes[0] if purposes else Purpose.COORDINATION,
        direction=directions[0] if directions else Direction.DISCLOSE,
        basis=bases[0] if bases else None,
        why=_text(given, "why"),
        request=_text(given, "request"),
        sources=tuple(_sources(given, reading)),
    )
    id_ = reading.target(patient, "Parameters.parameter", "Patient").removeprefix("Patient/")
    if not _values(given, "category"):
        reading.note(IssueType.REQUIRED, "Parameters.parameter", "name each category that would be told: category")
    reading.close()
    return id_, asked


_Given = Sequence[tuple[str, Any, str]]
"""Name, value, and where it stands."""


def _given(parameters: Json, reading: Reading) -> _Given:
    """The parameters that are known, each with its value; whatever else stands there is refused, for it might say that less
    is asked."""
    given: list[tuple[str, Any, str]] = []
    for index, each in enumerate(parameters.get("parameter", ())):
        at = f"Parameters.parameter[{index}]"
        rule = PARAMETERS.get(each["name"])
        if rule is None:
            reading.note(IssueType.NOT_SUPPORTED, f"{at}.name", f"known here are {', '.join(PARAMETERS)}")
        elif rule.kind not in each:
            reading.note(IssueType.VALUE, at, f"this one has a {rule.kind}")
        elif sum(name == each["name"] for name, _, _ in given) >= rule.at_most:
            reading.note(IssueType.BUSINESS_RULE, at, "this one stands once")
        else:
            given.append((each["name"], each[rule.kind], at))
    return given


def _values(given: _Given, name: str) -> list[tuple[Any, str]]:
    return [(value, at) for known, value, at in given if known == name]


def _codes(given: _Given, name: str) -> list[tuple[str, str]]:
    return [(value, f"{at}.value") for value, at in _values(given, name)]


def _text(given: _Given, name: str) -> str:
    return next((str(value) for value, _ in _values(given, name)), "")


def _reference(given: _Given, name: str) -> Json | None:
    return next((value for value, _ in _values(given, name)), None)


def _recipient(given: _Given, party_of: PartyOf, reading: Reading) -> Party:
    reference = _reference(given, "recipient")
    kinds = reading.members(_codes(given, "kind"), RecipientKind, "decide-kind")
    party = None if reference is None else people.referenced_party({}, reference, party_of)
    if party is None:
        text = "an organisation that is stored here, or named by a right organisation number or HSA-id, is needed: recipient"
        reading.note(IssueType.VALUE if reference else IssueType.REQUIRED, "Parameters.parameter", text)
        return Party()
    stated = replace(party, stated_kind=kinds[0]) if kinds else party
    if kinds and stated.kind is not kinds[0]:
        reading.note(IssueType.BUSINESS_RULE, "Parameters.parameter", "this kind of party has another number: kind")
    return stated


def _sources(given: _Given, reading: Reading) -> list[InformationSource]:
    found = []
    for parts, at in _values(given, "source"):
        unit, provider = (_unit(parts, name) for name in ("unit", "provider"))
        if unit is None or provider is None:
            text = "a source has the parts unit and provider, each a reference by HSA-id"
            reading.note(IssueType.VALUE, at, text)
        else:
            found.append(InformationSource(unit, provider))
    return found


def _unit(parts: Sequence[Json], name: str) -> HsaId | None:
    part = next((each for each in parts if each["name"] == name), {})
    return people.staff_hsa_id(part.get("valueReference", {}))


# ---- FHIR out ----------------------------------------------------------------------------------------------------


def to_fhir(number: int, kept: DecisionRecord) -> dict[str, Any]:
    """The answer."""
    decision = kept.decision
    consents = [{"reference": f"Consent/{used.id}/_history/{used.version}"} for used in decision.consents]
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "permitted", "valueBoolean": decision.permitted},
            {"name": "basis", "valueCode": decision.question.basis.value},
            *({"name": "reason", "valueCode": reason.value} for reason in decision.reasons),
            *({"name": "consent", "valueReference": reference} for reference in consents),
            {"name": "at", "valueInstant": primitives.to_instant(decision.question.at)},
            {"name": "decision", "valueString": str(number)},
        ],
    }
