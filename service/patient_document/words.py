"""What the document says, in words that need no explaining."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from contracts.consent import Recipient, RecipientKind
from contracts.plan import BY_PATIENT, Measure, MeasureWord, PlanGoal, PlanKind, PlanSeen, Principal
from contracts.time import swedish_day
from service.patient_document.blocks import Block, Document, Entries, Entry, Ladder, Paragraph, Points, Rung, Section

TITLES: Final = {
    PlanKind.SICK_LEAVE_AND_REHAB: "Din plan för att komma tillbaka i arbete",
    PlanKind.REHAB: "Din rehabiliteringsplan",
    PlanKind.SIP: "Din samordnade individuella plan",
}
_STATUS: Final = {
    "draft": "Det här är ett utkast. Planen gäller inte än.",
    "on-hold": "Planen vilar just nu.",
    "revoked": "Planen gäller inte längre.",
    "completed": "Planen är avslutad.",
}
_MONTHS: Final = [
    "januari",
    "februari",
    "mars",
    "april",
    "maj",
    "juni",
    "juli",
    "augusti",
    "september",
    "oktober",
    "november",
    "december",
]

MEANINGS: Final = {
    MeasureWord.AKTIVERING: (
        "Aktivering",
        "En del av vården som ska hjälpa dig att bli mer aktiv. Du behöver inte klara det som ett arbete kräver.",
    ),
    MeasureWord.SYSSELSATTNING: (
        "Sysselsättning",
        "Något att göra på bestämda tider, anpassat efter dig. Andra räknar med att du kommer, men ingen ställer krav som "
        "på ett arbete.",
    ),
    MeasureWord.ARBETSTRANING: (
        "Arbetsträning",
        "Du tränar på en arbetsplats på att klara vissa uppgifter. Försäkringskassan eller Arbetsförmedlingen beslutar om "
        "du får arbetsträna.",
    ),
    MeasureWord.ARBETSPROVNING: (
        "Arbetsprövning",
        "En utredning av vad du klarar jämfört med vad olika arbeten kräver.",
    ),
    MeasureWord.ANSTALLNING_MED_STOD: (
        "Anställning med stöd",
        "Ett arbete för den som har en funktionsnedsättning, där du får stöd.",
    ),
    MeasureWord.PRAKTIK: (
        "Praktik",
        "Tid på en arbetsplats för att pröva ett arbete, få erfarenhet eller hålla kvar det du kan.",
    ),
}
"""The defined words as a patient reads them: the guide's definitions, said to ``du``."""

_PRINCIPALS: Final = {
    Principal.REGION: "Det här gör vården (regionen)",
    Principal.MUNICIPALITY: "Det här gör kommunen",
    Principal.OTHER: "Det här gör andra",
    None: "Det här gör vi också",
}
_KINDS: Final = {
    RecipientKind.FORSAKRINGSKASSAN: "Försäkringskassan",
    RecipientKind.ARBETSFORMEDLINGEN: "Arbetsförmedlingen",
    RecipientKind.MUNICIPALITY: "kommunen",
    RecipientKind.EMPLOYER: "din arbetsgivare",
    RecipientKind.OCCUPATIONAL_HEALTH: "företagshälsovården",
    RecipientKind.UNION: "ditt fackförbund",
    RecipientKind.OTHER_CARE_PROVIDER: "en annan vårdgivare",
}
_SICK_LEAVE: Final = {
    100: ("Helt sjukskriven", "Ingen"),
    75: ("Sjukskriven tre fjärdedelar (75 procent)", "En fjärdedel av tiden"),
    50: ("Sjukskriven halva tiden (50 procent)", "Halva tiden"),
    25: ("Sjukskriven en fjärdedel (25 procent)", "Tre fjärdedelar av tiden"),
    0: ("Inte sjukskriven", "Hela tiden"),
}


def document(seen: PlanSeen) -> Document:
    """The whole document."""
    return Document(
        title=TITLES[seen.plan.kind],
        about=tuple(_about(seen)),
        intro=tuple(_intro(seen)),
        sections=tuple(_sections(seen)),
        foot=f"Version {seen.version} av planen. Dokumentet är framtaget den {day(seen.on)}.",
    )


