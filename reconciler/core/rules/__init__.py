"""What blocks a change: each rule is one function of (change, world)."""
