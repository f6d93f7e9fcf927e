"""The file of clients: who they are, and as whom they work."""

from dataclasses import replace
from pathlib import Path

import pytest

from contracts.record import Right, Role
from service.security import BadClients, Clients, token_hash

ENTRY = f"""[[client]]
token_sha256 = "{token_hash("t")}"
employee = "TSTNMT2321000156-P0001"
commission = "m"
care_unit = "TSTNMT2321000156-E0001"
care_provider = "TSTNMT2321000156-S0001"
rights = ["fhir.read"]
"""


def clients(home: Path, more: str = "") -> Clients:
    file = home / "clients.toml"
    file.write_text(ENTRY + more, encoding="utf-8")
    return Clients.from_file(file)


@pytest.mark.parametrize(
    ("more", "role"),
    [("", Role.COORDINATOR), ('role = "coordinator"', Role.COORDINATOR), ('role = "doctor"', Role.DOCTOR)],
)
def test_a_client_is_a_coordinator_unless_it_says_otherwise(tmp_path: Path, more: str, role: Role) -> None:
    caller = clients(tmp_path, more).caller("Bearer t", "request-1")
    assert (caller.role, caller.rights, caller.request_id) == (role, frozenset({Right.FHIR_READ}), "request-1")


@pytest.mark.parametrize("more", ['role = "nurse"', 'role = ""', "role = 1", "role = true", 'role = ["doctor"]'])
def test_any_other_role_is_told_with_the_entry(tmp_path: Path, more: str) -> None:
    with pytest.raises(BadClients, match="client 1"):
        clients(tmp_path, more)


def test_a_caller_in_another_request_is_the_same_in_all_else(tmp_path: Path) -> None:
    known = clients(tmp_path, 'role = "doctor"\ncare_provider_is_public = true').caller("Bearer t", "request-1")
    assert known.asking("request-2") == replace(known, request_id="request-2")
