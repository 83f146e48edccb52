"""Faults that the embedded server injects."""
