"""What an operation is asked, by GET or by POST of Parameters, and what it answers.

http://hl7.org/fhir/R4/operations.html#executing
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Invalid, Issue, IssueType, Malformed, NotFound
from contracts.record import Right
from contracts.time import swedish_day
from fhir_mappings import primitives, r4, terminology
from fhir_mappings.primitives import Json
from fhir_mappings.terminology import Coded
from service.fhir_api import answers
from service.fhir_api.preferences import read_fhir
from service.fhir_api.surroundings import Surroundings

Pairs = Sequence[tuple[str, str]]

HOW_TO_ANSWER: Final = frozenset({"_format", "_pretty"})
"""Parameters that change nothing of what is answered."""
WORDS: Final = frozenset({"date", "displayLanguage"})
"""Parameters that choose among the words of a code."""
OF_A_CODE: Final = WORDS | {"code", "system", "coding"}
"""Parameters of every operation that is asked about a code."""
_REPEATS: Final = frozenset({"property"})
_VERSIONS: Final = {"CodeSystem": "version", "ValueSet": "valueSetVersion", "ConceptMap": "conceptMapVersion"}
"""The parameter that says of which version of an artefact is asked."""


class Asked:
    """The parameters of a request, by name. Every reading of them raises ``Malformed`` for what cannot be understood."""

    def __init__(self, pairs: Iterable[tuple[str, Any]], today: date) -> None:
        self._pairs = tuple(pairs)
        self._values = dict(self._pairs)
        self._today = today

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str, otherwise: str = "") -> str:
        """A code, an address, a text."""
        value = self._values.get(name, otherwise)
        return _text(name, value)

    def texts(self, name: str) -> frozenset[str]:
        """The texts of a parameter that may repeat."""
        return frozenset(_text(name, value) for named, value in self._pairs if named == name)

    def number(self, name: str, otherwise: int | None = None) -> int | None:
        """A whole number from nought."""
        value = str(self._values.get(name, "" if otherwise is None else otherwise))
        if value and not (value.isascii() and value.isdigit() and len(value) < 10):
            raise _malformed(name, "is a whole number from 0")
        return int(value) if value else None

    def is_set(self, name: str) -> bool:
        """A boolean, false when it is not there."""
        value = str(self._values.get(name, "false")).lower()
        if value not in ("true", "false"):
            raise _malformed(name, "is true or false")
        return value == "true"

    def day(self) -> date:
        """The day whose words are asked for: ``date``, else today in Sweden."""
        try:
            return primitives.swedish_date(self.text("date")) if "date" in self else self._today
        except ValueError:
            raise _malformed("date", "is a day: 2026-03-02") from None

    def language(self) -> str:
        """``displayLanguage``, Swedish when none is asked for. ``sv-SE`` is Swedish."""
        language = self.text("displayLanguage", "sv").partition("-")[0].lower()
        if language not in terminology.LANGUAGES:
            raise _malformed("displayLanguage", f"is one of {', '.join(terminology.LANGUAGES)}")
        return language

    def coded(self) -> list[Coded]:
        """The codes that are asked about: several when a CodeableConcept is."""
        if "code" in self:
            return [Coded(self.text("system"), self.text("code"), self.text("display"), self._version())]
        found = [self._coding(each) for each in self._codings()]
        if not found:
            raise Malformed(
                Issue(IssueType.REQUIRED, "say which code: system and code, a coding, or a codeableConcept")
            )
        return found

    def _codings(self) -> list[Any]:
        if "coding" in self:
            return [self._values["coding"]]
        stated = self._values.get("codeableConcept", {})
        return list(stated.get("coding", ())) if isinstance(stated, Mapping) else [stated]

    def _coding(self, stated: Any) -> Coded:
        """By GET a coding is written as a token: ``system|code``."""
        if isinstance(stated, str):
            system, _, code = stated.partition("|")
            return Coded(system, code, version=self._version())
        if not isinstance(stated, Mapping):
            raise _malformed("coding", "is a Coding")
        coded = Coded(*(str(stated.get(name, "")) for name in Coded._fields))
        return coded if coded.version else coded._replace(version=self._version())

    def _version(self) -> str:
        """Of the code system; an operation on value sets calls it otherwise."""
        return self.text("version") or self.text("systemVersion")


async def asked(around: Surroundings, request: Request, known: Collection[str]) -> Asked:
    """What a caller who may read asks. Raises ``Malformed`` for a parameter that the operation does not have: an answer
    that passes over a part of the question would mislead."""
    around.caller(request, Right.FHIR_READ)
    pairs = [*request.query_params.multi_items(), *(await _posted(request) if request.method == "POST" else ())]
    names = [name for name, _ in pairs if name not in HOW_TO_ANSWER]
    if not set(known).issuperset(names):
        raise Malformed(Issue(IssueType.NOT_SUPPORTED, f"this operation takes {', '.join(sorted(known))}"))
    if any(names.count(name) > 1 for name in set(names) - _REPEATS):
        raise Malformed(Issue(IssueType.VALUE, "a parameter of this operation is given once"))
    return Asked(pairs, swedish_day(around.clock.now()))


async def _posted(request: Request) -> list[tuple[str, Any]]:
    parameters = r4.parse(await read_fhir(request), expected="Parameters").get("parameter", ())
    return [(each["name"], value_of(each)) for each in parameters]


def value_of(parameter: Json) -> Any:
    """What a parameter says, whatever the type of its value."""
    return next((value for name, value in parameter.items() if name.startswith("value")), parameter.get("resource"))


async def stated(request: Request) -> Pairs:
    """Parameters that are plain values, and may repeat, as they came: those of the address, then those of a posted
    Parameters; a body may be missing. Raises ``Malformed``, ``WrongMedia`` and, for what is no plain value, ``Invalid``."""
    address = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    body = await read_fhir(request) if request.method == "POST" else b""
    posted = r4.parse(body, expected="Parameters").get("parameter", ()) if body else ()
    return [*address, *((str(each["name"]), _plain(each, at)) for at, each in enumerate(posted))]


def _plain(parameter: Json, at: int) -> str:
    values = [value for name, value in parameter.items() if name.startswith("value")]
    if len(values) != 1 or not isinstance(values[0], str | int):
        raise Invalid(Issue(IssueType.VALUE, "one plain value is wanted", f"Parameters.parameter[{at}].value"))
    return str(values[0])


def artefact(type: str, request: Request, asked: Asked, *names: str) -> Json:
    """The artefact that the address or one of the parameters names. Raises ``NotFound``."""
    url = next((asked.text(name) for name in names if name in asked), "")
    found = terminology.find(type, request.path_params.get("id", ""), url)
    if found is None or not is_of_version(found, asked):
        raise NotFound(f"no such {type} is known here: GET {type} lists those that are")
    return found


def is_of_version(artefact: Json, asked: Asked) -> bool:
    """Whether it is the version that is asked about, if one is."""
    return asked.text(_VERSIONS[artefact["resourceType"]]) in ("", artefact["version"])


def answer(**values: Any) -> Response:
    """Parameters, one for each value that is not ``None``; a list is a parameter that repeats. A value says its type in
    its name: ``valueString``."""
    stated = [_parameter(name, value) for name, given in values.items() for value in _listed(given)]
    return answers.resource(orjson.dumps({"resourceType": "Parameters", "parameter": stated}))


def part(**values: Any) -> list[dict[str, Any]]:
    """The parts of one parameter."""
    return [_parameter(name, value) for name, given in values.items() for value in _listed(given)]


def _listed(given: Any) -> list[Any]:
    return [] if given is None else given if isinstance(given, list) else [given]


def _parameter(name: str, value: Any) -> dict[str, Any]:
    """A mapping is given as it is to be written; a text is a string, and a bool a boolean."""
    if isinstance(value, Mapping):
        return {"name": name, **value}
    return {"name": name, "valueBoolean" if isinstance(value, bool) else "valueString": value}


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _malformed(name, "is a text")
    return value


def _malformed(name: str, words: str) -> Malformed:
    return Malformed(Issue(IssueType.VALUE, f"{name} {words}"))
