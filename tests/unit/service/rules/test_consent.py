"""May this be told? The rules against a second reading of the same text (``consent_oracle.py``), cell by cell, and what
must hold whatever is on record (domain_rules.md 1-12; decisions D3, D16, D17; delivery_consent_security.md § 5.3)."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from multiprocessing import get_context
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from contracts.activity import ContactMode
from contracts.consent import (
    BlockAnswer,
    Consent,
    ConsentDecision,
    ConsentKind,
    ConsentStatus,
    Direction,
    Effect,
    HowGiven,
    InformationCategory,
    InformationSource,
    LegalBasis,
    Purpose,
    Question,
    Reason,
    Recipient,
    RecipientKind,
    StatedGround,
    UnreadableConsent,
    UsedConsent,
)
from contracts.identity import HsaId
from contracts.time import Period, day_start
from service.rules.consent import asks_for_consents, brings_back, covers, decide, is_old_word, touches, widens_again
from service.rules.consent_door import too_general
from service.rules.region import RegionalProfile
from tests.unit.service.rules.consent_oracle import why_not

Stored = Consent | UnreadableConsent
Record = tuple[Stored, ...]
Changes = dict[str, Any]

NOW = datetime(2026, 5, 4, 10, 0, tzinfo=UTC)
PATIENT, ANOTHER_PATIENT = "p-1", "p-2"
UNIT, ANOTHER_UNIT = HsaId("SE1111111111-E001"), HsaId("SE1111111111-E002")
FK = Recipient(RecipientKind.FORSAKRINGSKASSAN, "2021005521")
EMPLOYER = Recipient(RecipientKind.EMPLOYER, "5560000001")

NEED, CONTACT = InformationCategory.ASSUMED_REHAB_NEED, InformationCategory.CONTACT_DETAILS
TAPERING, DIAGNOSIS = InformationCategory.TAPERING_PLAN, InformationCategory.DIAGNOSIS
SENSITIVE = InformationCategory.SENSITIVE_CIRCUMSTANCES

REGION = RegionalProfile("the default", frozenset({ContactMode.VISIT, ContactMode.TELEPHONE}))
DEMANDING = replace(REGION, name="demands consent for its platform", platform_needs_consent=True)

YEAR = Period.of_days(date(2026, 1, 1), date(2026, 12, 31))
PAST = Period.of_days(date(2026, 1, 1), date(2026, 5, 3))
FUTURE = Period.of_days(date(2026, 5, 5), date(2026, 12, 31))

SHORT_DAY, LONG_DAY = date(2026, 3, 29), date(2026, 10, 25)
"""Days of 23 and of 25 hours, as the clocks are changed in the night."""
INSTANT = timedelta(microseconds=1)
TIMES = {
    "a day in May": NOW,
    "the short day's last instant": day_start(SHORT_DAY + timedelta(days=1)) - INSTANT,
    "the instant after the short day": day_start(SHORT_DAY + timedelta(days=1)),
    "the instant before the long day": day_start(LONG_DAY) - INSTANT,
    "the long day's first instant": day_start(LONG_DAY),
}

PERMITTING = {
    LegalBasis.CONSENT: Reason.CONSENT_COVERS,
    LegalBasis.INTERNAL_COORDINATION: Reason.COORDINATION_WITHIN_PROVIDER,
    LegalBasis.RECORD_OWNER: Reason.RECORD_OWNER,
    LegalBasis.OWN_FOLLOW_UP: Reason.OWN_FOLLOW_UP,
    LegalBasis.STATUTORY_DUTY: Reason.ANSWERS_REQUEST,
    LegalBasis.EMERGENCY: Reason.EMERGENCY,
}

PERMISSION = Consent(
    id="permission",
    version=1,
    kind=ConsentKind.DISCLOSURE,
    status=ConsentStatus.ACTIVE,
    effect=Effect.PERMIT,
    patient=PATIENT,
    unit=UNIT,
    given=datetime(2026, 1, 1, 9, 0, tzinfo=UTC),
    how=HowGiven.ORAL,
    recipient=FK,
    direction=Direction.DISCLOSE,
    purposes=frozenset({Purpose.COORDINATION}),
    categories=frozenset({NEED, CONTACT}),
    period=YEAR,
)
COORDINATION = replace(
    PERMISSION,
    id="coordination",
    kind=ConsentKind.COORDINATION,
    recipient=None,
    direction=None,
    purposes=frozenset(),
    categories=frozenset(),
    period=Period(),
)
REFUSAL = replace(
    PERMISSION, id="refusal", effect=Effect.DENY, categories=frozenset(), purposes=frozenset(), period=Period()
)
NO_COORDINATION = replace(COORDINATION, id="no coordination", effect=Effect.DENY)
UNREADABLE = UnreadableConsent("unreadable", 1)
QUESTION = Question(PATIENT, UNIT, FK, frozenset({NEED}), Purpose.COORDINATION, NOW)


def answer(*stored: Stored, question: Question = QUESTION, region: RegionalProfile = REGION) -> ConsentDecision:
    return decide(question, stored, region)


def asked(**changes: Any) -> Question:
    return replace(QUESTION, **changes)


def permission(**changes: Any) -> Consent:
    return replace(PERMISSION, **changes)


def refusal(**changes: Any) -> Consent:
    return replace(REFUSAL, **changes)


# ---- The tables, to be read aloud --------------------------------------------------------------------------------

PERMISSION_STATES: dict[str, Changes | None] = {
    "none": None,
    "draft": {"status": ConsentStatus.DRAFT},
    "proposed": {"status": ConsentStatus.PROPOSED},
    "active": {},
    "expired": {"period": PAST},
    "not yet valid": {"period": FUTURE},
    "withdrawn": {"status": ConsentStatus.INACTIVE, "period": PAST},
    "rejected": {"status": ConsentStatus.REJECTED},
    "entered in error": {"status": ConsentStatus.ENTERED_IN_ERROR},
    "endless": {"period": Period()},
    "until an event": {"period": Period(), "ends_with_event": "avstämningsmötet"},
    "until an event that never came": {
        "period": Period(),
        "ends_with_event": "avstämningsmötet",
        "given": day_start(date(2025, 1, 1)),
    },
    "given tomorrow": {"given": NOW + timedelta(days=1)},
    "given by a clock that is ahead": {"given": NOW + timedelta(minutes=1)},
    "to somebody else": {"recipient": Recipient(RecipientKind.OTHER, "Organization/somebody-else")},
    "until the short night": {"period": Period.of_days(date(2026, 1, 1), SHORT_DAY)},
    "from the long night on": {"period": Period.of_days(LONG_DAY, date(2026, 12, 31))},
}

COORDINATION_STATES: dict[str, Record] = {
    "none": (),
    "active": (COORDINATION,),
    "refused": (NO_COORDINATION,),
    "withdrawn": (replace(COORDINATION, status=ConsentStatus.INACTIVE, period=PAST),),
    "expired": (replace(COORDINATION, period=PAST),),
    "given tomorrow": (replace(COORDINATION, given=NOW + timedelta(days=1)),),
}

REFUSALS: dict[str, Changes | None] = {
    "none": None,
    "this recipient": {},
    "all recipients": {"recipient": None},
    "other recipient": {"recipient": Recipient(RecipientKind.OTHER, "Organization/somebody-else")},
    "other category": {"categories": frozenset({TAPERING})},
    "ended": {"status": ConsentStatus.INACTIVE, "period": PAST},
}

OTHERS_WORDS = ("none", "active")

ASKED = {
    "what is covered": frozenset({NEED}),
    "one more": frozenset({NEED, TAPERING}),
    "something else": frozenset({TAPERING}),
    "never sent": frozenset({SENSITIVE}),
    "a diagnosis": frozenset({DIAGNOSIS}),
    "the rest of what is covered": frozenset({CONTACT}),
    "all that is covered": frozenset({NEED, CONTACT}),
    "nothing": frozenset(),
}


PERSON = HsaId("SE1111111111-P001")
ASKED_FOR = StatedGround(PERSON, NOW - timedelta(hours=1), request="FK-2026-1")
DANGER = StatedGround(PERSON, NOW - timedelta(hours=1), why="medvetslös, behandlas på annat sjukhus")
YESTERDAY = replace(DANGER, at=NOW - timedelta(hours=24))
TOMORROW = replace(DANGER, at=NOW + timedelta(hours=1))
NOBODY_SAYS_WHY = replace(DANGER, why="")

OWN = InformationSource(UNIT, HsaId("SE1111111111-S001"))
SAME_PROVIDER = InformationSource(ANOTHER_UNIT, HsaId("SE1111111111-S001"))
OTHER_PROVIDER = InformationSource(HsaId("SE2222222222-E001"), HsaId("SE2222222222-S001"))

SOURCES: dict[str, Changes] = {
    "the unit's own, under block": {"sources": (OWN,), "blocks": BlockAnswer.BLOCKED},
    "the unit's own, nobody asked": {},
    **{
        f"of {name}: {blocks}": {"sources": (OWN, source), "blocks": blocks}
        for name, source in (("another unit", SAME_PROVIDER), ("another provider", OTHER_PROVIDER))
        for blocks in BlockAnswer
    },
}
"""Whose information would be told, and what the block service says of it."""

STATED: dict[str, Changes] = {
    "nothing": {},
    "a request": {"ground": ASKED_FOR},
    "a danger": {"ground": DANGER},
    "a request and a danger": {"ground": replace(DANGER, request="FK-2026-1")},
    "a danger that is over": {"ground": YESTERDAY},
    "a danger to come": {"ground": TOMORROW},
    "a danger, and not which": {"ground": NOBODY_SAYS_WHY},
}
PROVIDERS: dict[str, Changes] = {
    "private": {},
    "public": {"public_provider": True},
    "public, and the recipient is of it": {"public_provider": True, "same_provider": True},
    "private, and the recipient is of it": {"same_provider": True},
}
IDENTITIES: dict[str, Changes] = {
    "open": {},
    "protected": {"protected_identity": True},
    "protected, a person has decided": {"protected_identity": True, "release": DANGER},
    "protected, and nobody says why": {"protected_identity": True, "release": NOBODY_SAYS_WHY},
}


def party(kind: RecipientKind) -> Recipient:
    return Recipient(kind, f"Organization/{kind}")


class Matrix(NamedTuple):
    """The dimensions of § 5.3, each a list of what may be; the cells are all their combinations."""

    recipients: Sequence[RecipientKind]
    bases: Sequence[LegalBasis]
    permissions: Sequence[str] = tuple(PERMISSION_STATES)
    coordinations: Sequence[str] = tuple(COORDINATION_STATES)
    refusals: Sequence[str] = tuple(REFUSALS)
    asked: Sequence[str] = tuple(ASKED)
    directions: Sequence[Direction] = tuple(Direction)
    purposes: Sequence[Purpose] = tuple(Purpose)
    units: Sequence[HsaId] = (UNIT, ANOTHER_UNIT)
    identities: Sequence[str] = ("open", "protected")
    providers: Sequence[str] = ("private, and the recipient is of it",)
    sources: Sequence[str] = ("the unit's own, nobody asked",)
    stated: Sequence[str] = ("nothing",)
    regions: Sequence[RegionalProfile] = (REGION,)
    times: Sequence[str] = ("a day in May",)

    def records(self, to: Recipient) -> list[Record]:
        """Everything that may be on record: a permission, what was said of coordination, a refusal."""
        permissions = [*_said(PERMISSION, PERMISSION_STATES, self.permissions, to), (UNREADABLE,)]
        coordinations = [COORDINATION_STATES[name] for name in self.coordinations]
        refusals = _said(REFUSAL, REFUSALS, self.refusals, to)
        return [sum(parts, ()) for parts in product(permissions, coordinations, refusals)]

    def questions(self, to: Recipient) -> list[Question]:
        """Everything that may be asked of one recipient."""
        asked, times = [ASKED[name] for name in self.asked], [TIMES[name] for name in self.times]
        said = product(self.bases, self.directions, asked, self.purposes, self.units)
        return [
            Question(PATIENT, unit, to, categories, purpose, at, direction, basis, **circumstances)
            for (basis, direction, categories, purpose, unit), at, circumstances in product(
                said, times, self._circumstances()
            )
        ]

    def _circumstances(self) -> list[Changes]:
        """What else is true of a question: whose identity, which provider, whose information, what a person stated."""
        named = (
            (IDENTITIES, self.identities),
            (PROVIDERS, self.providers),
            (SOURCES, self.sources),
            (STATED, self.stated),
        )
        each = ([table[name] for name in names] for table, names in named)
        return [{**one, **two, **three, **four} for one, two, three, four in product(*each)]

    def cells(self) -> Iterator[tuple[Question, Record, RegionalProfile]]:
        """Every question against every record in every region."""
        for to in map(party, self.recipients):
            yield from product(self.questions(to), self.records(to), self.regions)


def _said(word: Consent, states: Mapping[str, Changes | None], names: Sequence[str], to: Recipient) -> list[Record]:
    changes = [states[name] for name in names]
    return [() if each is None else (replace(word, **{"recipient": to, **each}),) for each in changes]


EVERY = "everything that § 5.3 names, with everything"
MATRICES = {
    EVERY: Matrix(
        (
            RecipientKind.FORSAKRINGSKASSAN,
            RecipientKind.ARBETSFORMEDLINGEN,
            RecipientKind.EMPLOYER,
            RecipientKind.MUNICIPALITY,
            RecipientKind.REGIONAL_PLATFORM,
            RecipientKind.OTHER_CARE_PROVIDER,
        ),
        (LegalBasis.CONSENT, LegalBasis.STATUTORY_DUTY, LegalBasis.EMERGENCY),
        (
            "none",
            "draft",
            "active",
            "expired",
            "not yet valid",
            "withdrawn",
            "until the short night",
            "from the long night on",
        ),
        ("none", "active"),
        ("none", "this recipient", "ended"),
        units=(UNIT,),
        providers=("private", "public"),
        sources=(
            "the unit's own, under block",
            f"of another unit: {BlockAnswer.CLEAR}",
            f"of another unit: {BlockAnswer.BLOCKED}",
            f"of another provider: {BlockAnswer.BLOCKED}",
        ),
        stated=("a request and a danger",),
        times=tuple(TIMES),
    ),
    "to Försäkringskassan and the employer, by consent": Matrix(
        (RecipientKind.FORSAKRINGSKASSAN, RecipientKind.EMPLOYER), (LegalBasis.CONSENT,)
    ),
    "to each kind of recipient, on each basis": Matrix(
        tuple(RecipientKind),
        tuple(LegalBasis),
        OTHERS_WORDS,
        asked=("what is covered",),
        purposes=(Purpose.COORDINATION,),
    ),
    "within the provider, to its platform and its record system, on their bases": Matrix(
        (RecipientKind.SAME_CARE_PROVIDER, RecipientKind.REGIONAL_PLATFORM, RecipientKind.RECORD_SYSTEM),
        (LegalBasis.INTERNAL_COORDINATION, LegalBasis.OWN_FOLLOW_UP, LegalBasis.RECORD_OWNER),
        OTHERS_WORDS,
        purposes=(Purpose.COORDINATION,),
        units=(UNIT,),
        providers=("private", "public, and the recipient is of it"),
        regions=(REGION, DEMANDING),
    ),
    "on what a person stated, to everybody": Matrix(
        tuple(RecipientKind),
        (LegalBasis.STATUTORY_DUTY, LegalBasis.EMERGENCY),
        OTHERS_WORDS,
        ("active", "refused"),
        ("none", "this recipient"),
        identities=tuple(IDENTITIES),
        providers=("private", "public"),
        units=(UNIT,),
        stated=tuple(STATED),
    ),
    "information under block, whoever's, on every basis": Matrix(
        tuple(RecipientKind),
        tuple(LegalBasis),
        OTHERS_WORDS,
        ("none", "active"),
        ("none", "this recipient", "ended"),
        ("what is covered",),
        (Direction.DISCLOSE,),
        (Purpose.COORDINATION,),
        (UNIT,),
        ("open", "protected, a person has decided"),
        tuple(PROVIDERS),
        tuple(SOURCES),
        ("a danger",),
    ),
}


# ---- Every cell, against the second reading ----------------------------------------------------------------------


def disagreement(decision: ConsentDecision, against: frozenset[Reason]) -> str:
    """What the two readings answer differently; empty when they agree."""
    expected = against or {PERMITTING[decision.question.basis]}
    if decision.permitted == (not against) and {*decision.reasons} == expected:
        return ""
    return f"permitted: {decision.permitted}, {decision.reasons}; the text says {sorted(expected)}: {decision.question}"


@pytest.mark.parametrize("name", MATRICES)
def test_every_cell_of_the_matrix(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The parts are read on all processors: together they are millions."""
    matrix = MATRICES[name]
    parts = [matrix._replace(recipients=(each,)) for each in matrix.recipients]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as readers:
        read = list(readers.map(both_readings, parts))
    wrong = [each for _, _, wrongs in read for each in wrongs]
    assert not wrong, wrong[0]
    cells, permitted = (sum(counts) for counts in zip(*((each[:2]) for each in read), strict=True))
    assert permitted
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {cells} cells, {permitted} permitted\n")


