"""The national consent service: consent to read across care providers, which is *not* the consent of lag (2019:1297).

Facts: rehabstod.md § 1.11, forsakringskassan.md § 5.2. Consents live as long as their namespace; a reset forgets them.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lxml import etree
from lxml.builder import ElementMaker
from starlette.applications import Starlette

from adapters.mocking.counterpart import Counterpart, Room
from adapters.mocking.rivta import Operation, Spoken, service
from adapters.mocking.validation import Level
from contracts.time import STOCKHOLM

TITLE: Final = "Samtyckestjänst"
_DOMAIN: Final = "informationsecurity:authorization:consent"
_CORE: Final = f"urn:riv:{_DOMAIN}:2"
_C: Final = ElementMaker(namespace=_CORE, nsmap={"c": _CORE})


@dataclass(frozen=True, slots=True)
class Assertion:
    """A registered consent or emergency. Without an ``employee`` it lets the whole unit read; the period may be open."""

    id: str
    kind: str
    patient: str = field(repr=False)
    provider: str
    unit: str
    employee: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def holds(self, patient: str, provider: str, unit: str, employee: str, now: datetime) -> bool:
        """Whether it lets that employee read now."""
        about = (self.patient, self.provider, self.unit) == (patient, provider, unit)
        begun, lasts = self.start is None or self.start <= now, self.end is None or now <= self.end
        return about and self.employee in ("", employee) and begun and lasts


def create(counterpart: Counterpart) -> Starlette:
    """CheckConsent 2 and RegisterExtendedConsent 2."""
    return service(counterpart, (CHECK, REGISTER))


def _result(code: str, words: str) -> etree._Element:
    return _C("result", *([_C("resultCode", code)] if code else []), *([_C("resultText", words)] if words else []))


def _checked(code: str, words: str = "", kind: str = "", *, consented: bool = False) -> etree._Element:
    maker = ElementMaker(namespace=CHECK.responder, nsmap={"s": CHECK.responder, "c": _CORE})
    children = [_result(code, words), _C("hasConsent", str(consented).lower())]
    return maker(
        "CheckConsentResponse", maker("checkResult", *children, *([_C("assertionType", kind)] if kind else []))
    )


def _registered(code: str, words: str = "") -> etree._Element:
    maker = ElementMaker(namespace=REGISTER.responder, nsmap={"s": REGISTER.responder, "c": _CORE})
    result = _result(code, words)
    result.tag = f"{{{REGISTER.responder}}}result"
    return maker("RegisterExtendedConsentResponse", result)


def _check(counterpart: Counterpart, room: Room, asked: etree._Element) -> Spoken:
    names = {"s": CHECK.responder, "c": _CORE}
    patient, provider, unit, employee = (
        asked.findtext(path, "", names)
        for path in (
            "s:patientId/c:extension",
            "s:accessingActor/c:careProviderId",
            "s:accessingActor/c:careUnitId",
            "s:accessingActor/c:employeeId",
        )
    )
    now = counterpart.now()
    known: list[Assertion] = list(room.remembered("assertions").values())
    found = next((each for each in known if each.holds(patient, provider, unit, employee, now)), None)
    kind = found.kind if found else ""
    return Spoken(_checked("OK", kind=kind, consented=found is not None), summary={"hasConsent": found is not None})


def _register(counterpart: Counterpart, room: Room, asked: etree._Element) -> Spoken:
    assertion = _read(asked)
    strict = counterpart.validation(room).rules is Level.STRICT
    if strict and assertion.id in room.remembered("assertions"):
        words = "the assertion is registered already"
        return Spoken(_registered("ALREADYEXISTS", words), assertion.id, "ALREADYEXISTS", (words,))
    if strict and assertion.start and assertion.end and assertion.end < assertion.start:
        words = "the end lies before the start"
        return Spoken(_registered("VALIDATION_ERROR", words), assertion.id, "PERIOD", (words,))
    room.remembered("assertions")[assertion.id] = assertion
    return Spoken(_registered("OK"), assertion.id, summary={"assertionType": assertion.kind})


def _read(asked: etree._Element) -> Assertion:
    names = {"s": REGISTER.responder, "c": _CORE}

    def text(path: str) -> str:
        return asked.findtext(path, "", names).strip()

    return Assertion(
        id=text("s:assertionId"),
        kind=text("s:assertionType"),
        patient=text("s:patientId/c:extension"),
        provider=text("s:careProviderId"),
        unit=text("s:careUnitId"),
        employee=text("s:employeeId"),
        start=_time(text("s:startDate")),
        end=_time(text("s:endDate")),
    )


def _time(text: str) -> datetime | None:
    """A time without a zone is Swedish; what cannot be read leaves the period open, as nobody judged it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=STOCKHOLM)


CHECK: Final = Operation(_DOMAIN, "CheckConsent", 2, "check_consent_2", _check, _checked)
REGISTER: Final = Operation(
    _DOMAIN, "RegisterExtendedConsent", 2, "register_extended_consent_2", _register, _registered
)
