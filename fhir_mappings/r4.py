"""The one door for FHIR R4: the judge of what arrives and of what we originate, and the model classes.

What arrives is judged by a JSON Schema made from HL7's definitions (``contracts/wire/fhir/r4.schema.json``), not by the
models: fhir.resources takes ``"true"`` for a boolean, drops empty lists, ignores required bindings and rewrites
decimals (decision D1). Structure, cardinality, required bindings, reference targets and ext-1 are judged here;
profiles and the other invariants are not.

FHIR: http://hl7.org/fhir/R4/json.html, http://hl7.org/fhir/R4/datatypes.html, http://hl7.org/fhir/R4/references.html
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any

import orjson
from jsonschema_rs import RegexOptions, ValidationError, ValidationErrorKind, Validator, validator_for

from contracts.errors import Issue, IssueType, Malformed

if TYPE_CHECKING:
    from pydantic import BaseModel

TYPES: tuple[str, ...] = (
    "Patient",
    "RelatedPerson",
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Location",
    "CareTeam",
    "Encounter",
    "EpisodeOfCare",
    "Consent",
    "CarePlan",
    "Goal",
    "Procedure",
    "Observation",
    "DocumentReference",
    "QuestionnaireResponse",
    "Communication",
    "CommunicationRequest",
    "Task",
    "Provenance",
    "AuditEvent",
    "List",
    "Binary",
    "Bundle",
    "Parameters",
    "OperationOutcome",
    "CapabilityStatement",
)
"""The resource types that are served, as roots, contained and bundled."""

DEEPEST = 64
"""Objects and lists inside each other. The models give up (RecursionError) at about 200."""

MOST_ISSUES = 20
"""Issues told at once: a broken export repeats one fault a thousand times."""

MOST_LINES = 10_000
"""The size, in lines of indented JSON, up to which every fault is looked for."""

Path = list[str | int]


def parse(body: bytes, *, expected: str | None = None) -> dict[str, Any]:
    """The resource in ``body``, judged. ``expected`` is the only type that will do.

    Raises Malformed with every fault found, MOST_ISSUES at most. No issue repeats a value: it could be a personal number.
    """
    resource = _read(body)
    if issues := _other_type(resource, expected) or _shape(resource, body) or _judge(resource):
        raise Malformed(*issues)
    return resource


def check(resource: Mapping[str, Any]) -> tuple[Issue, ...]:
    """The same judgement of a resource that is parsed already; empty if nothing is wrong."""
    plain = dict(resource)
    return _shape(plain) or _judge(plain)


def build(resource_type: str, content: Mapping[str, Any]) -> bytes:
    """A resource that we originate, as JSON, judged as if it had arrived. ``content`` may hold dates.

    Raises Malformed. The models have no part in it: they take fifty times as long to build what the judge knows to be
    right (docs/adr/0001); the tests hold what is built here against them.
    """
    body = orjson.dumps({"resourceType": resource_type, **content})
    parse(body, expected=resource_type)
    return body


def model(type_name: str) -> "type[BaseModel]":
    """The class of a resource or data type. For all that is served R4B is R4: generate/r4_schema.py holds it to that.

    Imported at first use: it takes a third of a second, and the service must be ready in two.
    """
    from fhir.resources.R4B import get_fhir_model_class  # noqa: TID251 - this is the one door

    return get_fhir_model_class(type_name)


def properties(type_name: str) -> Mapping[str, Any]:
    """The JSON properties of a type, or of a backbone element, in R4's order, each as the schema says it."""
    found: dict[str, Any] = _schema()["definitions"][type_name]["properties"]
    return found


def kind(type_name: str) -> str:
    """What the JSON of a type is: object, or of a primitive string, number, integer or boolean."""
    return str(_schema()["definitions"][type_name].get("type", "string"))


# ---- Reading -----------------------------------------------------------------------------------------------------


