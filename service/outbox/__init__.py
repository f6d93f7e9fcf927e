"""Promises kept: the relay and its timetable."""
