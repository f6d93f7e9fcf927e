"""Logs and metrics. A log line has a stable event code and never a personal number, a name, or an exception's own words.

Exception texts are left out on purpose: they are written by libraries that repeat what they were given. Kind and place are
enough to find the fault.
"""

import logging
import sys
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import orjson
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

REGISTRY: Final = CollectorRegistry()
OUTBOX_MESSAGES: Final = Gauge(
    "reko_outbox_messages", "Promised messages by destination and state", ("destination", "state"), registry=REGISTRY
)
OUTBOX_OLDEST: Final = Gauge(
    "reko_outbox_oldest_seconds",
    "Age of the oldest message that waits, by destination",
    ("destination",),
    registry=REGISTRY,
)
OUTBOX_OLD: Final = Counter(
    "reko_outbox_old_total",
    "Warnings that a message waits for too long, by destination",
    ("destination",),
    registry=REGISTRY,
)
REQUESTS: Final = Counter(
    "reko_http_requests_total", "Answers by surface and status class", ("surface", "status"), registry=REGISTRY
)
PULLS: Final = Counter("reko_pulls_total", "Pulls of the rounds by how they ended", ("outcome",), registry=REGISTRY)
RECEIVED: Final = Counter(
    "reko_messages_received_total",
    "Messages of other parties by channel and what became of them",
    ("channel", "became"),
    registry=REGISTRY,
)

_PLAIN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event, and what the caller put in ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        """The line. Text comes from our own loggers only; of others (libraries) it is not repeated below error level."""
        extra = {name: value for name, value in vars(record).items() if name not in _PLAIN}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": extra.pop("event", record.name),
            "text": _text(record),
            **{name: str(value) for name, value in extra.items()},
            **_place(record),
        }
        return orjson.dumps(line).decode()


def _text(record: logging.LogRecord) -> str:
    """Our own words; of a library's, what it says when all is well. Where it quotes an exception, nobody knows what that
    repeats."""
    if record.name.startswith(("service", "adapters")):
        return str(record.msg)
    told = record.getMessage() if record.levelno < logging.ERROR else str(record.msg)
    if "Traceback" in told:
        return "a library told of an exception"
    return told.partition("\n")[0]  # asyncio writes the exception's own words on the second line


def _place(record: logging.LogRecord) -> dict[str, object]:
    if not record.exc_info or record.exc_info[1] is None:
        return {}
    error = record.exc_info[1]
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {"error": type(error).__name__, "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


def set_up_logging(level: str = "INFO") -> None:
    """JSON lines on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for noisy in ("httpx", "httpcore", "uvicorn.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def tell_outbox(standing: Iterable[tuple[str, str, int, datetime]], now: datetime) -> None:
    """Set the outbox gauges from (destination, state, messages, when the oldest was promised)."""
    OUTBOX_MESSAGES.clear()
    OUTBOX_OLDEST.clear()
    waiting: dict[str, datetime] = {}
    for destination, state, messages, oldest in standing:
        OUTBOX_MESSAGES.labels(destination, state).set(messages)
        if state in ("waiting", "retrying"):
            waiting[destination] = min(oldest, waiting.get(destination, oldest))
    for destination, oldest in waiting.items():
        OUTBOX_OLDEST.labels(destination).set((now - oldest).total_seconds())


def tell_old(destination: str) -> None:
    """Count a warning of age."""
    OUTBOX_OLD.labels(destination).inc()


def metrics_page() -> bytes:
    """The Prometheus text."""
    return generate_latest(REGISTRY)
