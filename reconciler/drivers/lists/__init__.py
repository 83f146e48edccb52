"""Reads lists of remotes to their end."""
