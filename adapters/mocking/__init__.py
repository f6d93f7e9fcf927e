"""What every mock counterpart shares: a ledger of what it got, faults on order, namespaces, and a clock to ask.

A mock is the other side of the same contract, a real ASGI application (decision D7). It writes down everything it
receives, also what it refuses, and misbehaves when told to (decision D27).

``counterpart`` is what a mock is made with, ``exchange`` what each request goes through, ``ledger`` what is written down,
``faults`` how it misbehaves, ``agenda`` what it will do later, ``casework`` who there takes up what came. ``verify``, ``spy``
and ``recording`` look at what came.
``world`` holds all counterparts together; ``control`` and ``page`` let programs and people at it.
"""

from adapters.mocking.counterpart import NAMESPACE_HEADER, Counterpart, Room
from adapters.mocking.exchange import Answered, play
from adapters.mocking.faults import Fault
from adapters.mocking.ledger import Entry, Ledger, Remembered
from adapters.mocking.validation import Level, Validation

__all__ = [
    "NAMESPACE_HEADER",
    "Answered",
    "Counterpart",
    "Entry",
    "Fault",
    "Ledger",
    "Level",
    "Remembered",
    "Room",
    "Validation",
    "play",
]
