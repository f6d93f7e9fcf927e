"""In which form an answer leaves. https://hl7.org/fhir/R4/http.html#mime-type, https://hl7.org/fhir/R4/http.html#parameters"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import NotAcceptable
from fhir_mappings import xml
from service.fhir_api import answers

FHIR_XML: Final = "application/fhir+xml"
PACKED_FROM: Final = 1000
"""Bytes from which an answer is compressed, for who takes that."""

_IN_ITS_OWN_FORM: Final = "/$patient-document"
_JSON: Final = frozenset({answers.FHIR_JSON, "application/json", "text/json", "json"})
_XML: Final = frozenset({FHIR_XML, "application/xml", "text/xml", "xml"})
_BY_DEFAULT: Final = _JSON | {"*/*", "application/*"}
_OF_FHIR: Final = frozenset({answers.FHIR_JSON, FHIR_XML, "application/json"})
"""In ``Accept``, what means the resource and not the bytes in it: FHIR's own types, and plain JSON, which is as good here."""


def wanted(request: Request) -> str:
    """The forms that are asked for: ``_format``, else ``Accept``."""
    return _stated(request, "_format") or request.headers.get("accept") or "*/*"


def posted(request: Request, pairs: Iterable[tuple[str, str]]) -> None:
    """What the body of a search says of its answer's form is as good as said in the address. Raises ``NotAcceptable``."""
    request.scope["state"]["posted"] = dict(pairs)
    accept_format(request)


def names_fhir(request: Request) -> bool:
    """Whether FHIR's JSON or XML is asked for by name. ``Accept: application/xml`` may mean bytes of that type, ``_format``
    cannot. https://hl7.org/fhir/R4/binary.html#rest"""
    known = _OF_FHIR if _stated(request, "_format") is None else _JSON | _XML
    return any(weight and form in known for form, weight in _offers(wanted(request)))


@lru_cache(100)
def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client reads what is compressed. https://www.rfc-editor.org/rfc/rfc9110#field.accept-encoding"""
    return any(weight and form in ("gzip", "x-gzip") for form, weight in _offers(accept_encoding))


def accept_format(request: Request) -> None:
    """Raises ``NotAcceptable`` when no form that is wanted is made here. A Binary leaves in whatever form it is, and a
    document in those that it has."""
    accepted = wanted(request)
    if (
        accepted in _BY_DEFAULT
        or request.path_params.get("type") == "Binary"
        or request.url.path.endswith(_IN_ITS_OWN_FORM)
    ):
        return
    if not any(weight and (form in _BY_DEFAULT or form in _XML) for form, weight in _offers(accepted)):
        raise NotAcceptable(f"answers are {answers.FHIR_JSON} or {FHIR_XML}")


def in_form(request: Request, response: Response) -> Response:
    """As XML, where that is liked better; indented, where ``_pretty`` asks for it; without the body, where HEAD asks for the
    headers."""
    if response.headers.get("content-type") == answers.CONTENT_TYPE:
        pretty = _stated(request, "_pretty") == "true"
        if _likes_xml(request):
            _replace(response, xml.to_xml(bytes(response.body), pretty=pretty))
            response.headers["content-type"] = f"{FHIR_XML}; charset=utf-8"
        elif pretty:
            _replace(response, msgspec.json.format(bytes(response.body), indent=2))
    if request.method == "HEAD":
        if len(response.body) >= PACKED_FROM and takes_gzip(request.headers.get("accept-encoding", "")):
            del response.headers["content-length"]  # nobody packs what is not sent, to say how long it would be
        response.body = b""
    return response


def _replace(response: Response, body: bytes) -> None:
    response.body = body
    response.headers["content-length"] = str(len(body))


def _likes_xml(request: Request) -> bool:
    accepted = wanted(request)
    if accepted in _BY_DEFAULT:
        return False
    offers = list(_offers(accepted))
    best_xml, best_json = (
        max((weight for form, weight in offers if form in forms), default=0.0) for forms in (_XML, _BY_DEFAULT)
    )
    return best_xml > best_json


def _stated(request: Request, name: str) -> str | None:
    """``_format`` or ``_pretty``; an entry of a batch has none (``batch``)."""
    asked = request.query_params.get(name) if name.encode() in request.scope["query_string"] else None
    return asked or request.scope["state"].get("posted", {}).get(name) or None


def _offers(accepted: str) -> Iterator[tuple[str, float]]:
    """Each form with its weight. A plus in ``_format`` that was not escaped arrives as a space."""
    for part in accepted.split(","):
        form, *parameters = part.split(";")
        yield form.strip().lower().replace(" ", "+"), _weight(parameters)


def _weight(parameters: list[str]) -> float:
    stated = next((each.strip()[2:] for each in parameters if each.strip().startswith("q=")), "1")
    return float(stated) if stated.replace(".", "", 1).isascii() and stated.replace(".", "", 1).isdigit() else 1.0
