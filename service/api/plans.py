"""Plans on the JSON API: recording one, the patient's own document, and what is recorded of it."""

from collections.abc import Callable
from typing import Any, Final

import anyio
from fastapi import FastAPI, Request
from fastapi.responses import Response

from contracts.errors import NotAcceptable
from contracts.ports import Transaction
from contracts.record import AccessAction, Caller
from fhir_mappings import plan as mapping
from fhir_mappings import primitives
from fhir_mappings.identifiers import HSA_ID
from service.api import models
from service.api import plan_models as plans
from service.api.records import judged, patient_of, written
from service.patient_document import html, pdf
from service.store.store import SqlStore
from service.usecases.context import Context, Write
from service.usecases.hand_over_plan import Handing, hand_over, release
from service.usecases.record_plan import record_plan
from service.usecases.see_plan import see_plan

_FORMS: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {"text/html": {}, pdf.MEDIA: {}}}}


def plan_routes(app: FastAPI, store: SqlStore, context: Context, reader: Any, author: Any) -> None:
    """Add the routes. ``reader`` and ``author`` are the dependencies that give a caller with the right."""

    @app.post("/plans", status_code=201)
    async def post_plan(given: plans.PlanIn, response: Response, caller: Caller = author) -> models.WrittenOut:
        """Record a plan with goals, tapering, measures and follow-ups. The notes tell what the patient would miss."""
        recorded = await store.run(_recorded(context, caller, given))
        if not recorded.changed:
            response.status_code = 200
        return recorded

    @app.get("/plans/{id}")
    async def get_plan(id: str, caller: Caller = reader) -> plans.PlanOut:
        """A plan's version, what is held back from the patient's document, and which versions the patient has."""
        return plans.PlanOut.of(await store.run(lambda transaction: see_plan(transaction, caller, id, "plan")))

    @app.get("/plans/{id}/document", response_class=Response, responses=_FORMS)
    async def get_document(request: Request, id: str, caller: Caller = reader) -> Response:
        """The patient's own document, as a page or (Accept: application/pdf) on paper: a PDF is logged as a print."""
        accepted = request.headers.get("accept", "*/*")
        printed = pdf.MEDIA in accepted
        if not printed and not any(each in accepted for each in ("*/*", "text/*", "text/html")):
            raise NotAcceptable(f"the document is text/html or {pdf.MEDIA}")
        action = AccessAction.PRINT if printed else AccessAction.READ
        seen = await store.run(lambda transaction: see_plan(transaction, caller, id, "patient-document", action))
        if printed:
            paper = await anyio.to_thread.run_sync(pdf.paper, seen)
            return Response(paper, media_type=pdf.MEDIA, headers=html.HEADERS)
        return Response(html.page(seen), media_type="text/html", headers=html.HEADERS)

    @app.post("/plans/{id}/releases", status_code=201)
    async def post_release(given: plans.ReleaseIn, id: str, caller: Caller = author) -> models.WrittenOut:
        """Let sensitive parts of the plan as it stands now be shown to the patient. A new version is held back anew."""
        return await store.run(
            lambda transaction: written(release(transaction, context, caller, id, given.parts, given.why))
        )

    @app.post("/plans/{id}/handovers", status_code=201)
    async def post_handover(given: plans.HandOverIn, id: str, caller: Caller = author) -> models.WrittenOut:
        """The patient has been given the document of this version: it is kept as it stands, with who, when and how."""
        handing = Handing(given.version, given.how, given.at, given.why)
        return await store.run(lambda transaction: written(hand_over(transaction, context, caller, id, handing)))


def _recorded(context: Context, caller: Caller, given: plans.PlanIn) -> Callable[[Transaction], models.WrittenOut]:
    def story(transaction: Transaction) -> models.WrittenOut:
        patient = patient_of(transaction, context, caller, given.patient)
        names = [context.ids.new() for _ in given.goals]
        author = primitives.logical(HSA_ID, caller.unit.value, "Organization")
        content, goals = mapping.to_fhir(given.stated(patient), goals=[f"Goal/{name}" for name in names], author=author)
        for name, goal in zip(names, goals, strict=True):
            transaction.save(judged(goal), name, caller.unit.value)
        return written(record_plan(transaction, context, Write(caller, judged(content))))

    return story
