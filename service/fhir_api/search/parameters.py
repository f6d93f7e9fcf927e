"""The search parameters of the served types: R4's own, and ours.

R4's come from ``contracts/wire/fhir/r4.search-parameters.json``, which ``generate/search_parameters.py`` makes from HL7's
definitions: per parameter its kind, and the element paths that it is read from, each with its data type.
https://hl7.org/fhir/R4/searchparameter-registry.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any, Final

import orjson

from fhir_mappings.identifiers import BASE, EXT_EPISODE
from service.fhir_api.search.sound import EDITION

INDEXING: Final = 4
"""Raised when values are indexed in another way, or a parameter is taken away: then everything stored is indexed again, and
processes of an older version beside this one stop."""

KINDS: Final = ("token", "reference", "date", "string", "quantity", "uri", "composite", "special")
"""R4 has ``number`` too, but no parameter of the served types is one. The one ``special`` is Location's ``near``."""

FEW, SOME, MANY = range(3)
"""How many resources a value of a parameter mostly means."""

ANY: Final = ("*",)
"""The targets of a reference that may point at any type."""

MADE: Final = "AuditEvent"
"""The type that is made when somebody asks (ADR 0011): no statement about what is stored finds one, so that nothing is asked
across such a statement of what points there, or from there."""

HIERARCHIES: Final[Mapping[str, str]] = {
    "CarePlan": "part-of",
    "Encounter": "part-of",
    "Location": "partof",
    "Organization": "partof",
    "Procedure": "part-of",
    "Task": "part-of",
}
"""By type: the parameter by which one of it is part of another. https://hl7.org/fhir/R4/references.html#circular"""

OF_TYPE: Final = ":of-type"
"""Behind the code: the parameter under which identifiers are found by their type."""


SOUND: Final = "sound"
"""What stands for the data type of names that are compared by how they sound."""


@dataclass(frozen=True, slots=True)
class Element:
    """Where values stand: a path below the resource, and the data type there. ``telecom[system=email]`` are those of the
    repetitions that say so."""

    path: str
    type: str


@dataclass(frozen=True, slots=True, eq=False)
class SearchParameter:
    """One parameter of one type; there is one of each, so that nobody needs to compare them part by part.

    ``targets`` are the types that a reference may point at, ``of`` the only one of them that is meant; ``system`` is the
    one that codes without any belong to; ``parts`` are a composite's components, read below each of its elements; ``rows``
    names others whose index rows are searched: it has none of its own.
    """

    code: str
    kind: str
    elements: tuple[Element, ...] = ()
    targets: tuple[str, ...] = ()
    of: str = ""
    system: str = ""
    parts: tuple["SearchParameter", ...] = ()
    rows: tuple[str, ...] = ()
    url: str = ""
    unserved: str = ""

    @property
    def definition(self) -> str:
        """A text that changes when the parameter's meaning does: then old data is indexed again."""
        paths = ",".join(f"{each.path} {each.type}" for each in self.elements)
        parts = "".join(f"$({part.definition})" for part in self.parts)
        spoken = f":{EDITION}" if self.is_by_sound else ""
        return f"{self.kind}:{paths}{parts}:{self.of}:{INDEXING}{spoken}"

    @property
    def spread(self) -> int:
        """FEW, SOME or MANY. A state, a period or a member of staff says little about which resource is meant."""
        if self.kind in ("string", "composite") or self.code in _TELLING:
            return FEW
        if self.kind == "reference":
            return MANY if self.targets == ANY or _WIDE.intersection(self.targets) else FEW
        return SOME if self.code == "code" else MANY

    @property
    def indexed_as(self) -> tuple[str, ...]:
        """The codes under whose numbers its rows stand."""
        return self.rows or (self.code,)

    @property
    def has_identifiers(self) -> bool:
        """Whether ``:of-type`` can be asked."""
        return any(each.type == "Identifier" for each in self.elements)

    @property
    def is_by_sound(self) -> bool:
        """Whether words are compared by how they sound, and no other way."""
        return any(each.type == SOUND for each in self.elements)


_WIDE: Final = frozenset({"Organization", "PractitionerRole", "Practitioner", "Location"})
_TELLING: Final = frozenset({"identifier", "patient", "subject", "_id", "email", "phone", "telecom", "url"})


def _read(code: str, row: Mapping[str, Any]) -> SearchParameter:
    of = row.get("of", "")
    targets = ANY if row.get("targets") == "any" else (of,) if of else tuple(row.get("targets", ()))
    return SearchParameter(
        code,
        row["kind"],
        tuple(Element(path, type_) for path, type_ in row.get("at", {}).items()),
        targets,
        of,
        row.get("system", ""),
        tuple(_read("", part) for part in row.get("parts", ())),
        url=f"http://hl7.org/fhir/SearchParameter/{row['id']}" if "id" in row else "",
        unserved=row.get("unserved", ""),
    )


