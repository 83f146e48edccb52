"""Decides what to change, without IO, clock or chance. Read `decide` first, then `plan`."""
