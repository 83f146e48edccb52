"""What is planned: files against a target, files against other files, a saved plan, a shard."""