def _read(body: bytes) -> dict[str, Any]:
    try:
        resource = orjson.loads(body)
    except orjson.JSONDecodeError as error:  # it holds the whole body: not to be the cause
        raise Malformed(f"this is not JSON in UTF-8: {error.msg} (line {error.lineno}, column {error.colno})") from None
    if not isinstance(resource, dict):
        raise Malformed("a resource is a JSON object")
    return resource


def _other_type(resource: dict[str, Any], expected: str | None) -> tuple[Issue, ...]:
    if expected is None or resource.get("resourceType", expected) == expected:
        return ()
    return (Issue(IssueType.STRUCTURE, f"resourceType must be {expected} here", "resourceType"),)


_DEEPER = b"\n" + b"  " * (DEEPEST + 1)
_TOO_DEEP = Issue(IssueType.STRUCTURE, f"objects and lists stand more than {DEEPEST} deep inside each other")


def _shape(resource: dict[str, Any], body: bytes | None = None) -> tuple[Issue, ...]:
    """Depth and repeated names, of which a schema knows nothing.

    One indented dump answers both for the price of one parse: indentation is depth, and a repeated name is a colon that
    the parse dropped. A walk in Python costs half as much again, json.loads with a hook five times as much.
    """
    try:
        dump = orjson.dumps(resource, option=orjson.OPT_INDENT_2)
    except orjson.JSONEncodeError:
        return (Issue(IssueType.STRUCTURE, f"this cannot be JSON, or is more than {DEEPEST} deep"),)
    if _DEEPER in dump:
        return (_TOO_DEEP,)
    if body is None or (body.count(b":") == dump.count(b":") and not _hides_colon(body)):
        return ()
    return _repeated(body)


def _hides_colon(body: bytes) -> bool:
    r"""Whether a text may hold a colon as ``\u003a``, which the dump would count and the body would not."""
    return b"\\" in body and b"\\u003" in body and (b"\\u003a" in body or b"\\u003A" in body)


_TWICE = object()


def _repeated(body: bytes) -> tuple[Issue, ...]:
    """Names that stand twice in one object: two readers would not agree on what was said."""
    try:
        marked = json.loads(body, object_pairs_hook=_mark)
    except RecursionError:  # in a value that the dump did not show, because its name came again
        return (_TOO_DEEP,)
    root = _root(marked)
    return tuple(issue_at(root, path, "stands twice in one object") for path in islice(_marks(marked), MOST_ISSUES))


def _mark(members: list[tuple[str, Any]]) -> dict[str, Any]:
    counts = Counter(name for name, _ in members)
    return {name: value if counts[name] == 1 else _TWICE for name, value in members}


def _marks(node: Any) -> Iterator[Path]:
    if node is _TWICE:
        yield []
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, below in members:
        yield from ([step, *path] for path in _marks(below))


# ---- Judging -----------------------------------------------------------------------------------------------------


@cache
def _validator() -> Validator:
    """One validator for all types: 0.1 s and 25 MiB, where one per type would take a gigabyte.

    RegexOptions keeps time linear in the text, whatever the text. No message is used, and mask keeps values out of them.
    """
    return validator_for(_schema(), mask="", pattern_options=RegexOptions())


def definitions() -> Mapping[str, Any]:
    """The types, backbone elements and codes of the schema, by name: what profiles are read against."""
    found: Mapping[str, Any] = _schema()["definitions"]
    return found


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = orjson.loads((files("contracts") / "wire/fhir/r4.schema.json").read_bytes())
    return schema


def _judge(resource: dict[str, Any]) -> tuple[Issue, ...]:
    if _validator().is_valid(resource):
        return ()
    issues = (issue for error in _errors(resource) for issue in _issues(error, resource))
    return tuple(dict.fromkeys(islice(issues, MOST_ISSUES)))


def _errors(resource: dict[str, Any]) -> Iterable[ValidationError]:
    """Every fault of a resource up to MOST_LINES, the first of a larger one.

    iter_errors is not lazy and takes 20-60 us a fault: 400,000 faults in 5 MB would hold a processor for 26 s.
    """
    if orjson.dumps(resource, option=orjson.OPT_INDENT_2).count(b"\n") <= MOST_LINES:
        return _validator().iter_errors(resource)
    try:
        _validator().validate(resource)
    except ValidationError as error:
        return [error]
    return []


