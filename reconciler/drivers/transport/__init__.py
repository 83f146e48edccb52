"""HTTP: connections, requests, retries, rate limits, limits on responses."""
