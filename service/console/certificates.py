"""A patient's certificates as pages: which there are, one of them as a whole, and that it was the information under 4 § (domain rule
17). The doctor's wish for contact is shown first; nothing counts because of it until a person confirms it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from contracts.certificate import InDays, InMonths, Likely, NotLikely, Prognosis, Unclear
from contracts.errors import Invalid, NotSupported
from contracts.ports import Certificates
from contracts.record import Caller, Right
from fhir_mappings.certificate import label
from fhir_mappings.identifiers import OCCUPATION, WORK_MEASURE
from service.console.dialogue_sheet import written
from service.console.forms import Pairs
from service.console.rendering import HEADERS, rendered
from service.security import require
from service.store.store import SqlStore
from service.usecases.confirm_certificate import Confirmation, confirm_certificate_as_notice
from service.usecases.context import Context
from service.usecases.deciding import seen_patient
from service.usecases.read_certificate import ReadCertificate, certificates_of, read_certificate
from service.usecases.see_overview import log_reading, own_unit

WRONG: Final = {
    "notice-contact-wished": "Läkaren har inte önskat kontakt i det här intyget.",
    "notice-certificate-sent": "Det är inte känt att intyget har skickats till Försäkringskassan.",
    "notice-certificate-stands": "Intyget har makulerats.",
    "notice-need-stated": "Kryssa i att intyget beskriver behovet: en önskan om kontakt räcker inte.",
    "notice-consent-stated": "Kryssa i att patienten samtycker.",
    "notice-needs-consent": "Det finns inget registrerat samtycke som täcker att Försäkringskassan får veta det.",
}
"""Rules of the confirmation, as the page says them."""


@dataclass(frozen=True, slots=True)
class CertificatePages:
    """The pages. Each raises ``NotFound`` for another unit than the caller's, and ``Forbidden``."""

    store: SqlStore
    context: Context
    source: Certificates | None

    async def listed(self, caller: Caller, unit: str, patient: str) -> Response:
        """The patient's certificates on the unit, the newest first; none of what they say is fetched."""
        require(caller, Right.FHIR_READ)
        own_unit(caller, unit)
        found = await self.store.look(lambda snapshot: certificates_of(snapshot, caller, patient))
        await log_reading(self.store, caller, [patient], "certificate-list")
        who = await self._who(caller, patient)
        return rendered("certificates.html", caller=caller, unit=unit, certificates=found, **who)

    async def one(self, caller: Caller, unit: str, id: str) -> Response:
        """One certificate, as it stands at its source now."""
        require(caller, Right.FHIR_READ)
        own_unit(caller, unit)
        return await self._page(caller, await read_certificate(self.store, self._source, self.context, caller, id))

    async def confirmed(self, caller: Caller, unit: str, id: str, pairs: Pairs) -> Response:
        """A person says that it was the information under 4 §; the way leads back to it."""
        require(caller, Right.FHIR_WRITE)
        own_unit(caller, unit)
        sent = dict(pairs)
        said = Confirmation("need" in sent, "consent" in sent)
        try:
            await confirm_certificate_as_notice(self.store, self._source, self.context, caller, id, said)
        except Invalid as refusal:
            wrong = [WRONG[issue.rule] for issue in refusal.issues if issue.rule in WRONG]
            read = await read_certificate(self.store, self._source, self.context, caller, id)
            return await self._page(caller, read, 422, wrong, sent)
        return RedirectResponse(f"{address(unit, id)}#main", 303, HEADERS)

    @property
    def _source(self) -> Certificates:
        if self.source is None:
            raise NotSupported("no source of certificates is configured")
        return self.source

    async def _page(
        self,
        caller: Caller,
        read: ReadCertificate,
        status: int = 200,
        wrong: Sequence[str] = (),
        sent: dict[str, str] | None = None,
    ) -> Response:
        found = read.certificate
        return rendered(
            "certificate.html",
            status,
            caller=caller,
            unit=caller.unit.value,
            read=read,
            certificate=found,
            occupations=[label(OCCUPATION, each) for each in found.occupations],
            measures=[label(WORK_MEASURE, each) for each in found.measures],
            prognosis=_prognosis(found.prognosis),
            may_confirm=Right.FHIR_WRITE in caller.rights and found.contact_wished and not read.notice,
            wrong=wrong,
            sent=sent or {},
            **await self._who(caller, read.patient),
        )

    async def _who(self, caller: Caller, patient: str) -> dict[str, Any]:
        """Whose it is, as the pages show it."""
        found = await self.store.look(lambda snapshot: seen_patient(snapshot, caller, patient))
        number = written(found.person.digits) if found and found.person else ""
        return {"name": found.name if found else "", "number": number}


def address(unit: str, id: str) -> str:
    """Of one certificate."""
    return f"/units/{quote(unit, safe='')}/certificates/{quote(id, safe='')}"


def _prognosis(found: Prognosis | None) -> str:
    match found:
        case None:
            return ""
        case Likely():
            return "Åter i arbete efter perioden med stor sannolikhet"
        case NotLikely():
            return "Sannolikt inte åter i arbete inom tolv månader"
        case InDays(days):
            return f"Åter i arbete efter {days} dagar"
        case InMonths(months):
            return f"Åter i arbete efter {months} {'månad' if months == 1 else 'månader'}"
        case Unclear(text):
            return f"Oklar: {text}" if text else "Oklar"