def day(on: date) -> str:
    """14 december 2026."""
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def _about(seen: PlanSeen) -> Iterator[str]:
    if seen.patient_name:
        yield f"För {seen.patient_name}"
    yield f"Version {seen.version}, ändrad den {day(swedish_day(seen.changed))}"
    start, end = seen.plan.start, seen.plan.end
    if start or end:
        since, until = f"från den {day(start)}" if start else "", f"till den {day(end)}" if end else ""
        yield " ".join(filter(None, ("Gäller", since, until)))


def _intro(seen: PlanSeen) -> Iterator[str]:
    if seen.status in _STATUS:
        yield _STATUS[seen.status]
    others = seen.plan.participants
    if seen.plan.with_patient:
        yield (
            f"Vi har gjort planen tillsammans: {_listed(('du', *others))}."
            if others
            else "Du har varit med och gjort planen."
        )
    elif others:
        yield f"Planen är gjord av {_listed(others)}."
    if seen.plan.kind is PlanKind.SIP and seen.plan.led_by:
        yield f"Den som håller ihop planen och ser till att den följs är {seen.plan.led_by}."
    yield "Planen är din. Säg till om något inte stämmer, om något saknas eller om du vill ändra något."


def _sections(seen: PlanSeen) -> Iterator[Section]:
    yield Section("Vem du kan kontakta", tuple(_contact(seen)))
    if goals := tuple(each.description for each in seen.goals if each.description):
        yield Section("Det här vill vi nå", (Points(goals),))
    yield from _ladders([each for each in seen.goals if each.tapering])
    if seen.measures:
        yield from _measures(seen)
    yield Section("När vi följer upp planen", tuple(_follow_ups(seen)))
    if seen.told:
        told = tuple(Entry(each.question, (("Ditt svar", each.answer),)) for each in seen.told)
        yield Section("Det du har berättat för oss", (Entries(told),))
    yield Section("Vad som händer med dina uppgifter", tuple(_information(seen)))
    yield Section("Du bestämmer", _YOUR_RIGHT)


def _contact(seen: PlanSeen) -> Iterator[Block]:
    contact, unit = seen.plan.contact, seen.unit_name
    if contact is None:
        yield Paragraph(f"Kontakta {unit or 'din vårdenhet'} och säg att det gäller din plan.")
        return
    at = f" på {unit}" if unit else ""
    yield Paragraph(f"{contact.name or 'En person'}{at} är din kontaktperson. Hör gärna av dig om det är något.")
    if contact.reached_at:
        yield Points(contact.reached_at)


# ---- The way back ------------------------------------------------------------------------------------------------


def _ladders(goals: list[PlanGoal]) -> Iterator[Section]:
    for goal in goals:
        about = (Paragraph(f"Det här gäller målet: {goal.description}"),) if len(goals) > 1 else ()
        yield Section("Steg för steg tillbaka", (*about, _ladder(goal), Paragraph(_ABOUT_LADDER)))


def _ladder(goal: PlanGoal) -> Ladder:
    rungs = (Rung(day(step.due), *_degree(step.degree), 100 - step.degree) for step in goal.tapering)
    return Ladder(("Från den", "Sjukskrivning", "Tid för arbete"), tuple(rungs))


def _degree(degree: int) -> tuple[str, str]:
    """How much sick leave, and how much time that leaves for work."""
    return _SICK_LEAVE.get(degree, (f"Sjukskriven {degree} procent", f"{100 - degree} procent av tiden"))


_ABOUT_LADDER: Final = (
    "Stegen är en plan, inte ett beslut. Läkaren bedömer om du behöver vara sjukskriven och hur mycket. Försäkringskassan "
    "beslutar om du får sjukpenning. Går det för fort eller för långsamt, säg till: då ändrar vi planen."
)


# ---- Measures ----------------------------------------------------------------------------------------------------


