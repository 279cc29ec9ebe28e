"""The database's history, one numbered Alembic revision per file."""
