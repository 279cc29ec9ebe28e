"""The pages of a leader about those who follow him."""
