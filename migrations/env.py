"""Runs the migrations on the connection that `copyplugin.store.schema` hands over."""

from alembic import context
from sqlalchemy import Connection

from copyplugin.store.rows import Row

connection = context.config.attributes.get("connection")
if not isinstance(connection, Connection):
    raise SystemExit("migrations run through `copyplugin db upgrade`, which knows the database")

context.configure(
    connection=connection,
    target_metadata=Row.metadata,
    # SQLite changes a column by copying its table.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
