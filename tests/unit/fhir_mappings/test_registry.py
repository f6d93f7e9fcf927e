import pytest

from contracts.errors import Invalid
from fhir_mappings import r4
from fhir_mappings.registry import MAPPERS, judge

WITH_A_RULE_OF_THEIR_OWN = {"CarePlan", "CommunicationRequest", "Consent", "Goal", "Procedure", "Task"}


def test_every_mapper_is_for_a_served_type() -> None:
    assert set(MAPPERS) <= set(r4.TYPES)


@pytest.mark.parametrize("type_", sorted(MAPPERS))
def test_a_bare_resource_is_judged_without_a_crash(type_: str) -> None:
    content = {"resourceType": type_}

    if type_ in WITH_A_RULE_OF_THEIR_OWN:
        with pytest.raises(Invalid) as refusal:
            MAPPERS[type_](content)
        assert all(issue.expression.startswith(f"{type_}.") for issue in refusal.value.issues)
    else:
        MAPPERS[type_](content)


@pytest.mark.parametrize("type_", sorted(set(r4.TYPES) - {"Bundle", "Parameters", "OperationOutcome"}))
def test_every_type_is_judged(type_: str) -> None:
    assert all(issue.expression.startswith(type_) for issue in judge({"resourceType": type_}))


def test_a_profile_without_an_address_claims_nothing() -> None:
    """As R4 has it where only extensions stand in the place of a value."""
    extended = {"extension": [{"url": "urn:example:why", "valueString": "unknown"}]}
    meta = {"profile": [None], "_profile": [extended]}
    assert judge({"resourceType": "Location", "meta": meta}) == ()
