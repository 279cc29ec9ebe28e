"""Prices and liquidity: index and mark, synthetic and replayed paths, market makers."""
