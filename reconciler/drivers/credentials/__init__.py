"""Which credential may go to which host, and how credentials are kept out of messages."""
