"""The unit's plans as pages: the list, one plan with the patient's own document, its print view and PDF, what is released, and
that it was handed over.

The document itself is never printed from the page that shows it to a coordinator: the print view and the PDF are logged as
prints.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import anyio
from markupsafe import Markup
from starlette.responses import Response

from contracts.errors import Conflict, Invalid, Malformed, RekoError, VersionConflict
from contracts.plan import Manner, PlanSeen
from contracts.ports import Snapshot, Store, Transaction
from contracts.record import AccessAction, Caller, Record, Right
from service.console import words
from service.console.forms import Pairs
from service.console.rendering import HEADERS, rendered
from service.patient_document import html, pdf
from service.patient_document.words import TITLES
from service.security import require
from service.usecases.context import Context
from service.usecases.hand_over_plan import Handing, hand_over, release
from service.usecases.see_overview import log_reading, own_unit
from service.usecases.see_plan import plan_seen, plans_of_unit, see_plan

MANNERS: Final = {
    Manner.READ_TOGETHER: "Vi läste den tillsammans, och patienten fick den",
    Manner.PAPER: "På papper",
    Manner.DIGITAL: "Digitalt",
}
KINDS: Final = {kind: title.removeprefix("Din ").capitalize() for kind, title in TITLES.items()}


class _Listed(NamedTuple):
    """The plans that are shown; how many are not because their patients are protected, and because they cannot be read."""

    plans: list[PlanSeen]
    held_back: int
    unread: int


@dataclass(frozen=True, slots=True)
class Plans:
    """The pages. Each raises ``NotFound`` for another unit than the caller's, and ``Forbidden``."""

    store: Store
    context: Context

    async def listed(self, caller: Caller, unit: str) -> Response:
        """The unit's plans that are drafts, in force or at rest; what has not been followed up on its day stands
        first, then the next to be."""
        require(caller, Right.FHIR_READ)
        own_unit(caller, unit)

        def look(snapshot: Snapshot) -> _Listed:
            found = [_read(snapshot, caller, record) for record in plans_of_unit(snapshot, caller)]
            seen = [each for each in found if each is not None]
            shown = [each for each in seen if not each.protected]
            shown.sort(key=lambda each: each.overdue_follow_up or each.next_follow_up or date.max)
            return _Listed(shown, len(seen) - len(shown), len(found) - len(seen))

        found = await self.store.look(look)
        await log_reading(self.store, caller, [each.plan.patient for each in found.plans], "plans")
        return rendered("plans.html", caller=caller, unit=unit, listed=found, kinds=KINDS)

    async def shown(self, caller: Caller, unit: str, id: str, wrong: str = "", status: int = 200) -> Response:
        """One plan: the document as the patient would get it, and what may be done with it. ``wrong`` is why the last thing
        could not be done."""
        seen = await self._seen(caller, unit, id, "plan")
        return rendered(
            "plan.html",
            status,
            caller=caller,
            seen=seen,
            article=Markup(html.article(seen)),  # noqa: S704 - everything in it has been escaped
            manners=MANNERS,
            here=_address(unit, id),
            wrong=wrong,
            may_write=Right.FHIR_WRITE in caller.rights,
        )

    async def printed(self, caller: Caller, unit: str, id: str) -> Response:
        """The document alone, for the browser to print."""
        seen = await self._seen(caller, unit, id, "plan-print", AccessAction.PRINT)
        article = Markup(html.article(seen))  # noqa: S704 - everything in it has been escaped
        return rendered("plan_print.html", caller=caller, seen=seen, article=article, here=_address(unit, id))

    async def paper(self, caller: Caller, unit: str, id: str) -> Response:
        """The document as a PDF. Its file's name tells of nobody."""
        seen = await self._seen(caller, unit, id, "plan-pdf", AccessAction.PRINT)
        made = await anyio.to_thread.run_sync(pdf.paper, seen)
        headers = HEADERS | {"Content-Disposition": f'inline; filename="plan-version-{seen.version}.pdf"'}
        return Response(made, media_type=pdf.MEDIA, headers=headers)

    async def released(self, caller: Caller, unit: str, id: str, pairs: Pairs) -> Response:
        """Let what was ticked stand in the document, and show it again."""
        parts, why = [value for name, value in pairs if name == "part"], dict(pairs).get("why", "")
        if not parts:
            return await self.shown(caller, unit, id, words.NOTHING_TICKED, 422)
        return await self._done(
            caller, unit, id, lambda transaction: release(transaction, self.context, caller, id, parts, why)
        )

    async def handed_over(self, caller: Caller, unit: str, id: str, pairs: Pairs) -> Response:
        """Record that the patient has the version that the page showed."""
        handing = _handing(dict(pairs))
        return await self._done(
            caller, unit, id, lambda transaction: hand_over(transaction, self.context, caller, id, handing)
        )

    async def _seen(
        self, caller: Caller, unit: str, id: str, interaction: str, action: AccessAction = AccessAction.READ
    ) -> PlanSeen:
        require(caller, Right.FHIR_READ)
        own_unit(caller, unit)
        return await self.store.run(lambda transaction: see_plan(transaction, caller, id, interaction, action))

    async def _done(self, caller: Caller, unit: str, id: str, work: Callable[[Transaction], object]) -> Response:
        require(caller, Right.FHIR_WRITE)
        own_unit(caller, unit)
        try:
            await self.store.run(work)
        except (Invalid, Conflict, VersionConflict) as error:
            return await self.shown(caller, unit, id, words.of_plan(error), 409 if _is_conflict(error) else 422)
        return await self.shown(caller, unit, id)


def _read(snapshot: Snapshot, caller: Caller, record: Record) -> PlanSeen | None:
    """``None`` for a plan that was kept when profiles demanded less: it must not take the others with it."""
    try:
        return plan_seen(snapshot, caller, record)
    except Invalid:
        return None


def _is_conflict(error: RekoError) -> bool:
    return isinstance(error, Conflict | VersionConflict)


def _handing(sent: dict[str, str]) -> Handing:
    try:
        return Handing(int(sent["version"]), Manner(sent["how"]), why=sent.get("why", "").strip())
    except (KeyError, ValueError):
        raise Malformed("the form cannot be read") from None


def _address(unit: str, id: str) -> str:
    return f"/units/{unit}/plans/{id}"
