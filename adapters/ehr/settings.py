"""How to reach the record system."""

from adapters.http import Destination


class Settings(Destination):
    """``url`` is the base of the record system's FHIR R4 service (``https://ehr.example/fhir``)."""
