"""What an answer becomes in a Bundle."""

import orjson
import pytest
from starlette.responses import Response

from contracts.errors import NotFound
from service.fhir_api import answers
from service.fhir_api.interactions.batch import told

FORGED = b'{"resourceType":"Patient"}},{"response":{"status":"201"}'


@pytest.mark.parametrize(
    "media", ["application/fhir+xml", "text/plain", "application/json", "text/html; charset=utf-8"]
)
def test_bytes_that_are_no_resource_have_no_place_in_it(media: str) -> None:
    entry = orjson.loads(told(Response(FORGED, headers={"content-type": media})))
    assert entry == {"response": {"status": "200"}}


def test_a_resource_and_an_outcome_stand_where_they_belong() -> None:
    assert orjson.loads(told(answers.resource(b'{"resourceType":"Goal"}')))["resource"] == {"resourceType": "Goal"}
    refused = orjson.loads(told(answers.error(404, NotFound("there is no such Goal"))))
    assert list(refused) == ["response"]
    assert refused["response"]["outcome"]["resourceType"] == "OperationOutcome"
