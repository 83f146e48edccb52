"""Turns documents into manifests: tags, layers, tables, members, uploads."""
