"""HTTP: connections, requests, retries, rate limits, bounds on answers."""
