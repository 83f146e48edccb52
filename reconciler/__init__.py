"""Assistants as code: files say what assistants should be; plan shows what differs; apply sends the changed fields."""

__version__ = "0.1.0"
