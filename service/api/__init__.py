"""The plain JSON API for systems without FHIR, and the operator's API. The same use cases as the FHIR surface."""
