"""Many workers on many machines: a job queue, and shared knowledge in PostgreSQL."""
