"""Who is behind the message service: the parties of ``mock_parties.toml``, their functions, and their scripts."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, TypeAdapter

from adapters.mocking import casework
from adapters.mocking.casework import Model, Script
from adapters.sdk.addresses import Function as Address
from adapters.sdk.addresses import Organisation

Media = Literal["application/pdf", "text/plain"]


class File(Model):
    """A file that a party sends: its text, as it stands or as a page."""

    name: str
    content_type: Media = "text/plain"
    text: str


class Step(casework.Step):
    """One message of a script. ``label``: its subject line, else that of the message from care."""

    label: str = Field(default="", max_length=256)
    files: tuple[File, ...] = ()


class Function(Model):
    """A functional address. One that handles ``persons``' matters wants exactly one person in each."""

    address: Address
    label: str
    persons: bool = False


class Party(Model):
    """A party: its participant id, its functions, the content types of files that it takes, and its case worker's scripts.
    ``reference`` is what its case numbers begin with."""

    title: str
    organisation: Organisation
    reference: str
    takes: frozenset[str]
    functions: tuple[Function, ...]
    scripts: dict[str, Script[Step]]

    def function(self, address: str) -> Function | None:
        """The function at an address."""
        return next((each for each in self.functions if each.address.casefold() == address.casefold()), None)


PARTIES: Final[Mapping[str, Party]] = TypeAdapter(dict[str, Party]).validate_python(
    tomllib.loads((Path(__file__).parent / "mock_parties.toml").read_text(encoding="utf-8"))
)
"""By the name under which each is a counterpart of the mock world."""


def of(organisation: str) -> str | None:
    """The name of the party with that participant id."""
    wanted = organisation.casefold()
    return next((name for name, party in PARTIES.items() if party.organisation.casefold() == wanted), None)
