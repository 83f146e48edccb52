"""Anthropic's Managed Agents API."""
