"""Exchanges as a file, masked, and the same answers again from it.

A recording is JSON: ``{"recording": 1, "exchanges": [...]}``. Personal numbers become numbers of the test series, the same
for the same person; names of people become ``Namn``; headers were masked when they were written down.
"""

import base64
import re
from collections import deque
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from adapters.mocking.ledger import MASK, Entry
from contracts.identity import control_digit

_NUMBER: Final = re.compile(rb"(?<![\w.])((?:18|19|20)\d{6})(-?)(\d{4})(?![\w.])", re.ASCII)
_NAME_IN_XML: Final = re.compile(
    rb"(<(?:[\w.-]+:)?(?:fullstandigtNamn|fornamn|efternamn|mellannamn|patientName|name|kontaktInfo|telefonnummer)>)[^<]*"
)
_NAME_IN_JSON: Final = re.compile(rb'("(?:patientName|family|given|namn|display)"\s*:\s*\[?\s*)"(?:[^"\\]|\\.)*"')
_NAMESPACE: Final = re.compile(r"^/_ns/[^/]*")
_LEFT_BEHIND: Final = frozenset(
    {"content-length", "content-encoding", "transfer-encoding", "date", "connection", "host"}
)


class Recorded(BaseModel):
    """One exchange as it stands in the file; bodies in base64."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    system: str
    namespace: str = ""
    method: str
    path: str
    action: str = ""
    headers: dict[str, str] = {}
    request: Annotated[str, Field(repr=False)] = ""
    status: int = Field(ge=100, le=599)
    answer_headers: dict[str, str] = {}
    answer: Annotated[str, Field(repr=False)] = ""


class Recording(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recording: Literal[1] = 1
    exchanges: list[Recorded]


def recorded(exchanges: Iterable[tuple[str, Entry]]) -> Recording:
    """What came to the systems, in the order given, masked. What the counterparts sent by themselves is not in it."""
    masks = _Masks()
    return Recording(exchanges=[_one(system, entry, masks) for system, entry in exchanges if entry.direction == "in"])


def _one(system: str, entry: Entry, masks: "_Masks") -> Recorded:
    return Recorded(
        system=system,
        method=entry.method,
        path=entry.path,
        action=entry.headers.get("soapaction", ""),
        headers={name: value for name, value in entry.headers.items() if name not in _LEFT_BEHIND},
        request=_text(masks.mask(entry.raw)),
        status=entry.status or 200,
        answer_headers={name: value for name, value in entry.answer_headers.items() if name not in _LEFT_BEHIND},
        answer=_text(masks.mask(bytes(entry.answer))),
    )


def _text(body: bytes) -> str:
    return base64.b64encode(body).decode()


class _Masks:
    """Stand-ins by the number that they stand for: born in 1913, a day each."""

    def __init__(self) -> None:
        self._by_number: dict[bytes, bytes] = {}

    def mask(self, body: bytes) -> bytes:
        body = _NUMBER.sub(self._stand_in, body)
        body = _NAME_IN_XML.sub(rb"\1Namn", body)
        return _NAME_IN_JSON.sub(rb'\1"Namn"', body)

    def _stand_in(self, found: re.Match[bytes]) -> bytes:
        number = found[1] + found[3]
        if number not in self._by_number:
            born = date(1913, 1, 1) + timedelta(days=len(self._by_number))
            digit = control_digit(f"{born:%y%m%d}980")
            self._by_number[number] = f"{born:%Y%m%d}980{digit}".encode()
        mask = self._by_number[number]
        return mask[:8] + found[2] + mask[8:]


class Replay:
    """The recorded answers of one system, each once, in the order of the file. What is asked beyond them, or elsewhere, the
    counterpart answers by itself."""

    def __init__(self, exchanges: Iterable[Recorded]) -> None:
        self._answers: dict[tuple[str, str, str], deque[Recorded]] = {}
        for each in exchanges:
            self._answers.setdefault((each.method, each.path, each.action), deque()).append(each)

    @property
    def left(self) -> int:
        """How many answers wait."""
        return sum(map(len, self._answers.values()))

    def answer(self, request: Request) -> Response | None:
        """The next recorded answer to such a request: same method, address and SOAPAction."""
        key = request.method, path_of(request), request.headers.get("SOAPAction", "")
        waiting = self._answers.get(key)
        if not waiting:
            return None
        found = waiting.popleft()
        headers = {name: value for name, value in found.answer_headers.items() if value != MASK}
        return Response(base64.b64decode(found.answer), found.status, headers)


def path_of(request: Request) -> str:
    """The address, without the namespace that may stand before it."""
    return _NAMESPACE.sub("", request.url.path)


def shown(entry: Entry) -> dict[str, Any]:
    """An entry as JSON. Bodies twice: as text for readers, in base64 as they were."""
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "direction": entry.direction,
        "id": entry.id,
        "accepted": entry.accepted,
        "rule": entry.rule,
        "report": list(entry.report),
        "fault": entry.fault,
        "summary": entry.summary,
        "method": entry.method,
        "path": entry.path,
        "headers": entry.headers,
        "size": entry.size,
        "request": entry.request,
        "requestBase64": _text(entry.raw),
        "status": entry.status,
        "answerHeaders": entry.answer_headers,
        "answer": bytes(entry.answer).decode(errors="replace"),
        "answerBase64": _text(bytes(entry.answer)),
    }
