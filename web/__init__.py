"""The pages and the HTTP API, on Flask."""
