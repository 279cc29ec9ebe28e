"""The deterministic state machine of the exchange: commands in, events out, no I/O."""
