"""Messages that have come without saying whom they are about, as a page: a person says which patient it is."""

from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from contracts.errors import Conflict, NotFound
from contracts.identity import BadIdentity, PersonId
from contracts.ports import Store
from contracts.record import Caller, Right
from service.console import dialogue_words as words
from service.console.dialogues import address
from service.console.forms import Pairs
from service.console.rendering import HEADERS, rendered
from service.security import require
from service.usecases.context import Context
from service.usecases.see_dialogues import see_unsorted
from service.usecases.see_overview import own_unit
from service.usecases.sort_message import sort_by_number


@dataclass(frozen=True, slots=True)
class Unsorted:
    """The page. It raises ``NotFound`` for another unit than the caller's, and ``Forbidden``."""

    store: Store
    context: Context

    async def listed(self, caller: Caller, unit: str) -> Response:
        """Everything that waits."""
        require(caller, Right.FHIR_READ)
        own_unit(caller, unit)
        return await self._page(caller, unit)

    async def sort(self, caller: Caller, unit: str, id: str, pairs: Pairs) -> Response:
        """Say by the national number whom a message is about; the way leads to its dialogue."""
        require(caller, Right.FHIR_WRITE)
        own_unit(caller, unit)
        typed = dict(pairs).get("number", "").strip()
        try:
            number = PersonId(typed)
            task = await self.store.run(
                lambda transaction: sort_by_number(transaction, self.context, caller, id, number)
            )
        except BadIdentity:
            return await self._page(caller, unit, 422, id, words.NO_NUMBER, typed)
        except NotFound:
            return await self._page(caller, unit, 404, id, words.NOBODY, typed)
        except Conflict:
            return await self._page(caller, unit, 409, id, words.SORTED, typed)
        return RedirectResponse(f"{address(unit, task.id)}?done=sorted#main", 303, HEADERS)

    async def _page(
        self, caller: Caller, unit: str, status: int = 200, wrong_at: str = "", wrong: str = "", typed: str = ""
    ) -> Response:
        strays = await self.store.look(lambda snapshot: see_unsorted(snapshot, caller))
        may_act = Right.FHIR_WRITE in caller.rights
        told = {"wrong_at": wrong_at, "wrong": wrong, "typed": typed}
        return rendered("unsorted.html", status, caller=caller, unit=unit, strays=strays, may_act=may_act, **told)
