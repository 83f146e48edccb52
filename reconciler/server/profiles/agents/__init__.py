"""OpenAI's Agents API."""
