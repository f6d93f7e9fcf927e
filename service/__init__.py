"""Decides, serves, keeps promises."""
