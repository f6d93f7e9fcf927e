"""Waiting for the disk beside the writer: while it keeps what was committed, the next group is written.

A commit that does not wait stands in the log in memory: it is seen by those who read, and by what is written after it, and a
power loss may still take it, together with all that came after. So nobody is told of one before a flush that began after it
has ended. What a reader saw of it leaves no earlier: the row that says so is itself committed after it, and waits too.
"""

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

from contracts.errors import Unavailable

Told = Callable[[Unavailable | None], None]
"""What is called when all that was committed before is on the disk, or cannot be known to be."""

_log = logging.getLogger(__name__)


class Flusher:
    """The thread that flushes. After a flush that failed nothing is known of what was committed last, and a later flush
    would tell nothing of it: all that is told from then on is that (https://wiki.postgresql.org/wiki/Fsync_Errors)."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._waiting: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
        self.failed: Unavailable | None = None
        self._thread = threading.Thread(target=self._run, name="store-flusher", daemon=True)
        self._thread.start()

    def then(self, told: Told) -> None:
        """Call ``told``, on the flusher's thread, when all that is committed now is durable."""
        self._waiting.put(told)

    def close(self) -> None:
        """Tell all that wait, then stop."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        waiting: list[Told | None] = []
        while None not in waiting:
            waiting = [self._waiting.get()]
            while not self._waiting.empty():
                waiting.append(self._waiting.get())
            if self.failed is None:
                self._keep()
            for told in waiting:
                if told is not None:
                    told(self.failed)

    def _keep(self) -> None:
        try:
            self._flush()
        except OSError as error:
            _log.critical(
                "the disk may not have kept what was written", exc_info=error, extra={"event": "store.flush-failed"}
            )
            self.failed = Unavailable(_LOST)


_LOST: Final = "the disk may not have kept what was written last: start the service again, when the disk is well"
