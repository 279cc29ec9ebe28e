"""Adapters behind the Venue port: the simulated exchange in process, real ones through ccxt."""
