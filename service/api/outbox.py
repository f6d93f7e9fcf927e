"""The outbox on the JSON API. Four rights: to list, to read content, to replay, to release what protection holds."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import FastAPI, Query, Response

from contracts.errors import Conflict, NotFound
from contracts.record import Caller
from service.api import deeds, models, operating, releasing
from service.store.store import SqlStore
from service.usecases.context import Context

_log = logging.getLogger(__name__)


def outbox_routes(
    app: FastAPI, store: SqlStore, context: Context, destinations: frozenset[str], rights: Mapping[str, Any]
) -> None:
    """Add the routes. ``rights`` holds the dependencies that give a caller who may ``list``, read ``content``, ``replay``,
    ``release``."""
    lister, reader, replayer, releaser = (rights[name] for name in ("list", "content", "replay", "release"))

    @app.get("/outbox", responses={200: {"headers": {"Link": _NEXT}}})
    async def list_outbox(
        asked: Annotated[models.OutboxQuery, Query()], response: Response, caller: Caller = lister
    ) -> list[models.MessageOut]:
        """The unit's messages, newest first and 500 at a time, without content; with ``blocked`` those that hold back their key
        until a person acts."""
        listed, more = await operating.messages(store, caller, asked)
        if more is not None:
            response.headers["Link"] = _next(asked, more)
        return listed

    @app.get("/outbox/deeds", responses={200: {"headers": {"Link": _NEXT}}})
    async def list_deeds(
        asked: Annotated[models.PageQuery, Query()], response: Response, caller: Caller = lister
    ) -> list[models.DeedOut]:
        """What operators did to the unit's messages and the care provider's destinations, who and why; newest first and 500 at
        a time."""
        done, more = await operating.deeds(store, caller, asked)
        if more is not None:
            response.headers["Link"] = _next(asked, more)
        return done

    @app.post("/outbox/replay")
    async def replay_many(given: models.ReplayIn, caller: Caller = replayer) -> models.ReplayOut:
        """Try again every message that fits: at first only tell which those are, and what stands in the way. ``dryRun``
        false does it."""
        return await store.run(deeds.replay_many(context, caller, given))

    @app.get("/outbox/{id}")
    async def show_message(id: str, caller: Caller = lister) -> models.MessageOut:
        """One message with its tries, without content."""
        return await operating.message(store, caller, id)

    @app.get("/outbox/{id}/content")
    async def show_content(id: str, caller: Caller = reader) -> dict[str, Any]:
        """What a message says; needs a right of its own, and stands in the access log."""
        return await operating.content(store, caller, id)

    @app.post("/outbox/{id}/replay")
    async def replay(id: str, given: models.WhyIn, caller: Caller = replayer) -> models.MessageOut:
        """Try it again; consent is asked again."""
        _done(await store.run(deeds.replay(context, caller, id, given.why)))
        return await operating.message(store, caller, id)

    @app.post("/outbox/{id}/release")
    async def release(id: str, given: models.WhyIn, caller: Caller = releaser) -> models.MessageOut:
        """Tell of a patient with protected identity all the same: a person's decision, with the reason."""
        _done(await store.run(releasing.release(context, caller, id, given.why)))
        return await operating.message(store, caller, id)

    @app.post("/outbox/{id}/cancel")
    async def cancel(id: str, given: models.WhyIn, caller: Caller = replayer) -> models.MessageOut:
        """Take it back for good."""
        await store.run(deeds.cancel(caller, id, given.why))
        return await operating.message(store, caller, id)

    @app.get("/destinations")
    async def list_destinations(caller: Caller = lister) -> list[models.DestinationOut]:
        """The care provider's destinations: which are held, which have been unwell lately, and which are waited for though
        nothing reaches them."""
        return await operating.destinations(store, destinations) if caller.provider == context.provider else []

    @app.post("/destinations/{name}/pause", status_code=204)
    async def pause(name: str, given: models.WhyIn, caller: Caller = replayer) -> None:
        """Start no more tries to the destination; survives a restart."""
        _known(name, destinations, caller, context)
        await store.run(deeds.pause(caller, name, given.why))
        _log.info("a destination was paused", extra={"event": "outbox.paused", **_who(name, caller)})

    @app.post("/destinations/{name}/resume", status_code=204)
    async def resume(name: str, given: models.WhyIn | None = None, caller: Caller = replayer) -> None:
        """Let tries start again, also after the route was held for a fault, or while it rests after many."""
        _known(name, destinations, caller, context)
        await store.run(deeds.resume(caller, name, given.why if given else ""))
        _log.info("a destination was resumed", extra={"event": "outbox.resumed", **_who(name, caller)})


def _done(obstacle: str) -> None:
    """Raises ``Conflict`` when something stood in the way. What was decided then is kept: its transaction has ended."""
    if obstacle:
        raise Conflict(obstacle)


def _who(name: str, caller: Caller) -> Mapping[str, str]:
    """Why stands in the database: people's own words are not for logs."""
    return {"destination": name, "employee": caller.employee.value}


def _next(asked: models.PageQuery, after: int) -> str:
    query = asked.model_dump(mode="json", exclude_defaults=True) | {"after": after}
    return f'<?{urlencode(query)}>; rel="next"'


_NEXT: Final = {
    "description": 'Where there may be more: `<?...>; rel="next"`, the query of the next page (RFC 8288)',
    "schema": {"type": "string"},
}


def _known(name: str, destinations: frozenset[str], caller: Caller, context: Context) -> None:
    """A destination is its care provider's: nobody else pauses it."""
    if name not in destinations or caller.provider != context.provider:
        raise NotFound("there is no such destination")
