"""The service's own memory: one schema, one writer, many readers (decisions D4, D6)."""