def both_readings(matrix: Matrix) -> tuple[int, int, list[str]]:
    """How many cells there are, how many permit, and the first that the two read differently."""
    cells = permitted = 0
    for question, stored, region in matrix.cells():
        decision = decide(question, stored, region)
        wrong = disagreement(decision, why_not(question, stored, region))
        if wrong:
            return cells, permitted, [f"{wrong} {stored}"]
        cells, permitted = cells + 1, permitted + decision.permitted
    return cells, permitted, []


def test_the_matrix_takes_in_every_value_of_every_dimension() -> None:
    """No row of a table, and no member of a list, stands outside every matrix."""
    dimensions: dict[str, Iterable[object]] = {
        "recipients": RecipientKind,
        "bases": LegalBasis,
        "permissions": PERMISSION_STATES,
        "coordinations": COORDINATION_STATES,
        "refusals": REFUSALS,
        "asked": ASKED,
        "directions": Direction,
        "purposes": Purpose,
        "identities": IDENTITIES,
        "providers": PROVIDERS,
        "sources": SOURCES,
        "stated": STATED,
        "times": TIMES,
    }
    for dimension, values in dimensions.items():
        taken = {value for matrix in MATRICES.values() for value in getattr(matrix, dimension)}
        assert taken == {*values}, dimension


