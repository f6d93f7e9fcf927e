"""One service for the tests of a module, the mock world behind it: where Försäkringskassan's messages to care end."""

from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.flow.conftest import Flow, _look_often, serving


@pytest.fixture(scope="module")
async def house(anyio_backend: str) -> AsyncIterator[Flow]:
    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as home:
        _look_often(patch)
        async with serving(Path(home)) as flow:
            yield flow
