"""Care units that are pulled by themselves: which, when, and the rounds that do it."""
