"""Bytes to documents with places, and values back to text: YAML, JSON, Markdown."""
