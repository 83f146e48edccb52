"""Shows what changed in a long text."""
