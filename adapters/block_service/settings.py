"""Where and as whom the block service is asked (rehabstod.md § 1.11)."""

from typing import Final

from pydantic import Field

from adapters.http import Destination

PATH: Final = "/informationsecurity/authorization/blocking/CheckBlocks/4/rivtabp21"
"""The interaction's usual path below the platform's base address."""


class Settings(Destination):
    """The national platform, and the address of the block service on it."""

    path: str = PATH
    logical_address: str = Field(default="SE165565594230-1000", min_length=1)
    """The national security services' address in the platform's catalogue; test environments have others."""
    timeout_seconds: float = Field(default=5.0, gt=0, le=75)
    """Somebody waits for the answer: an outcome that is not there in time counts as a block."""
