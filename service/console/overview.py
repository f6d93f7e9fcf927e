"""The unit's overview as pages: the list, its print view, the status of a sick leave, the summary.

They call the same use cases as the JSON API. Filters that could tell who somebody is are sent in a form and never stand in
an address, so that every list but the first is the answer to a POST.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from starlette.responses import Response

from contracts.errors import Invalid, Malformed
from contracts.ports import Clock, Store, Transaction
from contracts.record import AccessAction, Caller, Right
from contracts.sick_leave import LastPull, RekoStatusType
from service.console import words
from service.console.figures import figures
from service.console.forms import Pairs
from service.console.rendering import rendered
from service.console.sheet import Form, sheet, warnings
from service.rules.sick_leave import Choices, Question, choices
from service.rules.sick_leave.question import PARAMETERS, RANGES, SETTINGS, read, written
from service.rules.sick_leave.statistics import national
from service.security import require
from service.usecases.see_overview import Ask, Counted, Seen, see_overview, survey
from service.usecases.set_reko_status import StatusSet, set_reko_status

EVERYTHING: Final = frozenset(each.name for each in PARAMETERS)
IN_ADDRESS: Final = frozenset(each.name for each in PARAMETERS if each.field in SETTINGS)
"""What may stand in the address of a page: how it is counted, and nothing of anybody."""
STATUS: Final = "set"
"""The field that holds a status to set."""
LONGEST_PRINT: Final = RANGES["limit"][1]


@dataclass(frozen=True, slots=True)
class Overviews:
    """The pages. Each raises ``NotFound`` for another unit than the caller's, and ``Forbidden``."""

    store: Store
    clock: Clock

    async def listed(
        self, caller: Caller, unit: str, pairs: Pairs, names: Collection[str] = EVERYTHING, saved: str = ""
    ) -> Response:
        """The list that is asked for with parameters of these names; ``saved`` is a patient whose status was just set."""
        require(caller, Right.FHIR_READ)
        ask = _asked(pairs, names)
        try:
            offered = await survey(self.store, caller, unit, lambda on: [_whole(ask(on))], _offered)
        except Invalid as error:
            return await self._refused(caller, unit, pairs, error)

        def show(seen: Seen) -> Response:
            question = seen.overview.question
            shown = sheet(seen, offered, self.clock.now(), saved)
            return rendered("list.html", form=Form(caller, unit, offered, written(question)), sheet=shown, issues=())

        return await see_overview(self.store, caller, unit, ask, "sick-leaves", show)

    async def printed(self, caller: Caller, unit: str, pairs: Pairs) -> Response:
        """Everything that the filters let through, for paper. It is logged as a print (rehabstod.md § 5.5)."""
        require(caller, Right.FHIR_READ)
        asked = _asked(pairs, EVERYTHING)
        offered = await survey(self.store, caller, unit, lambda on: [_whole(asked(on))], _offered)

        def ask(on: date) -> Question:
            return replace(asked(on), offset=0, limit=LONGEST_PRINT)

        def show(seen: Seen) -> Response:
            shown = sheet(seen, offered, self.clock.now())
            return rendered("print.html", form=Form(caller, unit, offered, pairs), sheet=shown)

        return await see_overview(self.store, caller, unit, ask, "sick-leaves-print", show, AccessAction.PRINT)

    async def status_set(self, caller: Caller, unit: str, patient: str, pairs: Pairs) -> Response:
        """Set the status of the patient's sick leave, and show the list again."""
        require(caller, Right.FHIR_WRITE)
        type, asked = _status(pairs), [(name, value) for name, value in pairs if name != STATUS]
        ask = _asked(asked, EVERYTHING)

        def work(transaction: Transaction) -> StatusSet:
            return set_reko_status(transaction, caller, unit, patient, type, lambda on: _whole(ask(on)))

        try:
            await self.store.run(work)
        except Invalid:
            return rendered("error.html", 422, heading=words.NOT_SET, text=words.NO_SICK_LEAVE)
        return await self.listed(caller, unit, asked, saved=patient)

    async def summary(self, caller: Caller, unit: str, pairs: Pairs) -> Response:
        """The unit in figures, counted with the settings and as the national summary counts."""
        require(caller, Right.FHIR_READ)
        ask = _asked(pairs, IN_ADDRESS)

        def show(_: str, ways: Sequence[Counted], pulled: LastPull | None) -> Response:
            question = ways[0].question
            return rendered(
                "summary.html",
                form=Form(caller, unit, _offered(unit, ways, pulled), written(question)),
                question=question,
                pulled=pulled,
                warnings=warnings(pulled, question, self.clock.now()),
                figures=[figures(each) for each in ways],
            )

        return await survey(self.store, caller, unit, lambda on: [ask(on), national(ask(on))], show)

    async def _refused(self, caller: Caller, unit: str, pairs: Pairs, error: Invalid) -> Response:
        """The form as it was sent, and what is wrong with it."""
        offered = await survey(self.store, caller, unit, lambda on: [Question(on)], _offered)
        form = Form(caller, unit, offered, pairs)
        return rendered("list.html", 422, form=form, sheet=None, issues=words.wishes(error.issues))


def _asked(pairs: Pairs, names: Collection[str]) -> Ask:
    return lambda on: read(pairs, on, names)


def _whole(question: Question) -> Question:
    """All of the unit, counted as asked: what may be chosen."""
    return Question(question.on, question.mode, question.gap, question.max_days_since_end)


def _offered(_unit: str, ways: Sequence[Counted], _pulled: LastPull | None) -> Choices:
    return choices(ways[0].held.rows)


def _status(pairs: Pairs) -> RekoStatusType:
    try:
        return RekoStatusType(dict(pairs).get(STATUS, ""))
    except ValueError:
        raise Malformed("there is no such status") from None
