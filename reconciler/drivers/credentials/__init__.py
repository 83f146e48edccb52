"""What may travel to which host, and how credentials are kept out of every message."""
