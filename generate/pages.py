"""Write what is made from the code and kept in the repository: ``make generate``. A test holds the files to it.

The OpenAPI and the CapabilityStatement are what a running service answers; nothing of them is written by hand.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
from starlette.types import ASGIApp, Message

from service.main import create_app
from service.settings import Settings
from service.settings_page import page

ROOT: Final = Path(__file__).parents[1]
ADDRESS: Final = "http://127.0.0.1:8080"
"""Where the service is by default."""

SNAPSHOTS: Final[Mapping[str, str]] = {
    "contracts/wire/openapi.json": "/api/openapi.json",
    "contracts/wire/capability-statement.json": "/fhir/metadata",
}


def pages() -> dict[str, str]:
    """The text of each file, by its path below the root."""
    return {"docs/settings.md": page() + "\n"} | asyncio.run(_snapshots())


async def _snapshots() -> dict[str, str]:
    with TemporaryDirectory() as home:
        # Every setting that an environment could change and an answer could show is given here.
        settings = Settings(data=Path(home), database="", clients=None, clock_url="", public_url=ADDRESS, adapters={})
        app = create_app(settings)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS)
        async with _started(app), client:
            return {file: _pretty((await client.get(path)).json()) for file, path in SNAPSHOTS.items()}


def _pretty(content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@asynccontextmanager
async def _started(app: ASGIApp) -> AsyncIterator[None]:
    """As a server does it: https://asgi.readthedocs.io/en/latest/specs/lifespan.html"""
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    running = asyncio.ensure_future(app({"type": "lifespan", "asgi": {"version": "3.0"}}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    await from_app.get()
    yield
    await to_app.put({"type": "lifespan.shutdown"})
    await running


def main() -> None:
    """Write them, and say which changed."""
    logging.disable(logging.CRITICAL)
    for name, text in pages().items():
        file = ROOT / name
        changed = not file.is_file() or file.read_text(encoding="utf-8") != text
        if changed:
            file.write_text(text, encoding="utf-8")
        print(f"{name}: {'written' if changed else 'as it was'}")  # noqa: T201 - a command tells what it did


if __name__ == "__main__":
    main()
