"""Many processes: leases, and on PostgreSQL the queue that wakes whoever may take one."""

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ENGINE = -1
SHARDS = 256
QUEUE = "procrastinate"  # a schema of its own: its tables are the library's


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_lease")),
    )
    leases = sa.table(
        "lease", sa.column("number", sa.BigInteger()), sa.column("epoch", sa.BigInteger())
    )
    op.bulk_insert(leases, [{"number": number, "epoch": 0} for number in (ENGINE, *range(SHARDS))])
    if op.get_bind().dialect.name == "sqlite":
        return
    op.execute(f"CREATE SCHEMA {QUEUE}")
    connection = op.get_bind()
    before = connection.exec_driver_sql("SHOW search_path").scalar_one()
    connection.exec_driver_sql(f"SET LOCAL search_path = {QUEUE}")
    connection.connection.driver_connection.execute(SchemaManager.get_schema())
    connection.exec_driver_sql(f"SET LOCAL search_path = {before}")


def downgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(f"DROP SCHEMA {QUEUE} CASCADE")
    op.drop_table("lease")
