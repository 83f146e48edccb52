"""Checks beyond the schema: secrets, hidden characters, policies, names, references."""