# ---- Telling -----------------------------------------------------------------------------------------------------

_TYPES_OF_ISSUE = {
    "enum": IssueType.CODE_INVALID,
    "maximum": IssueType.VALUE,
    "minimum": IssueType.VALUE,
    "pattern": IssueType.VALUE,
    "required": IssueType.REQUIRED,
}

_WORDS = {
    "array": "must be a list, also of one",
    "contains": "must hold more than null: leave it out",
    "minItems": "must not be an empty list: leave it out",
    "minProperties": "must not be an empty object: leave it out",
    "object": "must be a JSON object",
    "required": "is required",
}


def _issues(error: ValidationError, resource: dict[str, Any]) -> Iterator[Issue]:
    """A fault in words. The schema itself says what should stand there (``$comment``) and of what it speaks (``title``)."""
    root, path, kind = _root(resource), error.instance_path, error.kind
    rule = at(_schema(), error.schema_path[:-1])  # the last step is the keyword
    if isinstance(kind, ValidationErrorKind.AdditionalProperties):
        yield from (issue_at(root, [*path, name], "is unknown to FHIR R4 here") for name in kind.unexpected)
    elif at(resource, path) is None:
        yield issue_at(root, path, "must not be null: leave it out")
    else:
        missing = [kind.property] if isinstance(kind, ValidationErrorKind.Required) else []
        yield issue_at(root, [*path, *([rule["title"]] if "title" in rule else missing)], *_finding(kind, rule))


def at(node: Any, path: Path) -> Any:
    """What stands at a path in a resource or in the schema."""
    for step in path:
        node = node[step]
    return node


def _finding(kind: ValidationErrorKind, rule: dict[str, Any]) -> tuple[str, IssueType]:
    if not isinstance(kind, ValidationErrorKind.Type):
        return rule.get("$comment") or _WORDS[kind.name], _TYPES_OF_ISSUE.get(kind.name, IssueType.STRUCTURE)
    if "$comment" in rule:
        return rule["$comment"], IssueType.VALUE
    return _WORDS[kind.types[-1]], IssueType.STRUCTURE


def _root(resource: dict[str, Any]) -> str:
    """Where expressions begin. A type that is not ours is the caller's word, and not repeated."""
    name = resource.get("resourceType")
    return name if name in TYPES else ""


def issue_at(root: str, path: Path, words: str, type_: IssueType = IssueType.STRUCTURE) -> Issue:
    """An issue on the element at ``path``, or on the nearest that may be named."""
    told = list(takewhile(_tellable, path))
    names = [step for step in told if isinstance(step, str)]
    subject = "an element" if told != path else names[-1] if names else root or "this"
    return Issue(type_, f"{subject} {words}", _expression(root, told))


def _tellable(step: str | int) -> bool:
    """A name that nobody knows could hold anything, a personal number too: only what looks like a name is repeated."""
    return isinstance(step, int) or bool(_NAME.fullmatch(step)) or step.removeprefix("_") in _choices()


_NAME = re.compile(r"_?[A-Za-z][A-Za-z_]{0,61}(\[x\])?")


def _expression(root: str, path: Path) -> str:
    """FHIRPath: ``performedDateTime`` is ``performed`` there, and ``_birthDate.extension`` ``birthDate.extension``."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{_element(step)}" for step in path)
    return (root + "".join(steps)).removeprefix(".")


def _element(name: str) -> str:
    plain = name.removeprefix("_")
    return _choices().get(plain, plain).removesuffix("[x]")


@cache
def _choices() -> dict[str, str]:
    """``performedDateTime`` -> ``performed[x]``, from the titles in the schema."""
    definitions = _schema()["definitions"].values()
    properties = (each for definition in definitions for each in definition.get("properties", {}).items())
    return {name: schema["title"] for name, schema in properties if "title" in schema}
