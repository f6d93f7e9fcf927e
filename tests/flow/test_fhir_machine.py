"""Any sequence of requests to /fhir, beside a model that a reader can check: the same answers, and never a 5xx."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

if TYPE_CHECKING:
    from tests.flow.conftest import Flow

Json = dict[str, Any]

EHR: Final = "urn:example:ehr"
IDS: Final = st.sampled_from(["a", "b", "c"])
KEYS: Final = st.sampled_from(["x", "y"])
NAMES: Final = st.sampled_from(["Ett", "Två", "Tre", "Fyra"])
EXPECTED: Final = st.one_of(st.none(), st.integers(1, 6))


class Service:
    """The running service, asked one request at a time."""

    def __init__(self, runner: asyncio.Runner, flow: "Flow") -> None:
        self._runner = runner
        self._flow = flow

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        answer = self._runner.run(self._flow.coordinator.request(method, f"/fhir{path}", json=body, headers=headers))
        assert answer.status_code < 500, answer.text
        return answer


class Machine(RuleBasedStateMachine):
    """Versions by id, oldest first: (key, name), or nothing for a deletion. Every example begins with ids of its own."""

    service: Service
    examples = iter(range(10**6))

    def __init__(self) -> None:
        super().__init__()
        self.prefix = f"m{next(self.examples)}"
        self.versions: dict[str, list[tuple[str, str] | None]] = {}

    # The model

    def _id(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def _form(self, id: str, key: str, name: str) -> Json:
        identifier = [{"system": EHR, "value": f"{self.prefix}-{key}"}]
        named = {"id": id} if id else {}
        return {"resourceType": "Organization", **named, "identifier": identifier, "name": name}

    def _current(self, id: str) -> tuple[str, str] | None:
        return self.versions[id][-1] if id in self.versions else None

    def _with_key(self, key: str) -> list[str]:
        return [id for id in self.versions if (self._current(id) or ("", ""))[0] == key]

    def _write(self, id: str, key: str, name: str, expected: int | None = None) -> int:
        """The status that an update is answered with, and what it leaves."""
        known = self.versions.get(id, [])
        if expected not in (None, len(known)):
            return 412
        was_there = self._current(id) is not None
        if self._current(id) != (key, name):
            self.versions[id] = [*known, (key, name)]
        return 200 if was_there else 201

    # What is asked

    @rule(name=IDS, key=KEYS, text=NAMES, expected=EXPECTED)
    def update(self, name: str, key: str, text: str, expected: int | None) -> None:
        id = self._id(name)
        headers = {} if expected is None else {"If-Match": f'W/"{expected}"'}
        answer = self.service.ask("PUT", f"/Organization/{id}", self._form(id, key, text), **headers)
        assert answer.status_code == self._write(id, key, text, expected)

    @rule(key=KEYS, text=NAMES)
    def create(self, key: str, text: str) -> None:
        answer = self.service.ask("POST", "/Organization", self._form("", key, text))
        assert answer.status_code == 201
        self.versions[answer.json()["id"]] = [(key, text)]

    @rule(key=KEYS, text=NAMES)
    def create_on_a_condition(self, key: str, text: str) -> None:
        condition = {"If-None-Exist": f"identifier={EHR}|{self.prefix}-{key}"}
        found = self._with_key(key)
        answer = self.service.ask("POST", "/Organization", self._form("", key, text), **condition)
        assert answer.status_code == {0: 201, 1: 200}.get(len(found), 412)
        if not found:
            self.versions[answer.json()["id"]] = [(key, text)]
        elif len(found) == 1:
            assert answer.json()["id"] == found[0]

    @rule(key=KEYS, text=NAMES)
    def update_on_a_condition(self, key: str, text: str) -> None:
        found = self._with_key(key)
        address = f"/Organization?identifier={EHR}|{self.prefix}-{key}"
        answer = self.service.ask("PUT", address, self._form("", key, text))
        if len(found) > 1:
            assert answer.status_code == 412
            return
        id = found[0] if found else answer.json()["id"]
        assert answer.status_code == self._write(id, key, text)

    @rule(name=IDS, text=NAMES, merge=st.booleans())
    def patch(self, name: str, text: str, merge: bool) -> None:
        id = self._id(name)
        change: object = {"name": text} if merge else [{"op": "replace", "path": "/name", "value": text}]
        answer = self.service.ask("PATCH", f"/Organization/{id}", change)
        current = self._current(id)
        if current is None:
            assert answer.status_code == (410 if id in self.versions else 404)
        else:
            assert answer.status_code == self._write(id, current[0], text)

    @rule(name=IDS, expected=EXPECTED)
    def delete(self, name: str, expected: int | None) -> None:
        id = self._id(name)
        headers = {} if expected is None else {"If-Match": f'W/"{expected}"'}
        answer = self.service.ask("DELETE", f"/Organization/{id}", **headers)
        known = self.versions.get(id, [])
        if not known:
            assert answer.status_code == 404
        elif expected not in (None, len(known)):
            assert answer.status_code == 412
        else:
            assert answer.status_code == 204
            self.versions[id] = known if known[-1] is None else [*known, None]

    @rule(key=KEYS)
    def delete_on_a_condition(self, key: str) -> None:
        found = self._with_key(key)
        answer = self.service.ask("DELETE", f"/Organization?identifier={EHR}|{self.prefix}-{key}")
        assert answer.status_code == (412 if len(found) > 1 else 204)
        for id in found if len(found) == 1 else ():
            self.versions[id] = [*self.versions[id], None]

    @rule(first=IDS, second=IDS, key=KEYS, text=NAMES, spoiled=st.booleans())
    def transaction(self, first: str, second: str, key: str, text: str, spoiled: bool) -> None:
        """Two updates, or one and a deletion of the other; a spoiled one has a third that cannot be."""
        ids = [self._id(first), self._id(second)]
        entries = [
            {"resource": self._form(ids[0], key, text), "request": {"method": "PUT", "url": f"Organization/{ids[0]}"}},
            {"request": {"method": "DELETE", "url": f"Organization/{ids[1]}"}},
        ]
        if spoiled:
            entries.append({"resource": {"resourceType": "Goal"}, "request": {"method": "POST", "url": "Goal"}})
        answer = self.service.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
        known = self.versions.get(ids[1], [])
        if spoiled or first == second or not known:
            assert answer.status_code in (400, 404, 422)
            return
        assert answer.status_code == 200
        self.versions[ids[1]] = known if known[-1] is None else [*known, None]
        self._write(ids[0], key, text)

    # What is there

    @rule(name=IDS)
    def history(self, name: str) -> None:
        id = self._id(name)
        answer = self.service.ask("GET", f"/Organization/{id}/_history?_count=500")
        if id not in self.versions:
            assert answer.status_code == 404
            return
        told = [entry.get("resource", {}).get("name") for entry in answer.json()["entry"]]
        assert told == [version and version[1] for version in reversed(self.versions[id])]

    @rule(name=IDS, number=st.integers(0, 8))
    def version(self, name: str, number: int) -> None:
        id = self._id(name)
        answer = self.service.ask("GET", f"/Organization/{id}/_history/{number}")
        known = self.versions.get(id, [])
        if not 1 <= number <= len(known):
            assert answer.status_code == 404
        else:
            version = known[number - 1]
            assert answer.status_code == (410 if version is None else 200)
            assert version is None or answer.json()["name"] == version[1]

    @rule(key=KEYS)
    def search(self, key: str) -> None:
        answer = self.service.ask("GET", f"/Organization?identifier={EHR}|{self.prefix}-{key}&_total=accurate")
        found = {entry["resource"]["id"] for entry in answer.json().get("entry", [])}
        assert (found, answer.json()["total"]) == (set(self._with_key(key)), len(found))

    @invariant()
    def what_is_read_is_what_was_written(self) -> None:
        for id, known in list(self.versions.items())[-3:]:
            answer = self.service.ask("GET", f"/Organization/{id}")
            assert answer.status_code == (410 if known[-1] is None else 200)
            assert known[-1] is None or answer.json()["name"] == known[-1][1]
            assert known[-1] is None or answer.headers["ETag"] == f'W/"{len(known)}"'


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Service]:
    from tests.flow.conftest import serving

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        flow = runner.run(stack.enter_async_context(serving(tmp_path)))
        try:
            yield Service(runner, flow)
        finally:
            runner.run(stack.aclose())


def test_any_sequence_is_answered_as_the_model_says(running: Service) -> None:
    class Ours(Machine):
        service = running

    run_state_machine_as_test(
        Ours,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[*HealthCheck],
            derandomize=True,
        ),
    )
