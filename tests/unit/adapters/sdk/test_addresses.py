"""The book of addresses: whom it knows, and what it refuses to be."""

from pathlib import Path
from typing import Final

import pytest

from adapters.sdk.addresses import Addresses, BadAddresses, from_file
from adapters.sdk.settings import Settings
from contracts.consent import Recipient, RecipientKind
from contracts.identity import HsaId

HEAD: Final = 'organisation = "0203:region.example"\n'
UNITS: Final = '[units]\n"SE2321000016-1001" = "sdk:eken"\n'
PARTY: Final = (
    '[[party]]\nkind = "municipality"\nnumber = "2120009994"\norganisation = "0203:k.example"\naddress = "sdk:k"\n'
)


@pytest.mark.parametrize(
    ("recipient", "address"),
    [
        (Recipient(RecipientKind.MUNICIPALITY, "2120009994"), "sdk:inkorg:0203:exempelstad.example:socialtjansten"),
        (Recipient(RecipientKind.OTHER, "2120009994"), "sdk:inkorg:0203:exempelstad.example:socialtjansten"),
        (Recipient(RecipientKind.EMPLOYER, "5560000001"), "sdk:inkorg:0203:exempelstad.example:personal"),
        (Recipient(RecipientKind.FORSAKRINGSKASSAN, "2021005521"), "sdk:inkorg:0203:fk.example:sjukforsakring"),
        (Recipient(RecipientKind.ARBETSFORMEDLINGEN, "Organization/af"), "sdk:inkorg:0203:af.example"),
        (Recipient(RecipientKind.MUNICIPALITY, "2120000142"), None),
        (Recipient(RecipientKind.MUNICIPALITY, "Organization/k"), None),
        (Recipient(RecipientKind.EMPLOYER, ""), None),
    ],
)
def test_where_a_recipient_is(book: Addresses, recipient: Recipient, address: str | None) -> None:
    """Another party of the same kind is another party: a municipality is never found by its kind."""
    found = book.of_party(recipient)
    assert (found.address if found else None) == address


def test_the_example_can_be_used() -> None:
    example = from_file(Path(__file__).parents[4] / "docker/sdk.example.toml")
    assert {each.kind for each in example.party} == {
        RecipientKind.FORSAKRINGSKASSAN,
        RecipientKind.ARBETSFORMEDLINGEN,
        RecipientKind.MUNICIPALITY,
    }


def test_an_address_belongs_to_one_unit(book: Addresses) -> None:
    assert book.of_unit(HsaId("SE2321000016-1002")) == "sdk:inkorg:0203:region.example:linden"
    assert book.unit_at("SDK:inkorg:0203:region.example:linden") == HsaId("SE2321000016-1002")
    assert book.of_unit(HsaId("SE2321000016-1009")) is None
    assert book.unit_at("sdk:inkorg:0203:region.example") is None


@pytest.mark.parametrize(
    ("organisation", "address", "party"),
    [
        ("0203:exempelstad.example", "sdk:inkorg:0203:exempelstad.example:personal", "5560000001"),
        ("0203:EXEMPELSTAD.example", "sdk:inkorg:0203:exempelstad.example:socialtjansten", "2120009994"),
        ("0203:exempelstad.example", "sdk:inkorg:0203:exempelstad.example:reception", None),
        ("0203:fk.example", "sdk:inkorg:0203:fk.example:annat", "2021005521"),
        ("0203:elsewhere.example", "sdk:inkorg:0203:fk.example:sjukforsakring", None),
    ],
)
def test_who_writes_from_there(book: Addresses, organisation: str, address: str, party: str | None) -> None:
    """By the organisation, which the message service vouches for; a function alone proves nothing."""
    found = book.party_at(organisation, address)
    assert (found.party if found else None) == party


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("organisation = ", "Invalid value"),
        (UNITS, "organisation"),
        (HEAD, "units"),
        ('organisation = "region.example"\n' + UNITS, "organisation"),
        (HEAD + '[units]\n"no id" = "sdk:eken"\n', "units"),
        (HEAD + '[units]\n"SE2321000016-1001" = "sdk eken"\n', "units"),
        (HEAD + UNITS + '"SE2321000016-1002" = "SDK:EKEN"\n', "two units"),
        (HEAD + UNITS + PARTY.replace("2120009994", "2120009995"), "party.0.number"),
        (HEAD + UNITS + PARTY.replace('number = "2120009994"\n', ""), "needs its number"),
        (HEAD + UNITS + PARTY.replace("municipality", "neighbour"), "party.0.kind"),
        (HEAD + UNITS + PARTY + PARTY, "stands there twice"),
        (HEAD + UNITS + PARTY + 'colour = "blue"\n', "party.0.colour"),
    ],
)
def test_what_is_no_book(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "a.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadAddresses, match=place):
        from_file(file)


def test_a_personal_number_is_no_partys_and_is_not_told_on(tmp_path: Path) -> None:
    """A sole trader's organisation number is one."""
    file = tmp_path / "a.toml"
    file.write_text(HEAD + UNITS + PARTY.replace("2120009994", "8507219817"), encoding="utf-8")
    with pytest.raises(BadAddresses) as told:
        from_file(file)
    assert "8507219817" not in str(told.value)


def test_settings_without_a_book_are_refused_at_the_start(tmp_path: Path) -> None:
    assert not Settings().enabled
    with pytest.raises(ValueError, match="name the file"):
        Settings(url="http://mt.example")
    with pytest.raises(ValueError, match="No such file"):
        Settings(url="http://mt.example", addresses=tmp_path / "none.toml")


def test_settings_with_half_a_client_are_refused_and_hide_the_secret() -> None:
    with pytest.raises(ValueError, match="client_id and client_secret"):
        Settings.model_validate({"token_url": "http://idp.example/token", "client_id": "reko"})
    settings = Settings.model_validate({"client_secret": "hemlig", "client_id": "reko"})
    assert "hemlig" not in f"{settings!r} {settings}"
