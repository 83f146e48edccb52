"""What changed in a long text."""
