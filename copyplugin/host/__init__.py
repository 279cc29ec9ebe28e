"""What a host exchange tells of its leaders, by signed messages (C1, V7)."""
