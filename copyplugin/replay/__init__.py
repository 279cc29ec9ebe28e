"""Recorded leaders trade again, the real engine copies them, and all of it is accounted for."""