# ---- Two at a time -----------------------------------------------------------------------------------------------

WORDS: dict[str, Stored] = {
    "yes": PERMISSION,
    "yes to the rest": permission(id="rest", categories=frozenset({TAPERING})),
    "yes to all of it": permission(id="all of it", categories=frozenset({NEED, CONTACT, TAPERING})),
    "yes, expired": permission(id="expired", period=PAST),
    "yes, later": permission(id="later", period=FUTURE),
    "yes, withdrawn": permission(id="withdrawn", status=ConsentStatus.INACTIVE),
    "yes, rejected": permission(id="rejected", status=ConsentStatus.REJECTED),
    "yes, in error": permission(id="error", status=ConsentStatus.ENTERED_IN_ERROR),
    "yes to ask": permission(id="ask", direction=Direction.COLLECT),
    "yes for the benefit": permission(id="benefit", purposes=frozenset({Purpose.BENEFIT_DECISION})),
    "yes to the employer": permission(id="employer", recipient=EMPLOYER),
    "yes to another unit": permission(id="unit", unit=ANOTHER_UNIT),
    "yes of another patient": permission(id="patient", patient=ANOTHER_PATIENT),
    "no": REFUSAL,
    "no to everybody": refusal(id="everybody", recipient=None, direction=None),
    "no to the rest": refusal(id="no rest", categories=frozenset({TAPERING})),
    "no, ended": refusal(id="no ended", status=ConsentStatus.INACTIVE),
    "no, over": refusal(id="no over", period=PAST),
    "no, later": refusal(id="no later", period=FUTURE),
    "no, in error": refusal(id="no error", status=ConsentStatus.ENTERED_IN_ERROR),
    "no to ask": refusal(id="no ask", direction=Direction.COLLECT),
    "no for the benefit": refusal(id="no benefit", purposes=frozenset({Purpose.BENEFIT_DECISION})),
    "no to the employer": refusal(id="no employer", recipient=EMPLOYER),
    "no to another unit": refusal(id="no unit", unit=ANOTHER_UNIT),
    "no of another patient": refusal(id="no patient", patient=ANOTHER_PATIENT),
    "no coordination": NO_COORDINATION,
    "unreadable": UNREADABLE,
}
QUESTIONS = [
    asked(recipient=to, direction=direction, categories=categories, purpose=purpose)
    for to, direction, categories, purpose in product((FK, EMPLOYER), Direction, ASKED.values(), Purpose)
]


@pytest.mark.parametrize("first", WORDS)
def test_every_pair_of_words_in_either_order(first: str) -> None:
    for second, question in product(WORDS.values(), QUESTIONS):
        stored = (COORDINATION, WORDS[first], second)
        decision = decide(question, stored, REGION)
        wrong = disagreement(decision, why_not(question, stored, REGION))
        assert not wrong, f"{wrong} {stored}"
        assert decide(question, stored[::-1], REGION) == decision


@pytest.mark.parametrize(
    ("said", "permitted", "reasons"),
    [
        ("yes + no", False, "refused"),
        ("yes + no to everybody", False, "refused"),
        ("yes + no, ended", True, "consent-covers"),
        ("yes + no, over", True, "consent-covers"),
        ("yes + no, later", True, "consent-covers"),
        ("yes + no, in error", True, "consent-covers"),
        ("yes + no to the rest", True, "consent-covers"),
        ("yes + no to the employer", True, "consent-covers"),
        ("yes + no to ask", True, "consent-covers"),
        ("yes + no to another unit", True, "consent-covers"),
        ("yes + no of another patient", True, "consent-covers"),
        ("yes + no coordination", False, "coordination-refused"),
        ("yes + unreadable", False, "consent-unreadable"),
        ("yes + yes, withdrawn", True, "consent-covers"),
        ("yes, expired + yes to ask", False, "other-direction expired"),
        ("yes, withdrawn + yes, rejected", False, "withdrawn not-in-force"),
        ("yes to the employer", False, "no-consent other-recipient"),
        ("yes to another unit", False, "other-unit"),
        ("yes of another patient", False, "no-consent"),
        ("yes for the benefit", False, "other-purpose"),
        ("yes, later", False, "not-yet-valid"),
        ("yes to the rest", False, "category-not-covered"),
        ("no", False, "no-consent refused"),
    ],
)
def test_what_the_patient_has_said(said: str, permitted: bool, reasons: str) -> None:
    decision = answer(COORDINATION, *(WORDS[name] for name in said.split(" + ")))
    assert (decision.permitted, {*decision.reasons}) == (permitted, {*reasons.split()})


def test_two_consents_that_each_cover_a_part_do_not_cover_the_whole() -> None:
    both = asked(categories=frozenset({NEED, TAPERING}))
    parts = answer(COORDINATION, PERMISSION, WORDS["yes to the rest"], question=both)
    assert (parts.permitted, parts.reasons) == (False, (Reason.CATEGORY_NOT_COVERED,))
    assert answer(COORDINATION, WORDS["yes to all of it"], question=both).permitted


CARRIED: dict[LegalBasis, Changes] = {
    LegalBasis.CONSENT: {},
    LegalBasis.RECORD_OWNER: {"recipient": Recipient(RecipientKind.RECORD_SYSTEM, "ehr")},
    LegalBasis.OWN_FOLLOW_UP: {"recipient": Recipient(RecipientKind.REGIONAL_PLATFORM, "regional_platform")},
    LegalBasis.INTERNAL_COORDINATION: {"recipient": party(RecipientKind.SAME_CARE_PROVIDER), "same_provider": True},
    LegalBasis.STATUTORY_DUTY: {
        "categories": frozenset({TAPERING}),
        "purpose": Purpose.BENEFIT_DECISION,
        "public_provider": True,
        "ground": ASKED_FOR,
    },
    LegalBasis.EMERGENCY: {"recipient": party(RecipientKind.OTHER_CARE_PROVIDER), "ground": DANGER},
}


