"""What all tests share."""

import pytest
from hypothesis import settings

# A busy machine is no fault of the code: what takes long is measured by the benches, never asserted.
settings.register_profile("house", deadline=None)
settings.load_profile("house")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The service runs on asyncio alone."""
    return "asyncio"
