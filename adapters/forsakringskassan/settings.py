"""Where and as whom messages reach Försäkringskassan (forsakringskassan.md §§ 2.1, 2.3)."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from adapters.http import Destination
from contracts.identity import FORSAKRINGSKASSAN, HsaId

PATH: Final = "/clinicalprocess/healthcond/certificate/SendMessageToRecipient/2/rivtabp21"
"""The interaction's usual path below the platform's base address (§ 1.1)."""


def _hsa_id_or_empty(text: str) -> str:
    return HsaId(text).value if text else ""


class Settings(Destination):
    """The national platform, the recipient on it, and who we say that we are."""

    path: str = PATH
    logical_address: str = Field(default=FORSAKRINGSKASSAN.value, min_length=1)
    """Försäkringskassan's address in the platform's catalogue; test environments have others."""
    system_hsa_id: Annotated[str, AfterValidator(_hsa_id_or_empty)] = ""
    """Sent as the original consumer. Empty: the platform takes it from the client certificate, and refuses (VP013)
    those who name one without leave."""
