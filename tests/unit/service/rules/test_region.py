"""What differs between regions, read from the profiles that are shipped and from one of one's own (decision D29)."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from contracts.activity import ContactMode
from service.rules import region
from service.rules.region import RegionalProfile
from service.settings import Settings

SHIPPED = sorted((Path(region.__file__).parent / "regions").glob("*.toml"))
VISIT_OR_TELEPHONE = frozenset({ContactMode.VISIT, ContactMode.TELEPHONE})


def read(file: Path | str) -> RegionalProfile:
    return Settings(region=str(file)).regional_profile()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path / "own.toml"


def test_the_default_is_vgr() -> None:
    assert Settings.model_fields["region"].default == "vgr"


def test_vgr() -> None:
    reading = "VGR's reading: GC001 is set when what was done was of value to the patient"
    assert read("vgr") == RegionalProfile("Västra Götalandsregionen", VISIT_OR_TELEPHONE, gc001_reading=reading)


def test_halland_does_not_read_gc001_in_its_own_way() -> None:
    assert read("halland") == RegionalProfile("Region Halland", VISIT_OR_TELEPHONE)


def test_unless_a_region_says_otherwise_the_strict_reading_holds() -> None:
    strict = RegionalProfile("any", VISIT_OR_TELEPHONE)
    assert not strict.diagnosis_allowed
    assert strict.longest_consent_days == 366
    assert strict.answer_days is None


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_each_value_of_a_shipped_profile_stands_below_its_source(file: Path) -> None:
    blocks = file.read_text(encoding="utf-8").split("\n\n")
    values = [block for block in blocks if not block.splitlines()[-1].startswith("#")]
    assert all(block.startswith("#") for block in values if not block.startswith("name"))
    assert all(len([line for line in block.splitlines() if not line.startswith("#")]) == 1 for block in values)


def test_a_region_of_ones_own(own: Path) -> None:
    own.write_text(
        'name = "Region Exempel"\ncontact_modes = ["visit", "telephone", "video"]\ndiagnosis_allowed = true\n'
        "longest_consent_days = 180\nplatform_needs_consent = true\nanswer_days = 7\n"
    )
    modes = VISIT_OR_TELEPHONE | {ContactMode.VIDEO}
    assert read(own) == RegionalProfile("Region Exempel", modes, True, 180, True, 7)


@pytest.mark.parametrize(
    "line",
    [
        'diagnosis_allowed = "no"',
        "diagnosis_allowed = 0",
        'longest_consent_days = "twelve months"',
        "longest_consent_days = 180.5",
        'platform_needs_consent = "true"',
        'answer_days = "7"',
        "gc001_reading = true",
        "video = true",
        'contact_modes = ["visit", "pigeon"]',
        "contact_modes = [",
    ],
)
def test_a_profile_that_cannot_be_used_stops_the_start(own: Path, line: str) -> None:
    """A text where a yes or a no must stand would count as a yes."""
    modes = "" if line.startswith("contact_modes") else 'contact_modes = ["visit"]\n'
    own.write_text(f'name = "Region Exempel"\n{modes}{line}\n')
    with pytest.raises(ValueError, match="REKO_REGION"):
        read(own)


@pytest.mark.parametrize("text", ["", 'name = "Region Exempel"', 'contact_modes = ["visit"]'])
def test_a_profile_without_its_parts_stops_the_start(own: Path, text: str) -> None:
    own.write_text(text)
    with pytest.raises(ValueError, match="REKO_REGION"):
        read(own)


def test_a_profile_that_is_not_there_stops_the_start(own: Path) -> None:
    with pytest.raises(ValueError, match="REKO_REGION"):
        read(own)


@pytest.mark.parametrize("name", [field.name for field in fields(RegionalProfile)])
def test_every_part_of_a_profile_is_of_its_kind(name: str) -> None:
    wrong: Any = {"not": "of any kind"}
    with pytest.raises(TypeError, match=name):
        replace(RegionalProfile("any", VISIT_OR_TELEPHONE), **{name: wrong})
