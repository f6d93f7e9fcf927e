"""The rules: pure functions and tables over contracts. They await nothing, read nothing and know no FHIR."""
