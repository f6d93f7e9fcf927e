"""Which message service, as whom, and where everybody is (sdk.md)."""

from pathlib import Path
from typing import Final, Self

from pydantic import Field, model_validator

from adapters.oauth import OAuthDestination
from adapters.sdk.addresses import Addresses, BadAddresses, from_file

PATH: Final = "/v1/sdk/messages"
"""The interface's one path, below the message service's base address."""


class Settings(OAuthDestination):
    """The care provider's message service, and the book of addresses."""

    path: str = Field(default=PATH, pattern=r"^/[!-~]*[^/]$")
    """Where messages are, below the base address."""
    addresses: Path | None = None
    """The TOML file of units, parties and their functional addresses (docs/operating.md). Needed."""

    @model_validator(mode="after")
    def _with_a_book(self) -> Self:
        if self.enabled:
            self.book()
        return self

    def book(self) -> Addresses:
        """The addresses, read anew. Raises ``BadAddresses``."""
        if self.addresses is None:
            raise BadAddresses("no message can be addressed without addresses: name the file")
        return from_file(self.addresses)
