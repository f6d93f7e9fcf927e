"""How to reach the regional platform, and what it wants to be sent."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from adapters.http import Destination
from adapters.regional_platform import signing


class Mode(StrEnum):
    """The content mode of the CloudEvents HTTP binding."""

    STRUCTURED = "structured"
    """One JSON document that holds the attributes and the data."""
    BINARY = "binary"
    """Attributes as headers, the data alone as the body."""


def _secrets(text: SecretStr) -> SecretStr:
    signing.keys(text.get_secret_value())
    return text


class Settings(Destination):
    """``url`` is the platform's base address, ``path`` the place in it that takes events."""

    path: str = Field(default="/events", pattern=r"^/[!-~]*$")
    mode: Mode = Mode.STRUCTURED
    source: str = Field(default="urn:rekobryggan", pattern=r"^[!-~]+$")
    """A URI that tells this installation from others: with an event's id, the key for de-duplication."""
    signing_secrets: Annotated[SecretStr, AfterValidator(_secrets)] = SecretStr("")
    """Secrets that each request is signed with (Standard Webhooks, `whsec_...`), with spaces between. While there are two the
    platform may change from one to the other. Empty: nothing is signed."""
