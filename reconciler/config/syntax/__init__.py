"""Parses YAML, JSON and Markdown with positions, and writes values back as text."""
