"""Live objects into files: which are imported, what their manifests say, and live edits written back."""
