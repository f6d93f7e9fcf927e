"""A patient's certificates as pages: the doctor's wish for contact is seen, and a person may confirm that it was the information
under 4 § (domain rule 17)."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from service.console.certificates import WRONG
from tests.flow.test_certificates import certified, dialogues
from tests.flow.test_pages import Desk, Page, sat_down

if TYPE_CHECKING:
    from tests.flow.conftest import Flow


@pytest.fixture
async def desk(flow: "Flow") -> AsyncIterator[Desk]:
    """The coordinator, signed in."""
    async with sat_down(flow, "coordinator") as sitting:
        yield sitting


def address(desk: Desk, id: str) -> str:
    return f"/units/{desk.flow.UNIT}/certificates/{id}"


def marks(page: Page) -> list[str]:
    return page.texts("//p[@class='now needs']//strong")


async def test_the_way_leads_from_the_patient_to_the_wish(desk: Desk) -> None:
    person, id = await certified(desk.flow, contact_reason="Behov av samordning")
    listed = await desk.get(f"/units/{desk.flow.UNIT}/patients/{person.id}/certificates")
    assert listed.status == 200, listed.text
    assert person.name in listed.text
    (link,) = listed.tree.xpath("//table//a/@href")
    assert link == address(desk, id)
    page = await desk.get(str(link))
    assert marks(page) == ["Läkaren har önskat kontakt med Försäkringskassan i intyget."]
    assert "Behov av samordning" in page.text
    assert "100 %" in page.text
    assert "F438A" not in page.text
    assert page.tree.xpath("//section[@id='confirm']")


async def test_without_a_wish_there_is_nothing_to_confirm(desk: Desk) -> None:
    _, id = await certified(desk.flow, contact_wished=False)
    page = await desk.get(address(desk, id))
    assert marks(page) == []
    assert not page.tree.xpath("//section[@id='confirm']")


async def test_confirmed_it_was_the_information(desk: Desk) -> None:
    person, id = await certified(desk.flow, None, "fk")
    answer = await desk.post(f"{address(desk, id)}/confirm", need="1", consent="1")
    assert answer.status == 303, answer.text
    page = await desk.get(address(desk, id))
    assert page.texts("//p[@class='done']") == [
        "Bekräftat: intyget var informationen till Försäkringskassan enligt 4 §."
    ]
    assert not page.tree.xpath("//section[@id='confirm']")
    (dialogue,) = await dialogues(desk.flow, person)
    assert dialogue["state"] == "informed"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, ["notice-need-stated", "notice-consent-stated"]),
        ({"need": "1"}, ["notice-consent-stated"]),
        ({"need": "1", "consent": "1"}, ["notice-needs-consent"]),
    ],
)
async def test_what_is_missing_is_said_beside_the_form(desk: Desk, fields: dict[str, Any], wrong: list[str]) -> None:
    person, id = await certified(desk.flow)
    page = await desk.post(f"{address(desk, id)}/confirm", **fields)
    assert page.status == 422
    assert page.texts("//section[@id='confirm']//p[@role='alert']") == [WRONG[each] for each in wrong]
    assert page.tree.xpath("//input[@checked]/@name") == list(fields)
    assert await dialogues(desk.flow, person) == []


async def test_another_units_certificate_is_told_like_none(desk: Desk) -> None:
    person, id = await certified(desk.flow)
    async with sat_down(desk.flow, "neighbour") as elsewhere:
        assert (await elsewhere.get(address(desk, id))).status == 404
        for unit in (desk.flow.UNIT, desk.flow.OTHER_UNIT):
            assert (await elsewhere.get(f"/units/{unit}/patients/{person.id}/certificates")).status == 404


async def test_the_list_is_logged(desk: Desk) -> None:
    person, _ = await certified(desk.flow)
    await desk.get(f"/units/{desk.flow.UNIT}/patients/{person.id}/certificates")
    assert "certificate-list" in [row[3] for row in desk.flow.accesses(person)]
