"""Speaks to remotes: one generic REST driver that follows provider data, and HTTP below it."""
