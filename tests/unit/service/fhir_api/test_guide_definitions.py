"""The guide defines every operation and search parameter of our own as the service has it."""

from importlib.resources import files
from typing import Any

import orjson
import pytest

from fhir_mappings.decision import PARAMETERS as DECIDE
from fhir_mappings.identifiers import BASE
from service.fhir_api.interactions.capabilities import statement
from service.fhir_api.operations.everything import PARAMETERS as EVERYTHING
from service.fhir_api.operations.sick_leave_overview import COUNT
from service.fhir_api.operations.sick_leave_overview import NAMES as OVERVIEW
from service.fhir_api.search.parameters import OURS

COMPILED = files("contracts") / "wire/profiles/compiled"


def compiled(kind: str) -> dict[str, Any]:
    found = [orjson.loads(each.read_bytes()) for each in COMPILED.iterdir() if each.name.startswith(f"{kind}-")]
    return {each["url"]: each for each in found}


OPERATIONS = compiled("OperationDefinition")


def test_every_operation_that_is_offered_is_defined_and_no_other() -> None:
    offered = {
        (operation["definition"], operation["name"], row["type"])
        for row in statement("http://here/fhir")["rest"][0]["resource"]
        for operation in row.get("operation", ())
        if operation["definition"].startswith(BASE)
    }
    assert offered == {(url, each["code"], each["resource"][0]) for url, each in OPERATIONS.items()}


@pytest.mark.parametrize(
    ("id", "names"),
    [
        ("consent-decide", DECIDE),
        ("episode-everything", EVERYTHING),
        ("sick-leave-overview", OVERVIEW - {"limit"} | {COUNT}),
    ],
)
def test_an_operation_takes_what_its_definition_says(id: str, names: Any) -> None:
    defined = OPERATIONS[f"{BASE}/OperationDefinition/{id}"]["parameter"]
    assert {each["name"] for each in defined if each["use"] == "in"} == set(names)


def test_every_search_parameter_is_defined_for_the_types_that_have_it() -> None:
    served: dict[str, set[str]] = {}
    for type_, rows in OURS.items():
        for each in rows:
            served.setdefault(each.url, set()).add(type_)
    assert served == {url: set(each["base"]) for url, each in compiled("SearchParameter").items()}
