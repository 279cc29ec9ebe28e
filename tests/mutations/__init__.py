"""Deliberate defects in engine code, and the tests that catch them."""
