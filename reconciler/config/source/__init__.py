"""Reads files from the disk or from a git commit."""
