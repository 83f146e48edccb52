"""Decides which live object belongs to which manifest."""
