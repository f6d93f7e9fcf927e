"""One service for the tests of a module, the mock world behind it: where Försäkringskassan's messages to care end."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from service.outbox import relay
from tests.flow.conftest import Flow, serving


@pytest.fixture(scope="module")
async def house(anyio_backend: str) -> AsyncIterator[Flow]:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as home:
        patch.setattr(relay, "IDLE", 0.02)  # at the movable clock, which rings no bell
        async with serving(Path(home)) as flow:
            yield flow