@pytest.mark.parametrize("basis", LegalBasis)
def test_each_ground_carries_what_it_is_for(basis: LegalBasis) -> None:
    decision = answer(COORDINATION, PERMISSION, question=asked(basis=basis, **CARRIED[basis]))
    assert (decision.permitted, decision.reasons) == (True, (PERMITTING[basis],))


@pytest.mark.parametrize(
    ("basis", "changes", "reason"),
    [
        (LegalBasis.STATUTORY_DUTY, {"public_provider": False}, Reason.PRIVATE_PROVIDER),
        (LegalBasis.STATUTORY_DUTY, {"ground": None}, Reason.REQUEST_NOT_NAMED),
        (LegalBasis.STATUTORY_DUTY, {"ground": DANGER}, Reason.REQUEST_NOT_NAMED),
        (LegalBasis.STATUTORY_DUTY, {"categories": frozenset({NEED})}, Reason.NOTICE_NEEDS_CONSENT),
        (LegalBasis.STATUTORY_DUTY, {"purpose": Purpose.COORDINATION}, Reason.OTHER_PURPOSE),
        (LegalBasis.STATUTORY_DUTY, {"recipient": EMPLOYER}, Reason.BASIS_NOT_APPLICABLE),
        *(
            (LegalBasis.EMERGENCY, {"recipient": party(kind)}, Reason.BASIS_NOT_APPLICABLE)
            for kind in (
                RecipientKind.EMPLOYER,
                RecipientKind.ARBETSFORMEDLINGEN,
                RecipientKind.FORSAKRINGSKASSAN,
                RecipientKind.MUNICIPALITY,
            )
        ),
        (LegalBasis.EMERGENCY, {"ground": None}, Reason.GROUND_NOT_STATED),
        (LegalBasis.EMERGENCY, {"ground": YESTERDAY}, Reason.GROUND_OVER),
        (LegalBasis.INTERNAL_COORDINATION, {"same_provider": False}, Reason.OTHER_PROVIDER),
        (LegalBasis.RECORD_OWNER, {"recipient": party(RecipientKind.RECORD_SYSTEM)}, Reason.OTHER_PROVIDER),
        (LegalBasis.OWN_FOLLOW_UP, {"recipient": party(RecipientKind.REGIONAL_PLATFORM)}, Reason.OTHER_PROVIDER),
        (LegalBasis.OWN_FOLLOW_UP, {"categories": frozenset({DIAGNOSIS})}, Reason.NEVER_SENT),
        *(
            (basis, {"sources": (SAME_PROVIDER,), "blocks": blocks}, reason)
            for basis in LegalBasis
            for blocks, reason in (
                (BlockAnswer.BLOCKED, Reason.UNDER_BLOCK),
                (BlockAnswer.NO_ANSWER, Reason.BLOCK_UNKNOWN),
                (BlockAnswer.NOT_ASKED, Reason.BLOCK_UNKNOWN),
            )
        ),
    ],
)
def test_a_ground_does_not_carry(basis: LegalBasis, changes: Changes, reason: Reason) -> None:
    decision = answer(COORDINATION, PERMISSION, question=asked(basis=basis, **{**CARRIED[basis], **changes}))
    assert (decision.permitted, decision.reasons) == (False, (reason,))


def test_only_the_services_own_names_stand_for_a_number() -> None:
    names = ("ehr", "regional_platform", "5560000001")
    for kind, name, basis, same in product(RecipientKind, names, LegalBasis, (True, False)):
        question = asked(recipient=Recipient(kind, name), basis=basis, same_provider=same)
        wrong = disagreement(decide(question, (), REGION), why_not(question, (), REGION))
        assert not wrong


def test_a_block_does_not_stop_the_units_own_information() -> None:
    own = asked(sources=(OWN,), blocks=BlockAnswer.BLOCKED)
    assert answer(COORDINATION, PERMISSION, question=own).permitted


def test_a_person_may_decide_that_a_marked_patient_is_told_of() -> None:
    marked = asked(protected_identity=True)
    assert answer(COORDINATION, PERMISSION, question=marked).reasons == (Reason.PROTECTED_IDENTITY,)
    assert answer(COORDINATION, PERMISSION, question=replace(marked, release=DANGER)).permitted
    assert not answer(COORDINATION, question=replace(marked, release=DANGER)).permitted


def test_a_decision_names_the_versions_that_it_rests_on() -> None:
    assert answer(COORDINATION, permission(version=3)).consents == (UsedConsent("permission", 3),)


def test_a_denial_names_the_refusal() -> None:
    refused = answer(COORDINATION, PERMISSION, refusal(version=2))
    assert refused.consents == (UsedConsent("refusal", 2),)


def test_a_denial_names_what_cannot_be_read() -> None:
    assert answer(COORDINATION, PERMISSION, UNREADABLE).consents == (UsedConsent("unreadable", 1),)


def test_every_reason_is_told_at_once() -> None:
    question = asked(protected_identity=True, categories=frozenset({SENSITIVE}))
    said = answer(NO_COORDINATION, REFUSAL, UNREADABLE, permission(period=PAST), question=question).reasons
    assert {*said} == {
        Reason.PROTECTED_IDENTITY,
        Reason.NEVER_SENT,
        Reason.COORDINATION_REFUSED,
        Reason.NO_COORDINATION_CONSENT,
        Reason.REFUSED,
        Reason.CONSENT_UNREADABLE,
        Reason.EXPIRED,
        Reason.CATEGORY_NOT_COVERED,
    }


def test_a_diagnosis_is_never_implied() -> None:
    question = asked(categories=frozenset({DIAGNOSIS}))
    all_but = frozenset(InformationCategory) - {DIAGNOSIS}
    implied = answer(COORDINATION, permission(categories=all_but), question=question)
    ticked = answer(COORDINATION, permission(categories=frozenset({DIAGNOSIS})), question=question)
    assert (implied.permitted, implied.reasons, ticked.permitted) == (False, (Reason.CATEGORY_NOT_COVERED,), True)


def test_the_same_party_is_told_by_its_key_whatever_its_kind_and_name() -> None:
    renamed = replace(FK, kind=RecipientKind.OTHER, name="Försäkringskassan, Storgatan")
    assert answer(COORDINATION, permission(recipient=renamed)).permitted
    assert not answer(COORDINATION, PERMISSION, refusal(recipient=renamed)).permitted


@pytest.mark.parametrize("basis", LegalBasis)
def test_where_consents_have_no_say_none_need_be_read(basis: LegalBasis) -> None:
    records: tuple[Record, ...] = ((COORDINATION, PERMISSION), (NO_COORDINATION, REFUSAL), (UNREADABLE,))
    for region, kind, stored in product((REGION, DEMANDING), RecipientKind, records):
        question = asked(basis=basis, recipient=party(kind))
        if not asks_for_consents(question, region):
            assert decide(question, stored, region) == decide(question, (), region)


# ---- The last day, and the first ---------------------------------------------------------------------------------

DAYS = {
    "the night of 29 March has 23 hours": (date(2026, 3, 29), "2026-03-28T23:00", "2026-03-29T22:00"),
    "the night of 25 October has 25 hours": (date(2026, 10, 25), "2026-10-24T22:00", "2026-10-25T23:00"),
    "a day in summer": (date(2026, 6, 30), "2026-06-29T22:00", "2026-06-30T22:00"),
    "the last day of the year": (date(2026, 12, 31), "2026-12-30T23:00", "2026-12-31T23:00"),
}


