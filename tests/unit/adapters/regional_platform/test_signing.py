"""Signatures: as the reference library believes them, with secrets that change, and as the mock platform asks for them."""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.mocking import Counterpart
from adapters.regional_platform import adapter, signing
from adapters.regional_platform.mock import create, expect_signatures
from adapters.regional_platform.settings import Settings
from contracts.outbox import Claim, Delivered, Payload, RecordEvent, RouteBroken
from contracts.ports import Clock

OLD, NEW, OTHER = ("whsec_" + b64encode(bytes([number]) * 32).decode() for number in range(3))
NOW = datetime(2026, 5, 4, 8, 30, tzinfo=UTC)


@given(st.text(max_size=40).map(str.encode), st.uuids().map(str))
def test_the_reference_library_believes_it(body: bytes, id: str) -> None:
    headers = signing.signed(signing.keys(f"{NEW} {OLD}"), id, datetime.now(UTC), body)
    for secret in (NEW, OLD):
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(body, dict(headers), json_parse=False)


@pytest.mark.parametrize(
    ("signs", "knows", "fault"),
    [
        (OLD, OLD, ""),
        (OLD, f"{OLD} {NEW}", ""),
        (f"{NEW} {OLD}", OLD, ""),
        (f"{NEW} {OLD}", NEW, ""),
        (NEW, f"{OLD} {NEW}", ""),
        (NEW, OLD, "no signature is made with a secret that is known"),
        ("", OLD, "the request is not signed"),
    ],
)
def test_a_secret_is_changed_for_another_and_nothing_is_refused_meanwhile(signs: str, knows: str, fault: str) -> None:
    headers = signing.signed(signing.keys(signs), "e-1", NOW, b"{}")
    assert signing.fault(signing.keys(knows), headers, b"{}", NOW) == fault


@pytest.mark.parametrize(
    ("changed", "body", "later", "fault"),
    [
        ({}, b"{ }", 0, "no signature is made with a secret that is known"),
        ({"webhook-id": "e-2"}, b"{}", 0, "no signature is made with a secret that is known"),
        ({"webhook-timestamp": "1777883401"}, b"{}", 0, "no signature is made with a secret that is known"),
        ({"webhook-timestamp": "soon"}, b"{}", 0, "the signature's time is no time"),
        ({"webhook-timestamp": "9" * 12}, b"{}", 0, "the signature's time is no time"),
        ({"webhook-signature": "v1,AAAA v1a,\u00e5"}, b"{}", 0, "no signature is made with a secret that is known"),
        ({}, b"{}", 299, ""),
        ({}, b"{}", 301, "the signature is not of now"),
        ({}, b"{}", -301, "the signature is not of now"),
    ],
)
def test_what_is_not_believed(changed: dict[str, str], body: bytes, later: int, fault: str) -> None:
    headers = {**signing.signed(signing.keys(OLD), "e-1", NOW, b"{}"), **changed}
    assert signing.fault(signing.keys(OLD), headers, body, NOW + timedelta(seconds=later)) == fault


@pytest.mark.parametrize("text", ["short-and-secret", "whsec_" + b64encode(b"x" * 23).decode(), "!" * 44, f"{OLD} x"])
def test_a_secret_that_is_none_is_not_repeated(text: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(signing_secrets=text)
    assert text not in str(raised.value)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("secrets", "outcome"), [(f"{NEW} {OLD}", Delivered()), (OTHER, RouteBroken), ("", RouteBroken)]
)
async def test_the_platform_takes_what_is_signed_and_a_wrong_secret_holds_the_route(
    clock: Clock,
    event: RecordEvent,
    claim_of: Callable[[Payload], Claim],
    secrets: str,
    outcome: Delivered | type[RouteBroken],
) -> None:
    """Nothing is lost by a wrong secret: the route is held until an operator has set the right one."""
    counterpart = Counterpart("regional_platform", clock.now)
    expect_signatures(counterpart, [OLD])
    settings = Settings(url="http://platform", signing_secrets=secrets)
    channel = adapter.build(settings, clock, httpx.ASGITransport(create(counterpart)))
    found = await channel.send(claim_of(event))
    assert found == outcome if isinstance(outcome, Delivered) else isinstance(found, outcome)
    entry = counterpart.room().ledger.entries[-1]
    assert (entry.accepted, entry.rule) == ((True, "") if isinstance(outcome, Delivered) else (False, "SIGNATURE"))
    assert OLD.encode() not in entry.raw
