"""OpenAI's Assistants API, version 2."""
