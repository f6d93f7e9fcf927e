"""What a consent must have with it when it is recorded, and who recorded it (fhir_sweden.md § 4.3; rule 1)."""

from collections.abc import Iterator
from typing import Any, Final

from contracts.consent import Consent, ConsentKind, ConsentStatus, Effect
from contracts.errors import Issue, IssueType
from contracts.identity import HsaId
from contracts.record import Document
from fhir_mappings import primitives
from fhir_mappings.document import with_elements
from fhir_mappings.identifiers import EXT_RECORDED_BY, HSA_ID, INFORMATION_CATEGORY
from fhir_mappings.primitives import Json

EXT_TRANSCRIBER: Final = "http://hl7.org/fhir/StructureDefinition/consent-Transcriber"
"""HL7's extension on Consent, ``valueReference``: who wrote the consent down."""
EXT_WITNESS: Final = "http://hl7.org/fhir/StructureDefinition/consent-Witness"
"""HL7's extension on Consent, ``valueReference``: who was there."""

_AT: Final = "Consent.provision"


def lacking(consent: Consent, content: Json) -> tuple[Issue, ...]:
    """What an active permission to disclose must have when it is recorded, beside what it says; empty when nothing lacks.
    What is stored already is not judged by it: it must stay readable."""
    permits = consent.effect is Effect.PERMIT and consent.status is ConsentStatus.ACTIVE
    if consent.kind is not ConsentKind.DISCLOSURE or not permits:
        return ()
    return (*_missing_evidence(consent, content), *_ticked_together(content.get("provision", {})))


def _missing_evidence(consent: Consent, content: Json) -> Iterator[Issue]:
    """Whoever tells must have seen the document, or have asked the patient (JO 7504-2018)."""
    if consent.how is not None and consent.how.is_written and not _is_evidence(content):
        text = "a written consent says where its document is: a reference, an identifier, or an attachment"
        yield Issue(IssueType.REQUIRED, text, "Consent.source", rule="consent-evidence")


def _is_evidence(content: Json) -> bool:
    reference, attachment = content.get("sourceReference", {}), content.get("sourceAttachment", {})
    address = reference.get("reference", "")
    leads = not address.startswith("#") or primitives.contained(content, reference) is not None
    named = "value" in reference.get("identifier", {})
    return (bool(address) and leads) or named or not attachment.keys().isdisjoint(_ATTACHING)


_ATTACHING: Final = ("url", "data")


def _ticked_together(provision: Json) -> Iterator[Issue]:
    """Each category is named on its own, the diagnosis too: codings in one concept would mean the same thing (FHIR), and
    nobody could tell which of them the patient was asked about."""
    for index, each in enumerate(provision.get("code", ())):
        at = f"{_AT}.code[{index}]"
        yield from _said_beside(each, at)
        if len({code for code, _ in primitives.coded(each, at, INFORMATION_CATEGORY)}) > 1:
            text = "each category stands in a concept of its own"
            yield Issue(IssueType.BUSINESS_RULE, text, at, rule="consent-one-by-one")


def _said_beside(concept: Json, at: str) -> Iterator[Issue]:
    """The category is what our code says. A text or another code beside it may say more, and nobody would obey it."""
    foreign = [
        f"{at}.coding[{index}]"
        for index, coding in enumerate(concept.get("coding", ()))
        if coding.get("system") not in primitives.spellings(INFORMATION_CATEGORY)
    ]
    for place in [*([f"{at}.text"] if "text" in concept else []), *foreign]:
        text = "a category is named by its code alone: a text or a code of another system beside it may say more"
        yield Issue(IssueType.BUSINESS_RULE, text, place, rule="consent-too-general")


# Who heard it


def names_who_heard(content: Json) -> bool:
    """Whether the consent says who heard it and wrote it down, or who was there."""
    return any(each["url"] in (EXT_TRANSCRIBER, EXT_WITNESS) for each in content.get("extension", ()))


def recorded_by(document: Document, employee: HsaId, earlier: Json) -> Document:
    """With who recorded it: as an earlier version says, else the employee. It stands in ``meta``, for what the record
    system wrote is left as it was."""
    meta = document.content.get("meta", {})
    kept = [each for each in earlier.get("meta", {}).get("extension", ()) if each["url"] == EXT_RECORDED_BY]
    others = [each for each in meta.get("extension", ()) if each["url"] != EXT_RECORDED_BY]
    return with_elements(document, {"meta": {**meta, "extension": [*others, *(kept or [_recorder(employee)])]}})


def _recorder(employee: HsaId) -> dict[str, Any]:
    return {"url": EXT_RECORDED_BY, "valueReference": primitives.logical(HSA_ID, employee.value, "Practitioner")}
