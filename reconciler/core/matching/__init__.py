"""Which live object belongs to which manifest."""