@pytest.mark.parametrize(("day", "begins", "ends"), DAYS.values(), ids=DAYS)
def test_the_last_day_counts_whole(day: date, begins: str, ends: str) -> None:
    start, end = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begins, ends))
    said = (COORDINATION, permission(period=Period.of_days(day, day)))
    instants = [start + minutes * timedelta(minutes=15) for minutes in range((end - start) // timedelta(minutes=15))]
    for at in (*instants, end - timedelta.resolution):
        assert answer(*said, question=asked(at=at)).permitted, at
    assert answer(*said, question=asked(at=start - timedelta.resolution)).reasons == (Reason.NOT_YET_VALID,)
    assert answer(*said, question=asked(at=end)).reasons == (Reason.EXPIRED,)


@pytest.mark.parametrize(("day", "begins", "ends"), DAYS.values(), ids=DAYS)
def test_a_refusal_holds_as_long(day: date, begins: str, ends: str) -> None:
    said = (COORDINATION, permission(period=YEAR), refusal(period=Period.of_days(day, day)))
    first, last = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (begins, ends))
    during = [answer(*said, question=asked(at=at)).reasons for at in (first, last - timedelta.resolution)]
    assert during == [(Reason.REFUSED,)] * 2
    assert answer(*said, question=asked(at=first - timedelta.resolution)).permitted


def test_a_consent_to_coordination_ends_with_its_last_day() -> None:
    coordinated = replace(COORDINATION, period=Period.of_days(None, date(2026, 10, 25)))
    end = day_start(date(2026, 10, 26))
    assert answer(coordinated, PERMISSION, question=asked(at=end - timedelta.resolution)).permitted
    ended = answer(coordinated, PERMISSION, question=asked(at=end))
    assert (ended.reasons, ended.consents) == ((Reason.COORDINATION_CONSENT_ENDED,), (UsedConsent("coordination", 1),))


@pytest.mark.parametrize(
    ("said", "last"),
    [
        (date(2026, 5, 4), date(2027, 5, 4)),
        (date(2025, 10, 25), date(2026, 10, 25)),
        (date(2025, 3, 29), date(2026, 3, 29)),
    ],
)
def test_an_event_that_never_comes_ends_a_consent_when_the_longest_one_would(said: date, last: date) -> None:
    waiting = permission(
        period=Period(), given=day_start(said) + timedelta(hours=9), ends_with_event="avstämningsmötet"
    )
    end = day_start(last + timedelta(days=1))
    assert answer(COORDINATION, waiting, question=asked(at=end - timedelta.resolution)).permitted
    assert answer(COORDINATION, waiting, question=asked(at=end)).reasons == (Reason.EXPIRED,)


# ---- What must hold whatever is on record ------------------------------------------------------------------------

ENOUGH = settings(max_examples=60, deadline=None)
"""The matrix is exhaustive; these look for what its dimensions leave out."""

_CATEGORIES = (NEED, CONTACT, TAPERING, SENSITIVE)
_PERIODS = (YEAR, PAST, FUTURE, Period())


def _some(of: Sequence[Any], least: int = 0) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(of), min_size=least)


