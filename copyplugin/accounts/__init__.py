"""People: users, identity checks, roles, audit, secrets, privacy."""
