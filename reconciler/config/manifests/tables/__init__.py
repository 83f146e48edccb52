"""One manifest for each row of a table: rows, and the templates that they fill."""
