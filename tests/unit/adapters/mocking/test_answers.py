"""What counterparts that answer JSON hold their own answers to: told in the report, or replaced by 500 where that is wanted."""

from collections.abc import Callable

import httpx
import orjson
import pytest

from adapters.ehr import mock as ehr
from adapters.intygstjanst import mock_rest
from adapters.mocking.services import identity_provider
from adapters.regional_platform import mock as regional_platform
from service.clock import MovableClock
from service.mock_world import MockWorld

FORM = {"grant_type": "client_credentials", "client_id": "c"}


@pytest.mark.parametrize(
    ("judge", "good", "bad"),
    [
        (regional_platform._JUDGE, {"duplicate": True}, {"duplicate": "perhaps"}),
        (regional_platform._JUDGE, {"title": "t", "status": 400, "errors": []}, {"title": "t", "status": 400}),
        (ehr._broken, {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "value"}]}, {}),
        (
            ehr._broken,
            {"resourceType": "Procedure", "status": "unknown", "subject": {"display": "X"}},
            {"resourceType": "Procedure"},
        ),
        (mock_rest._broken, {"content": []}, {"content": {}}),
        (
            identity_provider._TOKEN,
            {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 300},
            {"access_token": "secret", "token_type": "Bearer", "expires_in": 300},
        ),
        (
            identity_provider._TOKEN,
            {"error": "invalid_client", "error_description": "who?"},
            {"error": "no", "error_description": "who?"},
        ),
        (identity_provider._KEYS, {"keys": []}, {"keys": [{"kty": "RSA"}]}),
        (identity_provider._DISCOVERY, None, {"issuer": "i"}),
    ],
)
def test_judges(judge: Callable[[bytes], tuple[str, ...]], good: object, bad: object) -> None:
    if good is not None:
        assert judge(orjson.dumps(good)) == ()
    wrong = judge(orjson.dumps(bad))
    assert wrong
    assert "secret" not in "".join(wrong)


async def test_what_they_answer_is_held_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = httpx.ASGITransport(MockWorld(MovableClock()).app())
    async with httpx.AsyncClient(transport=transport, base_url="http://mocks") as client:
        await client.put("/_control/validation/identity_provider", json={"answers": "strict"})
        for path in (".well-known/openid-configuration", "jwks"):
            assert (await client.get(f"/identity_provider/{path}")).status_code == 200
        assert (await client.post("/identity_provider/token", data=FORM)).status_code == 200
        assert (await client.post("/identity_provider/token", data={})).status_code == 400
        monkeypatch.setattr(identity_provider, "LASTS", 0)
        assert (await client.post("/identity_provider/token", data=FORM)).status_code == 500
        await client.put("/_control/validation/identity_provider", json={"answers": "warn"})
        assert (await client.post("/identity_provider/token", data=FORM)).status_code == 200
        (*_, entry) = (await client.get("/_control/ledger/identity_provider")).json()
    assert entry["report"] == ["answer: _Given.expires_in: Input should be greater than 0", *entry["report"][1:]]
