"""What a value of a search parameter matches, by the parameter's kind. https://hl7.org/fhir/R4/search.html#ptypes

A value is read once, into a ``Match``; reading raises ``ValueError``, which never repeats the value, when it is none of its
kind.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import and_, exists, false, or_

from fhir_mappings.identifiers import canonical_token
from service.fhir_api.search.extract import normal
from service.fhir_api.search.parameters import ANY, PARAMETERS, SearchParameter
from service.fhir_api.search.ranges import date, near, quantity
from service.fhir_api.search.sound import sounds
from service.fhir_api.search.values import Columns, Condition, Match, one_of, plain, split
from service.store.tables import string_index

# Tokens

OF_SYSTEM: Final = "system"
"""The shape of what asks for any code of a system."""


def token(parameter: SearchParameter, _: str, value: str) -> Match:
    """``code``, ``system|code``, ``|code`` (without system) or ``system|``."""
    *stated, code = (plain(part) for part in split(value, "|"))
    if len(stated) > 1 or not any((*stated, code)):
        raise ValueError("a code is wanted: code, system|code, |code or system|; a bar in a code is written \\|")
    if not stated:
        return Match("code", (code,), lambda c, v: c.code == v[0])
    system, code = canonical_token(stated[0], code)
    if parameter.system and system == parameter.system:
        system = ""  # codes are stored without the one system that they can have
    if code:
        return Match("both", (code, system), lambda c, v: and_(c.code == v[0], c.system == v[1]))
    return Match(OF_SYSTEM, (system,), lambda c, v: and_(c.code != "", c.system == v[0]))


def of_type(_: SearchParameter, __: str, value: str) -> Match:
    """``type-system|type-code|value`` of an identifier."""
    parts = [plain(part) for part in split(value, "|")]
    if len(parts) != 3 or not all(parts[1:]):
        raise ValueError("an identifier with its type is wanted: type-system|type-code|value")
    system, code, identifier = parts
    values = identifier, identifier.replace("-", ""), f"{system}|{code}"
    return Match("of-type", values, lambda c, v: and_(c.code.in_(v[:2]), c.system == v[2]))


# References


def reference(parameter: SearchParameter, modifier: str, value: str) -> Match:
    """``Type/id``, an address, or ``id`` of the type that the modifier says, else of any that the parameter may point at.
    References are stored without the version, and found whichever is asked for; those to another type than the modifier
    says are none of what is asked for."""
    target = plain(value).partition("/_history/")[0]
    if "/" in target or ":" in target:
        stated = _TYPED.search(target)
        if modifier and stated and stated[1] != modifier:
            return any_target(())
        return any_target((target,))
    types = (modifier,) if modifier else tuple(PARAMETERS) if parameter.targets == ANY else parameter.targets
    return any_target(tuple(f"{type_}/{target}" for type_ in types))


_TYPED: Final = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]+$")
"""A reference that ends with a type and an id."""


def any_target(targets: Sequence[str]) -> Match:
    """What points at one of these addresses."""
    if not targets:
        return Match("none", (), lambda _, __: false())
    return Match(len(targets), tuple(targets), lambda c, v: one_of(c.target, v))


# Texts


def string(parameter: SearchParameter, modifier: str, value: str) -> Match:
    """The beginning, whatever the case and the accents; ``exact`` is letter by letter."""
    text = plain(value)
    wanted = normal(text)
    if parameter.is_by_sound:
        return _by_sound(tuple(dict.fromkeys(sounds(wanted))))
    if modifier == "exact":
        return Match("exact", (wanted, text), lambda c, v: and_(c.norm == v[0], c.text == v[1]))
    if not wanted:
        raise ValueError("letters are wanted")
    if modifier == "contains":
        pattern = re.sub(r"([/%_])", r"/\1", wanted)
        return Match("contains", (f"%{pattern}%",), lambda c, v: c.norm.like(v[0], escape="/"))
    return Match("begins", (wanted, wanted + LAST_LETTER), lambda c, v: and_(c.norm >= v[0], c.norm < v[1]))


def _by_sound(words: tuple[str, ...]) -> Match:
    """Every word sounds as one of the resource's: each is a row of its own."""
    if not 0 < len(words) <= MAX_WORDS:
        raise ValueError(f"one word to {MAX_WORDS} are wanted")

    def on(c: Columns, v: Sequence[Any]) -> Condition:
        others = [(string_index.alias().c, word) for word in v[1:]]
        return and_(
            c.norm == v[0],
            *(exists().where(o.parameter == c.parameter, o.norm == word, o.rid == c.rid) for o, word in others),
        )

    return Match(("sounds", len(words)), words, on)


MAX_WORDS: Final = 10
"""Of a name that is asked for by its sound."""

LAST_LETTER: Final = "\U0010ffff"
"""Sorts after every letter: what begins with a text stands in one stretch of the index."""


# Addresses. https://hl7.org/fhir/R4/search.html#uri


def uri(_: SearchParameter, modifier: str, value: str) -> Match:
    """The whole address, letter by letter; ``below`` also what lies under it, ``above`` also what it lies under."""
    address = plain(value)
    if modifier == "below":
        under = address.rstrip("/") + "/"
        values = address, under, under + LAST_LETTER
        return Match("below", values, lambda c, v: or_(c.uri == v[0], and_(c.uri >= v[1], c.uri < v[2])))
    if modifier == "above":
        parts = address.split("/")
        over = {"/".join(parts[:count]) for count in range(1, len(parts) + 1)}
        wanted = tuple(sorted(each + end for each in over if each for end in ("", "/")))
        return Match(len(wanted), wanted, lambda c, v: c.uri.in_(v))
    return Match("equal", (address,), lambda c, v: c.uri == v[0])


# Composites: parts between dollars, all of one element


def composite(parameter: SearchParameter, _: str, value: str) -> Match:
    """What the first part matches beside what the second matches. https://hl7.org/fhir/R4/search.html#composite"""
    values = split(value, "$")
    if len(values) != 2 or not all(values):
        raise ValueError("two values are wanted, with a dollar between them")
    first, second = (
        MATCH[part.kind](replace(part, code=parameter.code), "", each)
        for part, each in zip(parameter.parts, values, strict=True)
    )
    as_second, parts = _SECOND[parameter.parts[1].kind], len(first.values)

    def on(c: Columns, v: Sequence[Any]) -> Condition:
        return and_(first.on(_First(c), v[:parts]), second.on(as_second(c), v[parts:]))

    return Match((first.shape, second.shape), first.values + second.values, on)


class _First:
    def __init__(self, c: Columns) -> None:
        self.code, self.system, self.target = c.code, c.system, c.code


class _Coded:
    def __init__(self, c: Columns) -> None:
        self.code, self.system, self.low, self.high = c.value, c.qualifier, c.low, c.high


class _Written:
    def __init__(self, c: Columns) -> None:
        self.norm, self.text = c.value, c.qualifier


_SECOND: Final[Mapping[str, Callable[[Columns], Columns]]] = {
    "token": _Coded,
    "quantity": _Coded,
    "date": _Coded,
    "string": _Written,
}

MATCH: Final[Mapping[str, Callable[[SearchParameter, str, str], Match]]] = {
    "token": token,
    "reference": reference,
    "string": string,
    "date": date,
    "quantity": quantity,
    "uri": uri,
    "composite": composite,
    "special": near,
}
