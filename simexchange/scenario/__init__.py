"""Scenario files: what happens on an exchange and what is expected of it, without a program."""
