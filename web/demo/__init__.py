"""The demonstration: exchange, plugin and pages in one process on one machine."""
