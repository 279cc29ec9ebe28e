"""The operator's pages: halts, what is owed, settings with their changes, dry runs."""
