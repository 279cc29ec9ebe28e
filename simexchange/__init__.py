"""A simulated perpetual exchange: same seed, same commands, same bytes."""
