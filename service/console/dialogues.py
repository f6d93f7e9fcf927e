"""The unit's dialogues with other parties as pages: the list, one dialogue with its forms, what came with its messages, a letter.

They call the same use cases as the JSON API. A form that was obeyed is answered with the address of the page, so that going back
or asking again repeats no deed; one that was not is answered with itself, and what is wrong stands beside it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from contracts.errors import Conflict, Invalid
from contracts.ports import Clock, Store
from contracts.record import Caller, Right, Version
from contracts.time import swedish_day
from fhir_mappings import wording
from service.console import dialogue_forms as forms
from service.console import dialogue_words as words
from service.console.dialogue_sheet import Line, Sheet, history, written
from service.console.forms import Pairs
from service.console.rendering import HEADERS, rendered
from service.http_edge import names_a_person
from service.security import require
from service.usecases.context import Context
from service.usecases.see_dialogues import Found, attachment, paper_letter, see_dialogue, see_dialogues
from service.usecases.see_overview import own_unit


class Histories(Store, Protocol):
    """The memory, and the versions of what is in it."""

    def versions(self, type: str, id: str) -> Sequence[Version]:
        """Every version, newest first."""
        ...

    def writers(self, type: str, id: str) -> Mapping[int, Sequence[tuple[str, str]]]:
        """Employee and commission of whoever wrote, by version."""
        ...


@dataclass(frozen=True, slots=True)
class Dialogues:
    """The pages. Each raises ``NotFound`` for another unit than the caller's, and ``Forbidden``."""

    store: Histories
    context: Context
    clock: Clock

    async def listed(self, caller: Caller, unit: str, show: str, patient: str) -> Response:
        """The unit's open dialogues; with ``show`` *waiting* those that need somebody, with a patient all of hers."""
        require(caller, Right.FHIR_READ)
        today, attention = swedish_day(self.clock.now()), show == WAITING

        def page(found: Found) -> Response:
            return rendered(
                "dialogues.html",
                caller=caller,
                unit=unit,
                lines=[Line(each, today) for each in found.shown],
                found=found,
                attention=attention,
                patient=patient,
            )

        return await see_dialogues(self.store, caller, unit, patient, attention=attention, show=page)

    async def one(self, caller: Caller, unit: str, id: str, done: str = "") -> Response:
        """One dialogue. ``done`` is the deed that led here."""
        require(caller, Right.FHIR_READ)
        own_unit(caller, unit)
        return rendered("dialogue.html", sheet=await self._sheet(caller, id, done=words.DONE.get(done, "")))

    async def do(self, caller: Caller, unit: str, id: str, name: str, pairs: Pairs) -> Response:
        """Do what a form asks."""
        require(caller, Right.FHIR_WRITE)
        own_unit(caller, unit)
        try:
            deed = forms.deed(name, pairs, self.clock.now())
            await self.store.run(lambda transaction: deed(transaction, self.context, caller, id))
        except forms.Unfilled as lacking:
            return await self._refused(caller, id, name, pairs, 422, lacking.wishes)
        except (Invalid, Conflict) as error:
            status = 422 if isinstance(error, Invalid) else 409
            return await self._refused(caller, id, name, pairs, status, (forms.told(error),))
        return RedirectResponse(f"{address(unit, id)}?done={name}#main", 303, HEADERS)

    async def letter(self, caller: Caller, unit: str, id: str) -> Response:
        """What waits, as a letter for paper; or why there is none."""
        require(caller, Right.FHIR_READ)
        own_unit(caller, unit)
        try:
            found = await self.store.run(lambda transaction: paper_letter(transaction, self.context, caller, id))
        except wording.Unwritable as error:
            return _no_letter(caller, unit, id, str(error))
        if found.obstacle:
            return _no_letter(caller, unit, id, found.obstacle)
        message, on = found.preview.message, swedish_day(self.clock.now())
        return rendered(
            "letter.html",
            caller=caller,
            unit=unit,
            id=id,
            letter=found,
            message=message,
            on=on,
            subject=wording.SUBJECTS[message.topic],
            party=words.name("party", message.recipient.kind),
            number=written(found.number.digits) if found.number else "",
        )

    async def attached(self, caller: Caller, unit: str, id: str, binary: str) -> Response:
        """A file that came with a message, to be saved: no browser opens it as a page of ours."""
        require(caller, Right.FHIR_READ)
        own_unit(caller, unit)
        found = await self.store.run(lambda transaction: attachment(transaction, caller, id, binary))
        kind = found.content_type.partition(";")[0].strip().lower()
        name = quote(file_name(found.name), safe="")
        headers = HEADERS | {
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(found.content, media_type=kind if kind in HARMLESS else _UNKNOWN, headers=headers)

    async def _sheet(self, caller: Caller, id: str, **more: Any) -> Sheet:
        found = await self.store.run(lambda transaction: see_dialogue(transaction, self.context, caller, id))
        task = found.listed.task
        known = [each for each in self.store.versions("Task", id) if each.record.version <= task.version]
        versions = [each for each in known if caller.may_see(each.record)]  # what was said under a label stays under it
        moments = history(versions, self.store.writers("Task", id))
        return Sheet(caller, found, Line(found.listed, swedish_day(self.clock.now())), moments, **more)

    async def _refused(
        self, caller: Caller, id: str, name: str, pairs: Pairs, status: int, wishes: Sequence[str]
    ) -> Response:
        sheet = await self._sheet(caller, id, sent={name: dict(pairs)}, wrong={name: wishes})
        return rendered("dialogue.html", status, sheet=sheet)


WAITING: Final = "waiting"
"""Shows only those that need somebody."""

HARMLESS: Final = frozenset({"application/pdf", "image/jpeg", "image/png", "image/tiff"})
"""Kinds of files that are told as what they are; any other is told as bytes."""
_UNKNOWN: Final = "application/octet-stream"


def address(unit: str, id: str = "") -> str:
    """Of the list, or of one dialogue."""
    return f"/units/{quote(unit, safe='')}/dialogues" + (f"/{quote(id, safe='')}" if id else "")


def file_name(given: str) -> str:
    """The name that the sender gave a file, without what a file system could take for more than a name, and not when a personal
    number stands in it: the name is shown where files lie, to whoever looks there."""
    name = _NO_NAME.sub("_", given).strip(" ._")[:100]
    if name and not names_a_person(name.encode()):
        return name
    ending = _ENDING.search(given)
    return f"bilaga{ending[0].lower() if ending else ''}"


_NO_NAME: Final = re.compile(r"[\x00-\x1f\x7f/\\\\:*?\"<>|\u200e\u200f\u202a-\u202e\u2066-\u2069]+")
_ENDING: Final = re.compile(r"\.[A-Za-z]{1,5}$")


def _no_letter(caller: Caller, unit: str, id: str, why: str) -> Response:
    return rendered("no_letter.html", 409, caller=caller, unit=unit, id=id, why=words.reason(why))
