"""Names by how they sound in Swedish: which are alike, which are not, and what is asked of the index."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import IssueType, Malformed
from service.fhir_api.search import sound
from service.fhir_api.search.extract import normal
from service.fhir_api.search.parameters import definitions
from service.fhir_api.search.query import parse
from service.store.store import SqlStore
from service.store.transaction import SqlTransaction
from tests.unit.service.fhir_api.search.test_query import found
from tests.unit.service.store.samples import UNIT, document


def sounds(text: str) -> list[str]:
    return sound.sounds(normal(text))


ALIKE = [
    "Karlsson Carlsson Karlson Carlson Carlzon",
    "Eriksson Ericsson Ericson Erixon",
    "Petersson Pettersson Peterson",
    "Jönsson Jönson Jøhnsson",
    "Jonsson Johnsson Johnson",
    "Svensson Swensson",
    "Nilsson Nielsson",
    "Lindqvist Lindkvist Lindquist Lindqwist",
    "Bäckqvist Beckquist",
    "Quist Qvist Kvist",
    "Wallin Vallin Valin",
    "Åström Aaström ÅSTRÖM",
    "Nygård Nygaard",
    "Schön Sjön Schoen",
    "Stjernström Stjärnström Stiernström",
    "Nordenskiöld Nordenskjöld Nordensköld",
    "Sköld Skjöld",
    "Shirin Schirin",
    "Natasha Natascha Natasja",
    "Charlotta Sjarlotta",
    "Kjellström Källström Tjällström",
    "Kjell Tjell",
    "Kerstin Kjerstin",
    "Tschudi Tjudi",
    "Göran Jöran Gjöran",
    "Ljungberg Jungberg",
    "Djurberg Jurberg",
    "Hjalmar Jalmar",
    "Börje Börge",
    "Yasmin Jasmin",
    "Kristina Christina Cristina",
    "Michael Mikael",
    "Cecilia Sesilia",
    "Zara Sara Sarah",
    "Xerxes Serxes",
    "Alexander Aleksander",
    "Sofia Sophia Sofija",
    "Filip Philip Phillip",
    "Leijonhufvud Lejonhuvud",
    "Gustaf Gustav",
    "Löfgren Lövgren",
    "Löfvén Löven",
    "Thomas Tomas",
    "Elisabeth Elisabet Elizabeth",
    "Schmidt Schmitt",
    "Ahlström Alström",
    "Khaled Kaled",
    "Hägg Haegg",
    "Söderberg Soederberg",
    "Per Pär",
    "Youssef Yussef",
    "Maj Mai May",
    "Nadia Nadja",
    "Mattias Matias Matthias Mathias",
    "Marie Mari",
    "Stig Stieg",
    "Siegfried Sigfrid",
    "Jenny Jenni Jennie",
    "Dmitrij Dmitri Dmitry",
    "Linnéa Linnea LINNÉA",
    "Matts Mats Matz",
    "Aron Aaron",
    "Rehabilitation Rehabilitasjon",
    "Mission Misjon",
    "O'Brien O’Brien OBrien",
]
NOT_ALIKE = [
    "Jönsson Jansson Johansson Jonsson Jonasson",
    "Larsson Lorsson",
    "Andersson Andersen",
    "Kjell Kalle",
    "Åsa Osa Asa",
    "Maria Marja Marie",
    "Nord Nård",
    "Lind Lindt",
    "Erik Eric-a Ulrik",
    "Boel Böl",
    "Rafael Rafel",
    "Hanna Anna",
    "Åke Åtje",
    "Katja Katcha",
    "Enhet1 Enhet11 Enhet2",
]


@pytest.mark.parametrize("names", ALIKE)
def test_names_that_are_said_alike(names: str) -> None:
    assert len({tuple(sounds(name)) for name in names.split()}) == 1, [sounds(name) for name in names.split()]


@pytest.mark.parametrize("names", NOT_ALIKE)
def test_names_that_are_not(names: str) -> None:
    assert len({tuple(sounds(name)) for name in names.split()}) == len(names.split())


def test_every_row_is_heard_in_some_name_above() -> None:
    written = " ".join(ALIKE).split()
    heard = {each.lastindex for name in written for each in sound._SPELLING.finditer(normal(name).translate(_SWEDISH))}
    assert heard == set(range(1, len(sound.SPELLINGS) + 1))


_SWEDISH = str.maketrans("æø", "äö")


def test_another_table_means_another_parameter_that_is_indexed_again() -> None:
    spoken = {key for key, definition in definitions().items() if definition.endswith(sound.EDITION)}
    assert spoken == {(each, "phonetic") for each in ("Patient", "Practitioner", "RelatedPerson", "Organization")}


@given(st.text())
def test_every_text_sounds_somehow(text: str) -> None:
    found = sounds(text)
    assert all(found)
    assert bool(found) == any(letter.isalnum() for letter in normal(text))


@given(st.text("abcdefghijklmnopqrstuvwxyzåäö -", max_size=30))
def test_case_accents_and_the_old_v_change_nothing(text: str) -> None:
    accented = "".join(letter + "\u0301" if letter in "aeiouy" else letter for letter in text)
    assert sounds(text) == sounds(text.upper()) == sounds(accented) == sounds(text.replace("w", "v"))


def test_words_are_found_wherever_they_stand(store: SqlStore, run: Callable[[Any], Any]) -> None:
    """Every word that is asked for sounds as one of the name's; values between commas are others to choose from."""
    resources: dict[str, dict[str, Any]] = {
        "anna": {"name": [{"given": ["Anna-Karin", "Zofia"], "family": "Karlsson"}]},
        "ana": {"name": [{"text": "Ana Carlson"}, {"family": "Abelin", "use": "maiden"}]},
        "nobody": {"gender": "other"},
        "call": {"resourceType": "Procedure", "subject": {"reference": "Patient/ana"}},
    }
    asked: list[tuple[str, str, str, list[str]]] = [
        ("Patient", "phonetic", "carlsson", ["anna", "ana"]),
        ("Patient", "phonetic", "karl", []),
        ("Patient", "phonetic", "Sofia", ["anna"]),
        ("Patient", "phonetic", "sofia karlson", ["anna"]),
        ("Patient", "phonetic", "karlson sofia karin", ["anna"]),
        ("Patient", "phonetic", "anna abelin", ["ana"]),
        ("Patient", "phonetic", "anna abelin,sophia", ["anna", "ana"]),
        ("Patient", "phonetic", "anna zofia abelin", []),
        ("Patient", "phonetic:missing", "true", ["nobody"]),
        ("Patient", "phonetic:missing", "false", ["anna", "ana"]),
        ("Patient", "_sort", "phonetic", ["ana", "anna", "nobody"]),
        ("Procedure", "subject:Patient.phonetic", "karlson", ["call"]),
    ]

    def write(transaction: SqlTransaction) -> None:
        for id, content in resources.items():
            transaction.save(document({"resourceType": "Patient"} | content), id, UNIT.value)

    run(store.run(write))
    for type_, name, value, expected in asked:
        assert run(found(store, parse(type_, [(name, value)]))) == expected, (name, value)


@pytest.mark.parametrize(
    ("name", "value", "type_"),
    [
        ("phonetic:exact", "Anna", IssueType.NOT_SUPPORTED),
        ("phonetic:contains", "Anna", IssueType.NOT_SUPPORTED),
        ("phonetic", "- ?", IssueType.VALUE),
        ("phonetic", "a b d e f g h i j k l", IssueType.VALUE),
    ],
)
def test_what_cannot_be_compared_by_sound(name: str, value: str, type_: IssueType) -> None:
    with pytest.raises(Malformed) as refused:
        parse("Patient", [(name, value)])
    assert [issue.type for issue in refused.value.issues] == [type_]
