"""One file per interaction, named as the specification names it."""
