"""The values everything else is made of: manifests, objects, changes, marks, and what values mean."""
