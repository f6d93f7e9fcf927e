"""A stub of an identity provider: discovery, keys, and tokens for client credentials. It knows everybody.

What it says of an employee comes from the form: ``employee``, ``commission``, ``care_unit`` and ``care_provider`` become
claims with the names that Inera's drafts use. A form that names the employee and nothing else is answered with what the HSA
directory says of that one, if it knows anything. No secret is checked: it is a counterpart for tests, and its key is made of a
seed, the same each time.
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import parse_qs

import orjson
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.mocking import describing
from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.exchange import Answered, play
from adapters.mocking.faults import Fault
from adapters.mocking.validation import Level, wrong

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


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Given(_Model):
    """RFC 6749 § 5.1."""

    access_token: str = Field(pattern=r"^[\w-]+\.[\w-]+\.[\w-]+$")
    token_type: Literal["Bearer"]
    expires_in: int = Field(gt=0)


class _Error(_Model):
    """RFC 6749 § 5.2; the last is that of § 4.1.2.1, of a service that is unwell."""

    error: Literal["invalid_request", "invalid_client", "unsupported_grant_type", "server_error"]
    error_description: str


class _Discovery(_Model):
    """OpenID Connect Discovery 1.0 § 3, as far as it is told."""

    issuer: str
    token_endpoint: str
    jwks_uri: str
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    id_token_signing_alg_values_supported: list[str]


class _Key(_Model):
    """RFC 7517 § 4, RFC 7518 § 6.2."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    use: Literal["sig"]
    alg: Literal["ES256"]
    kid: str
    x: str
    y: str


class _Keys(_Model):
    keys: list[_Key]


_TOKEN, _DISCOVERY, _KEYS = (partial(wrong, model) for model in (_Given | _Error, _Discovery, _Keys))
"""What answers are held to."""


def create(counterpart: Counterpart, seed: int = 1, known: Known = lambda namespace, employee: {}) -> Starlette:
    """``/.well-known/openid-configuration``, ``/jwks`` and ``/token``."""
    provider = _Provider(counterpart, _key(seed), known)

    def asked(method: str, path: str, answer: Callable[[Request, Room], Awaitable[Answered]]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await play(counterpart, request, partial(_or_fault, answer))

        return Route(path, endpoint, methods=[method])

    return Starlette(
        routes=[
            describing.route(TITLE, "OAuth 2.0 client credentials.", _OPERATIONS),
            asked("GET", "/.well-known/openid-configuration", provider.discover),
            asked("GET", "/jwks", provider.keys),
            asked("POST", "/token", provider.token),
        ]
    )


async def _or_fault(
    answer: Callable[[Request, Room], Awaitable[Answered]], request: Request, room: Room, fault: Fault | None
) -> Answered:
    if fault is not None:
        told = {"error": "server_error", "error_description": fault.text or "refused on order"}
        return Answered(JSONResponse(told, 500), rule="ORDER", report=(told["error_description"],), judge=_TOKEN)
    return await answer(request, room)


class _Provider:
    """What is answered when nothing else was ordered."""

    def __init__(self, counterpart: Counterpart, key: ec.EllipticCurvePrivateKey, known: Known) -> None:
        self._counterpart, self._key, self._known = counterpart, key, known

    async def discover(self, request: Request, room: Room) -> Answered:
        issuer = _issuer(request)
        told = {
            "issuer": issuer,
            "token_endpoint": f"{issuer}/token",
            "jwks_uri": f"{issuer}/jwks",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }
        return Answered(JSONResponse(told), accepted=True, noted=False, judge=_DISCOVERY)

    async def keys(self, request: Request, room: Room) -> Answered:
        return Answered(JSONResponse({"keys": [_public(self._key)]}), accepted=True, noted=False, judge=_KEYS)

    async def token(self, request: Request, room: Room) -> Answered:
        form = parse_qs((await request.body()).decode(errors="replace"))
        given, level = {name: values[-1] for name, values in form.items()}, self._counterpart.validation(room).rules
        fault = None if level is Level.OFF else _fault(given, request)
        if fault is not None and level is Level.STRICT:
            told = {"error": fault[0], "error_description": fault[1]}
            return Answered(JSONResponse(told, 400), rule=fault[0], report=(fault[1],), judge=_TOKEN)
        claims = _claims(given, request, self._counterpart, room.ledger.received)
        signed_token = signed(self._key, claims | _of_employee(given, partial(self._known, room.namespace)))
        answer = {"access_token": signed_token, "token_type": "Bearer", "expires_in": LASTS}
        return Answered(JSONResponse(answer), accepted=True, report=() if fault is None else (fault[1],), judge=_TOKEN)


def _key(seed: int) -> ec.EllipticCurvePrivateKey:
    secret = hashlib.sha256(f"reko mock {seed}".encode()).digest()
    return ec.derive_private_key(int.from_bytes(secret) % (2**255) + 1, _CURVE)


def _issuer(request: Request) -> str:
    return str(request.url.replace(path=request.scope.get("root_path", ""), query=""))


def _fault(form: dict[str, str], request: Request) -> tuple[str, str] | None:
    """The error of RFC 6749 § 5.2, and what is wrong in words."""
    if "grant_type" not in form:
        return "invalid_request", "grant_type is missing; the body is a form"
    if form["grant_type"] != "client_credentials":
        return "unsupported_grant_type", "grant_type is client_credentials here"
    if "Authorization" not in request.headers and "client_assertion" not in form and "client_id" not in form:
        return "invalid_client", "who asks is not said: Authorization, client_assertion or client_id"
    return None


def _claims(form: dict[str, str], request: Request, counterpart: Counterpart, number: int) -> dict[str, Any]:
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
