"""What people are told, on a page."""
