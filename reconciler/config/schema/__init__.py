"""Schemas of kinds, provider files, validation, and the messages of validation errors."""
