"""A certificate as a whole on the JSON API: what was read of it, and that it is the information under 4 §."""

from datetime import datetime
from typing import Any, Literal

from fastapi import FastAPI
from pydantic import Field

from contracts.certificate import InDays, InMonths, Likely, MedicalCertificate, NotLikely, Prognosis, Unclear
from contracts.errors import NotSupported
from contracts.ports import Certificates
from contracts.record import Caller
from fhir_mappings.certificate import label
from fhir_mappings.document import decode
from fhir_mappings.identifiers import OCCUPATION, WORK_MEASURE
from service.api.models import CodeOut, Model
from service.api.overview_models import NamedOut, PeriodOut
from service.api.records import codes_of
from service.rules.certificate_notice import CONTACT_WISHED
from service.store.store import SqlStore
from service.usecases.confirm_certificate import Confirmation, Confirmed, confirm_certificate_as_notice
from service.usecases.context import Context
from service.usecases.read_certificate import ReadCertificate, read_certificate


class PrognosisOut(Model):
    """One of five answers (39): ``days`` with in-days, ``months`` with in-months, ``text`` with unclear."""

    kind: Literal["likely", "not-likely", "in-days", "in-months", "unclear"]
    days: int | None = None
    months: int | None = None
    text: str = ""


class RelationOut(Model):
    """What the certificate is to an earlier one: FRLANG, ERSATT, KOMPLT, KOPIA."""

    kind: str
    certificate: str


class CertificateOut(Model):
    """What was read of FK 7804. ``document`` and ``resource`` are where it is kept: DocumentReference and
    QuestionnaireResponse. ``notice`` is the Communication that says that the certificate told Försäkringskassan under 4 §; ``None``
    while nobody has confirmed that. ``unread`` names what is there and could not be read."""

    id: str
    version: int | None
    patient: str
    document: str
    resource: str
    unit: str
    doctor: NamedOut
    signed: datetime | None
    sent_to_fk: datetime | None
    revoked: bool
    carrier_allowance: bool
    occupations: tuple[NamedOut, ...]
    profession: str
    periods: tuple[PeriodOut, ...]
    prognosis: PrognosisOut | None
    measures: tuple[NamedOut, ...]
    measures_text: str
    contact_wished: bool
    contact_reason: str
    mark: str
    relations: tuple[RelationOut, ...]
    notice: str | None
    unread: tuple[str, ...]


class ConfirmationIn(Model):
    """A person's word that the certificate is the information under 4 §."""

    states_need: bool = Field(
        description="The certificate states that a need of measures under 30 kap. SFB may be assumed"
    )
    patient_consents: bool = Field(description="The patient consents to it; a consent on record must say so too")


class ConfirmedOut(Model):
    """What is kept: the request, the Communication, and the activity with its codes. ``changed`` is false when it was confirmed
    before."""

    certificate: CertificateOut
    request: str
    notice: str
    activity: str | None
    codes: tuple[CodeOut, ...]
    changed: bool


def certificate_routes(
    app: FastAPI, store: SqlStore, context: Context, source: Certificates | None, reader: Any, author: Any
) -> None:
    """Add the routes. ``reader`` and ``author`` are the dependencies that give a caller with the right."""

    @app.get("/certificates/{id}")
    async def get_certificate(id: str, caller: Caller = reader) -> CertificateOut:
        """A certificate of the unit as it stands at its source now. Where the doctor wished for contact it says so."""
        return _out(await read_certificate(store, _configured(source), context, caller, id))

    @app.post("/certificates/{id}/confirm")
    async def confirm(id: str, given: ConfirmationIn, caller: Caller = author) -> ConfirmedOut:
        """Confirm that the certificate is the information under 4 §. Until then its wish for contact counts for nothing."""
        said = Confirmation(given.states_need, given.patient_consents)
        return _confirmed(await confirm_certificate_as_notice(store, _configured(source), context, caller, id, said))


def _configured(source: Certificates | None) -> Certificates:
    if source is None:
        raise NotSupported("no source of certificates is configured: set REKO_ADAPTERS__INTYGSTJANST__URL")
    return source


def _confirmed(became: Confirmed) -> ConfirmedOut:
    activity = became.activity
    return ConfirmedOut(
        certificate=_out(became.read),
        request=became.request,
        notice=became.notice.reference,
        activity=activity and activity.reference,
        codes=codes_of(decode(activity.body).content) if activity else (),
        changed=became.changed,
    )


def _out(read: ReadCertificate) -> CertificateOut:
    found = read.certificate
    return CertificateOut(
        **_kept(read),
        **_who(found),
        carrier_allowance=found.carrier_allowance,
        occupations=tuple(NamedOut(id=each, name=label(OCCUPATION, each)) for each in found.occupations),
        profession=found.profession,
        periods=tuple(PeriodOut(start=each.start, end=each.end, degree=each.degree) for each in found.periods),
        prognosis=_prognosis(found.prognosis),
        measures=tuple(NamedOut(id=each, name=label(WORK_MEASURE, each)) for each in found.measures),
        measures_text=found.measures_text,
        contact_wished=found.contact_wished,
        contact_reason=found.contact_reason,
        mark=CONTACT_WISHED if found.contact_wished and not found.revoked else "",
        relations=tuple(RelationOut(kind=each.kind, certificate=each.certificate) for each in found.relations),
        unread=found.unread,
    )


def _kept(read: ReadCertificate) -> dict[str, Any]:
    return {
        "patient": read.patient,
        "document": read.document,
        "resource": read.response,
        "notice": read.notice or None,
    }


def _who(found: MedicalCertificate) -> dict[str, Any]:
    return {
        "id": found.id,
        "version": found.version,
        "unit": found.unit.value,
        "doctor": NamedOut(id=found.doctor, name=found.doctor_name),
        "signed": found.signed,
        "sent_to_fk": found.sent_to_fk,
        "revoked": found.revoked,
    }


def _prognosis(found: Prognosis | None) -> PrognosisOut | None:
    match found:
        case None:
            return None
        case Likely():
            return PrognosisOut(kind="likely")
        case NotLikely():
            return PrognosisOut(kind="not-likely")
        case InDays(days):
            return PrognosisOut(kind="in-days", days=days)
        case InMonths(months):
            return PrognosisOut(kind="in-months", months=months)
        case Unclear(text):
            return PrognosisOut(kind="unclear", text=text)
