"""One folder per outside system; folders never import each other."""
