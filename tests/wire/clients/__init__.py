"""Further clients of both venues, as their registries ship them, on served exchanges."""
