"""Templates to answers. What a template writes is escaped, and a name that it lacks is an error."""

from datetime import datetime
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from contracts.errors import RekoError
from contracts.time import STOCKHOLM, swedish_day
from fhir_mappings.wording import HEADINGS
from service.console import dialogue_words, timeline, words
from service.rules.certificate_notice import CONTACT_WISHED

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of every page. No script at all may run, and nothing is asked of any other place. ``no-referrer`` would take the origin
from our own forms too, and it is by the origin that they are known."""


def moment(at: datetime) -> str:
    """As a clock on the wall in Sweden shows it."""
    return at.astimezone(STOCKHOLM).strftime("%Y-%m-%d kl. %H.%M")


def day(at: datetime) -> str:
    """The day of it in Sweden."""
    return str(swedish_day(at))


_TEMPLATES: Final = Environment(
    loader=PackageLoader("service.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters |= {"moment": moment, "day": day}
_TEMPLATES.globals |= {
    "modes": words.MODES,
    "scale": timeline,
    "contact_wished": CONTACT_WISHED,
    "words": dialogue_words,
    "headings": HEADINGS,
}


def rendered(template: str, status: int = 200, **values: Any) -> Response:
    """The page."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(**values), status, HEADERS)


def error_page(status: int, error: RekoError) -> Response:
    """What went wrong, and what to do."""
    heading, text = words.told(error)
    return rendered("error.html", status, heading=heading, text=text)
