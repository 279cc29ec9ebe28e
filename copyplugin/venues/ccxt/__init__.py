"""Real venues through ccxt: one adapter, and a file of quirks for each venue."""
