"""CarePlan/[id]/$patient-document, $release and $hand-over: the patient's own document (docs/plan.md)."""

from typing import Any, Final

import anyio
import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import Invalid, Issue, IssueType, Malformed
from contracts.plan import Manner, PlanSeen
from contracts.ports import Transaction
from contracts.record import AccessAction, Right
from fhir_mappings import patient_document as mapping
from fhir_mappings import r4
from fhir_mappings.primitives import instant
from service.fhir_api import answers
from service.fhir_api.formats import wanted
from service.fhir_api.operations import parameters
from service.fhir_api.preferences import read_fhir
from service.fhir_api.surroundings import Surroundings
from service.patient_document import html, pdf
from service.usecases.context import Recorded
from service.usecases.hand_over_plan import Handing, hand_over, release
from service.usecases.see_plan import see_plan

_FORMS: Final = {"html": mapping.HTML, "pdf": pdf.MEDIA}
_RELEASE: Final = {"part": "valueString", "why": "valueString"}
_HAND_OVER: Final = {"how": "valueCode", "version": "valueInteger", "at": "valueDateTime", "why": "valueString"}


async def patient_document(around: Surroundings, request: Request) -> Response:
    """The document in the form that ``Accept`` names, else a Binary around it; the row in the access log is durable first, and
    a PDF counts as a print."""
    given = await parameters.asked(around, request, {"form"})
    caller = around.caller(request, Right.FHIR_READ)
    bare = next((media for media in _FORMS.values() if media in wanted(request)), "")
    media = bare or _FORMS.get(given.text("form", "html"), "")
    if not media:
        raise Malformed(Issue(IssueType.VALUE, f"form is one of {', '.join(_FORMS)}"))
    action = AccessAction.PRINT if media == pdf.MEDIA else AccessAction.READ
    id_ = request.path_params["id"]
    seen = await around.store.run(lambda transaction: see_plan(transaction, caller, id_, "patient-document", action))
    document = await _document(seen, media)
    if bare:
        return Response(document, media_type=media, headers=html.HEADERS)
    return answers.resource(orjson.dumps(mapping.binary(seen.plan.patient, media, document)))


async def _document(seen: PlanSeen, media: str) -> bytes:
    if media == pdf.MEDIA:
        return await anyio.to_thread.run_sync(pdf.paper, seen)
    return html.page(seen).encode()


async def release_to_patient(around: Surroundings, request: Request) -> Response:
    """The Provenance that says who let the patient's document have which parts, and why."""
    caller = around.caller(request, Right.FHIR_WRITE)
    given = await _given(request, _RELEASE)
    id_, parts, why = request.path_params["id"], given.get("part", []), _one(given, "why", "")

    def work(transaction: Transaction) -> Recorded:
        return release(transaction, around.context, caller, id_, parts, why)

    return answers.record((await around.store.run(work)).record)


async def hand_over_to_patient(around: Surroundings, request: Request) -> Response:
    """The Communication that says that the patient has been given the document."""
    caller = around.caller(request, Right.FHIR_WRITE)
    handing, id_ = _handing(await _given(request, _HAND_OVER)), request.path_params["id"]

    def work(transaction: Transaction) -> Recorded:
        return hand_over(transaction, around.context, caller, id_, handing)

    return answers.record((await around.store.run(work)).record)


def _handing(given: dict[str, list[Any]]) -> Handing:
    try:
        at = _one(given, "at", None)
        when = None if at is None else instant(at)
        return Handing(_one(given, "version", 0), Manner(_one(given, "how", "")), when, _one(given, "why", ""))
    except ValueError:
        text = f"how is one of {', '.join(Manner)}, and at a day or a time with zone"
        raise Invalid(Issue(IssueType.VALUE, text, "Parameters.parameter")) from None


async def _given(request: Request, known: dict[str, str]) -> dict[str, list[Any]]:
    """The values by name. Raises ``Malformed`` for a parameter that is not known, or of another type."""
    found: dict[str, list[Any]] = {}
    for each in r4.parse(await read_fhir(request), expected="Parameters").get("parameter", ()):
        if known.get(each["name"]) not in each:
            stated = ", ".join(f"{name} ({kind})" for name, kind in known.items())
            raise Malformed(Issue(IssueType.NOT_SUPPORTED, f"this operation takes {stated}"))
        found.setdefault(each["name"], []).append(each[known[each["name"]]])
    return found


def _one(given: dict[str, list[Any]], name: str, otherwise: Any) -> Any:
    values = given.get(name, [otherwise])
    if len(values) > 1:
        raise Malformed(Issue(IssueType.VALUE, f"{name} stands once"))
    return values[0]
