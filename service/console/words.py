"""What the pages say when something is wrong: plain Swedish, never what was sent."""

from collections.abc import Iterable, Mapping
from typing import Final

from contracts.errors import (
    Forbidden,
    Invalid,
    Issue,
    Malformed,
    NotFound,
    NotSupported,
    RekoError,
    TooLarge,
    Unavailable,
    WrongMedia,
)
from service.rules.sick_leave.question import LONGEST_TEXT, PARAMETERS, RANGES

_ERRORS: Final[tuple[tuple[type[RekoError], str, str], ...]] = (
    (TooLarge, "För mycket på en gång", "Det som skickades är för stort. Välj färre filter."),
    (WrongMedia, "Formuläret kunde inte läsas", "Gå tillbaka och försök igen."),
    (Malformed, "Frågan kunde inte läsas", "Gå tillbaka och försök igen."),
    (Invalid, "Det gick inte", "Något i frågan går inte att följa."),
    (Forbidden, "Inte tillåtet", "Du saknar behörighet, eller så skickades formuläret från en annan webbplats."),
    (NotFound, "Finns inte", "Sidan finns inte, eller så hör den till en annan enhet än din."),
    (NotSupported, "Görs inte här", "Gå tillbaka och försök igen."),
    (Unavailable, "Tillfälligt fel", "Tjänsten kan inte läsa eller skriva just nu. Försök igen om en stund."),
)
_UNFORESEEN: Final = ("Något gick fel", "Tjänsten gjorde fel. Säg numret nedan till dem som sköter den.")


def told(error: Exception) -> tuple[str, str]:
    """A heading, and what to do."""
    return next(((heading, text) for kind, heading, text in _ERRORS if isinstance(error, kind)), _UNFORESEEN)


NAMES: Final[Mapping[str, str]] = {
    "mode": "Räknesätt",
    "gap": "Dagar mellan intyg",
    "maxDaysSinceEnd": "Dagar sedan avslut",
    "unit": "Mottagning",
    "doctor": "Läkare",
    "length": "Sjukskrivningslängd",
    "endFrom": "Slutdatum från",
    "endTo": "Slutdatum till",
    "endsWithin": "Slutar inom dagar",
    "ageFrom": "Ålder från",
    "ageTo": "Ålder till",
    "chapter": "Diagnoskapitel",
    "status": "Status",
    "occupation": "Sysselsättning",
    "text": "Fritext",
    "sort": "Ordning",
    "offset": "Sida",
    "limit": "Rader per sida",
}
"""What the parts of a question are called on the pages."""

_FIELDS: Final = {each.name: each.field for each in PARAMETERS}
_ORDERED: Final = {"endFrom": "endTo", "ageFrom": "ageTo"}


def wishes(issues: Iterable[Issue]) -> list[str]:
    """What the parts of a question that cannot be followed take, a line for each."""
    return list(dict.fromkeys(_wish(issue.expression) for issue in issues))


def _wish(name: str) -> str:
    if name not in NAMES:
        return "Frågan har en del som inte är känd här."
    least, most = RANGES.get(_FIELDS[name], (None, None))
    takes = f"ett heltal från {least} till {most}" if most is not None else "något som finns att välja"
    last = f", inte mer än {NAMES[_ORDERED[name]].lower()}" if name in _ORDERED else ""
    return f"{NAMES[name]} ska vara {_OTHER.get(name, takes)}{last}."


_OTHER: Final = {
    "endFrom": "ett datum (ÅÅÅÅ-MM-DD)",
    "endTo": "ett datum (ÅÅÅÅ-MM-DD)",
    "text": f"högst {LONGEST_TEXT} tecken",
}


MODES: Final = {
    "rehabstod": ("Som Rehabstöd", "räknat exakt som Rehabstöd räknar, även där det ger oväntade svar"),
    "corrected": (
        "Rättat",
        "räknat med fem rättelser av Rehabstöds räknesätt, så att svaret kan skilja sig från Rehabstöds",
    ),
}
"""What a way of counting is called, and what it means."""

NEVER_PULLED: Final = "Enhetens sjukskrivningar har aldrig hämtats: listan är tom tills det är gjort."
PULL_FAILED: Final = "Den senaste hämtningen, {failed}, misslyckades. Listan visar vad som gällde {at}."
OLD: Final = "Uppgifterna hämtades {at}, för mer än ett dygn sedan."
TOO_NARROW: Final = (
    "Hämtningen frågade efter sjukfall som avslutats för högst {days} dagar sedan: äldre avslutade saknas."
)
APPLYING: Final = "Ett nytt svar läses in just nu: några patienter visas redan som det säger."

NOT_SET: Final = "Statusen sattes inte"
NO_SICK_LEAVE: Final = "Patienten har inget sjukfall på enheten som visas med de valda inställningarna."
NOTHING_TICKED: Final = "Kryssa för vad som ska släppas."
_OF_PLAN: Final = {
    "protected-identity": "Patientens identitet är skyddad: skriv hur dokumentet når patienten och ingen annan.",
    "release": "Skriv varför uppgiften släpps.",
}


def of_plan(error: RekoError) -> str:
    """Why something could not be done with a plan."""
    if not isinstance(error, Invalid):
        return "Planen har ändrats sedan du såg den, eller gäller inte längre. Läs den igen nedan."
    return next((_OF_PLAN[each.rule] for each in error.issues if each.rule in _OF_PLAN), told(error)[1])


NOT_KNOWN: Final = "Åtkomstnyckeln är inte känd här."
SIGNED_OUT: Final = "Du är inte längre inloggad. Logga in igen."
