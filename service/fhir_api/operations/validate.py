"""$validate: https://hl7.org/fhir/R4/resource-operation-validate.html

The judgement is that of the write itself: its story runs in a transaction and is undone. So it knows what no validator knows:
the rules, what is referred to, and what is stored already.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed, Refused
from contracts.record import Document, Right
from fhir_mappings import profiles, r4, registry
from fhir_mappings.outcome import operation_outcome
from fhir_mappings.primitives import Json
from service.fhir_api import answers, changing
from service.fhir_api.changing import Target
from service.fhir_api.operations.parameters import HOW_TO_ANSWER, value_of
from service.fhir_api.preferences import read_fhir
from service.fhir_api.resources import Row
from service.fhir_api.stage import Stage
from service.fhir_api.surroundings import Surroundings, row_of
from service.store.transaction import SqlTransaction
from service.usecases.context import Recorded
from service.usecases.keeping import refuse_dangling

_CORE: Final = "http://hl7.org/fhir/StructureDefinition"
_R4: Final = "4.0.1"

Story = Callable[[Stage, Target, Document], Recorded | None]


async def validate(around: Surroundings, request: Request) -> Response:
    """200 with an OperationOutcome, whatever it says of the resource; nothing is written. Raises ``Malformed`` when the
    question itself cannot be answered: no judgement can be read out of that."""
    target = Target(row_of(request), request.path_params.get("id", ""))
    caller = around.caller(request, Right.FHIR_READ)
    question = _question(target, await read_fhir(request), request.query_params.multi_items())
    try:
        document = question.document(target.row)

        def work(transaction: SqlTransaction) -> Recorded | None:
            stage = Stage(transaction, around, caller)
            return transaction.rehearse(lambda: question.story(stage, target, document))

        done = await around.store.run(work)
    except Refused as wrong:
        return answers.resource(operation_outcome(wrong.issues))
    return answers.resource(operation_outcome(() if done is None else done.notes))


class _Question(NamedTuple):
    """The write that is meant, the resource as it came, and the profile that it is held against beside those that it owes;
    empty where the write needs no resource, or nothing more is asked."""

    story: Story
    body: bytes
    profile: str

    def document(self, row: Row) -> Document:
        """The resource, judged by its structure and by the profile. Raises ``Malformed`` and ``Invalid``."""
        if not self.body:
            return Document({}, b"")
        content = r4.parse(self.body, expected=row.type)
        if profiles.is_for(self.profile, row.type):
            registry.read(_claiming(content, self.profile))
        return Document(content, self.body)


def _claiming(content: Json, profile: str) -> Json:
    """As if the resource named the profile itself: so the readers hold it against that too."""
    meta = content.get("meta", {})
    return {**content, "meta": {**meta, "profile": [*meta.get("profile", ()), profile]}}


def _question(target: Target, body: bytes, query: Iterable[tuple[str, str]]) -> _Question:
    """Raises ``Malformed`` for what is not known here: passed over, it would let the answer say too much."""
    resource, asked = _read(body, [pair for pair in query if pair[0] not in HOW_TO_ANSWER])
    mode, profile = asked.get("mode", ""), asked.get("profile", "")
    stories = _OF_RESOURCE if target.id else _OF_TYPE
    if mode not in stories:
        raise Malformed("mode is create or profile for a type; update, delete or profile for a resource")
    if profile and not _is_known(profile, target.row):
        raise Malformed(Issue(IssueType.NOT_SUPPORTED, "this profile is not known here for this type"))
    if mode == "delete":
        return _Question(stories[mode], b"", "")
    if not resource:
        raise Malformed(Issue(IssueType.REQUIRED, "a resource is required", "Parameters.parameter"))
    return _Question(stories[mode], resource, profile)


def _is_known(profile: str, row: Row) -> bool:
    """One of the guide's for the type, the one that the type always has, or R4's own of it."""
    base = f"{_CORE}/{row.type}"
    return profile in (row.profile, base, f"{base}|{_R4}") or profiles.is_for(profile, row.type)


def _read(body: bytes, query: list[tuple[str, str]]) -> tuple[bytes, Mapping[str, str]]:
    """The resource, bare or as a parameter, and the other parameters."""
    content = _parameters(body)
    if content is None:
        return body, _named(query)
    resources = [orjson.dumps(each["resource"]) for each in content if "resource" in each]
    others = [(str(each.get("name")), value_of(each)) for each in content if each.get("name") != "resource"]
    if len(resources) > 1:
        raise Malformed(Issue(IssueType.STRUCTURE, "one resource is judged at a time", "Parameters.parameter"))
    return b"".join(resources), _named([*query, *others])


def _named(pairs: list[tuple[str, Any]]) -> Mapping[str, str]:
    asked = dict(pairs)
    if asked.keys() - {"mode", "profile"}:
        raise Malformed(Issue(IssueType.NOT_SUPPORTED, "this operation takes resource, mode and profile"))
    if len(asked) < len(pairs) or not all(isinstance(value, str) for value in asked.values()):
        raise Malformed(Issue(IssueType.VALUE, "mode is one code, and profile one address"))
    return asked


def _parameters(body: bytes) -> list[Json] | None:
    """What stands in a Parameters resource; ``None`` for any other body, which the judge speaks about."""
    try:
        content = orjson.loads(body) if body else {"resourceType": "Parameters"}
    except orjson.JSONDecodeError:
        return None
    if not isinstance(content, dict) or content.get("resourceType") != "Parameters":
        return None
    found = content.get("parameter", [])
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise Malformed(Issue(IssueType.STRUCTURE, "parameter is a list of parameters", "Parameters.parameter"))
    return found


def _create(stage: Stage, target: Target, document: Document) -> Recorded:
    return changing.create(stage, target.row, document, None)


def _update(stage: Stage, target: Target, document: Document) -> Recorded:
    return changing.update(stage, target, document, None)


def _delete(stage: Stage, target: Target, _: Document) -> Recorded | None:
    removed = changing.delete(stage, target, None)
    if removed is not None and removed.changed:
        refuse_dangling(stage.transaction, removed.record)
    return removed


_OF_TYPE: Final[Mapping[str, Story]] = {"": _create, "create": _create, "profile": _create}
_OF_RESOURCE: Final[Mapping[str, Story]] = {"": _update, "update": _update, "profile": _update, "delete": _delete}
