"""By which way a message reaches whom (forsakringskassan.md § 6.4; domain rule 18)."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest

from contracts.consent import InformationCategory, Recipient, RecipientKind
from contracts.dialogue import Attachment, CareUnit, MessagePart, PartyMessage, Sender, Topic
from contracts.identity import HsaId, PersonId
from service.rules import channels

UNIT: Final = CareUnit(HsaId("TSTNMT2321000156-E0001"), HsaId("TSTNMT2321000156-S0001"))
MESSAGE: Final = PartyMessage(
    id="m1",
    topic=Topic.CONTACT,
    recipient=Recipient(RecipientKind.FORSAKRINGSKASSAN, "2021005521"),
    patient=PersonId("198507219817"),
    sender=Sender(HsaId("TSTNMT2321000156-P0001"), UNIT),
    created=datetime(2026, 3, 4, tzinfo=UTC),
    parts=(MessagePart(InformationCategory.CONTACT_DETAILS, "Nås vardagar."),),
    certificate="c1",
    certificate_unit=UNIT.id,
)
BOTH: Final = ("forsakringskassan", "sdk")
FILE: Final = Attachment("plan.pdf", "application/pdf", b"%PDF")


def ways(message: PartyMessage, connected: Collection[str]) -> list[tuple[str, bool]]:
    return [(way.channel, way.usable) for way in channels.choices(message, lambda channel: channel in connected)]


FK, SDK, MANUAL = channels.CERTIFICATE_DIALOGUE, channels.SDK, channels.MANUAL


@pytest.mark.parametrize(
    ("change", "connected", "expected", "first"),
    [
        ({}, BOTH, [(FK, True), (SDK, True), (MANUAL, True)], FK),
        ({"certificate": ""}, BOTH, [(FK, False), (SDK, True), (MANUAL, True)], SDK),
        ({"patient": None}, BOTH, [(FK, False), (SDK, False), (MANUAL, True)], MANUAL),
        ({"patient": None, "answers": "m0"}, BOTH, [(FK, False), (SDK, True), (MANUAL, True)], SDK),
        ({"in_programme": True}, BOTH, [(FK, False), (SDK, True), (MANUAL, True)], SDK),
        ({"attachments": (FILE,)}, BOTH, [(FK, False), (SDK, True), (MANUAL, True)], SDK),
        ({"certificate": ""}, (FK,), [(FK, False), (SDK, False), (MANUAL, True)], MANUAL),
        ({}, (), [(FK, False), (SDK, False), (MANUAL, True)], MANUAL),
    ],
)
def test_forsakringskassan(
    change: dict[str, object], connected: Collection[str], expected: list[tuple[str, bool]], first: str
) -> None:
    message = replace(MESSAGE, **change)  # type: ignore[arg-type]
    assert ways(message, connected) == expected
    assert channels.chosen(channels.choices(message, lambda channel: channel in connected)).channel == first


@pytest.mark.parametrize("kind", sorted(set(RecipientKind) - {RecipientKind.FORSAKRINGSKASSAN}))
def test_nobody_else_has_a_dialogue_about_certificates(kind: RecipientKind) -> None:
    message = replace(MESSAGE, recipient=Recipient(kind, "2021002114"))
    known = [channel for channel, _ in ways(message, BOTH)]
    has_sdk = kind in (
        RecipientKind.ARBETSFORMEDLINGEN,
        RecipientKind.MUNICIPALITY,
        RecipientKind.OTHER_CARE_PROVIDER,
    )
    assert known == ([SDK, MANUAL] if has_sdk else [MANUAL])


@pytest.mark.parametrize("kind", RecipientKind)
@pytest.mark.parametrize("connected", [(), (FK,), (SDK,), BOTH])
def test_there_is_always_a_person(kind: RecipientKind, connected: Collection[str]) -> None:
    message = replace(MESSAGE, recipient=Recipient(kind, "x"), certificate="")
    chosen = channels.chosen(channels.choices(message, lambda channel: channel in connected))
    assert chosen.usable
    assert chosen.reason


def test_the_person_is_told_why_no_system_carries_it() -> None:
    chosen = channels.chosen(channels.choices(replace(MESSAGE, certificate=""), lambda channel: channel == FK))
    assert chosen.channel == MANUAL
    assert "no certificate of this patient is known" in chosen.reason
    assert "no functional address" in chosen.reason
