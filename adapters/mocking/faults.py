"""How counterparts misbehave: one table, name -> behaviour. To add a fault: a row here.

Sources: forsakringskassan.md § 1.8 (answers of the contract), § 2.4 (codes of the national platform), § 4.3; what makes
duplicates: delivery_consent_security.md § 7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, TypeAdapter
from pydantic.alias_generators import to_camel

from adapters.soap import PLATFORM_CODES

Kind: TypeAlias = Literal[
    "result",
    "soap-fault",
    "http",
    "delay",
    "late-answer",
    "lose-answer",
    "twice",
    "nonsense",
    "wrong-charset",
    "dialogue",
    "fate",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
OWN: Final[frozenset[Kind]] = frozenset({"dialogue", "fate"})
"""Kinds that only a counterpart with more to it than answers can play."""
Twist: TypeAlias = Literal["", "twice", "before-acknowledgement", "reversed"]
Fate: TypeAlias = Literal["REJECTED", "MESSAGE_EXCHANGE_ERROR", "ERROR"]


class Fault(BaseModel):
    """One way to misbehave, for the next ``times`` calls (``null``: until it is taken away); then all is well again.

    ``result``: answer with ``resultCode`` (may be empty), ``errorId`` and ``text``; an ERROR is not accepted.
    ``soap-fault``: SOAP fault with ``text`` (``VP009 ...``) and HTTP 500. ``http``: ``status``, ``retryAfter`` seconds.
    ``delay``: wait ``seconds``, then go on as usual. ``late-answer``: accept at once, answer after ``seconds``.
    ``lose-answer``: accept, then never answer (hold the connection for ``seconds``). ``twice``: handle the request twice,
    as when the platform sends it again; the second answer leaves. ``nonsense``: HTTP 200 with ``body`` of the type ``media``.
    ``wrong-charset``: the usual answer with letters in ISO-8859-1 that the header calls UTF-8. ``dialogue``: the case
    worker's messages come with a ``twist``. ``fate``: the message is taken, and ends in the state ``endsAs`` when its time comes.
    ``name`` is the row of the table that it was ordered by.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    kind: Kind
    times: int | None = Field(default=1, ge=1)
    result_code: Literal["OK", "INFO", "ERROR", ""] = "ERROR"
    error_id: str | None = None
    text: str = ""
    fault_code: Literal["Client", "Server"] = "Server"
    status: int = Field(default=503, ge=200, le=599)
    retry_after: int | None = None
    seconds: float = Field(default=30.0, ge=0, le=300)
    body: str = "this is not an answer"
    media: str = "text/plain"
    twist: Twist = ""
    ends_as: Fate = "REJECTED"
    name: str = ""


