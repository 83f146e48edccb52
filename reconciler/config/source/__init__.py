"""Where bytes come from: the disk, git, patterns of paths."""
