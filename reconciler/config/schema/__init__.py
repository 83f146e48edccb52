"""Kinds and providers as data, validation, and how a refusal is explained."""
