"""The pages about leaders."""
