"""Waiting for the disk beside the writer: while it keeps what was committed, the next group is written.

A commit that does not wait stands in the log in memory: it is seen by those who read, and by what is written after it, and a
power loss may still take it, together with all that came after. So nobody is told of one before a flush that began after it
has ended; and who is shown something waits for the row that says so, or for ``Writer.settled``.
"""

import logging
import os
import queue
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


def end_at_once() -> None:
    """End the process as a power cut would. After a flush that failed nothing is known of what was committed last, and no
    later flush would tell (https://wiki.postgresql.org/wiki/Fsync_Errors). Closing the database in order would copy that into
    the file; the next start reads the log as far as it is whole, with all that was acknowledged."""
    os._exit(os.EX_IOERR)


class Flusher:
    """The thread that flushes. If it cannot, ``end`` is called."""

    def __init__(self, flush: Callable[[], None], end: Callable[[], None] = end_at_once) -> None:
        self._flush, self._end = flush, end
        self._waiting: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-flusher", daemon=True)
        self._thread.start()

    def then(self, told: Callable[[], None]) -> None:
        """Call ``told``, on the flusher's thread, when all that is committed now is durable."""
        self._waiting.put(told)

    def close(self) -> None:
        """Tell all that wait, then stop."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        is_closed = False
        try:
            while not is_closed:
                waiting = [self._waiting.get()]
                while not self._waiting.empty():
                    waiting.append(self._waiting.get())
                is_closed = None in waiting
                if waiting != [None]:
                    self._flush()
                for told in waiting:
                    if told is not None:
                        told()
        except BaseException as error:
            told_of = {"event": "store.flush-failed"}
            _log.critical("the disk may not have kept what was written last", exc_info=error, extra=told_of)
            self._end()
