"""How to reach the regional platform, and what it wants to be sent."""

from enum import StrEnum

from pydantic import Field

from adapters.http import Destination


class Mode(StrEnum):
    """The content mode of the CloudEvents HTTP binding."""

    STRUCTURED = "structured"
    """One JSON document that holds the attributes and the data."""
    BINARY = "binary"
    """Attributes as headers, the data alone as the body."""


class Settings(Destination):
    """``url`` is the platform's base address, ``path`` the place in it that takes events."""

    path: str = Field(default="/events", pattern=r"^/[!-~]*$")
    mode: Mode = Mode.STRUCTURED
    source: str = Field(default="urn:rekobryggan", pattern=r"^[!-~]+$")
    """A URI that tells this installation from others: with an event's id, the key for de-duplication."""