def _ours(
    code: str, kind: str, *elements: Element, targets: tuple[str, ...] = (), rows: tuple[str, ...] = ()
) -> SearchParameter:
    return SearchParameter(code, kind, elements, targets, rows=rows, url=f"{BASE}/SearchParameter/{code}")


ONGOING: Final = _ours("ongoing", "date", rows=("date",))
"""What goes on at some time on the given day, first and last day included, an open end meaning that it still does.

R4's own prefixes cannot ask this: ``date=D`` wants all of a period within the day, and of a period whose last day is D
``ge`` wants more than D, so that ``date=geD&date=leD`` loses what ends or begins on the day itself.
"""

EPISODE: Final = _ours(
    "episode-of-care",
    "reference",
    Element(f"extension[url={EXT_EPISODE}].valueReference", "Reference"),
    targets=("EpisodeOfCare",),
)
"""Through the standard extension workflow-episodeOfCare: an EpisodeOfCare has no link to what belongs to it."""

ANSWER_DUE: Final = _ours("answer-due", "date", Element("restriction.period", "Period"))
"""The last day for an answer in a dialogue."""

OURS: Final[Mapping[str, Sequence[SearchParameter]]] = {
    "DocumentReference": (replace(ONGOING, rows=("period",)),),
    "EpisodeOfCare": (ONGOING,),
    "Observation": (ONGOING, EPISODE),
    "CarePlan": (EPISODE,),
    "CareTeam": (EPISODE,),
    "Communication": (EPISODE,),
    "CommunicationRequest": (EPISODE,),
    "Procedure": (EPISODE,),
    "QuestionnaireResponse": (EPISODE,),
    "Task": (ANSWER_DUE,),
}

_COMBINED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "Observation": {
        f"combo-{code}": (code, f"component-{code}")
        for code in ("code", "data-absent-reason", "value-concept", "value-quantity")
    }
    | {
        f"combo-code-{value}": (f"code-{value}", f"component-code-{value}")
        for value in ("value-concept", "value-quantity")
    }
}
"""What R4 defines as this or that of two others: their rows, which are a third of an Observation's, need not stand twice."""

ID: Final = SearchParameter("_id", "token", url="http://hl7.org/fhir/SearchParameter/Resource-id")
LAST_UPDATED: Final = SearchParameter(
    "_lastUpdated", "date", url="http://hl7.org/fhir/SearchParameter/Resource-lastUpdated"
)
SPECIAL: Final = {"_id": ID, "_lastUpdated": LAST_UPDATED}
"""Parameters of every type that are answered from the resource table itself."""


def _load() -> dict[str, dict[str, SearchParameter]]:
    table = orjson.loads((files("contracts") / "wire/fhir/r4.search-parameters.json").read_bytes())
    everywhere = table.pop("Resource")
    return {
        type_: {
            code: replace(_read(code, row), rows=_COMBINED.get(type_, {}).get(code, ()))
            for code, row in (everywhere | rows).items()
        }
        | {each.code: each for each in OURS.get(type_, ())}
        for type_, rows in table.items()
    }


_ALL: Final = _load()

PARAMETERS: Final[Mapping[str, Mapping[str, SearchParameter]]] = {
    type_: {code: each for code, each in rows.items() if not each.unserved} for type_, rows in _ALL.items()
}
"""Those that are served, by resource type and code; ``SPECIAL`` come beside them."""


def definitions() -> dict[tuple[str, str], str]:
    """Every parameter that has index rows with the text that identifies its meaning, for the store."""
    return {
        key: each.definition
        for type_, rows in PARAMETERS.items()
        for each in rows.values()
        if not each.rows
        for key in ((type_, each.code), *([(type_, each.code + OF_TYPE)] if each.has_identifiers else []))
    }


def find(type_: str, code: str) -> SearchParameter | None:
    """The parameter of a type by its code."""
    return SPECIAL.get(code) or PARAMETERS.get(type_, {}).get(code)


def why_unserved(type_: str, code: str) -> str:
    """The reason for which R4's parameter is refused; empty when there is none of the name."""
    found = _ALL.get(type_, {}).get(code)
    return "" if found is None else found.unserved


CONCEALED: Final = frozenset(
    each.code for rows in PARAMETERS.values() for each in rows.values() if each.kind == "string" or each.has_identifiers
) | {"birthdate", "death-date", "email", "phone", "telecom", "identifier", "of-type", "text"}
"""Parameters and modifiers whose values never stand in a link (decision D10): names, texts and whatever tells who."""
