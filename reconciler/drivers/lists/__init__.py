"""Lists of remotes, read to their end."""
