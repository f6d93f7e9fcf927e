"""One file per operation, named as the specification names it."""
