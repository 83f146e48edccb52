"""An optional lock of a target, so that one run at a time changes it."""