def _measures(seen: PlanSeen) -> Iterator[Section]:
    meanings = _meanings(seen.measures)
    if seen.plan.kind is not PlanKind.SIP:
        yield Section("Vad vi gör och vem som gör det", (Entries(_entries(seen.measures)), *meanings))
        return
    for principal, heading in _PRINCIPALS.items():
        theirs = tuple(each for each in seen.measures if each.principal is principal)
        if theirs:
            yield Section(heading, (Entries(_entries(theirs)),))
    if meanings:
        yield Section("Vad orden betyder", meanings)


def _entries(measures: Iterable[Measure]) -> tuple[Entry, ...]:
    return tuple(Entry(each.description, tuple(_facts(each))) for each in measures)


def _facts(measure: Measure) -> Iterator[tuple[str, str]]:
    if measure.owner:
        yield "Vem gör det", _person(measure.owner)
    if measure.decided_by:
        yield "Vem beslutar", measure.decided_by
    if measure.patient_first is not None:
        yield (
            "Första kontakten",
            "Den tar du själv. Vi hjälper dig om du vill." if measure.patient_first else "Den tar vi.",
        )


def _person(owner: str) -> str:
    return "Du" if owner == BY_PATIENT else owner


def _meanings(measures: Iterable[Measure]) -> tuple[Block, ...]:
    used = dict.fromkeys(each.word for each in measures if each.word)
    return tuple(Paragraph(f"{MEANINGS[word][0]} betyder: {MEANINGS[word][1]}") for word in used)


# ---- Follow-ups --------------------------------------------------------------------------------------------------


def _follow_ups(seen: PlanSeen) -> Iterator[Block]:
    coming = [each for each in seen.plan.follow_ups if not each.done and each.day >= seen.on]
    if coming:
        yield Entries(
            tuple(Entry(day(each.day), tuple(_of_follow_up(each.description, each.owner))) for each in coming)
        )
    else:
        yield Paragraph("Ingen ny dag är bestämd än. Fråga din kontaktperson.")
    done = {each.day for each in seen.plan.follow_ups if each.done} | set(seen.followed_up)
    if done:
        yield Paragraph(f"Vi har följt upp planen den {_listed(map(day, sorted(done)))}.")


def _of_follow_up(description: str, owner: str) -> Iterator[tuple[str, str]]:
    if description:
        yield "Vad", description
    if owner:
        yield "Vem", _person(owner)


# ---- Information and rights --------------------------------------------------------------------------------------


def _information(seen: PlanSeen) -> Iterator[Block]:
    yield Paragraph(
        "Planen finns i din journal. De som deltar i din vård får läsa den när de behöver det. Du har rätt att läsa din "
        "journal."
    )
    if seen.may_be_told:
        told = _listed(map(_recipient, seen.may_be_told))
        yield Paragraph(
            f"Du har sagt ja till att vi berättar vissa saker för {told}. Vi berättar bara det du har sagt ja till."
        )
    else:
        yield Paragraph(
            "Vi berättar inget ur planen för arbetsgivare, Försäkringskassan eller andra om du inte har sagt ja till det."
        )
    yield Paragraph("I några fall säger lagen att vården måste svara när en myndighet frågar om något i ditt ärende.")


_YOUR_RIGHT: Final[tuple[Block, ...]] = (
    Paragraph("Hjälpen är frivillig. Du kan när som helst ändra dig och ta tillbaka ditt ja:"),
    Points(
        (
            "Du kan säga nej till att få hjälp med samordning. Din vård påverkas inte av det.",
            "Du kan säga nej till att vi talar med någon, till exempel din arbetsgivare.",
        )
    ),
    Paragraph(
        "Säg det till din kontaktperson, eller till någon annan på vårdenheten. Då berättar vi inget mer. Det som redan är "
        "berättat kan vi inte ta tillbaka."
    ),
)


def _recipient(recipient: Recipient) -> str:
    return recipient.name or _KINDS.get(recipient.kind, "någon annan")


def _listed(names: Iterable[str]) -> str:
    """One, two and three."""
    *first, last = list(names) or [""]
    return f"{', '.join(first)} och {last}" if first else last
