"""The FHIR R4 surface: one row per resource type, one file per interaction."""
