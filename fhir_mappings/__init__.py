"""Pure functions between FHIR R4 and contracts. No I/O, no clock, no randomness."""
