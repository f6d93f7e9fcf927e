"""$validate: https://hl7.org/fhir/R4/resource-operation-validate.html

The judgement is that of the write itself: its story runs in a transaction and is undone. So it knows what no validator knows:
the rules, what is referred to, and what is stored already.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Issue, IssueType, Malformed, Refused
from contracts.record import Document, Right
from fhir_mappings import r4
from fhir_mappings.outcome import operation_outcome
from service.fhir_api import answers, changing
from service.fhir_api.changing import Target
from service.fhir_api.preferences import read_fhir
from service.fhir_api.stage import Stage
from service.fhir_api.surroundings import Surroundings, row_of
from service.store.transaction import SqlTransaction
from service.usecases.context import Recorded
from service.usecases.keeping import refuse_dangling

CORE: Final = "http://hl7.org/fhir/StructureDefinition"

Story = Callable[[Stage, Target, Document], Recorded | None]


async def validate(around: Surroundings, request: Request) -> Response:
    """200 with an OperationOutcome, whatever it says; nothing is written."""
    row = row_of(request)
    caller = around.caller(request, Right.FHIR_READ)
    body = await read_fhir(request)
    target = Target(row, request.path_params.get("id", ""))
    try:
        story, document = _question(target, *_asked(body, request.query_params))

        def work(transaction: SqlTransaction) -> Recorded | None:
            stage = Stage(transaction, around, caller)
            return transaction.rehearse(lambda: story(stage, target, document))

        done = await around.store.run(work)
    except Refused as wrong:
        return answers.resource(operation_outcome(wrong.issues))
    return answers.resource(operation_outcome(() if done is None else done.notes))


def _asked(body: bytes, query: Mapping[str, str]) -> tuple[bytes | None, Mapping[str, str]]:
    """The resource, bare or as a parameter, and the other parameters."""
    content = _parameters(body)
    if content is None:
        return body, query
    stated = [each for each in content if isinstance(each, dict)]
    resource = next((each["resource"] for each in stated if "resource" in each), None)
    named = {str(each.get("name")): str(each.get("valueCode", each.get("valueUri", ""))) for each in stated}
    return None if resource is None else orjson.dumps(resource), {**query, **named}


def _parameters(body: bytes) -> list[Any] | None:
    """What stands in a Parameters resource; ``None`` for any other body, which the judge speaks about."""
    try:
        content = orjson.loads(body) if body else {"resourceType": "Parameters"}
    except orjson.JSONDecodeError:
        return None
    if not isinstance(content, dict) or content.get("resourceType") != "Parameters":
        return None
    stated = content.get("parameter", [])
    return stated if isinstance(stated, list) else []


def _question(target: Target, body: bytes | None, asked: Mapping[str, str]) -> tuple[Story, Document]:
    """The write that is meant, and the resource, judged by its structure. Raises ``Malformed``."""
    row, mode = target.row, asked.get("mode", "")
    if asked.get("profile", "") not in ("", row.profile, f"{CORE}/{row.type}"):
        raise Malformed(Issue(IssueType.NOT_SUPPORTED, "this profile is not known here for this type"))
    stories = _OF_RESOURCE if target.id else _OF_TYPE
    if mode not in stories:
        raise Malformed("mode is create or profile for a type; update, delete or profile for a resource")
    if mode == "delete":
        return stories[mode], Document({}, b"")
    if body is None:
        raise Malformed(Issue(IssueType.REQUIRED, "a resource is required", "Parameters.parameter"))
    return stories[mode], Document(r4.parse(body, expected=row.type), body)


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
