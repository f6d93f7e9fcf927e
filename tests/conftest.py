"""What all tests share."""

import shutil
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from hypothesis import settings
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from starlette.types import ASGIApp, Receive, Scope, Send

from service.server import HOST, serving
from tests.postgres import MISSING, TEMPLATE, Cluster, binaries, cluster
from tests.unit.service.store import samples

# A busy machine is no fault of the code: what takes long is measured by the benches, never asserted.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The service runs on asyncio alone."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL of this run's own, with an empty store to copy. Tests that ask for it are skipped where no server is
    installed."""
    found = binaries()
    if found is None:
        pytest.skip(MISSING)
    with cluster(found) as running:
        samples.open_store(running.database(TEMPLATE)).close()
        yield running


@pytest.fixture
def own_postgres() -> Iterator[Cluster]:
    """A PostgreSQL for a test that stops it, or that asks what a flush of the disk is worth."""
    found = binaries()
    if found is None:
        pytest.skip(MISSING)
    with cluster(found, durable=True) as running:
        yield running


# A real browser

_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",  # CI runs as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-proxy-server",
    "--window-size=1280,900",
)


@pytest.fixture
def browser(one_browser: Chrome) -> Chrome:
    """Chromium, with nothing in its log. Its calls block: a test that serves in its own loop makes them with
    ``asyncio.to_thread``. Tests that ask for it are skipped where it is not installed."""
    one_browser.get_log("browser")  # type: ignore[no-untyped-call]  # what the test before has left there
    return one_browser


@pytest.fixture(scope="session")
def one_browser() -> Iterator[Chrome]:
    """Without a screen and with a profile of its own, one for the whole run."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("no browser here: install Debian's packages chromium and chromium-driver")
    with TemporaryDirectory(prefix="reko-browser-") as profile:
        options = ChromeOptions()
        options.binary_location = binary
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        chrome = Chrome(options, ChromeService(driver))
        try:
            yield chrome
        finally:
            chrome.quit()


@pytest.fixture(scope="session")
def over_http() -> Callable[[ASGIApp], AbstractAsyncContextManager[str]]:
    """Serves an application that runs in this process, and whose lifespan somebody else looks after, on a free port; gives
    its address."""
    return _over_http


@asynccontextmanager
async def _over_http(app: ASGIApp) -> AsyncIterator[str]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]

    async def requests_alone(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    async with serving(requests_alone, port):
        yield f"http://{HOST}:{port}"
