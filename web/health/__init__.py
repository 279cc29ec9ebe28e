"""The page that tells how the engine fares."""
