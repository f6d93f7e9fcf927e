"""Is there an order of these requests, each somewhere between its sending and its answer, in which one after the other they
would have been answered just so? Then the history is linearizable (Herlihy and Wing 1990); the search is Wing and Gong's.

A resource is a register: a version and a value. What a deletion leaves has a version and no value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple


class State(NamedTuple):
    """What is stored. Version 0: nothing was ever."""

    version: int = 0
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Op:
    """A request and its answer. ``sent`` and ``answered`` are places in the order in which such things happened.

    ``value`` is what was written, or what a read showed; ``expected`` the version of If-Match; ``version`` the one that the
    answer names, 0 where it names none.
    """

    kind: str
    sent: int
    answered: int
    status: int
    value: str | None = None
    expected: int | None = None
    version: int = 0


def after(state: State, op: Op) -> State | None:
    """The state after the request, if it can be answered so in this state; else ``None``."""
    if op.kind == "read":
        return state if (op.status, op.version, op.value) == _shown(state) else None
    if op.expected is not None and op.expected != state.version:
        return state if op.status == (412 if state.version or op.kind == "write" else 404) else None
    return _written(state, op) if op.kind == "write" else _deleted(state, op)


def _shown(state: State) -> tuple[int, int, str | None]:
    if state.value is not None:
        return 200, state.version, state.value
    return (410 if state.version else 404), 0, None


def _written(state: State, op: Op) -> State | None:
    status = 201 if state.value is None else 200
    return State(op.version, op.value) if (op.status, op.version) == (status, state.version + 1) else None


def _deleted(state: State, op: Op) -> State | None:
    if state.version == 0:
        return state if op.status == 404 else None
    if op.status != 204:
        return None
    if state.value is None:
        return state if op.version == state.version else None
    return State(op.version) if op.version == state.version + 1 else None


def is_linearizable(history: Sequence[Op]) -> bool:
    """Whether the history of one register is."""
    ops: Final = sorted(history, key=lambda op: op.sent)
    everything = (1 << len(ops)) - 1
    waiting = [(0, State())]
    seen = set(waiting)
    while waiting:
        done, state = waiting.pop()
        if done == everything:
            return True
        for index in _next(ops, done):
            reached = after(state, ops[index])
            step = (done | 1 << index, reached) if reached is not None else None
            if step is not None and step not in seen:
                seen.add(step)
                waiting.append(step)
    return False


def _next(ops: Sequence[Op], done: int) -> list[int]:
    """Those that may come next: sent before any of the others was answered."""
    left = [index for index in range(len(ops)) if not done >> index & 1]
    first_answer = min(ops[index].answered for index in left)
    return [index for index in left if ops[index].sent < first_answer]
