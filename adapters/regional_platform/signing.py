"""Signatures of requests: Standard Webhooks 1.0.0, symmetric (HMAC-SHA256, scheme ``v1``).

A signature says who sent the bytes, and when this try was made: id, seconds since 1970 and raw body. Each secret signs, so that
one is changed for another without a request being refused: first the receiver knows both, then the sender signs with the new
one alone. Source: delivery_consent_security.md § 1.2.
"""

import hmac
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from standardwebhooks import Webhook

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"
TOLERANCE: Final = timedelta(minutes=5)
"""How far from now a signature's time may be (the reference libraries' figure)."""
_LENGTHS: Final = range(24, 65)
"""Bytes of a secret."""
_PREFIX: Final = "whsec_"


def keys(secrets: str) -> Sequence[Webhook]:
    """What the secrets sign with; none for an empty text. Raises ``ValueError`` for one that is none, which it does not
    repeat."""
    return [_key(secret) for secret in secrets.split()]


def _key(secret: str) -> Webhook:
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except ValueError:
        key = b""
    if len(key) not in _LENGTHS:
        raise ValueError("a secret is 24 to 64 bytes in base64, which may begin with whsec_")
    return Webhook(key)


def signed(keys: Sequence[Webhook], id: str, at: datetime, body: bytes) -> Mapping[str, str]:
    """The headers that go with a try; none without a key."""
    if not keys:
        return {}
    signatures = " ".join(key.sign(id, at.astimezone(UTC), body.decode()) for key in keys)
    return {ID: id, TIMESTAMP: str(int(at.timestamp())), SIGNATURE: signatures}


def fault(keys: Sequence[Webhook], headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Why a receiver who knows these keys does not believe the request; empty if it does."""
    id, stated, signatures = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (id and stated and signatures):
        return "the request is not signed"
    if not (stated.isascii() and stated.isdigit() and len(stated) <= 11):
        return "the signature's time is no time"
    at = datetime.fromtimestamp(int(stated), UTC)
    if abs(now - at) > TOLERANCE:
        return "the signature is not of now"
    expected = [key.sign(id, at, body.decode(errors="replace")) for key in keys]
    given = signatures.split(" ")
    found = any(hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in given)
    return "" if found else "no signature is made with a secret that is known"
