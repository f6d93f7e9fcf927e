"""From the message service to the party behind it, in this process: one try, and the receipt.

The party is reached as everybody reaches it, with its faults and its levels. Facts: forsakringskassan.md § 7.1 (receipt, resend
with duplicate detection at the other end).
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import orjson
from pydantic import ValidationError
from starlette.types import ASGIApp

from adapters.mocking.counterpart import NAMESPACE_HEADER
from adapters.mocking.courier import raw
from adapters.sdk.mock_model import Receipt

TRIES: Final = 4
AGAIN_AFTER: Final = timedelta(minutes=12)
PATIENCE: float = 5.0
"""Seconds of the wall clock until a party has to have answered. What else is planned waits meanwhile."""
DOOR: Final = "/messages"
"""Where a party takes messages, below its prefix."""
AT_HEADER: Final = "X-Mock-At"
"""The instant of the exchange: a moved clock may be days further."""
_OURS: Final = ("messageStatus", "events")
_UNDER_WAY: Final[set[asyncio.Task[Receipt | None]]] = set()
"""Kept from being collected before they are done."""


async def hand_over(
    inside: ASGIApp, party: str, message: Mapping[str, Any], namespace: str, at: datetime
) -> Receipt | None:
    """Hand a message over to a party; ``None`` when nothing came back in time that is a receipt for it. What it does too late it
    does all the same, as over a network."""
    attributes = {name: value for name, value in message.items() if name not in _OURS}
    body = orjson.dumps({"data": {"type": "messages", "id": attributes["messageId"], "attributes": attributes}})
    headers = raw({"Content-Type": "application/json", NAMESPACE_HEADER: namespace, AT_HEADER: at.isoformat()})
    posting = asyncio.create_task(_posted(inside, f"http://inside/{party}{DOOR}", body, headers))
    _UNDER_WAY.add(posting)
    posting.add_done_callback(_UNDER_WAY.discard)
    done, _ = await asyncio.wait({posting}, timeout=PATIENCE)
    receipt = posting.result() if done else None
    return receipt if receipt and receipt.message_id == attributes["messageId"] else None


async def _posted(inside: ASGIApp, url: str, body: bytes, headers: Mapping[bytes, bytes]) -> Receipt | None:
    transport = httpx.ASGITransport(inside, raise_app_exceptions=False)
    try:
        async with httpx.AsyncClient(transport=transport) as client:
            answer = await client.post(url, content=body, headers=dict(headers))
        return Receipt.model_validate_json(answer.content) if answer.status_code == 200 else None
    except (httpx.HTTPError, ValidationError):
        return None


def events(receipt: Receipt) -> list[dict[str, Any]]:
    """What the sender is told of it: nothing when it was accepted."""
    if receipt.receipt == "ACCEPTED":
        return []
    title = "Meddelandet avvisades av mottagaren"
    issues = (issue.model_dump(by_alias=True) for issue in receipt.issues)
    return [event(title, f"{title} ({receipt.reason})" if receipt.reason else title, issues)]


def event(title: str, detail: str = "", issues: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """A problem document as it stands in a message's ``events``."""
    return {"title": title, "status": 400, "detail": detail or title, "eventIssues": list(issues)}
