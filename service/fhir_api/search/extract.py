"""What searches find in an element, by its data type. https://hl7.org/fhir/R4/search.html#ptypes"""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf
from typing import Any, Final

from contracts.time import Period
from fhir_mappings.identifiers import canonical_token
from service.fhir_api.search.dates import micros, span
from service.fhir_api.search.parameters import SOUND
from service.fhir_api.search.sound import sounds

Row = tuple[Any, ...]


# Tokens: (code, system). https://hl7.org/fhir/R4/search.html#token


def tokens(value: Any, type_: str) -> Sequence[tuple[str, str]]:
    """A coding, each coding of a concept, an identifier, a code, a contact or a boolean."""
    if type_ == "boolean":
        return [("true" if value else "false", "")]
    if isinstance(value, str):
        return [(value, "")]
    if type_ == "CodeableConcept":
        found: list[tuple[str, str]] = []
        for coding in value.get("coding", ()):
            found += _named(coding, "code")
        return found
    if type_ == "ContactPoint":
        return [(value["value"], "")] if value.get("value") else []
    return _named(value, "code" if type_ == "Coding" else "value")


def _named(value: Any, name: str) -> Sequence[tuple[str, str]]:
    if name not in value:
        return []
    system, code = canonical_token(value.get("system", ""), value[name])
    return [(code, system)]


def words(value: Any, type_: str) -> Iterator[str]:
    """What ``:text`` looks at: a concept's text, the displays of its codings, the text of an identifier's type."""
    if type_ == "CodeableConcept":
        yield from (coding["display"] for coding in value.get("coding", ()) if "display" in coding)
    concept = value.get("type", {}) if type_ == "Identifier" else value if isinstance(value, dict) else {}
    yield from (concept[name] for name in ("text", "display") if name in concept)


def typed(value: Any) -> Sequence[tuple[str, str]]:
    """An identifier by its type, ``(value, system|code)`` of each coding of the type."""
    types = [f"{each.get('system', '')}|{each.get('code', '')}" for each in value.get("type", {}).get("coding", ())]
    return [(code, type_) for type_ in types for code, _ in _named(value, "value")]


# References and addresses


def references(value: Any, type_: str) -> Sequence[tuple[str]]:
    """Where a literal reference points, without the version; a canonical address with its version, and without."""
    if type_ != "Reference":
        return [(value,), (value.partition("|")[0],)]
    return [(value["reference"].partition("/_history/")[0],)] if "reference" in value else []


def uris(value: Any, _: str) -> Sequence[tuple[str]]:
    """The address as it is written."""
    return [(value,)]


# Dates: (the first instant, the first one after it)


def dates(value: Any, type_: str) -> Sequence[tuple[int, int]]:
    """A date of any precision, a period, or each time of a timing and the bounds of what it repeats."""
    if type_ != "Timing":
        return [micros(_lasting(value))]
    bounds = value.get("repeat", {}).get("boundsPeriod")
    times = [_covered(at) for at in value.get("event", ()) if at is not None]
    return [micros(each) for each in (*times, *([] if bounds is None else [_lasting(bounds)]))]


def _lasting(value: Any) -> Period:
    if isinstance(value, str):
        return _covered(value)
    return Period(_covered(value.get("start")).start, _covered(value.get("end")).end)


def _covered(text: str | None) -> Period:
    """What is not stated, and what cannot be reckoned with (the first hours of the year 1), may be any time."""
    try:
        return Period() if text is None else span(text)
    except ValueError:
        return Period()


# Texts: (as compared, as written); of what is compared by sound each word, however it is written


def strings(value: Any, type_: str) -> Sequence[tuple[str, str]]:
    """A text, or each part of a name or an address."""
    texts = _texts(value, _PARTS.get(type_, ()))
    if type_ == SOUND:
        return [(sound, "") for text in texts for sound in sounds(normal(text))]
    return [(normal(text), text) for text in texts]


def _texts(value: Any, parts: Iterable[str]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        return
    for part in parts:
        found = value.get(part)
        yield from (each for each in (found if isinstance(found, list) else [found]) if each is not None)


_NAME: Final = ("text", "family", "given", "prefix", "suffix")
_PARTS: Final = {
    "HumanName": _NAME,
    SOUND: _NAME,
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
}


def normal(text: str) -> str:
    """Without case, accents and needless blanks, as R4 compares strings. å, ä and ö are letters and stay, the last two
    under the signs of the same letters in Danish: so their order is the Swedish one."""
    folded = text.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFC", folded).translate(_PLAIN)
    return " ".join(folded.split())


_SWEDISH: Final = {"å": "å", "ä": "æ", "ö": "ø", "æ": "æ", "ø": "ø"}


class _Plain(dict[int, str]):
    """By letter, each looked up once."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        parts = unicodedata.normalize("NFD", letter)
        plain = _SWEDISH.get(letter) or "".join(part for part in parts if not unicodedata.combining(part))
        return self.setdefault(code, plain)


_PLAIN: Final = _Plain()


# Positions, latitude before longitude


def positions(value: Any, _: str) -> Sequence[tuple[float, float]]:
    """WGS 84, in degrees."""
    return [(float(value["latitude"]), float(value["longitude"]))]


# Quantities: (code, low, high, system), both ends being values that it may have


def quantities(value: Any, type_: str) -> Sequence[tuple[str, float, float, str]]:
    """The value as it stands, however precise; under the unit in words too where that is another than the code."""
    unit = value.get("origin", {}) if type_ == "SampledData" else value
    if type_ == "Range":
        unit = value.get("low") or value.get("high") or {}
    names = [(unit.get("code", ""), unit.get("system", ""))]
    if unit.get("unit", "") not in ("", unit.get("code")):
        names.append((unit["unit"], ""))
    return [(name, low, high, system) for low, high in _RANGES.get(type_, _quantity)(value) for name, system in names]


def _quantity(value: Any) -> Iterator[tuple[float, float]]:
    if "value" in value:
        at, comparator = float(value["value"]), value.get("comparator", "")
        yield (-inf if comparator in ("<", "<=") else at), (inf if comparator in (">", ">=") else at)


def _range(value: Any) -> Iterator[tuple[float, float]]:
    low, high = (value.get(side, {}).get("value") for side in ("low", "high"))
    if low is not None or high is not None:
        yield (-inf if low is None else float(low)), (inf if high is None else float(high))


def _samples(value: Any) -> Iterator[tuple[float, float]]:
    """From the least to the greatest sample; E, L and U stand for what could not be measured."""
    origin, factor = float(value["origin"].get("value", 0)), float(value.get("factor", 1))
    known = [origin + float(each) * factor for each in value.get("data", "").split() if each not in "ELU"]
    if known:
        yield min(known), max(known)


_RANGES: Final[dict[str, Callable[[Any], Iterator[tuple[float, float]]]]] = {"Range": _range, "SampledData": _samples}
