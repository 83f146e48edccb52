"""Makes one manifest for each row of a table."""
