"""Changes files: format, import, write back live edits, convert."""
