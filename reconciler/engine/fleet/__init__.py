"""Many workers on many machines: chunks of work in a queue, and what they must agree on in PostgreSQL."""
