"""What the control surface can do with a case worker, the same for each."""

from collections.abc import Callable
from typing import Any

from pydantic import TypeAdapter

from adapters.mocking.casework import Case, CaseWorker, shown
from adapters.mocking.control import Asked, NotThere, Row
from adapters.mocking.counterpart import Room

Worker = CaseWorker[Any, Any, Any, Any]
Found = tuple[Worker, Room]


def rows(
    here: str, whose: str, worker: Callable[[Asked], Found], orders: TypeAdapter[Any], step: TypeAdapter[Any]
) -> tuple[Row, ...]:
    """The rows below the address ``here``. ``worker`` finds who is asked for, and the room. Raises what it raises."""

    def instructed(asked: Asked) -> Any:
        found, _ = worker(asked)
        found.instruct(orders.validate_json(asked.body), asked.namespace)
        return told(asked)

    def told(asked: Asked) -> Any:
        found, room = worker(asked)
        return found.orders(room).model_dump(by_alias=True)

    def scripts(asked: Asked) -> Any:
        listed = worker(asked)[0].scripts
        return {name: script.model_dump(mode="json", by_alias=True) for name, script in listed.items()}

    def cases(asked: Asked) -> Any:
        found, room = worker(asked)
        return [shown(found, case) for case in found.cases(room)]

    def one(asked: Asked) -> Any:
        found, room = worker(asked)
        return shown(found, _case(asked, found, room))

    async def send(asked: Asked) -> Any:
        wanted = step.validate_json(asked.body)
        found, room = worker(asked)
        sent = await found.send(room, _case(asked, found, room), wanted)
        return {"id": sent.letter.id, "state": sent.state, "told": sent.told}

    return (
        Row("GET", here, told, f"How {whose} works"),
        Row("PUT", here, instructed, f"How {whose} shall work, and by which script", orders),
        Row("GET", f"{here}/scripts", scripts, "The scripts"),
        Row("GET", f"{here}/cases", cases, f"The cases of {whose}"),
        Row("GET", f"{here}/cases/{{number}}", one, "One case, and what has been sent in it"),
        Row("POST", f"{here}/cases/{{number}}/messages", send, "Answer or ask in this case so, at once", step),
    )


def _case(asked: Asked, worker: Worker, room: Room) -> Case[Any, Any]:
    found = worker.case(room, asked.number("number"))
    if found is None:
        raise NotThere
    return found
