"""The counterpart of this adapter: Intygstjänst as an ASGI app, over certificates that are registered with it.

It validates what it is asked, keeps a ledger, and answers in one of two ways (``configure``). Selection as in
rehabstod.md § 1.8, "Semantics of the unit contract".
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from lxml import etree
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from adapters import soap
from adapters.intygstjanst import answers, wire
from adapters.intygstjanst.answers import Mode
from adapters.intygstjanst.population import generate
from adapters.intygstjanst.settings import DIRECT_PATH
from adapters.mocking import Counterpart, Entry, Fault, Room, play
from contracts.sick_leave import Certificate, CertificatePeriod
from contracts.time import swedish_day

__all__ = ["PLATFORM_PATH", "Mode", "configure", "create", "generate", "register", "select", "withdraw"]

PLATFORM_PATH: Final = f"/clinicalprocess/healthcond/rehabilitation/{wire.NAME}/1/rivtabp21"
"""As the national platform would publish it (the pattern of § 1.11)."""


def create(counterpart: Counterpart) -> Starlette:
    """The app, at the service's own path and at the platform's."""

    async def answer(request: Request, room: Room, fault: Fault | None) -> Response:
        return await _Exchange(counterpart, request, room, fault).answer()

    async def endpoint(request: Request) -> Response:
        return await play(counterpart, request, answer)

    return Starlette(routes=[Route(path, endpoint, methods=["POST"]) for path in (DIRECT_PATH, PLATFORM_PATH)])


def configure(counterpart: Counterpart, mode: Mode, namespace: str = "") -> None:
    """Answer as the schema says (``valid``) or as the real service does (``real``, which is how it begins)."""
    counterpart.room(namespace).state["mode"] = mode


def register(counterpart: Counterpart, certificates: Iterable[Certificate], namespace: str = "") -> None:
    """Add certificates; one with a known id replaces it. A namespace with its own no longer sees everybody's."""
    own: dict[str, Certificate] = counterpart.room(namespace).state.setdefault("certificates", {})
    own.update({certificate.id: certificate for certificate in certificates})


def withdraw(counterpart: Counterpart, ids: Iterable[str], namespace: str = "") -> None:
    """Leave certificates out from now on, as the service does with revoked, replaced and complemented ones (§ 1.9)."""
    left = {certificate.id: certificate for certificate in _registered(counterpart, counterpart.room(namespace))}
    for id in ids:
        left.pop(id, None)
    counterpart.room(namespace).state["certificates"] = left


def select(certificates: Iterable[Certificate], asked: "Asked", today: date) -> list[Certificate]:
    """First the patients with a period on the unit that covers today or ended within the days; then all that they
    have there, older and future ones too, by personal number (§ 1.8)."""
    own = [certificate for certificate in certificates if asked.is_about(certificate)]
    since = today - timedelta(days=asked.max_days)
    patients = {own_one.patient for own_one in own if any(_counts(period, since, today) for period in own_one.periods)}
    return sorted((one for one in own if one.patient in patients), key=lambda one: one.patient.digits)


def _counts(period: CertificatePeriod, since: date, today: date) -> bool:
    return period.start <= today <= period.end or since <= period.end < today


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request wants to know. ``person`` is twelve digits, or empty for everybody."""

    unit: str
    max_days: int = 0
    person: str = ""

    def is_about(self, certificate: Certificate) -> bool:
        """Whether the certificate is on the unit, and the person's if one is named."""
        return certificate.unit.value == self.unit and self.person in ("", certificate.patient.digits)


class _BadQuestion(ValueError):
    """Why a request is refused; several reasons in ``args``."""


def _asked(body: bytes, action: str) -> Asked:
    """The question, if it is one by the schema. Raises ``_BadQuestion``."""
    question = _question(body)
    reasons = [*_header_faults(body, action), *soap.schema_errors(wire.SCHEMA, question)]
    if reasons:
        raise _BadQuestion(*reasons)
    responder = {"r": wire.RESPONDER, "t": wire.TYPES}
    return Asked(
        unit=question.findtext("r:enhets-id/t:extension", "", responder),
        max_days=int(question.findtext("r:max-dagar-sedan-avslut", "0", responder)),
        person=question.findtext("r:person-id/t:extension", "", responder),
    )


def _question(body: bytes) -> etree._Element:
    try:
        content = soap.unwrap(body)
    except soap.BadXml as error:
        raise _BadQuestion(str(error)) from None
    if isinstance(content, soap.Fault):
        raise _BadQuestion("a fault is no question")
    return content


def _header_faults(body: bytes, action: str) -> list[str]:
    missing = [] if soap.logical_address(body) else ["the header has no LogicalAddress"]
    wrong = [] if action.strip('"') == wire.ACTION else ["the SOAPAction is another one"]
    return missing + wrong


def _registered(counterpart: Counterpart, room: Room) -> Sequence[Certificate]:
    own = room.state.get("certificates", counterpart.room().state.get("certificates", {}))
    return tuple(own.values())


class _Exchange:
    """One request and its answer."""

    def __init__(self, counterpart: Counterpart, request: Request, room: Room, fault: Fault | None) -> None:
        self._counterpart = counterpart
        self._request = request
        self._room = room
        self._fault = fault
        self._mode: Mode = room.state.get("mode", counterpart.room().state.get("mode", "real"))

    async def answer(self) -> Response:
        body = await self._request.body()
        if self._fault is not None:
            return self._play(body, self._fault)
        try:
            asked = _asked(body, self._request.headers.get("SOAPAction", ""))
        except _BadQuestion as error:
            self._note(body, accepted=False, report=tuple(map(str, error.args)))
            return self._soap_fault("Client", "; ".join(map(str, error.args)))
        return self._certificates(body, asked)

    def _play(self, body: bytes, fault: Fault) -> Response:
        self._note(body, accepted=False)
        if fault.kind == "result":
            return _xml(answers.failure(fault.result_code, fault.text, self._mode))
        return self._soap_fault(fault.fault_code, fault.text)

    def _soap_fault(self, code: str, text: str) -> Response:
        """The real service turns every fault into an answer under HTTP 200 (§ 0, surprise 3)."""
        if self._mode == "real":
            return _xml(answers.failure("ERROR", text, self._mode))
        return _xml(soap.fault(code, text), 500)

    def _certificates(self, body: bytes, asked: Asked) -> Response:
        today = swedish_day(self._counterpart.now())
        found = select(_registered(self._counterpart, self._room), asked, today)
        summary = {"unit": asked.unit, "maxDays": asked.max_days, "mode": self._mode, "certificates": len(found)}
        self._note(body, accepted=True, summary=summary)
        return StreamingResponse(answers.certificates(found, self._mode), media_type=soap.CONTENT_TYPE)

    def _note(
        self, body: bytes, *, accepted: bool, report: tuple[str, ...] = (), summary: dict[str, object] | None = None
    ) -> None:
        entry = Entry(
            self._counterpart.now(),
            "",
            accepted,
            body.decode(errors="replace"),
            report,
            "" if self._fault is None else self._fault.kind,
            summary or {},
        )
        self._room.ledger.write(entry)


def _xml(body: bytes, status: int = 200) -> Response:
    return Response(body, status, media_type=soap.CONTENT_TYPE)
