"""How applications are served here: uvicorn, one process, no access log (it would hold addresses)."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

HOST: Final = "127.0.0.1"


YOUNG: Final = 10_000
"""Objects that come before the collector of cycles looks: a request makes some thousands, and next to none in cycles."""


def spare_collector() -> None:
    """Of a process that begins its work now: what it has read by then (code, schemas, profiles) stays until its end, and is
    left out of what the collector looks through each time that enough is new."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])


class Server(uvicorn.Server):
    """A uvicorn server that tells whether it came up."""

    has_process = False

    def run_to_end(self) -> bool:
        """Serve until told to stop, as what this process is for; false when it could not begin."""
        self.has_process = True
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            self.run()
        return self.started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn; then the collector is spared."""
        await super().startup(sockets)
        if self.has_process:
            spare_collector()


def server(app: ASGIApp, host: str, port: int) -> Server:
    """A server with the settings that every one here runs with. What a proxy says of a caller is not asked for: links are made
    with ``public_url``."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=5,
    )
    return Server(config)


@asynccontextmanager
async def serving(app: ASGIApp, port: int) -> AsyncIterator[None]:
    """Serve beside other work in this process, on this machine alone."""
    running = server(app, HOST, port)
    task = asyncio.create_task(running._serve())
    while not running.started and not task.done():  # noqa: ASYNC110 - uvicorn offers a flag, no event
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        running.should_exit = True
        await task
