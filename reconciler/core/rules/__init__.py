"""Rules that block a change: each is one function of (change, world)."""
