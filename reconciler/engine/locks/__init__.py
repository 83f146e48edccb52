"""An optional lock of a target: one run at a time, wherever it runs."""
