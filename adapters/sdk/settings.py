"""Which message service, as whom, and where everybody is (sdk.md)."""

from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from adapters.oauth import OAuthDestination
from adapters.sdk.addresses import Addresses, BadAddresses, from_file

PATH: Final = "/v1/sdk/messages"
"""The interface's one path, below the message service's base address."""


def _readable(file: Path | None) -> Path | None:
    if file is not None:
        from_file(file)
    return file


class Settings(OAuthDestination):
    """The care provider's message service, and the book of addresses."""

    path: str = Field(default=PATH, pattern=r"^/[!-~]*[^/]$")
    """Where messages are, below the base address."""
    timeout_seconds: float = Field(default=60.0, gt=0, le=75)
    """A message may be large."""
    addresses: Annotated[Path | None, AfterValidator(_readable)] = None
    """The TOML file of units, parties and their functional addresses (docs/operating.md). Needed."""

    @model_validator(mode="after")
    def _with_a_book(self) -> Self:
        if self.enabled and self.addresses is None:
            raise BadAddresses("no message can be addressed without addresses: name the file")
        return self

    def book(self) -> Addresses:
        """The addresses, read anew. Raises ``BadAddresses``."""
        if self.addresses is None:
            raise BadAddresses("there is no file of addresses")
        return from_file(self.addresses)