def _mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The usual value three times of four: records in which everything differs are denied for everything."""
    return st.sampled_from([usual] * 3 * len(others) + list(others))


def _words(effect: Effect) -> st.SearchStrategy[Consent]:
    usual = PERMISSION if effect is Effect.PERMIT else REFUSAL
    least = 1 if effect is Effect.PERMIT else 0
    return st.builds(
        replace,
        st.just(usual),
        id=st.uuids().map(str),
        status=_mostly(ConsentStatus.ACTIVE, *ConsentStatus),
        recipient=_mostly(FK, EMPLOYER) if least else _mostly(FK, EMPLOYER, None),
        direction=_mostly(Direction.DISCLOSE, Direction.COLLECT) if least else st.sampled_from((*Direction, None)),
        purposes=_some(tuple(Purpose), least),
        categories=_some(_CATEGORIES, least),
        unit=_mostly(UNIT, ANOTHER_UNIT, None),
        period=_mostly(*_PERIODS),
        patient=_mostly(PATIENT, ANOTHER_PATIENT),
    )


PERMISSIONS, NOES = _words(Effect.PERMIT), _words(Effect.DENY)
COORDINATIONS: st.SearchStrategy[Consent] = st.builds(
    replace,
    st.just(COORDINATION),
    id=st.uuids().map(str),
    status=_mostly(ConsentStatus.ACTIVE, *ConsentStatus),
    effect=_mostly(Effect.PERMIT, Effect.DENY),
    period=_mostly(Period(), *_PERIODS),
)
RECORDS = st.tuples(
    st.lists(PERMISSIONS, max_size=3), st.lists(COORDINATIONS, max_size=2), st.lists(NOES, max_size=1)
).map(lambda lists: [COORDINATION, *lists[0], *lists[1], *lists[2]])
ASKING = st.builds(
    replace,
    st.just(QUESTION),
    recipient=_mostly(FK, EMPLOYER, party(RecipientKind.SAME_CARE_PROVIDER)),
    categories=_mostly(frozenset({NEED}), frozenset({CONTACT}), frozenset({NEED, CONTACT}), frozenset()),
    direction=_mostly(*Direction),
    purpose=_mostly(*Purpose),
    basis=_mostly(LegalBasis.CONSENT, LegalBasis.INTERNAL_COORDINATION),
    at=_mostly(NOW, YEAR.end, PAST.end, FUTURE.start, datetime(2025, 1, 1, tzinfo=UTC)),
)


def permits(question: Question, stored: Sequence[Stored]) -> bool:
    return decide(question, stored, REGION).permitted


@ENOUGH
@given(ASKING, RECORDS)
def test_any_record_is_read_like_the_text(question: Question, stored: list[Stored]) -> None:
    wrong = disagreement(decide(question, stored, REGION), why_not(question, stored, REGION))
    assert not wrong


@ENOUGH
@given(ASKING, RECORDS, NOES)
def test_adding_a_refusal_never_opens(question: Question, stored: list[Stored], no: Consent) -> None:
    assert permits(question, stored) or not permits(question, [*stored, no])


@ENOUGH
@given(ASKING, RECORDS, st.data())
def test_removing_a_permission_never_opens(question: Question, stored: list[Stored], data: st.DataObject) -> None:
    permissions = [each for each in stored if isinstance(each, Consent) and each.effect is Effect.PERMIT]
    gone = data.draw(st.sampled_from(permissions))
    assert permits(question, stored) or not permits(question, [each for each in stored if each is not gone])


def _narrower(word: Consent) -> list[Consent]:
    return [
        *(replace(word, categories=word.categories - {each}) for each in word.categories),
        *(replace(word, purposes=word.purposes - {each}) for each in word.purposes),
        replace(word, period=replace(word.period, start=max(filter(None, (word.period.start, NOW))))),
        replace(word, period=replace(word.period, end=min(filter(None, (word.period.end, NOW))))),
        *(replace(word, status=status) for status in ConsentStatus if status is not ConsentStatus.ACTIVE),
    ]


@ENOUGH
@given(ASKING, RECORDS, PERMISSIONS)
def test_narrowing_a_permission_never_opens(question: Question, stored: list[Stored], wide: Consent) -> None:
    assume(not permits(question, [*stored, wide]) and wide.status is ConsentStatus.ACTIVE)
    assume(not wide.ends_with_event and wide.period.end)
    for narrow in _narrower(wide):
        assert not permits(question, [*stored, narrow]), narrow


@ENOUGH
@given(ASKING, RECORDS, st.randoms(use_true_random=False))
def test_order_and_repetition_never_matter(question: Question, stored: list[Stored], chance: Random) -> None:
    shuffled = chance.sample(stored * 2, len(stored) * 2)
    assert decide(question, shuffled, REGION) == decide(question, stored, REGION)


@ENOUGH
@given(ASKING, RECORDS, st.sampled_from(list(LegalBasis)), st.sampled_from(list(RecipientKind)), st.data())
def test_what_is_less_known_never_opens(
    question: Question, stored: list[Stored], basis: LegalBasis, kind: RecipientKind, data: st.DataObject
) -> None:
    """A fact that is missing, a ground nobody stated, a block service that does not answer: each can only close."""
    known = replace(
        question,
        basis=basis,
        recipient=party(kind),
        at=NOW,
        categories=frozenset({TAPERING}),
        purpose=Purpose.BENEFIT_DECISION,
        ground=replace(DANGER, request="FK-2026-1"),
        public_provider=True,
        same_provider=True,
        sources=(SAME_PROVIDER,),
        blocks=BlockAnswer.CLEAR,
        protected_identity=True,
        release=DANGER,
    )
    less = [
        {"ground": None},
        {"release": None},
        {"public_provider": False},
        {"same_provider": False},
        {"blocks": data.draw(st.sampled_from(list(BlockAnswer)))},
        {"categories": frozenset()},
    ]
    for change in less:
        unknown: Question = replace(known, **change)  # type: ignore[arg-type]  # a mixed bag of fields
        assert permits(known, stored) or not permits(unknown, stored), change


@ENOUGH
@given(ASKING, RECORDS)
def test_swapping_the_direction_never_keeps_a_permit(question: Question, stored: list[Stored]) -> None:
    """Telling never implies asking (rule 5). Only the words in one direction are on record; within the provider no
    direction is asked about."""
    other = Direction.COLLECT if question.direction is Direction.DISCLOSE else Direction.DISCLOSE
    one_way = [each for each in stored if not isinstance(each, Consent) or each.direction in (question.direction, None)]
    by_consent = replace(question, basis=LegalBasis.CONSENT)
    assert not permits(replace(by_consent, direction=other), one_way)


@ENOUGH
@given(ASKING, RECORDS, NOES | PERMISSIONS)
def test_the_words_of_another_patient_change_nothing(question: Question, stored: list[Stored], word: Consent) -> None:
    other = replace(word, patient=ANOTHER_PATIENT)
    assert decide(question, [*stored, other], REGION) == decide(question, stored, REGION)


@ENOUGH
@given(ASKING, RECORDS)
def test_what_cannot_be_read_denies(question: Question, stored: list[Stored]) -> None:
    assert Reason.CONSENT_UNREADABLE in decide(question, [*stored, UNREADABLE], REGION).reasons


@ENOUGH
@given(ASKING, RECORDS, st.sampled_from(list(LegalBasis)))
def test_an_answer_always_says_why(question: Question, stored: list[Stored], basis: LegalBasis) -> None:
    decision = decide(replace(question, basis=basis), stored, REGION)
    assert decision.reasons
    assert decision.permitted == all(reason in PERMITTING.values() for reason in decision.reasons)


# ---- A later yes and an earlier no (rule 4) ----------------------------------------------------------------------

YES_IN_FULL = permission(
    purposes=frozenset(Purpose), given=NOW, period=Period.of_days(date(2026, 5, 4), date(2026, 8, 31))
)
NO_IN_PART = refusal(categories=frozenset({NEED}), purposes=frozenset({Purpose.COORDINATION}))

WIDTHS: dict[str, tuple[Changes, bool, bool]] = {
    "the same recipient, category and purpose": ({}, True, True),
    "every category": ({"categories": frozenset()}, True, False),
    "a category more": ({"categories": frozenset({NEED, TAPERING})}, True, False),
    "another category": ({"categories": frozenset({TAPERING})}, False, False),
    "every purpose": ({"purposes": frozenset()}, True, False),
    "for everything to everybody": (
        {"purposes": frozenset(), "categories": frozenset(), "recipient": None},
        True,
        False,
    ),
    "both purposes": ({"purposes": frozenset(Purpose)}, True, True),
    "every recipient": ({"recipient": None}, True, False),
    "another recipient": ({"recipient": EMPLOYER}, False, False),
    "either direction": ({"direction": None}, True, False),
    "the other direction": ({"direction": Direction.COLLECT}, False, False),
    "another unit": ({"unit": ANOTHER_UNIT}, False, False),
    "no named unit": ({"unit": None}, True, True),
    "ended": ({"status": ConsentStatus.INACTIVE}, False, True),
    "over": ({"period": PAST}, False, True),
    "not yet": ({"period": FUTURE}, False, True),
    "to coordination": ({"kind": ConsentKind.COORDINATION}, False, False),
    "a permission": ({"effect": Effect.PERMIT}, False, True),
}


@pytest.mark.parametrize(("changes", "in_the_way", "taken_back"), WIDTHS.values(), ids=WIDTHS)
def test_a_new_yes_and_a_refusal_of(changes: Changes, in_the_way: bool, taken_back: bool) -> None:
    no = replace(NO_IN_PART, **changes)
    assert (touches(no, YES_IN_FULL, NOW), covers(YES_IN_FULL, no)) == (in_the_way, taken_back)


COORDINATED_AGAIN: dict[str, tuple[Changes, Changes, bool, bool]] = {
    "the same unit": ({}, {}, True, True),
    "another unit": ({"unit": ANOTHER_UNIT}, {}, False, False),
    "no named unit": ({"unit": None}, {}, True, True),
    "a refusal of disclosure": ({"kind": ConsentKind.DISCLOSURE}, {}, False, False),
    "a yes that names no unit": ({}, {"unit": None}, True, True),
    "categories, which mean nothing here": ({"categories": frozenset({NEED})}, {}, True, True),
    "a yes from tomorrow": ({}, {"period": FUTURE}, True, False),
    "a yes from today": ({}, {"period": Period.of_days(date(2026, 5, 4), None)}, True, True),
}


@pytest.mark.parametrize(("no", "yes", "in_the_way", "taken_back"), COORDINATED_AGAIN.values(), ids=COORDINATED_AGAIN)
def test_a_new_yes_to_coordination(no: Changes, yes: Changes, in_the_way: bool, taken_back: bool) -> None:
    refused, agreed = replace(NO_COORDINATION, **no), replace(COORDINATION, **{"given": NOW, **yes})
    assert (touches(refused, agreed, NOW), covers(agreed, refused)) == (in_the_way, taken_back)


def test_a_yes_for_later_leaves_the_refusal() -> None:
    """Else an older permission, which the refusal holds back, would be open until then."""
    later = replace(YES_IN_FULL, period=FUTURE)
    assert (touches(NO_IN_PART, later, NOW), covers(later, NO_IN_PART)) == (True, False)
    assert not covers(replace(YES_IN_FULL, given=None), NO_IN_PART)


def test_a_yes_from_before_the_refusal_leaves_it() -> None:
    assert not covers(YES_IN_FULL, replace(NO_IN_PART, given=NOW + timedelta(seconds=1)))
    assert covers(YES_IN_FULL, replace(NO_IN_PART, given=NOW))


def test_a_yes_for_what_is_over_leaves_the_refusal() -> None:
    assert not covers(replace(YES_IN_FULL, period=PAST), NO_IN_PART)


def _takes_back(no: Consent, more: frozenset[InformationCategory], period: Period) -> Consent:
    said = {"recipient": no.recipient, "direction": no.direction, "purposes": no.purposes, "period": period}
    return permission(id="yes", given=NOW, categories=no.categories | more, **said)


@ENOUGH
@given(
    st.lists(PERMISSIONS.map(lambda word: replace(word, unit=UNIT)), min_size=1, max_size=3),
    NOES.map(lambda word: replace(word, unit=UNIT, patient=PATIENT, status=ConsentStatus.ACTIVE, period=Period())),
    _some(_CATEGORIES),
    st.sampled_from(_PERIODS),
)
def test_ending_a_refusal_opens_only_what_the_new_yes_says(
    earlier: list[Consent], no: Consent, more: frozenset[InformationCategory], period: Period
) -> None:
    yes = _takes_back(no, more, period)
    if not (touches(no, yes, NOW) and covers(yes, no)):
        return
    for to, direction, category, purpose in product((FK, EMPLOYER), Direction, _CATEGORIES, Purpose):
        question = asked(recipient=to, direction=direction, categories=frozenset({category}), purpose=purpose)
        before = permits(question, [COORDINATION, *earlier, no])
        after = permits(question, [COORDINATION, *earlier])
        says = category in yes.categories and purpose in yes.purposes and to == yes.recipient
        assert before or not after or says


# ---- The patient's new word (rules 3, 4) --------------------------------------------------------------------------

HOUR = timedelta(hours=1)
TAKEN_BACK = replace(YES_IN_FULL, status=ConsentStatus.INACTIVE, period=Period(YES_IN_FULL.period.start, NOW + HOUR))
BEFORE: dict[str, tuple[Stored, timedelta]] = {
    # what stood before, and how long after NOW the patient's new word must be
    "taken back": (TAKEN_BACK, HOUR - timedelta(seconds=1)),
    "taken back by its status alone": (replace(YES_IN_FULL, status=ConsentStatus.INACTIVE), 2 * HOUR),
    "rejected": (replace(YES_IN_FULL, status=ConsentStatus.REJECTED), 2 * HOUR),
    "in error": (replace(YES_IN_FULL, status=ConsentStatus.ENTERED_IN_ERROR), 2 * HOUR),
    "refused": (replace(REFUSAL, given=NOW), 2 * HOUR),
    "refused, and ended": (replace(REFUSAL, given=NOW, status=ConsentStatus.INACTIVE), 2 * HOUR),
    "unreadable": (UNREADABLE, 2 * HOUR),
}


@pytest.mark.parametrize(("before", "distance"), BEFORE.values(), ids=BEFORE)
def test_what_is_over_needs_a_word_from_after(before: Stored, distance: timedelta) -> None:
    """``NOW + 2 h`` is when it was recorded; times are written to the second."""
    recorded = NOW + 2 * HOUR + timedelta(microseconds=9)
    after = replace(YES_IN_FULL, given=NOW + distance)
    assert not is_old_word(after, before, recorded)
    assert is_old_word(replace(after, given=NOW + distance - timedelta(seconds=1)), before, recorded)


@pytest.mark.parametrize("status", [ConsentStatus.DRAFT, ConsentStatus.PROPOSED])
def test_a_draft_becomes_what_the_patient_says(status: ConsentStatus) -> None:
    assert not is_old_word(YES_IN_FULL, replace(YES_IN_FULL, status=status), NOW + HOUR)


WIDER: dict[str, tuple[Changes, bool]] = {
    "the same": ({}, False),
    "fewer categories": ({"categories": frozenset({NEED})}, False),
    "another category": ({"categories": frozenset({NEED, TAPERING})}, True),
    "fewer purposes": ({"purposes": frozenset({Purpose.COORDINATION})}, False),
    "another recipient": ({"recipient": EMPLOYER}, True),
    "the other direction": ({"direction": Direction.COLLECT}, True),
    "another unit": ({"unit": ANOTHER_UNIT}, True),
    "a day shorter": ({"period": Period.of_days(date(2026, 5, 4), date(2026, 8, 30))}, False),
    "a day longer": ({"period": Period.of_days(date(2026, 5, 4), date(2026, 9, 1))}, True),
    "a day earlier": ({"period": Period.of_days(date(2026, 5, 3), date(2026, 8, 31))}, True),
    "until an event instead": ({"period": Period(), "ends_with_event": "mötet"}, True),
}


@pytest.mark.parametrize(("changes", "is_wider"), WIDER.values(), ids=WIDER)
def test_a_permission_that_covers_more_needs_a_later_word(changes: Changes, is_wider: bool) -> None:
    new = replace(YES_IN_FULL, **changes)
    assert is_old_word(new, YES_IN_FULL, NOW) == is_wider
    assert not is_old_word(replace(new, given=NOW + timedelta(seconds=1)), YES_IN_FULL, NOW)


def test_one_that_an_event_ends_is_not_begun_anew() -> None:
    waiting = replace(YES_IN_FULL, period=Period(NOW), ends_with_event="mötet")
    assert not is_old_word(waiting, waiting, NOW)
    assert is_old_word(replace(waiting, period=Period(NOW + HOUR)), waiting, NOW)
    assert is_old_word(replace(waiting, ends_with_event="ett annat möte"), waiting, NOW)


COPIES: dict[str, tuple[Changes, bool]] = {
    "a copy": ({}, True),
    "a part of it": ({"categories": frozenset({NEED})}, True),
    "an earlier word": ({"given": NOW - HOUR}, True),
    "a later word from before it was taken back": ({"given": NOW + timedelta(minutes=1)}, True),
    "the patient's new word": ({"given": NOW + HOUR}, False),
    "to somebody else": ({"recipient": EMPLOYER}, False),
    "more": ({"categories": frozenset({NEED, TAPERING})}, True),
    "of the other kind": ({"kind": ConsentKind.COORDINATION}, False),
}


@pytest.mark.parametrize(("changes", "is_back"), COPIES.values(), ids=COPIES)
def test_a_copy_of_what_was_taken_back_brings_nothing_back(changes: Changes, is_back: bool) -> None:
    copy = replace(YES_IN_FULL, id="copy", **changes)
    assert brings_back(copy, TAKEN_BACK, NOW + HOUR) == is_back
    assert brings_back(copy, replace(TAKEN_BACK, status=ConsentStatus.REJECTED), NOW + HOUR) == is_back
    assert not brings_back(copy, YES_IN_FULL, NOW + HOUR)


def test_a_withdrawal_need_not_repeat_what_it_withdraws() -> None:
    lean = replace(TAKEN_BACK, recipient=None, categories=frozenset(), purposes=frozenset(), direction=None)
    assert brings_back(YES_IN_FULL, lean, NOW + HOUR)
    assert not brings_back(replace(YES_IN_FULL, given=NOW + HOUR), lean, NOW + HOUR)


def test_a_clock_that_was_ahead_brings_nothing_back() -> None:
    """Given, it says, a little after it was taken back."""
    ahead = replace(YES_IN_FULL, given=NOW + timedelta(seconds=40))
    taken_back = replace(ahead, status=ConsentStatus.INACTIVE)
    assert brings_back(ahead, taken_back, NOW + timedelta(seconds=10))
    assert not brings_back(replace(ahead, given=NOW + timedelta(seconds=41)), taken_back, NOW + timedelta(seconds=10))


NARROW = replace(YES_IN_FULL, categories=frozenset({NEED}))
WIDER_AGAIN: dict[str, tuple[Changes, Stored, bool]] = {
    # what comes, what stands since an hour ago, and whether that brings back what was narrowed
    "a copy": ({}, NARROW, True),
    "what was taken out alone": ({"categories": frozenset({InformationCategory.CONTACT_DETAILS})}, NARROW, True),
    "what is left": ({"categories": frozenset({NEED})}, NARROW, False),
    "what was never in it": ({"categories": frozenset({TAPERING})}, NARROW, False),
    "the patient's new word": ({"given": NOW + HOUR}, NARROW, False),
    "a word from between": ({"given": NOW + timedelta(minutes=59)}, NARROW, True),
    "to somebody else": ({"recipient": EMPLOYER}, NARROW, False),
    "by another unit": ({"unit": ANOTHER_UNIT}, NARROW, False),
    "fewer purposes": ({}, replace(YES_IN_FULL, purposes=frozenset({Purpose.COORDINATION})), True),
    "a shorter period": ({}, replace(YES_IN_FULL, period=Period.of_days(date(2026, 5, 4), date(2026, 6, 30))), True),
    "no longer than that": (
        {"period": Period.of_days(date(2026, 5, 4), date(2026, 6, 1))},
        replace(YES_IN_FULL, period=Period.of_days(date(2026, 5, 4), date(2026, 6, 30))),
        False,
    ),
    "to another party instead": ({}, replace(YES_IN_FULL, recipient=EMPLOYER), True),
    "nothing that counts was changed": ({}, replace(YES_IN_FULL, version=2), False),
    "longer than ever": (
        {"period": Period.of_days(date(2026, 5, 4), date(2026, 12, 31))},
        replace(YES_IN_FULL, version=2),
        False,
    ),
    "it was taken back": ({}, TAKEN_BACK, False),  # which brings_back sees
    "it cannot be read": ({}, UNREADABLE, False),
}


@pytest.mark.parametrize(("changes", "stands", "is_wider"), WIDER_AGAIN.values(), ids=WIDER_AGAIN)
def test_what_was_narrowed_is_not_widened_by_a_word_from_before(
    changes: Changes, stands: Stored, is_wider: bool
) -> None:
    copy = replace(YES_IN_FULL, id="copy", **changes)
    assert widens_again(copy, YES_IN_FULL, stands, NOW + HOUR) == is_wider
    assert not widens_again(copy, UNREADABLE, stands, NOW + HOUR)
    assert not widens_again(copy, replace(YES_IN_FULL, status=ConsentStatus.DRAFT), stands, NOW + HOUR)


# ---- At the door -------------------------------------------------------------------------------------------------

WHOLE = permission(given=NOW, period=Period.of_days(date(2026, 5, 4), date(2026, 11, 4)))

TOO_GENERAL: dict[str, tuple[Changes, tuple[str, ...]]] = {
    "nothing is missing": ({}, ()),
    "an event stands for the end": ({"period": Period(), "ends_with_event": "avstämningsmötet"}, ()),
    "nobody is named": ({"recipient": None}, ("Consent.provision.actor",)),
    "no purpose": ({"purposes": frozenset()}, ("Consent.provision.purpose",)),
    "no category": ({"categories": frozenset()}, ("Consent.provision.code",)),
    "every category": ({"categories": frozenset(InformationCategory)}, ("Consent.provision.code",)),
    "every category but the one that is ticked alone": (
        {"categories": frozenset(InformationCategory) - {DIAGNOSIS}},
        ("Consent.provision.code",),
    ),
    "every category that can be told": (
        {"categories": frozenset(InformationCategory) - {SENSITIVE}},
        ("Consent.provision.code",),
    ),
    "all categories but an ordinary one": ({"categories": frozenset(InformationCategory) - {CONTACT}}, ()),
    "an event that never comes": (
        {"period": Period(), "ends_with_event": "Tills vidare."},
        ("Consent.provision.extension",),
    ),
    "somebody whom no number names": (
        {"recipient": Recipient(RecipientKind.OTHER, "Organization/all-authorities", "Alla myndigheter")},
        ("Consent.provision.actor",),
    ),
    "no direction": ({"direction": None}, ("Consent.provision.action",)),
    "no end": ({"period": Period()}, ("Consent.provision.period.end",)),
    "no end, only a start": ({"period": Period(NOW)}, ("Consent.provision.period.end",)),
    "ends before it starts": ({"period": Period(NOW, NOW - timedelta(days=1))}, ("Consent.provision.period",)),
    "ends as it starts": ({"period": Period(NOW, NOW)}, ("Consent.provision.period",)),
    "all of it": (
        {
            "recipient": None,
            "purposes": frozenset(),
            "categories": frozenset(),
            "direction": None,
            "period": Period(),
        },
        (
            "Consent.provision.actor",
            "Consent.provision.purpose",
            "Consent.provision.code",
            "Consent.provision.action",
            "Consent.provision.period.end",
        ),
    ),
}


@pytest.mark.parametrize(("changes", "at"), TOO_GENERAL.values(), ids=TOO_GENERAL)
def test_a_permission_is_too_general_when(changes: Changes, at: tuple[str, ...]) -> None:
    issues = too_general(replace(WHOLE, **changes), REGION)
    assert tuple(issue.expression for issue in issues) == at
    assert {issue.rule for issue in issues} <= {"consent-too-general"}


@pytest.mark.parametrize(
    "event",
    [
        *("Tills  vidare", "gäller tills vidare", "t.v.", "tills den återkallas", "tills jag ångrar mig", "livet ut"),
        *("på obestämd tid", "så länge det behövs", "utan tidsgräns", "inte tidsbegränsat", "permanent"),
        *("tills jag säger ifrån", "tills patienten säger till", "så länge samtycket gäller", "gäller permanent"),
        *(
            "tills samtycket upphävs",
            "tills patienten återkallar beslutet",
            "tills jag upphäver mitt beslut",
            "upphävs",
        ),
        *("until the consent is revoked", "until she withdraws her decision"),
        *(
            "until withdrawn",
            "for ever",
            "no end",
            "aldrig",
            "för evigt",
            "ingen",
            "vet ej",
            "alla",
            "-",
            "?",
            "2.",
            "x",
        ),
    ],
)
def test_an_event_that_is_none_is_told_however_it_is_written(event: str) -> None:
    (issue,) = too_general(replace(WHOLE, period=Period(), ends_with_event=event), REGION)
    assert issue.expression == "Consent.provision.extension"


@pytest.mark.parametrize(
    "event",
    [
        "SIP",
        "mötet",
        "behandlingen är klar",
        "nästa anfall",
        "ingen sjukskrivning finns",
        "patienten återtar arbetet",
        "sjukskrivningen upphör",
        "novembermötet",
        "tills beslutet upphävs",
        "beslutet om sjukpenning återkallas",
        "när förordnandet har återkallats",
        "until the decision is revoked",
        "så länge sjukskrivningen pågår",
        "så länge patienten är sjukskriven",
        "den tidsbegränsade anställningen är slut",
        "tjänsten blir permanent",
        "en tillsvidareanställning börjar",
        "efter mötet på Långrannagatan",
    ],
)
def test_an_event_that_comes_about_ends_a_consent(event: str) -> None:
    assert too_general(replace(WHOLE, period=Period(), ends_with_event=event), REGION) == ()


@pytest.mark.parametrize("changes", [changes for changes, at in TOO_GENERAL.values() if at])
def test_a_refusal_may_be_as_wide_as_the_patient_wants(changes: Changes) -> None:
    assert too_general(replace(WHOLE, effect=Effect.DENY, **changes), REGION) == ()


def test_only_a_consent_to_disclosure_is_tested_for_being_too_general() -> None:
    assert too_general(COORDINATION, REGION) == ()


def test_that_an_end_is_asked_for_is_policy_and_the_error_says_so() -> None:
    endless, too_long = Period(), Period.of_days(date(2026, 5, 4), date(2028, 5, 4))
    for period in (endless, too_long):
        (issue,) = too_general(replace(WHOLE, period=period), REGION)
        assert "the unit's policy" in issue.text
        assert "not law" in issue.text


@pytest.mark.parametrize(
    ("first", "last", "longest", "allowed"),
    [
        (date(2026, 5, 4), date(2027, 5, 4), 366, True),
        (date(2026, 5, 4), date(2027, 5, 5), 366, False),
        (date(2027, 5, 4), date(2028, 5, 3), 366, True),
        (date(2027, 10, 31), date(2028, 10, 30), 366, True),
        (date(2026, 3, 28), date(2027, 3, 28), 366, True),
        (date(2026, 3, 28), date(2027, 3, 29), 366, False),
        (date(2026, 5, 4), date(2026, 6, 2), 30, True),
        (date(2026, 5, 4), date(2026, 6, 3), 30, False),
        (date(2026, 5, 4), date(2026, 5, 4), 1, True),
    ],
)
def test_the_longest_time_is_the_regions_counted_in_days(first: date, last: date, longest: int, allowed: bool) -> None:
    region = replace(REGION, longest_consent_days=longest)
    issues = too_general(replace(WHOLE, period=Period.of_days(first, last)), region)
    assert [issue.expression for issue in issues] == ([] if allowed else ["Consent.provision.period.end"])


def test_without_a_start_the_time_is_counted_from_when_it_was_given() -> None:
    until = Period.of_days(None, date(2027, 5, 6))
    assert too_general(replace(WHOLE, period=until), REGION)
    assert too_general(replace(WHOLE, period=until, given=day_start(date(2026, 5, 6))), REGION) == ()
    assert too_general(replace(WHOLE, period=until, given=None), REGION) == ()


@ENOUGH
@given(st.builds(replace, PERMISSIONS, given=st.just(NOW)), st.sampled_from(_CATEGORIES))
def test_what_passes_the_door_permits_what_it_says(word: Consent, category: InformationCategory) -> None:
    """No part can be missing that the decision needs: a permission that was kept is one that works."""
    kept = replace(word, status=ConsentStatus.ACTIVE, patient=PATIENT, unit=UNIT)
    assume(not too_general(kept, REGION) and kept.period.holds(NOW) and category is not SENSITIVE)
    assert kept.recipient is not None
    assert kept.direction is not None
    question = asked(recipient=kept.recipient, direction=kept.direction, categories=frozenset({category}))
    for purpose in Purpose:
        covered = category in kept.categories and purpose in kept.purposes
        assert permits(replace(question, purpose=purpose), [COORDINATION, kept]) == covered
