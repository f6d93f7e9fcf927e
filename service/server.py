"""How applications are served here: uvicorn, one process, no access log (it would hold addresses)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

HOST: Final = "127.0.0.1"


class Server(uvicorn.Server):
    """A uvicorn server that tells whether it came up."""

    def run_to_end(self) -> bool:
        """Serve until told to stop; false when it could not begin."""
        with contextlib.suppress(KeyboardInterrupt, SystemExit):
            self.run()
        return self.started


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
