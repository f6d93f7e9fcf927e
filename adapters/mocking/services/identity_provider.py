"""A stub of an identity provider: discovery, keys, and tokens for client credentials. It knows everybody.

What it says of an employee comes from the form: ``employee``, ``commission``, ``care_unit`` and ``care_provider`` become
claims with the names that Inera's drafts use. A form that names the employee and nothing else is answered with what the HSA
directory says of that one, if it knows anything. No secret is checked: it is a counterpart for tests, and its key is made of a
seed, the same each time.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.mocking import describing
from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.exchange import Answered, play
from adapters.mocking.faults import Fault

TITLE: Final = "Legitimeringstjänst (IdP)"
LASTS: Final = 300
"""Seconds that a token lives."""
CLAIMS: Final = {
    "employee": "employeeHsaId",
    "commission": "commissionHsaId",
    "care_unit": "healthCareUnitHsaId",
    "care_provider": "healthCareProviderHsaId",
}
_CURVE: Final = ec.SECP256R1()
Known = Callable[[str, str], Mapping[str, Any]]
"""What a directory says, as claims, of an employee in a namespace."""


_OPERATIONS: Final = (
    describing.Operation("GET", "/.well-known/openid-configuration", "Where everything is"),
    describing.Operation("GET", "/jwks", "The keys"),
    describing.Operation(
        "POST",
        "/token",
        "A token for a client, and what it is to say of an employee",
        {
            "type": "object",
            "required": ["grant_type"],
            "properties": {
                "grant_type": {"const": "client_credentials"},
                **{name: {"type": "string"} for name in ("client_id", "client_assertion", "scope", *CLAIMS)},
            },
        },
        "application/x-www-form-urlencoded",
        answers=((200, "access_token"), (400, "error, by RFC 6749 section 5.2")),
    ),
)


class _Refused(ValueError):
    """An error of RFC 6749 § 5.2."""


def create(counterpart: Counterpart, seed: int = 1, known: Known = lambda namespace, employee: {}) -> Starlette:
    """``/.well-known/openid-configuration``, ``/jwks`` and ``/token``."""
    key = _key(seed)

    async def token(request: Request, room: Room, fault: Fault | None) -> Answered:
        if fault is not None:
            return Answered(JSONResponse({"error": "server_error", "error_description": fault.text}, 500))
        try:
            form = parse_qs((await request.body()).decode(errors="replace"))
            given = {name: values[-1] for name, values in form.items()}
            claims = _claims(given, request, counterpart, room.ledger.received)
            told = signed(key, claims | _of_employee(given, partial(known, room.namespace)))
        except _Refused as refused:
            return Answered(JSONResponse({"error": str(refused)}, 400), rule=str(refused), report=(str(refused),))
        answer = {"access_token": told, "token_type": "Bearer", "expires_in": LASTS}
        return Answered(JSONResponse(answer), accepted=True)

    async def ask(request: Request) -> Response:
        return await play(counterpart, request, token)

    async def discover(request: Request) -> Response:
        issuer = _issuer(request)
        return JSONResponse(
            {
                "issuer": issuer,
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks",
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }
        )

    async def keys(_: Request) -> Response:
        return JSONResponse({"keys": [_public(key)]})

    return Starlette(
        routes=[
            describing.route(TITLE, "OAuth 2.0 client credentials.", _OPERATIONS),
            Route("/.well-known/openid-configuration", discover),
            Route("/jwks", keys),
            Route("/token", ask, methods=["POST"]),
        ]
    )


def _key(seed: int) -> ec.EllipticCurvePrivateKey:
    secret = hashlib.sha256(f"reko mock {seed}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(secret) % (2**255) + 1, _CURVE)


def _issuer(request: Request) -> str:
    return str(request.url.replace(path=request.scope.get("root_path", ""), query=""))


def _claims(form: dict[str, str], request: Request, counterpart: Counterpart, number: int) -> dict[str, Any]:
    if form.get("grant_type") != "client_credentials":
        raise _Refused("unsupported_grant_type")
    if "Authorization" not in request.headers and "client_assertion" not in form and "client_id" not in form:
        raise _Refused("invalid_client")
    now = int(counterpart.now().timestamp())
    return {
        "iss": _issuer(request),
        "sub": form.get("client_id", "client"),
        "iat": now,
        "exp": now + LASTS,
        "jti": f"{now}-{number}",
        "scope": form.get("scope", ""),
    }


def _of_employee(form: dict[str, str], known: Callable[[str], Mapping[str, Any]]) -> dict[str, Any]:
    told = {claim: form[name] for name, claim in CLAIMS.items() if name in form}
    return {**known(form["employee"]), **told} if told.keys() == {CLAIMS["employee"]} else told


def signed(key: ec.EllipticCurvePrivateKey, claims: dict[str, Any]) -> str:
    """A JWT by ES256 (RFC 7515)."""
    header = {"alg": "ES256", "typ": "JWT", "kid": _public(key)["kid"]}
    content = b".".join(map(_base64, (orjson.dumps(header), orjson.dumps(claims))))
    r, s = decode_dss_signature(key.sign(content, ec.ECDSA(hashes.SHA256())))
    return b".".join((content, _base64(r.to_bytes(32) + s.to_bytes(32)))).decode()


def _public(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    x, y = (_base64(number.to_bytes(32)).decode() for number in (numbers.x, numbers.y))
    kid = hashlib.sha256(f"{x}{y}".encode()).hexdigest()[:16]
    return {"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": x, "y": y}


def _base64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
