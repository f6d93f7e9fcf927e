"""One file per operation, named as the specification, or our guide, names it. ``table`` lists ours, ``terminology`` R4's."""