class NamedFault(BaseModel):
    """A row of the table, by its name, for so many calls. ``seconds`` and ``text`` instead of the row's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    times: int | None = Field(default=1, ge=1)
    seconds: float | None = Field(default=None, ge=0, le=300)
    text: str | None = None

    def fault(self) -> Fault:
        """What it stands for. Raises ``ValueError`` for a name that no counterpart can play by itself."""
        row = CATALOGUE.get(self.name)
        if row is None:
            raise ValueError("there is no fault of that name; GET /_control/faults lists them")
        if row.fault is None:
            raise ValueError("that is a fault of connections: order it with PUT /_control/proxy/{system}")
        wish = {"seconds": self.seconds, "text": self.text}
        changes = {key: value for key, value in wish.items() if value is not None}
        return row.fault.model_copy(update={"name": self.name, "times": self.times, **changes})


@dataclass(frozen=True, slots=True)
class Row:
    """What a name stands for. Without a ``fault`` it is one of connections, which the proxy alone plays (D27)."""

    words: str
    fault: Fault | None = None


def _result(code: Literal["OK", "INFO", "ERROR", ""], error_id: str | None = None, text: str = "") -> Fault:
    return Fault(kind="result", result_code=code, error_id=error_id, text=text)


def _soap(text: str, code: Literal["Client", "Server"] = "Server") -> Fault:
    return Fault(kind="soap-fault", text=text, fault_code=code)


PLATFORM: Final = "MOCK-NTJP"
"""The name of the platform in the brackets of its faults."""


def platform_text(code: str, words: str = "") -> str:
    """The fault text of a platform code."""
    return f"{code} [{PLATFORM}] {words or PLATFORM_CODES[code][1]}"


CATALOGUE: Final[Mapping[str, Row]] = {
    "ok": Row("OK, whatever the counterpart thinks of the request", _result("OK")),
    "info": Row(
        "INFO with a text for the user; the request is taken", _result("INFO", text="Mottaget för handläggning")
    ),
    "validation-error": Row(
        "ERROR VALIDATION_ERROR: the message is wrong", _result("ERROR", "VALIDATION_ERROR", "Fel")
    ),
    "id-not-unique": Row(
        "ERROR VALIDATION_ERROR that says the message id has been seen before",
        _result("ERROR", "VALIDATION_ERROR", "MEDDELANDE_ID_NOT_UNIQUE_ERROR"),
    ),
    "application-error": Row("ERROR APPLICATION_ERROR: refused by business", _result("ERROR", "APPLICATION_ERROR")),
    "revoked": Row("ERROR REVOKED: the certificate is revoked", _result("ERROR", "REVOKED")),
    "technical-error": Row("ERROR TECHNICAL_ERROR: temporary", _result("ERROR", "TECHNICAL_ERROR", "Tillfälligt fel")),
    "error-without-id": Row("ERROR without an errorId: not defined", _result("ERROR")),
    "empty-result": Row("a result without a code: not defined", _result("")),
    "soap-fault": Row("SOAP fault without more: the outcome is unknown", _soap("Internal error")),
    "unmarshalling-fault": Row(
        "SOAP fault: the recipient could not read it", _soap("Unmarshalling Error: unexpected element", "Client")
    ),
    **{code: Row(f"platform fault: {words}", _soap(code, blamed)) for code, (blamed, words) in PLATFORM_CODES.items()},
    **{
        f"http-{status}": Row(f"HTTP {status} without a body", Fault(kind="http", status=status))
        for status in (302, 400, 401, 403, 404, 429, 500, 502, 503)
    },
    "busy": Row("HTTP 503 with Retry-After of two minutes", Fault(kind="http", status=503, retry_after=120)),
    "not-an-answer": Row("HTTP 200 with a body that is none of the contract's", Fault(kind="nonsense")),
    "empty-answer": Row("HTTP 200 with an empty body", Fault(kind="nonsense", body="")),
    "login-page": Row(
        "HTTP 200 with a web page",
        Fault(kind="nonsense", body="<!DOCTYPE html><html><body>Logga in</body></html>", media="text/html"),
    ),
    "wrong-charset": Row("letters in ISO-8859-1 that the header calls UTF-8", Fault(kind="wrong-charset")),
    "slow": Row("waits first, then handles and answers", Fault(kind="delay")),
    "answers-late": Row("handles at once, answers late: after the client's time-out", Fault(kind="late-answer")),
    "loses-the-answer": Row("handles, and never answers", Fault(kind="lose-answer")),
    "delivered-twice": Row("gets the request twice, as when the platform sends it again", Fault(kind="twice")),
    "duplicate-reply": Row("the case worker's next message comes twice", Fault(kind="dialogue", twist="twice")),
    "reply-before-acknowledgement": Row(
        "the case worker's first message comes before the answer to the request",
        Fault(kind="dialogue", twist="before-acknowledgement"),
    ),
    "replies-out-of-order": Row("the case worker's messages come last first", Fault(kind="dialogue", twist="reversed")),
    "rejected-later": Row("the message is taken, and later the recipient's side rejects it", Fault(kind="fate")),
    "never-arrives": Row(
        "the message is taken, and never reaches the recipient's side",
        Fault(kind="fate", ends_as="MESSAGE_EXCHANGE_ERROR"),
    ),
    "refuse": Row("no connection comes about"),
    "reset": Row("the connection is reset before anything is passed on"),
    "reset-after": Row("the request is passed on and handled, then the connection is reset"),
    "half-body": Row("half of the answer, then the end"),
    "drip": Row("the answer comes a few bytes at a time"),
}

CONNECTION: Final = frozenset(name for name, row in CATALOGUE.items() if row.fault is None)


def _form(order: Any) -> str:
    """Which of the two an order is meant to be, so that what is wrong with it is said of that one alone."""
    return "in full" if isinstance(order, dict) and "kind" in order else "by name"


_Order = Annotated[Annotated[NamedFault, Tag("by name")] | Annotated[Fault, Tag("in full")], Discriminator(_form)]
_ORDERS: Final[TypeAdapter[list[NamedFault | Fault]]] = TypeAdapter(
    Annotated[list[_Order], BeforeValidator(lambda given: given if isinstance(given, list) else [given])]
)


def ordered(body: bytes) -> list[Fault]:
    """The faults of an order as JSON: one or a list, by name or in full. Raises ``ValueError``."""
    return [one.fault() if isinstance(one, NamedFault) else one for one in _ORDERS.validate_json(body)]
