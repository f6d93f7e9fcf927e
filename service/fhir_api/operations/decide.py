"""operation ``Consent/$decide``: https://hl7.org/fhir/R4/operations.html; may this unit tell X Y for Z today?"""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from contracts.record import Right
from fhir_mappings import decision as mapping
from fhir_mappings import r4
from service.fhir_api import answers
from service.fhir_api.preferences import read_fhir
from service.fhir_api.surroundings import Surroundings
from service.usecases.answering import answer, blocks_on, parties_seen
from service.usecases.keeping import visible


async def decide(around: Surroundings, request: Request) -> Response:
    """The answer with all its reasons; it is kept, with a row in the access log, before it leaves."""
    caller = around.caller(request, Right.FHIR_READ)
    parameters = r4.parse(await read_fhir(request), expected="Parameters")
    patient, asked = await around.store.run(
        lambda transaction: mapping.from_fhir(parameters, parties_seen(transaction, caller))
    )
    await around.store.run(lambda transaction: visible(transaction, caller, "Patient", patient))
    blocks = await blocks_on(around.store, around.blocks, caller, patient, asked.sources)
    number, kept = await around.store.run(
        lambda transaction: answer(transaction, around.context, caller, patient, asked, blocks)
    )
    return answers.resource(orjson.dumps(mapping.to_fhir(number, kept)))
