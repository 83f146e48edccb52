"""What there is: kinds and their fields, codes of messages, providers."""
