"""The pages about one's own follows."""
