"""The rules and values of copy trading: pure functions, no I/O, no clock, no database."""
