"""What the wire can be asked about later: orders, fills, money moved, positions, public trades."""
