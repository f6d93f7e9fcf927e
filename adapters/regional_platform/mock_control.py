"""The platform's part of the control surface."""

from typing import Any, Final

from pydantic import TypeAdapter

from adapters.mocking.control import Asked, Row
from adapters.regional_platform.mock import expect_signatures

_SECRETS: Final[TypeAdapter[list[str]]] = TypeAdapter(list[str])


def _signing(asked: Asked) -> Any:
    secrets = _SECRETS.validate_json(asked.body)
    expect_signatures(asked.world.counterpart("regional_platform"), secrets, asked.namespace)
    return {"secrets": len(secrets)}


ROWS: Final = (
    Row("PUT", "/_control/signing/regional_platform", _signing, "Secrets that events have to be signed with", _SECRETS),
)
"""What it adds to the control surface."""
