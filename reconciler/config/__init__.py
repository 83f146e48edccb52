"""Turns files into manifests and settings.

Each room imports only rooms after it: edit, manifests, settings, checks, schema, source, syntax.
"""
