"""The record system (EHR) that an activity came from: it gets its record back with the KVÅ codes."""
